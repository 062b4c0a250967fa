"""Train an autoencoder; the result does not depend on the number of threads, processes and hosts."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convae.arithmetic.functions import SummedSquaredError
from convae.arithmetic.sums import means_of, squared_error_sums, to_shared_grid
from convae.errors import ConvaeError
from convae.hosts.ranks import broadcast, rank, sum_over_processes, world_size
from convae.network.chunks import thread_pool
from convae.network.models import Autoencoder
from convae.network.noise import draw
from convae.network.params import architecture_of
from convae.network.pixels import chunk_size, normalize
from convae.network.start import learning_rate_factors
from convae.progress import duration, log, progress
from convae.threads import in_order
from convae.training import augmentation, checkpoints
from convae.training.history import EpochLosses, best_epoch
from convae.training.optimizer import BETA_1, BETA_2, BETA_2_FROM_PCA, adamw, one_cycle
from convae.training.order import BLOCK, LARGEST, blocks_to_read, epoch_order
from convae.training.params import TrainParams

# AdamW takes its step for so many weights at once, which are few enough for a processor's caches.
WEIGHTS = 2**16


def train(
    model: Autoencoder,
    train_pixels: Tensor,
    test_pixels: Tensor,
    params: TrainParams,
    device: torch.device,
    checkpoint: Path | None = None,
    validation_pixels: Tensor | None = None,
    read_ahead: Callable[[np.ndarray, int], None] | None = None,
) -> Iterator[list[EpochLosses]]:
    """Train in place with AdamW on the mean squared error, and yield the history after each epoch.

    With ``params.noise``, noise is added to the network's inputs, and its outputs are compared with the clean images.

    Each batch is divided into parts of a fixed number of images, which threads and processes share. The parts'
    gradients are rounded to one grid, so that their sum is the same in any order.

    If there are images for validation, the network ends with the weights of the epoch in which their loss was lowest.

    Parameters
    ----------
    model : Autoencoder
        The network, on `device`.
    train_pixels, test_pixels : Tensor
        uint8 [N, C, H, W].
    params : TrainParams
        The training parameters.
    device : torch.device
        The device to train on.
    checkpoint : Path, optional
        File to resume from if it exists, and to save the state to after each epoch.
    validation_pixels : Tensor, optional
        uint8 [N, C, H, W]; none or empty for no validation.
    read_ahead : callable, optional
        Called with numbers of training images that are soon needed, int64 [n], and how many from each on.

    Yields
    ------
    list of EpochLosses
        The losses of all epochs so far.

    Raises
    ------
    ConvaeError
        If the gradient or the loss stops being a finite number.
    """
    train_pixels, test_pixels = train_pixels.to(device), test_pixels.to(device)
    validation_pixels = train_pixels[:0] if validation_pixels is None else validation_pixels.to(device)
    images = len(train_pixels)
    steps = math.ceil(images / params.batch_size)
    weights = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    state = {"weights": weights, "moments": weights.new_zeros(2, len(weights))}
    if len(validation_pixels):
        state["best"] = weights.clone()
    history: list[EpochLosses] = []
    saved = broadcast(checkpoints.read(checkpoint), device)
    if saved:
        history = [EpochLosses(**row) for row in checkpoints.restore(saved, state)]
        set_weights(model, weights)
        yield history
    in_blocks = params.shuffle == "blocks" and train_pixels[0].numel() <= LARGEST
    blocks = weight_blocks(model)
    beta_2 = BETA_2_FROM_PCA if architecture_of(model.config).starts_as_pca else BETA_2
    done, started = len(history), time.monotonic()
    with (
        progress(steps * params.epochs, "batches", done=steps * done) as advance,
        thread_pool() as pool,
    ):
        if rank() == 0:
            log(f"{model.config.architecture}, {len(weights):,} parameters, {model.latent_size:,} latent values")
        if done and rank() == 0:
            log(f"resumes after epoch {done}/{params.epochs}, from the checkpoint of an earlier run")
        for epoch in range(done + 1, params.epochs + 1):
            model.train()
            numbers = epoch_order(params.seed, epoch, images, params.shuffle)
            order = torch.from_numpy(numbers).to(device)
            changes = None
            if params.augment != "none":
                changes = torch.from_numpy(augmentation.draw_changes(params.seed, epoch, images)).to(device)
            train_loss = 0.0
            for number, batch in enumerate(torch.split(order, params.batch_size), steps * (epoch - 1) + 1):
                if read_ahead and in_blocks:
                    read_ahead(blocks_to_read(numbers, (number - 1) % steps, params.batch_size), BLOCK)
                ask = None if in_blocks else read_ahead
                gradient, loss = batch_gradient(model, train_pixels, batch, params, epoch, changes, pool, ask)
                train_loss += loss * len(batch)
                rate, momentum = params.learning_rate, BETA_1
                if params.schedule == "one_cycle":
                    rate, momentum = one_cycle(number, steps * params.epochs, rate)
                for block, factor in blocks:
                    moments = state["moments"][:, block]
                    decay, betas = params.weight_decay, (momentum, beta_2)
                    adamw(weights[block], gradient[block], moments, number, rate * factor, decay, *betas)
                set_weights(model, weights)
                advance(1)
            validation_loss = mean_squared_error(model, validation_pixels, pool) if len(validation_pixels) else None
            test_loss = mean_squared_error(model, test_pixels, pool)
            losses = EpochLosses(epoch, train_loss / images, test_loss, validation_loss)
            if not math.isfinite(losses.train_loss) or not math.isfinite(losses.test_loss):
                raise ConvaeError("train.learning_rate", f"the loss diverged in epoch {epoch}", "lower it")
            if rank() == 0:
                seconds_left = (time.monotonic() - started) / (epoch - done) * (params.epochs - epoch)
                line = f"epoch {epoch}/{params.epochs}: train {losses.train_loss:.4f}, test {losses.test_loss:.4f}"
                log(line + (f", {duration(seconds_left)} left" if epoch < params.epochs else ""))
            history.append(losses)
            if best_epoch(history) == epoch and "best" in state:
                state["best"].copy_(weights)
            if checkpoint:
                checkpoints.save(checkpoint, state, [asdict(row) for row in history])
            yield history
    if "best" in state:
        set_weights(model, state["best"])
        if rank() == 0:
            log(f"keeps the weights of epoch {best_epoch(history)}, whose validation loss is the lowest")
    model.eval()
    if rank() == 0 and history[-1].test_loss > 0.99 * history[0].test_loss and len(history) > 1:
        log("the test loss has hardly fallen since the first epoch: try another train.learning_rate or train.seed")


def weight_blocks(model: Autoencoder) -> list[tuple[slice, float]]:
    """Divide the flat weights into blocks; return each block's place, and which part of the learning rate it gets."""
    factors = learning_rate_factors(model)
    blocks, end = [], 0
    for name, weight in model.named_parameters():
        first, end = end, end + weight.numel()
        factor = factors[name]
        blocks += [(slice(start, min(start + WEIGHTS, end)), factor) for start in range(first, end, WEIGHTS)]
    return blocks


