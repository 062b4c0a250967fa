"""Train the autoencoder; the history grows by a row an epoch, the weights are written at the end."""

import pandas as pd
import torch
from torchinfo import summary

from convae import artifacts, models, paths
from convae.datasets import read_images
from convae.params import load_params
from convae.stage import run
from convae.training import train


def main() -> None:
    params = load_params()
    train_pixels = torch.tensor(read_images(paths.TRAIN_IMAGES))
    test_pixels = torch.tensor(read_images(paths.TEST_IMAGES))
    config = models.configure(params.model, train_pixels.shape[1:])
    device = models.default_device()
    torch.set_num_threads(1)
    model = models.build(config, params.train.seed).to(device)
    print(summary(model, (1, *config.image_shape), col_names=("output_size", "num_params"), verbose=0))
    history = []
    for losses in train(model, train_pixels, test_pixels, params.train, device):
        history.append(losses)
        artifacts.write_table(paths.HISTORY, pd.DataFrame(history))
    artifacts.write_weights(paths.WEIGHTS, models.weights(model))
    artifacts.write_json(paths.CONFIG, config.model_dump(exclude_none=True))


if __name__ == "__main__":
    run(main)
