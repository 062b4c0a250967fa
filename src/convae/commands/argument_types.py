"""Types of the arguments on the command line, which say what they want where they are given something else."""

import argparse
from collections.abc import Callable
from pathlib import Path

FILE_SUFFIXES = {".bmp", ".csv", ".gif", ".jpeg", ".jpg", ".json", ".npy", ".npz", ".onnx", ".png", ".tif", ".webp"}


def file_named(*suffixes: str) -> Callable[[str], str]:
    """Make a type of argument: a file with one of these suffixes."""

    def checked(name: str) -> str:
        if not name.endswith(suffixes):
            raise argparse.ArgumentTypeError(f"want a name that ends in {' or '.join(suffixes)}, got {name!r}")
        return name

    return checked


def folder(name: str) -> str:
    """Take the name of a folder, which need not exist; refuse a file, or a name that looks like one."""
    if Path(name).is_file():
        raise argparse.ArgumentTypeError(f"want a folder, and {name!r} is a file")
    if Path(name).suffix.lower() in FILE_SUFFIXES:
        raise argparse.ArgumentTypeError(f"want a folder, got {name!r}")
    return name


def array_or_folder(name: str) -> str:
    """Take the name of an ``.npy`` file or of a folder."""
    if name.endswith(".npy"):
        return name
    try:
        return folder(name)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; or a name that ends in .npy (--figure draws one picture)") from None


def colour(text: str) -> tuple[int, ...]:
    """Take red, green and blue as ``#rrggbb``."""
    try:
        levels = bytes.fromhex(text.removeprefix("#"))
    except ValueError:
        levels = b""
    if len(levels) != 3:
        raise argparse.ArgumentTypeError(f"want a colour such as #ffffff, got {text!r}")
    return tuple(levels)


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Make a type of argument: a whole number in this range."""

    def checked(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            wanted = f"from {least} on" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"want a whole number {wanted}, got {text!r}")
        return int(text)

    return checked


def error_limit(text: str) -> float:
    """Take an error: a number from 0 on."""
    try:
        limit = float(text)
    except ValueError:
        limit = -1
    if not 0 <= limit <= 4:  # neither NaN
        raise argparse.ArgumentTypeError(f"want a mean squared error from 0 to 4, got {text!r}")
    return limit
