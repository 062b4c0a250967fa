"""Layers that add nothing up, or only two numbers, and so give the same bits on every processor as they are."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function


class Scale(nn.Module):
    """Multiply each value of a latent vector by a constant, float32 [D], which is not trained."""

    weight: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(size))

    def forward(self, values: Tensor) -> Tensor:
        """Map float32 [..., D] to the same shape."""
        return values * self.weight


class Branches(nn.Module):
    """Two sequences of layers that get the same input, named ``convolutions`` and ``linear``."""

    def __init__(self, convolutions: list[nn.Module], linear: list[nn.Module]) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(*convolutions)
        self.linear = nn.Sequential(*linear)


class Sum(Branches):
    """The sum of the outputs of two branches."""

    def forward(self, values: Tensor) -> Tensor:
        """Add what the branches make of the values."""
        outputs: Tensor = self.convolutions(values) + self.linear(values)
        return outputs


class Concatenation(Branches):
    """The channels of two branches, one after the other."""

    def forward(self, values: Tensor) -> Tensor:
        """Join what the branches make of the values, [..., C, H, W], along C."""
        return torch.cat([self.convolutions(values), self.linear(values)], dim=-3)


class Refinement(nn.Module):
    """Layers whose output is added to the last channels of their input; these are returned, without the others."""

    def __init__(self, layers: list[nn.Module], channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.channels = channels

    def forward(self, values: Tensor) -> Tensor:
        """Map float32 [..., I, H, W] to [..., channels, H, W]."""
        outputs: Tensor = self.layers(values) + values.narrow(-3, values.shape[-3] - self.channels, self.channels)
        return outputs


class Clamp(nn.Module):
    """Limit values to [-1, 1]. In training, gradients pass unchanged, so that a pixel can leave a limit again."""

    def forward(self, values: Tensor) -> Tensor:
        """Map float32 values of any shape to [-1, 1]."""
        outputs: Tensor = _StraightThroughClamp.apply(values) if self.training else values.clamp(-1, 1)
        return outputs


class _StraightThroughClamp(Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.clamp(-1, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient
