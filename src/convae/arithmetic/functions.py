"""Tanh, SiLU, the gradients of pooling and the summed squared error, with the same bits on every processor."""

from typing import Any

from torch import Tensor
from torch.autograd import Function

from convae.arithmetic.grid import OPERAND_BITS, to_grid
from convae.arithmetic.sums import squared_error_sums

# Eigen's rational approximation of tanh (MathFunctionsImpl.h, `ptanh_float`): coefficients of the odd numerator and the
# even denominator, highest power first. Beyond BOUND, tanh is 1 in float32.
BOUND = 7.90531110763549805
NUMERATOR = (
    *(-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08),
    *(1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03),
)
DENOMINATOR = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


class Tanh(Function):
    """Tanh with an error of at most 2^-22, from basic operations: the last bits of a library's tanh may differ."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Return tanh of float32 values of any shape."""
        outputs = _tanh(values.clamp(-BOUND, BOUND))
        ctx.save_for_backward(outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient with respect to the values."""
        outputs: Tensor = ctx.saved_tensors[0]
        return (1 - outputs * outputs) * gradient


class SiLU(Function):
    """x * sigmoid(x), where sigmoid(x) is (1 + tanh(x / 2)) / 2."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Return the SiLU of float32 values of any shape."""
        sigmoids = _tanh((values * 0.5).clamp_(-BOUND, BOUND)).mul_(0.5).add_(0.5)
        outputs = values * sigmoids
        ctx.save_for_backward(sigmoids, outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Return the gradient with respect to the values."""
        sigmoids, outputs = ctx.saved_tensors
        slopes: Tensor = (1 - sigmoids).mul_(outputs).add_(sigmoids)
        return slopes.mul_(gradient)


def _tanh(values: Tensor) -> Tensor:
    """Compute tanh in place; the values are at most BOUND."""
    squares = values * values
    return values.mul_(polynomial(squares, NUMERATOR)).div_(polynomial(squares, DENOMINATOR))


def polynomial(values: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Evaluate a polynomial, coefficients from the highest power down, without fused multiply-add."""
    sums = values * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        sums.mul_(values).add_(coefficient)
    return sums


class GradientOnGrid(Function):
    """The identity; its gradient is rounded so that sums of up to 32 gradients are exact in float32."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Return the values."""
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Round the gradient to 19 bits, which leaves five of a float32's 24 bits for 32 summands."""
        return to_grid(gradient, OPERAND_BITS)


class SummedSquaredError(Function):
    """The sum of the squared errors of reconstructions, as a float64."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, images: Tensor) -> Tensor:
        """Sum the squared differences of two float32 [N, ...] tensors."""
        ctx.save_for_backward(outputs, images)
        return squared_error_sums(outputs, images).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to the outputs."""
        outputs, images = ctx.saved_tensors
        return (outputs - images).mul_((2 * gradient).float()), None
