"""Train the autoencoder; the history grows by a row an epoch, the weights are written at the end."""

from pathlib import Path

import torch

from convae import artifacts
from convae.data.images import read_images
from convae.network import models
from convae.network.params import ModelParams, configure
from convae.network.weights import weights, write_weights
from convae.params import load_section
from convae.stage import run
from convae.training import checkpoints, devices, workers
from convae.training.history import write_history
from convae.training.loop import train
from convae.training.params import TrainParams


def main() -> None:
    shape, params = load_section("model", ModelParams), load_section("train", TrainParams)
    paths = [Path("artifacts/data/train_images.npy"), Path("artifacts/data/test_images.npy")]
    train_images = read_images(paths[0])
    test_images = read_images(paths[1], train_images.shape[1:])
    config = configure(shape, train_images.shape[1:])
    device = devices.default_device()
    if workers.launch(main, params.shards, device):
        return
    key = checkpoints.run_key({"model": shape, "train": params}, paths, device)
    pixels = torch.from_numpy(train_images), torch.from_numpy(test_images)
    with devices.computing(device), workers.joined(device), checkpoints.checkpoint(key) as checkpoint:
        model = models.build(config, params.seed).to(device)
        for history in train(model, *pixels, params, device, checkpoint):
            if workers.rank() == 0:
                write_history(Path("artifacts/train/history.csv"), history)
        if workers.rank() == 0:
            write_weights(Path("artifacts/model/weights.safetensors"), weights(model))
            artifacts.write_json(Path("artifacts/model/config.json"), config.model_dump(exclude_none=True))
            artifacts.write_json(Path("artifacts/train/machine.json"), devices.machine(device))


if __name__ == "__main__":
    run(main)
