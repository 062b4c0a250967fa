"""Train the autoencoder; the history grows by a row an epoch, the weights are written at the end."""

import contextlib

import pandas as pd
import torch
from torchinfo import summary

from convae import artifacts, checkpoints, models, paths, workers
from convae.datasets import read_images
from convae.params import load_params
from convae.stage import run
from convae.training import train


def main() -> None:
    params = load_params()
    train_images = read_images(paths.TRAIN_IMAGES)
    test_images = read_images(paths.TEST_IMAGES, train_images.shape[1:])
    config = models.configure(params.model, train_images.shape[1:])
    device = models.default_device()
    processes = workers.processes(params.train.shards, device)
    if processes > 1 and not workers.started_by_launcher():
        workers.launch(main, processes)
        return
    torch.set_num_threads(1)
    determinants = params.model_dump(mode="json", include={"model", "train"})
    key = checkpoints.run_key(determinants, [paths.TRAIN_IMAGES, paths.TEST_IMAGES], device)
    model = models.build(config, params.train.seed).to(device)
    with workers.joined(device):
        first = workers.rank() == 0
        if first:
            print(summary(model, (1, *config.image_shape), col_names=("output_size", "num_params"), verbose=0))
        with checkpoints.checkpoint(key) if first else contextlib.nullcontext() as checkpoint:
            pixels = torch.from_numpy(train_images), torch.from_numpy(test_images)
            for history in train(model, *pixels, params.train, device, checkpoint):
                if first:
                    artifacts.write_table(paths.HISTORY, pd.DataFrame(history))
            if first:
                artifacts.write_weights(paths.WEIGHTS, models.weights(model))
                artifacts.write_json(paths.CONFIG, config.model_dump(exclude_none=True))
                artifacts.write_json(paths.MACHINE, models.machine(device))


if __name__ == "__main__":
    run(main)