def set_weights(model: Autoencoder, weights: Tensor) -> None:
    """Copy a flat tensor, float32 [parameters], into a network's weights."""
    for weight in model.parameters():
        weight.detach().copy_(weights[: weight.numel()].view(weight.shape))
        weights = weights[weight.numel() :]


def batch_gradient(
    model: Autoencoder,
    pixels: Tensor,
    batch: Tensor,
    params: TrainParams,
    epoch: int,
    changes: Tensor | None,
    pool: ThreadPoolExecutor,
    read_ahead: Callable[[np.ndarray, int], None] | None = None,
) -> tuple[Tensor, float]:
    """Compute a batch's mean squared error and its gradient, float32 [parameters].

    Parameters
    ----------
    model : Autoencoder
        The network, in training mode.
    pixels : Tensor
        uint8 [N, C, H, W], all training images.
    batch : Tensor
        int64 [n], the numbers of the batch's images.
    params : TrainParams
        The training parameters.
    epoch : int
        Number of the epoch, which the noise depends on.
    changes : Tensor or None
        int8 [N, 3], how images are augmented, if they are; see `convae.training.augmentation`.
    pool : ThreadPoolExecutor
        The threads that share the parts.
    read_ahead : callable, optional
        Called with the numbers of a part's images, and 1, before they are read.
    """
    values = pixels[0].numel()
    count = sum(weight.numel() for weight in model.parameters())
    total = torch.zeros(count + 1, dtype=torch.float64, device=pixels.device)  # the gradient and the loss

    def part_sums(part: Tensor) -> Tensor:
        if read_ahead:
            read_ahead(part.numpy(), 1)
        chosen = pixels[part]
        if changes is not None:
            chosen = augmentation.change(pixels, part, changes, flip=params.augment == "flip_and_shift")
        images = inputs = normalize(chosen)
        if params.noise:
            noise = draw(params.seed, epoch, part.cpu().numpy(), images.shape[1:])
            inputs = images + params.noise * torch.from_numpy(noise).to(images.device)
        loss = SummedSquaredError.apply(model(inputs), images)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        sums = torch.cat([*(gradient.flatten().double() for gradient in gradients), loss.detach().reshape(1)])
        return to_shared_grid(sums, len(part) * values, len(batch) * values)

    parts = torch.split(batch, chunk_size(pixels.shape[1:]))
    for sums in pool.map(part_sums, parts[rank() :: world_size()]):
        total += sums
    means = means_of(sum_over_processes(total), len(batch) * values)
    return means[:-1].float(), float(means[-1])


@torch.no_grad()
def mean_squared_error(model: Autoencoder, pixels: Tensor, pool: ThreadPoolExecutor) -> float:
    """Compute the mean squared error of reconstructions over all pixels, on the [-1, 1] scale."""
    model.eval()
    size = chunk_size(pixels.shape[1:])
    chunks = math.ceil(len(pixels) / size)
    sums = torch.zeros(chunks, dtype=torch.float64, device=pixels.device)

    @torch.no_grad()
    def chunk_sum(number: int) -> None:
        images = normalize(pixels[number * size : (number + 1) * size])
        sums[number] = squared_error_sums(model(images), images).sum()

    for _ in in_order(pool, chunk_sum, range(rank(), chunks, world_size())):
        pass
    return math.fsum(sum_over_processes(sums).tolist()) / pixels.numel()
