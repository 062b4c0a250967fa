"""Train an autoencoder; the result depends on the data and the parameters, not on how many processes share the work."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from convae.errors import ConvaeError
from convae.models import normalize
from convae.params import TrainParams


@dataclass(frozen=True)
class EpochLosses:
    """One row of the history: mean squared errors per pixel, on the [-1, 1] scale.

    Attributes
    ----------
    epoch : int
        From 1.
    train_loss : float
        Mean over the epoch's training images, each at the weights with which it was trained on.
    test_loss : float
        Mean over all test images, at the epoch's end.
    """

    epoch: int
    train_loss: float
    test_loss: float


def epoch_order(seed: int, epoch: int, images: int) -> np.ndarray:
    """Shuffle the images for an epoch, by (seed, epoch) alone, so that a resumed run meets them in the same order."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def train(
    model: nn.Module, train_pixels: Tensor, test_pixels: Tensor, params: TrainParams, device: torch.device
) -> Iterator[EpochLosses]:
    """Train in place with AdamW on the mean squared error, yielding after each epoch.

    Each batch is cut into ``params.shards`` parts whose summed-loss gradients are taken one by one and added in that
    order: the same sum of the same numbers, whoever computes them.

    Parameters
    ----------
    model : nn.Module
        The network, on `device`.
    train_pixels, test_pixels : Tensor
        uint8 [N, C, H, W].
    params : TrainParams
        The recipe.
    device : torch.device
        Where to compute.

    Yields
    ------
    EpochLosses
        The epoch's losses.

    Raises
    ------
    ConvaeError
        If the loss stops being a finite number.
    """
    train_pixels, test_pixels = train_pixels.to(device), test_pixels.to(device)
    images, values = len(train_pixels), train_pixels[0].numel()
    steps = math.ceil(images / params.batch_size)
    weights = list(model.parameters())
    sizes = [weight.numel() for weight in weights]
    optimizer = AdamW(weights, lr=params.learning_rate, weight_decay=params.weight_decay)
    schedule = None
    if params.schedule == "one_cycle":
        schedule = OneCycleLR(optimizer, max_lr=params.learning_rate, total_steps=steps * params.epochs)
    with tqdm(total=steps * params.epochs, unit="batch", disable=None) as bar:
        for epoch in range(1, params.epochs + 1):
            order = torch.from_numpy(epoch_order(params.seed, epoch, images)).to(device)
            train_loss = 0.0
            for batch in torch.split(order, params.batch_size):
                gradient, loss = batch_gradient(model, weights, train_pixels, batch, params.shards)
                train_loss += loss
                gradient /= len(batch) * values
                for weight, part in zip(weights, torch.split(gradient, sizes), strict=True):
                    weight.grad = part.view(weight.shape)
                optimizer.step()
                if schedule:
                    schedule.step()
                bar.update()
            losses = EpochLosses(epoch, train_loss / (images * values), mean_squared_error(model, test_pixels))
            if not math.isfinite(losses.train_loss) or not math.isfinite(losses.test_loss):
                raise ConvaeError("train.learning_rate", f"the loss diverged in epoch {epoch}", "lower it")
            bar.write(f"epoch {epoch}/{params.epochs}: train {losses.train_loss:.4f}, test {losses.test_loss:.4f}")
            yield losses


def batch_gradient(
    model: nn.Module, weights: list[nn.Parameter], pixels: Tensor, batch: Tensor, shards: int
) -> tuple[Tensor, float]:
    """Take the gradient of a batch's summed squared error: flat [parameters], and that sum itself."""
    gradient: Tensor | None = None
    total = 0.0
    for shard in batch.tensor_split(shards):
        if len(shard):
            images = normalize(pixels[shard])
            loss = mse_loss(model(images), images, reduction="sum")
            flat = torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)])
            gradient = flat if gradient is None else gradient + flat
            total += loss.item()
    assert gradient is not None
    return gradient, total


@torch.no_grad()
def mean_squared_error(model: nn.Module, pixels: Tensor, chunk: int = 500) -> float:
    """Compute the mean squared error of reconstructions over every pixel, on the [-1, 1] scale."""
    total = 0.0
    for part in torch.split(pixels, chunk):
        images = normalize(part)
        total += mse_loss(model(images), images, reduction="sum").item()
    return total / pixels.numel()
