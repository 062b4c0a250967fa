"""Take images apart into the patches that a convolution multiplies, and add overlapping patches up to images."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def unfold(images: Tensor, count: int, rows: int, columns: int, kernel: int, stride: int, padding: int) -> Tensor:
    """Copy the patches of images, as `torch.nn.functional.unfold` does, but channels last and in float64.

    Parameters
    ----------
    images : Tensor
        float32 [count, H, W, C], contiguous; they are padded with zeros on all sides.
    count, rows, columns : int
        How many images there are, and how many patches in either direction.
    kernel, stride, padding : int
        Of the convolution.

    Returns
    -------
    Tensor
        float64 [count * rows * columns, kernel * kernel * C].
    """
    if padding:
        images = pad(images, (0, 0, padding, padding, padding, padding))
    channels = images.shape[3]
    image, row, pixel, value = images.stride()
    shape = (count, rows, columns, kernel, kernel * channels)
    patches = images.new_empty(shape, dtype=torch.float64)
    patches.copy_(images.as_strided(shape, (image, row * stride, pixel * stride, row, value)))
    return patches.view(-1, kernel * kernel * channels)


def fold(
    patches: Tensor,
    count: int,
    rows: int,
    columns: int,
    kernel: int,
    stride: int,
    padding: int,
    height: int,
    width: int,
) -> Tensor:
    """Add overlapping patches up to images, exactly: the transpose of `unfold`.

    Parameters
    ----------
    patches : Tensor
        float64 [count * rows * columns, kernel * kernel * C].
    count, rows, columns, kernel, stride, padding : int
        As for `unfold`.
    height, width : int
        Of the images, without the padding.

    Returns
    -------
    Tensor
        float32 [count, height, width, C].
    """
    channels = patches.shape[1] // kernel**2
    blocks = -(-kernel // stride)  # of stride x stride pixels, in either direction, of which a patch has a part
    if blocks == 1:
        patches = patches.float()  # nothing is added
    high, wide = (max(n + blocks - 1, -(-(padding + side) // stride)) for n, side in ((rows, height), (columns, width)))
    sums = patches.new_zeros(count, high, stride, wide, stride, channels)
    parts = patches.view(count, rows, columns, kernel, kernel, channels)
    for i in range(blocks):
        for j in range(blocks):
            part = parts[:, :, :, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride].transpose(2, 3)
            sums[:, i : i + rows, : part.shape[2], j : j + columns, : part.shape[4]] += part
    images = sums.view(count, high * stride, wide * stride, channels)
    return images[:, padding : padding + height, padding : padding + width].float()
