"""What the programs that use a trained network have in common: the images that they are given, and how they answer."""

import argparse
import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convae import artifacts
from convae.data.inputs import Images, read_inputs
from convae.data.listing import named, shown
from convae.errors import ConvaeError
from convae.network.config import read_config


def read(arguments: argparse.Namespace, paths: Iterable[str]) -> Images:
    """Read images for the network, and tell on stderr, in a line each, which cannot be used.

    Raises
    ------
    ConvaeError
        If none is given; or if the network's configuration cannot be read.
    """
    config = read_config(Path(arguments.model, "config.json"))
    names = [name for path in paths for name in (_listed() if path == "-" else [path])]
    if not names:
        raise ConvaeError("images", "none is given", "name files or folders, or list them on stdin")
    images = read_inputs(names, config.image_shape, arguments.background)
    for refusal in images.refused:
        print(f"error: {refusal}; it is left out", file=sys.stderr)
    for note in images.notes:
        print(f"note: {note}", file=sys.stderr)
    return images


def _listed() -> list[str]:
    """Read names from stdin, one a line, whatever bytes they are."""
    return [os.fsdecode(line) for line in sys.stdin.buffer.read().split(b"\n") if line]


def answer(rows: Sequence[Mapping[str, Any]], arguments: argparse.Namespace) -> None:
    """Write rows, all with the same keys, to the file that is asked for, or print them: as JSON, or as a table."""
    if arguments.output:
        write_csv(Path(arguments.output), list(rows[0]), (row.values() for row in rows))
    elif arguments.json:
        print(json.dumps(rows, indent=2, allow_nan=False))
    else:
        print(table(rows))


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay out rows as text, in columns with titles: numbers to the right, to four decimals."""
    lines = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    right = [not isinstance(value, str) for value in rows[0].values()]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if aligned else cell.ljust(width)
            for cell, width, aligned in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _text(value: Any) -> str:
    return shown(value) if isinstance(value, str) else f"{value:.4f}" if isinstance(value, float) else str(value)


def write_csv(path: Path, titles: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table as CSV: names in the bytes that they have on the disk, numbers so that they are read back as is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(rows)
    artifacts.write_bytes(path, text.getvalue().encode(errors="surrogateescape"))


def refuse_input(output: str, arguments: argparse.Namespace) -> None:
    """Raise a `ConvaeError` if a file that is to be written is one that is read.

    The rest that is there is overwritten, as by any program with ``-o``.
    """
    read_from = [*arguments.images, *(vars(arguments).get(name) or "" for name in ("among", "map", "latents"))]
    if os.path.exists(output) and any(os.path.exists(each) and os.path.samefile(each, output) for each in read_from):
        raise ConvaeError(shown(output), "is one of the files that are read", "name another with -o")


def refuse_overwriting(folder: Path, files: Iterable[str], what: str) -> None:
    """Raise a `ConvaeError` if one of the files, `what` they are, is in the folder already."""
    if there := [shown(str(folder / file)) for file in files if os.path.lexists(folder / file)]:
        fix = "name another folder with -o, or remove them"
        raise ConvaeError(what, f"{len(there):,} are there already: {named(there)}", fix)


def write_images(folder: Path, files: Sequence[str], images: np.ndarray) -> None:
    """Write images, uint8 [N, C, H, W], as PNG, and say how many."""
    for file, pixels in zip(files, images, strict=True):
        artifacts.write_bytes(folder / file, png(pixels))
    print(f"{len(files):,} images in {shown(str(folder))}")


def png(pixels: np.ndarray) -> bytes:
    """Give an image, uint8 [C, H, W], as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0).squeeze()).save(file, "PNG")
    return file.getvalue()
