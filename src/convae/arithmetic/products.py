"""The matrix products of linear and convolutional layers, forward and backward, with exact sums.

Each function takes and returns what PyTorch's layer does, channels last in memory. ``per_image`` says whether every
image has its own grid. If so, the gradients of the weights, which are sums over images, are not exact.
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
    """Return images [N, C, H, W] as contiguous [N, H, W, C]: no copy if they are channels last in memory."""
    return images.permute(0, 2, 3, 1).contiguous()


def multiply(left: Tensor, right: Tensor) -> Tensor:
    """Multiply float64 matrices on grids: the sums are exact in any order, so any library may add them."""
    if left.device.type != "cpu":
        return left @ right
    # On AMD processors, NumPy's library is up to three times as fast as PyTorch's, most so for narrow matrices.
    return torch.from_numpy(np.matmul(left.numpy(), right.numpy()))


class Product(Function):
    """A linear layer: float32 [N, I] to [N, O], by a weight [O, I] and a bias [O]."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, per_image: bool) -> Tensor:
        """Multiply, and save what the backward pass needs."""
        outer, inner = weight.shape
        ctx.bits = bits_for(max(inner, outer, 1 if per_image else len(values)))
        rows, matrix = to_grid(values, ctx.bits, per_image).double(), to_grid(weight, ctx.bits).double()
        ctx.save_for_backward(rows, matrix)
        return multiply(rows, matrix.T).float() + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """Return the gradients with respect to values, weight and bias."""
        rows, matrix = ctx.saved_tensors
        gradient = to_grid(gradient, ctx.bits).double()
        values_gradient = multiply(gradient, matrix).float() if ctx.needs_input_grad[0] else None
        return values_gradient, multiply(gradient.T, rows).float(), gradient.sum(0).float(), None


class Convolution(Function):
    """A convolution: float32 [N, I, H, W] to [N, O, h, w], by a weight [O, I, k, k] and a bias [O]."""

    @staticmethod
    def forward(
        ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int, per_image: bool
    ) -> Tensor:
        """Multiply the patches of the images, and save what the backward pass needs."""
        count, _, *sides = images.shape
        outer, inner, kernel, _ = weight.shape
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in sides)
        overlapping = (-(-kernel // stride)) ** 2
        ctx.bits = bits_for(max(inner * kernel**2, outer * overlapping, 1 if per_image else count * rows * columns))
        ctx.geometry = (count, rows, columns, kernel, stride, padding)
        patches = unfold(to_grid(channels_last(images), ctx.bits, per_image), *ctx.geometry)
        matrix = to_grid(weight, ctx.bits).permute(2, 3, 1, 0).reshape(-1, outer).double()
        ctx.save_for_backward(patches, matrix)
        ctx.sides = sides
        outputs = multiply(patches, matrix).float().add_(bias)
        return outputs.view(count, rows, columns, outer).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """Return the gradients with respect to images, weight and bias."""
        patches, matrix = ctx.saved_tensors
        outer, kernel = matrix.shape[1], ctx.geometry[3]
        rows = to_grid(channels_last(gradient), ctx.bits).view(-1, outer).double()
        images_gradient = None
        if ctx.needs_input_grad[0]:
            images_gradient = fold(multiply(rows, matrix.T), *ctx.geometry, *ctx.sides).permute(0, 3, 1, 2)
        weight_gradient = multiply(patches.T, rows).float().view(kernel, kernel, -1, outer).permute(3, 2, 0, 1)
        return images_gradient, weight_gradient, rows.sum(0).float(), None, None, None


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
        per_image: bool,
    ) -> Tensor:
        """Multiply the pixels, add up the patches that result, and save what the backward pass needs."""
        count, inner, rows, columns = images.shape
        _, outer, kernel, _ = weight.shape
        overlapping = (-(-kernel // stride)) ** 2
        ctx.bits = bits_for(max(inner * overlapping, outer * kernel**2, 1 if per_image else count * rows * columns))
        ctx.geometry = (count, rows, columns, kernel, stride, padding)
        pixels = to_grid(channels_last(images), ctx.bits, per_image).view(-1, inner).double()
        matrix = to_grid(weight, ctx.bits).permute(0, 2, 3, 1).reshape(inner, -1).double()
        ctx.save_for_backward(pixels, matrix)
        ctx.sides = sides
        return fold(multiply(pixels, matrix), *ctx.geometry, *ctx.sides).add_(bias).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Gradients:
        """Return the gradients with respect to images, weight and bias."""
        pixels, matrix = ctx.saved_tensors
        count, rows, columns, kernel, *_ = ctx.geometry
        inner, outer = len(matrix), gradient.shape[1]
        gradient = to_grid(channels_last(gradient), ctx.bits)
        patches = unfold(gradient, *ctx.geometry)
        images_gradient = multiply(patches, matrix.T).float().view(count, rows, columns, inner).permute(0, 3, 1, 2)
        weight_gradient = multiply(pixels.T, patches).float().view(inner, kernel, kernel, outer).permute(0, 3, 1, 2)
        bias_gradient = gradient.sum((0, 1, 2), dtype=torch.float64).float()
        return images_gradient, weight_gradient, bias_gradient, None, None, None, None
