"""The two parts of a network: layers in sequence, which refuse what was not made for them."""

from typing import ClassVar

from torch import Tensor, nn

from convae.errors import ConvaeError


class Part(nn.Sequential):
    """An encoder or a decoder.

    Convolutions take images of any size. Without a check, those of another size would give latent vectors that have the
    right shape and are wrong.

    Attributes
    ----------
    input_shape : tuple of int or None
        The shape of one image, or latent vector, that it takes. None: it takes whatever its layers take, as a part of
        a part does.
    """

    name: ClassVar[str]
    fix: ClassVar[str]
    input_shape: tuple[int, ...] | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Apply the layers to a batch, or to a single one.

        Raises
        ------
        ConvaeError
            If the shape is another, the values are not floats, or they are on another device than the weights.
        """
        if self.input_shape is not None:
            self._refuse_others(values, self.input_shape)
        outputs: Tensor = super().forward(values)  # type: ignore[no-untyped-call]
        return outputs

    def _refuse_others(self, values: Tensor, shape: tuple[int, ...]) -> None:
        fits = values.shape[-len(shape) :] == shape and values.ndim <= len(shape) + 1
        if not fits or not values.is_floating_point():
            one, dtype = ", ".join(map(str, shape)), str(values.dtype).removeprefix("torch.")
            what = f"got {dtype} {list(values.shape)}, not float32 [N, {one}] or [{one}]"
            raise ConvaeError(self.name, what, self.fix)
        device = next(self.parameters()).device
        if values.device != device:
            raise ConvaeError(self.name, f"is on {device}, and its input on {values.device}", "move one of them")


class Encoder(Part):
    """Maps images to latent vectors."""

    name = "encoder"
    fix = "convae.read_images scales images to the network's size, and convae.normalize turns pixels into floats"


class Decoder(Part):
    """Maps latent vectors to reconstructions."""

    name = "decoder"
    fix = "latent vectors of convae.encode are flat: reshape them"


class Crop(nn.Module):
    """Remove pixels at the edges. A slice, because some programs cannot read padding by negative numbers from ONNX."""

    def __init__(self, top: int, left: int, height: int, width: int) -> None:
        super().__init__()
        self.top, self.left, self.height, self.width = top, left, height, width

    def forward(self, images: Tensor) -> Tensor:
        """Map [..., H, W] to [..., height, width]."""
        return images[..., self.top : self.top + self.height, self.left : self.left + self.width]

    def extra_repr(self) -> str:
        """Return what PyTorch prints of it."""
        return f"top={self.top}, left={self.left}, height={self.height}, width={self.width}"
