"""PyTorch's layers with exact sums: the same names, shapes and weights, and the same bits on every processor.

In training mode, the images of a call share one grid, so that the gradients of the weights, which are sums over images,
are exact too. In evaluation mode, each image has its own grid, so that its result does not depend on the other images.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

# They add nothing, so they are PyTorch's own.
from torch.nn import Flatten, PixelShuffle, ReLU, Unflatten

from convae.arithmetic import functions
from convae.arithmetic.elementwise import Clamp, Concatenation, Refinement, Scale, Sum
from convae.arithmetic.products import Convolution, Product, TransposedConvolution


def batched(compute: Callable[[Tensor], Tensor], values: Tensor, dimensions: int) -> Tensor:
    """Call `compute` on a batch; a single element, with one dimension less, is passed as a batch of one."""
    return compute(values) if values.ndim == dimensions else compute(values.unsqueeze(0)).squeeze(0)


def needs_pytorch(values: Tensor) -> bool:
    """Return whether to use PyTorch's own layer: for an export, which writes PyTorch's operators, and for no values."""
    return torch.compiler.is_compiling() or values.numel() == 0


class Linear(nn.Linear):
    """A linear layer."""

    def forward(self, values: Tensor) -> Tensor:
        """Map float32 [N, I], or [I], to [N, O]."""
        if needs_pytorch(values):
            return super().forward(values)
        return batched(lambda rows: Product.apply(rows, self.weight, self.bias, not self.training), values, 2)


class Conv2d(nn.Conv2d):
    """A convolution with a square kernel, padded with zeros."""

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 [N, I, H, W], or [I, H, W], to [N, O, h, w], channels last."""
        if needs_pytorch(images):
            return super().forward(images)
        geometry, per_image = (self.stride[0], int(self.padding[0])), not self.training
        return batched(lambda batch: Convolution.apply(batch, self.weight, self.bias, *geometry, per_image), images, 4)


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution with a square kernel."""

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map float32 [N, I, h, w], or [I, h, w], to [N, O, H, W], channels last."""
        if needs_pytorch(images) or output_size is not None:
            return super().forward(images, output_size)
        kernel, stride, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        height, width = images.shape[-2:]
        output_shape = (
            (height - 1) * stride + kernel - 2 * padding + self.output_padding[0],
            (width - 1) * stride + kernel - 2 * padding + self.output_padding[1],
        )
        geometry, per_image = (stride, padding, output_shape), not self.training
        return batched(
            lambda batch: TransposedConvolution.apply(batch, self.weight, self.bias, *geometry, per_image), images, 4
        )


class MaxPool2d(nn.MaxPool2d):
    """Max pooling; where windows overlap, the gradients of a pixel are added exactly."""

    def forward(self, images: Tensor) -> Tensor:
        """Map float32 [N, C, H, W], or [C, H, W], to [N, C, h, w]."""
        pooled: Tensor = super().forward(images)
        if self.kernel_size == self.stride or needs_pytorch(images):
            return pooled
        outputs: Tensor = functions.GradientOnGrid.apply(pooled)
        return outputs


class Tanh(nn.Tanh):
    """The hyperbolic tangent."""

    def forward(self, values: Tensor) -> Tensor:
        """Map float32 values of any shape to [-1, 1]."""
        outputs: Tensor = super().forward(values) if needs_pytorch(values) else functions.Tanh.apply(values)
        return outputs


class SiLU(nn.SiLU):
    """The sigmoid linear unit, x / (1 + exp(-x)) (Elfwing et al. 2018)."""

    def forward(self, values: Tensor) -> Tensor:
        """Map float32 values of any shape."""
        outputs: Tensor = super().forward(values) if needs_pytorch(values) else functions.SiLU.apply(values)
        return outputs
