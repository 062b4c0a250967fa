"""Read latents from the files that `convae encode` and the pipeline write."""

import csv
import io
from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.listing import shown
from convae.errors import ConvaeError

FIX = "name a file that `convae encode` has written"


def read_latents(path: str) -> tuple[list[str], np.ndarray] | None:
    """Read the names and values of latents.

    Parameters
    ----------
    path : str
        A ``.npy`` file, float32 [N, D], or a ``.csv`` file with a column of names and D columns of numbers.

    Returns
    -------
    list of str
        The names of the images; for an array, the file's name with the row in brackets.
    numpy.ndarray
        float32 [N, D].

    Or None, if the path is that of images: of files, of a folder, or of an array of pixels.

    Raises
    ------
    ConvaeError
        If the file cannot be read, or holds something else.
    """
    if path.endswith(".csv"):
        return _from_csv(Path(path))
    if not path.endswith(".npy"):
        return None
    with artifacts.reading(Path(path)):
        is_images = np.lib.format.open_memmap(path, mode="r").dtype == np.uint8
    if is_images:
        return None
    values = artifacts.read_array(Path(path), np.float32, (None, None))
    return [f"{path}[{row}]" for row in range(len(values))], values


def _from_csv(path: Path) -> tuple[list[str], np.ndarray]:
    where = shown(str(path))
    try:
        # Names may be no UTF-8; see `convae.commands.outputs.write_csv`.
        text = path.read_bytes().decode(errors="surrogateescape")
        titles, *rows = [*csv.reader(io.StringIO(text, newline=""), strict=True)] or [[]]
        values = np.array([row[1:] for row in rows], np.float32)  # a ValueError if the rows are not of one length
    except OSError as error:
        raise ConvaeError(where, f"cannot be read ({error.strerror})", "name another file") from None
    except (ValueError, csv.Error) as error:
        raise ConvaeError(where, f"holds no latents ({str(error)[:100]})", FIX) from None
    if titles[:1] != ["file"] or values.shape != (len(rows), len(titles) - 1) or not values.size:
        raise ConvaeError(where, "is no table of files and their latent values", FIX)
    if not np.isfinite(values).all():
        raise ConvaeError(where, "holds NaN or infinity", FIX)
    return [row[0] for row in rows], values
