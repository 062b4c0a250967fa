"""PyTorch's own layers, whose rounding depends on the processor: ``train.arithmetic: native``."""

from torch import Tensor, nn
from torch.nn import Conv2d, Flatten, MaxPool2d, PixelShuffle, ReLU, SiLU, Tanh, Unflatten, functional

from convae.arithmetic.elementwise import Clamp, Concatenation, Refinement, Scale, Sum

# Values in 64 bytes, to which PyTorch aligns its memory.
ALIGNED = 16


class Linear(nn.Linear):
    """A linear layer that gives an input the same output wherever it is among others.

    On AMD's processors, MKL rounds products of few columns (fewer than 12) by where in memory a row begins. So here all
    rows begin at multiples of 64 bytes.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 [N, in_features] to [N, out_features]."""
        missing = -self.in_features % ALIGNED
        if not missing or inputs.device.type != "cpu":
            return super().forward(inputs)
        inputs, weight = (functional.pad(each, (0, missing)) for each in (inputs, self.weight))
        return functional.linear(inputs, weight, self.bias)


class ConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution that is faster if the kernel is as large as the stride, so that no patches overlap.

    Then the layer is one matrix product and a rearrangement. For the last layer of the decoder, this takes half the
    time of PyTorch's own layer on a CPU, and the results differ in rounding only.
    """

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map float32 [N, C, H, W], channels last, to [N, O, height, width]."""
        applies = self.kernel_size == self.stride and images.ndim == 4 and images.device.type == "cpu"
        if not applies or self.bias is None or any(self.output_padding):
            return super().forward(images, output_size)
        count, channels, height, width = images.shape
        kernel, padding = self.kernel_size[0], int(self.padding[0])
        # Pixels are the columns: a product with few long rows is more than twice as fast as with many short ones.
        products = self.weight.flatten(1).T @ images.permute(0, 2, 3, 1).reshape(count * height * width, channels).T
        rows = products.view(self.out_channels, kernel, kernel, count, height, width).permute(3, 0, 4, 1, 5, 2)
        outputs = rows.reshape(count, self.out_channels, height * kernel, width * kernel)
        inner = outputs[:, :, padding : height * kernel - padding, padding : width * kernel - padding]
        return inner + self.bias.view(-1, 1, 1)
