"""Unfold images into the patches that a convolution multiplies, and fold patches back into images."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def unfold(images: Tensor, count: int, rows: int, columns: int, kernel: int, stride: int, padding: int) -> Tensor:
    """Copy the patches of images as `torch.nn.functional.unfold` does, but channels last and as float64.

    Parameters
    ----------
    images : Tensor
        float32 [count, H, W, C], contiguous; padded with zeros on all sides.
    count, rows, columns : int
        Number of images, and of patches from top to bottom and from left to right.
    kernel, stride, padding : int
        The convolution's kernel size, stride and padding, equal in both directions.

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
    """Add up overlapping patches to images, exactly: the transpose of `unfold`.

    Parameters
    ----------
    patches : Tensor
        float64 [count * rows * columns, kernel * kernel * C].
    count, rows, columns, kernel, stride, padding : int
        As for `unfold`.
    height, width : int
        Size of the images without the padding.

    Returns
    -------
    Tensor
        float32 [count, height, width, C].
    """
    channels = patches.shape[1] // kernel**2
    # The images are divided into blocks of stride x stride pixels; a patch covers this many of them in each direction.
    blocks = -(-kernel // stride)
    if blocks == 1:
        patches = patches.float()  # patches do not overlap, so nothing is added
    high = max(rows + blocks - 1, -(-(padding + height) // stride))
    wide = max(columns + blocks - 1, -(-(padding + width) // stride))
    sums = patches.new_zeros(count, high, stride, wide, stride, channels)
    parts = patches.view(count, rows, columns, kernel, kernel, channels)
    for i in range(blocks):
        for j in range(blocks):
            part = parts[:, :, :, i * stride : (i + 1) * stride, j * stride : (j + 1) * stride].transpose(2, 3)
            sums[:, i : i + rows, : part.shape[2], j : j + columns, : part.shape[4]] += part
    images = sums.view(count, high * stride, wide * stride, channels)
    return images[:, padding : padding + height, padding : padding + width].float()
