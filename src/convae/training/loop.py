"""Train an autoencoder; the result depends on the data and the parameters, not on how many processes share the work."""

import inspect
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from convae.errors import ConvaeError
from convae.network.noise import draw
from convae.network.pixels import chunk_size, normalize
from convae.progress import duration, progress, tell
from convae.training import checkpoints
from convae.training.history import EpochLosses
from convae.training.params import TrainParams
from convae.training.workers import broadcast, gather, rank, world_size


class EagerAdamW(AdamW):
    """AdamW without the decorators that import TorchDynamo, to keep it from compiling what nothing compiles here.

    The import takes longer than PyTorch's own, and 100 MB.
    """

    add_param_group = inspect.unwrap(AdamW.add_param_group)
    step = torch.no_grad()(inspect.unwrap(AdamW.step))
    state_dict = inspect.unwrap(AdamW.state_dict)
    load_state_dict = inspect.unwrap(AdamW.load_state_dict)


def epoch_order(seed: int, epoch: int, images: int) -> np.ndarray:
    """Shuffle the images for an epoch, by (seed, epoch) alone, so that a resumed run meets them in the same order."""
    return np.random.default_rng([seed, epoch]).permutation(images)


def train(
    model: nn.Module,
    train_pixels: Tensor,
    test_pixels: Tensor,
    params: TrainParams,
    device: torch.device,
    checkpoint: Path | None = None,
) -> Iterator[list[EpochLosses]]:
    """Train in place with AdamW on the mean squared error, yielding the history after each epoch.

    With ``params.noise``, the network is given noisy images, and its error is that of the clean ones.

    Each batch is cut into ``params.shards`` parts; every process takes the summed-loss gradients of its parts, all are
    gathered, and everyone adds them in the order of the parts: the same sum of the same numbers, whoever computed them.

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
    checkpoint : Path, optional
        Where to go on from, if the file exists, and to keep the state after each epoch.

    Yields
    ------
    list of EpochLosses
        The losses of all epochs so far.

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
    optimizer = EagerAdamW(weights, lr=params.learning_rate, weight_decay=params.weight_decay, fused=True)
    schedule = None
    if params.schedule == "one_cycle":
        schedule = OneCycleLR(optimizer, max_lr=params.learning_rate, total_steps=steps * params.epochs)
    history: list[EpochLosses] = []
    if saved := broadcast(checkpoints.read(checkpoint), device):
        history = [EpochLosses(**row) for row in checkpoints.restore(saved, model, optimizer, schedule)]
        yield history
    done, started = len(history), time.monotonic()
    with progress(steps * params.epochs, "batches", done=steps * done, shown=rank() == 0) as advance:
        if done and rank() == 0:
            tell(f"goes on after epoch {done}/{params.epochs}, where an earlier run was ended")
        for epoch in range(done + 1, params.epochs + 1):
            order = torch.from_numpy(epoch_order(params.seed, epoch, images)).to(device)
            train_loss = 0.0
            for batch in torch.split(order, params.batch_size):
                gradient, loss = batch_gradient(model, weights, train_pixels, batch, params, epoch)
                train_loss += loss
                gradient /= len(batch) * values
                for weight, part in zip(weights, torch.split(gradient, sizes), strict=True):
                    # In the weight's own memory layout: the fused optimiser takes it to be the same.
                    weight.grad = torch.empty_like(weight).copy_(part.view(weight.shape))
                optimizer.step()
                if schedule:
                    schedule.step()
                advance(1)
            losses = EpochLosses(epoch, train_loss / (images * values), mean_squared_error(model, test_pixels))
            if not math.isfinite(losses.train_loss) or not math.isfinite(losses.test_loss):
                raise ConvaeError("train.learning_rate", f"the loss diverged in epoch {epoch}", "lower it")
            if rank() == 0:
                left = duration((time.monotonic() - started) / (epoch - done) * (params.epochs - epoch))
                more = f", {left} left" if epoch < params.epochs else ""
                of_epoch = f"train {losses.train_loss:.4f}, test {losses.test_loss:.4f}"
                tell(f"epoch {epoch}/{params.epochs}: {of_epoch}{more}")
            history.append(losses)
            if checkpoint:
                checkpoints.save(checkpoint, model, optimizer, schedule, [asdict(row) for row in history])
            yield history
    if rank() == 0 and history[-1].test_loss > 0.99 * history[0].test_loss and len(history) > 1:
        tell("the test loss has hardly fallen since the first epoch: try another train.learning_rate, or train.seed")


def batch_gradient(
    model: nn.Module, weights: list[nn.Parameter], pixels: Tensor, batch: Tensor, params: TrainParams, epoch: int
) -> tuple[Tensor, float]:
    """Take the gradient of a batch's summed squared error: flat [parameters], and that sum itself."""

    def shard_gradient(shard: Tensor) -> Tensor:
        images = inputs = normalize(pixels[shard])
        if params.noise:
            noise = draw(params.seed, epoch, shard.cpu().numpy(), images.shape[1:])
            inputs = images + params.noise * torch.from_numpy(noise).to(images.device)
        loss = mse_loss(model(inputs), images, reduction="sum")
        gradients = torch.autograd.grad(loss, weights)
        return torch.cat([*(gradient.flatten() for gradient in gradients), loss.detach().reshape(1)])

    size = sum(weight.numel() for weight in weights) + 1
    total, *others = shared_out(shard_gradient, list(batch.tensor_split(params.shards)), size, weights[0])
    for other in others:
        total += other
    return total[:-1], total[-1].item()


@torch.no_grad()
def mean_squared_error(model: nn.Module, pixels: Tensor) -> float:
    """Compute the mean squared error of reconstructions over every pixel, on the [-1, 1] scale."""

    def chunk_error(chunk: Tensor) -> Tensor:
        images = normalize(chunk)
        return mse_loss(model(images), images, reduction="sum").reshape(1)

    errors = shared_out(
        chunk_error, list(torch.split(pixels, chunk_size(pixels.shape[1:]))), 1, next(model.parameters())
    )
    return math.fsum(errors.flatten().tolist()) / pixels.numel()


def shared_out(compute: Callable[[Tensor], Tensor], parts: list[Tensor], size: int, like: Tensor) -> Tensor:
    """Compute float32 [size] for each part, each in one of the processes; all get [parts, size], in the parts' order.

    An empty part gives zeros, without being computed.
    """
    each = math.ceil(len(parts) / world_size())
    mine = like.new_zeros((each, size))
    for row, part in zip(mine, parts[rank() * each : (rank() + 1) * each], strict=False):
        if len(part):
            row.copy_(compute(part))
    return gather(mine)[: len(parts)]
