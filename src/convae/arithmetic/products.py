"""The products of a network, forward and backward, with sums that are exact and so the same in any order.

Each function takes and returns what PyTorch's layer does, channels last in memory. ``each`` says whether every image
has its own grid. If so, the gradients of the weights, which are sums over images, are not exact.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from convae.arithmetic.grid import bits_for, to_grid
from convae.arithmetic.patches import fold, unfold

Gradients = tuple[Tensor | None, ...]


def channels_last(images: Tensor) -> Tensor:
    """Order images [N, C, H, W] as [N, H, W, C], contiguous, which takes no copy where they are so in memory."""
    return images.permute(0, 2, 3, 1).contiguous()


def multiply(left: Tensor, right: Tensor) -> Tensor:
    """Multiply float64 matrices; the sums are exact, in whatever order a library adds."""
    if left.device.type != "cpu":
        return left @ right
    # NumPy's library is the faster one on AMD's processors, up to three times for narrow matrices.
    return torch.from_numpy(np.matmul(left.numpy(), right.numpy()))


class Product(Function):
    """A linear layer: float32 [N, I] to [N, O], by a weight [O, I] and a bias [O]."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, each: bool) -> Tensor:
        """Multiply, and keep what the gradients need."""
        outer, inner = weight.shape
        ctx.bits = bits_for(max(inner, outer, 1 if each else len(values)))
        rows, matrix = to_grid(values, ctx.bits, each).double(), to_grid(weight, ctx.bits).double()
        ctx.save_for_backward(rows, matrix)
        return multiply(rows, matrix.T).float() + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """Give the gradients of values, weight and bias."""
        rows, matrix = ctx.saved_tensors
        gradient = to_grid(gradient, ctx.bits).double()
        of_values = multiply(gradient, matrix).float() if ctx.needs_input_grad[0] else None
        return of_values, multiply(gradient.T, rows).float(), gradient.sum(0).float(), None


class Convolution(Function):
    """A convolution: float32 [N, I, H, W] to [N, O, h, w], by a weight [O, I, k, k] and a bias [O]."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int, each: bool
    ) -> Tensor:
        """Multiply the patches of the images, and keep what the gradients need."""
        count, _, *sides = images.shape
        outer, inner, kernel, _ = weight.shape
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in sides)
        overlapping = (-(-kernel // stride)) ** 2
        ctx.bits = bits_for(max(inner * kernel**2, outer * overlapping, 1 if each else count * rows * columns))
        ctx.geometry = (count, rows, columns, kernel, stride, padding)
        patches = unfold(to_grid(channels_last(images), ctx.bits, each), *ctx.geometry)
        matrix = to_grid(weight, ctx.bits).permute(2, 3, 1, 0).reshape(-1, outer).double()
        ctx.save_for_backward(patches, matrix)
        ctx.sides = sides
        outputs = multiply(patches, matrix).float().add_(bias)
        return outputs.view(count, rows, columns, outer).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """Give the gradients of images, weight and bias."""
        patches, matrix = ctx.saved_tensors
        outer, kernel = matrix.shape[1], ctx.geometry[3]
        rows = to_grid(channels_last(gradient), ctx.bits).view(-1, outer).double()
        of_images = None
        if ctx.needs_input_grad[0]:
            of_images = fold(multiply(rows, matrix.T), *ctx.geometry, *ctx.sides).permute(0, 3, 1, 2)
        of_weight = multiply(patches.T, rows).float().view(kernel, kernel, -1, outer).permute(3, 2, 0, 1)
        return of_images, of_weight, rows.sum(0).float(), None, None, None


class TransposedConvolution(Function):
    """A transposed convolution: float32 [N, I, h, w] to [N, O, H, W], by a weight [I, O, k, k] and a bias [O]."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor,
        stride: int,
        padding: int,
        sides: tuple[int, int],
        each: bool,
    ) -> Tensor:
        """Multiply the pixels and add up the patches that come of them, and keep what the gradients need."""
        count, inner, rows, columns = images.shape
        _, outer, kernel, _ = weight.shape
        overlapping = (-(-kernel // stride)) ** 2
        ctx.bits = bits_for(max(inner * overlapping, outer * kernel**2, 1 if each else count * rows * columns))
        ctx.geometry = (count, rows, columns, kernel, stride, padding)
        pixels = to_grid(channels_last(images), ctx.bits, each).view(-1, inner).double()
        matrix = to_grid(weight, ctx.bits).permute(0, 2, 3, 1).reshape(inner, -1).double()
        ctx.save_for_backward(pixels, matrix)
        ctx.sides = sides
        return fold(multiply(pixels, matrix), *ctx.geometry, *ctx.sides).add_(bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """Give the gradients of images, weight and bias."""
        pixels, matrix = ctx.saved_tensors
        count, rows, columns, kernel, *_ = ctx.geometry
        inner, outer = len(matrix), gradient.shape[1]
        gradient = to_grid(channels_last(gradient), ctx.bits)
        patches = unfold(gradient, *ctx.geometry)
        of_images = multiply(patches, matrix.T).float().view(count, rows, columns, inner).permute(0, 3, 1, 2)
        of_weight = multiply(pixels.T, patches).float().view(inner, kernel, kernel, outer).permute(0, 3, 1, 2)
        of_bias = gradient.sum((0, 1, 2), dtype=torch.float64).float()
        return of_images, of_weight, of_bias, None, None, None, None
