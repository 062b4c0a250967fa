"""What the programs that use a trained network print and write: tables and images."""

import argparse
import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convae import artifacts
from convae.data.listing import named, shown
from convae.errors import ConvaeError


def write_rows(rows: Sequence[Mapping[str, Any]], arguments: argparse.Namespace) -> None:
    """Write rows, all with the same keys, to the file that is asked for, or print them: as JSON, or as a table."""
    if arguments.output:
        write_csv(Path(arguments.output), list(rows[0]), (row.values() for row in rows))
    elif arguments.json:
        print(json.dumps(rows, indent=2, allow_nan=False))
    else:
        print(table(rows))


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay out rows as text, in columns with titles: numbers to the right, with four decimals."""
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
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


def write_csv(path: Path, titles: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table as CSV: names in the bytes that they have on the disk, numbers with every digit."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(rows)
    artifacts.write_bytes(path, text.getvalue().encode(errors="surrogateescape"))


def refuse_overwriting(folder: Path, files: Iterable[str], what: str) -> None:
    """Raise a `ConvaeError` if one of the files, `what` they are, is in the folder already."""
    if there := [shown(str(folder / file)) for file in files if os.path.lexists(folder / file)]:
        fix = "name another folder with -o, or remove them"
        raise ConvaeError(what, f"{len(there):,} are there already: {named(there)}", fix)


def write_images(folder: Path, files: Sequence[str], images: np.ndarray) -> None:
    """Write images, uint8 [N, C, H, W], as PNG, and print how many."""
    for file, pixels in zip(files, images, strict=True):
        artifacts.write_bytes(folder / file, png(pixels))
    print(f"{len(files):,} images in {shown(str(folder))}")


def png(pixels: np.ndarray) -> bytes:
    """Give an image, uint8 [C, H, W], as PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels.transpose(1, 2, 0).squeeze()).save(file, "PNG")
    return file.getvalue()
