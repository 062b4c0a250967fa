"""The other functions of a network: tanh, the gradients of pooling, and the summed squared error."""

from typing import Any

from torch import Tensor
from torch.autograd import Function

from convae.arithmetic.grid import BITS, to_grid
from convae.arithmetic.sums import squared_error_sums

# A rational approximation of tanh by Eigen (MathFunctionsImpl.h, `ptanh_float`): odd numerator, even denominator, by
# falling powers. Beyond this bound, float32's tanh is 1.
BOUND = 7.90531110763549805
NUMERATOR = (
    *(-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08),
    *(1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03),
)
DENOMINATOR = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


class Tanh(Function):
    """The hyperbolic tangent to 2^-22, by single operations; a library's may differ in the last bits."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Compute it of float32 values of any shape."""
        values = values.clamp(-BOUND, BOUND)
        squares = values * values
        outputs = values.mul_(polynomial(squares, NUMERATOR)).div_(polynomial(squares, DENOMINATOR))
        ctx.save_for_backward(outputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Give the gradient of the values."""
        outputs: Tensor = ctx.saved_tensors[0]
        return (1 - outputs * outputs) * gradient


def polynomial(values: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Evaluate a polynomial, whose coefficients come by falling powers, by multiplications and additions apart."""
    sums = values * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        sums.mul_(values).add_(coefficient)
    return sums


class GradientOnGrid(Function):
    """The identity, whose gradients are rounded so that sums of up to 32 of them are exact in float32."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Give the values."""
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Round the gradient to a grid that leaves a float32 five more bits, for 32 summands."""
        return to_grid(gradient, BITS)


class SummedSquaredError(Function):
    """The sum of the squared errors of reconstructions, as a float64."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, images: Tensor) -> Tensor:
        """Compute it of float32 [N, ...]."""
        ctx.save_for_backward(outputs, images)
        return squared_error_sums(outputs, images).sum()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Give the gradient of the outputs."""
        outputs, images = ctx.saved_tensors
        return (outputs - images).mul_((2 * gradient).float()), None
