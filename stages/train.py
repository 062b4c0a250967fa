"""Train the autoencoder; the history grows by a row an epoch, the weights are written at the end."""

from functools import partial
from pathlib import Path

import torch

from convae import artifacts
from convae.data.images import read_images
from convae.hosts import devices, group, launch
from convae.hosts.description import describe, run_key
from convae.hosts.ranks import rank
from convae.network import start, weights
from convae.network.params import configure, load_architecture
from convae.network.preparation import read_preparation
from convae.params import load_section
from convae.progress import doing
from convae.stage import run
from convae.training import checkpoints, history, loop, reading, validation
from convae.training.params import TrainParams


def main(device: torch.device) -> None:
    artifacts.read_json(Path("artifacts/check/images_passed.json"))
    network, params = load_architecture(), load_section("train", TrainParams)
    paths = [Path("artifacts/data/train_images.npy"), Path("artifacts/data/test_images.npy")]
    images = read_images(paths[0])
    parts = [*validation.split(images, params.validation_fraction), read_images(paths[1], images.shape[1:])]
    reading.expect_random_reads(parts[0])
    read_ahead = partial(reading.read_ahead, parts[0]) if device.type == "cpu" else None
    train_images, validation_images, test_images = (torch.from_numpy(part) for part in parts)
    preparation = read_preparation(Path("artifacts/data/preparation.json"))
    config = configure(network, images.shape[1:], params.noise, params.arithmetic, params.augment, preparation)
    machine = devices.machine(device, params.arithmetic)
    description = describe({"model": config, "train": params}, paths, machine)
    group.agree({**description, "device": {"type": device.type}})
    torch.set_num_threads(1)
    with checkpoints.checkpoint(run_key(description)) as checkpoint:
        with doing("building the network"):  # which may start with a PCA of thousands of images
            model = start.initial_model(config, params.seed, train_images).to(device)
        for losses in loop.train(
            model, train_images, test_images, params, device, checkpoint, validation_images, read_ahead
        ):
            if rank() == 0:
                history.write_history(Path("artifacts/train/history.csv"), losses)
        if rank() == 0:
            weights.write_weights(Path("artifacts/model/weights.safetensors"), weights.weights(model))
            artifacts.write_json(Path("artifacts/model/config.json"), config.content())
            artifacts.write_json(Path("artifacts/train/machine.json"), machine)


if __name__ == "__main__":
    run(launch.shared(main))
