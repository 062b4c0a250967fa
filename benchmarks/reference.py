"""The reference program: one script as in a tutorial, without a pipeline, tuning for speed, or convae.

It reads MNIST's four files from ``ROOT/MNIST/raw``, writes its figures to ROOT, and ends with a line of JSON: the time
of each phase, the losses of each epoch, and the peak memory.
"""

import time

started = time.perf_counter()

import argparse
import json
import resource
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.manifold import TSNE
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import transforms
from torchvision.datasets import MNIST

IMPORTS = time.perf_counter() - started


class Autoencoder(nn.Module):
    """The reference network, the same as `conv`."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, stride=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=2),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, stride=1),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 3, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, 5, stride=3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 2, stride=2, padding=1),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct the images."""
        reconstructions: Tensor = self.decoder(self.encoder(x))
        return reconstructions


def main() -> None:
    """Train, encode the test images, embed the latents, and draw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--images", type=int, default=60_000, help="training images; a sixth as many test images")
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    root = arguments.root
    seconds: dict[str, float | list[float]] = {"imports": IMPORTS}

    since = time.perf_counter()
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    train_data: Dataset[tuple[Tensor, int]] = MNIST(root, train=True, transform=transform)
    test_data: Dataset[tuple[Tensor, int]] = MNIST(root, train=False, transform=transform)
    if arguments.images < 60_000:
        train_data = Subset(train_data, range(arguments.images))
        test_data = Subset(test_data, range(arguments.images // 6))
    train_loader = DataLoader(train_data, batch_size=256, shuffle=True)
    test_loader = DataLoader(test_data, batch_size=256)
    seconds["data"] = time.perf_counter() - since

    since = time.perf_counter()
    model = Autoencoder()
    criterion = nn.MSELoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-5)
    seconds["model"] = time.perf_counter() - since

    losses = []
    epochs = []
    for _ in range(arguments.epochs):
        since = time.perf_counter()
        train_loss = 0.0
        for images, _ in train_loader:
            loss = criterion(model(images), images)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            train_loss += loss.item() * len(images)
        test_loss = 0.0
        with torch.no_grad():
            for images, _ in test_loader:
                test_loss += criterion(model(images), images).item() * len(images)
        losses.append((train_loss / arguments.images, test_loss / (arguments.images // 6)))
        epochs.append(time.perf_counter() - since)
    seconds["epochs"] = epochs

    since = time.perf_counter()
    with torch.no_grad():
        batches = [(model.encoder(images).flatten(1), labels) for images, labels in test_loader]
    latents = torch.cat([batch for batch, _ in batches]).numpy()
    labels = torch.cat([batch for _, batch in batches]).numpy()
    seconds["latents"] = time.perf_counter() - since

    since = time.perf_counter()
    embedding = TSNE(2).fit_transform(latents)
    seconds["tsne"] = time.perf_counter() - since

    since = time.perf_counter()
    plt.figure()
    plt.plot(losses, label=["train", "test"])
    plt.legend()
    plt.savefig(root / "loss.png")
    images = next(iter(test_loader))[0][:5]
    with torch.no_grad():
        pairs = np.concatenate([images.numpy(), model(images).numpy()])
    _, axes = plt.subplots(2, 5)
    for cell, image in zip(axes.flat, pairs, strict=True):
        cell.imshow(image[0], cmap="gray")
        cell.axis("off")
    plt.savefig(root / "reconstructions.png")
    plt.figure(figsize=(8, 7))
    plt.scatter(embedding[:, 0], embedding[:, 1], c=labels, cmap="tab10", s=4)
    plt.colorbar()
    plt.savefig(root / "tsne.png")
    seconds["plots"] = time.perf_counter() - since

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "losses": losses, "peak_bytes": peak}))


if __name__ == "__main__":
    main()
