"""What the programs that use a trained network are given: a model's folder, and images."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from convae.data.inputs import Images, read_inputs
from convae.data.listing import shown
from convae.errors import ConvaeError
from convae.network.config import read_config
from convae.network.preparation import Preparation

MODEL_FILES = ("config.json", "weights.safetensors")
IN_A_PROJECT = "in a project, `dvc pull` or `dvc repro` brings it"


def check_model(model: str | Path, images: Sequence[str] = ()) -> None:
    """Refuse what is no folder of a trained network, and say what it is instead.

    Parameters
    ----------
    model : str or Path
        What was given as the model.
    images : sequence of str
        What was given as images: the two may have been swapped.

    Raises
    ------
    ConvaeError
        If it is not a folder with a network's two files; what is in them is not looked at.
    """
    path, name = Path(model), shown(str(model))
    missing = [file for file in MODEL_FILES if not os.path.isfile(path / file)]
    if not missing:
        return
    if swapped := [each for each in images if os.path.isfile(os.path.join(each, MODEL_FILES[0]))]:
        raise ConvaeError(name, "is no model", f"name the model first, {shown(swapped[0])}, and then the images")
    if not path.exists():
        if re.match(r"[^/]{2,}:", str(model)):  # without the address itself, which may hold a password
            fix = "fetch the model with `dvc get ADDRESS artifacts/model`, and name the folder `model`"
            raise ConvaeError("MODEL", "is an address, not a folder", fix)
        raise ConvaeError(name, "is not there", f"name the folder of a trained network; {IN_A_PROJECT}")
    if path.is_file():
        if path.name in MODEL_FILES:
            raise ConvaeError(name, "is one file of a model", f"name the folder, {shown(str(path.parent))}")
        raise ConvaeError(name, "is a file, not a model", "name the folder of a trained network, and then the images")
    if os.path.isfile(path / "artifacts/model" / MODEL_FILES[0]):
        raise ConvaeError(name, "is a project, not a model", f"name {shown(str(path / 'artifacts/model'))}")
    if len(missing) == len(MODEL_FILES):
        fix = f"name a folder with {' and '.join(MODEL_FILES)}; {IN_A_PROJECT}"
        raise ConvaeError(name, "holds no model", fix)
    raise ConvaeError(name, f"has no {missing[0]}", f"copy {' and '.join(MODEL_FILES)} there; {IN_A_PROJECT}")


def find_beside(model: str, named: str | None, path: str, option: str) -> Path:
    """Find a file that goes with a model: as named, or in the model's folder, or where the pipeline puts it.

    Parameters
    ----------
    model : str
        The model's folder.
    named : str or None
        What was given for `option`.
    path : str
        Where the pipeline puts the file, relative to the folder above the model's.
    option : str
        The option that names another.

    Raises
    ------
    ConvaeError
        If none is named and there is none.
    """
    if named is not None:
        if not os.path.isfile(named):
            raise ConvaeError(shown(named), "is not a file", f"name another with {option}, or leave it out")
        return Path(named)
    found = beside(model, path)
    if found is None:
        inside, outside = _places(model, path)
        what = f"is not there, nor is {shown(str(outside))}"
        raise ConvaeError(shown(str(inside)), what, f"copy it there, or name it with {option}; {IN_A_PROJECT}")
    return found


def beside(model: str, path: str) -> Path | None:
    """Find a file that goes with a model, as `find_beside` does; give None if there is none."""
    return next((each for each in _places(model, path) if each.exists()), None)


def _places(model: str, path: str) -> tuple[Path, Path]:
    return Path(model, Path(path).name), Path(model).resolve().parent / path


def read_images(arguments: argparse.Namespace, paths: Iterable[str]) -> Images:
    """Read images for the network, and report on stderr, in a line each, which cannot be used.

    Raises
    ------
    ConvaeError
        If none is given; or if the network's configuration cannot be read.
    """
    config = read_config(Path(arguments.model, MODEL_FILES[0]))
    names = [name for path in paths for name in (_listed_on_stdin() if path == "-" else [path])]
    if not names:
        raise ConvaeError("images", "none is given", "name files or folders, or list them on stdin")
    preparation = (config.preparation or Preparation()).with_background(arguments.background)
    images = read_inputs(names, config.image_shape, preparation)
    for refusal in images.refused:
        print(f"error: {refusal}; it is left out", file=sys.stderr)
    for note in images.notes:
        print(f"note: {note}", file=sys.stderr)
    return images


def _listed_on_stdin() -> list[str]:
    """Read names from stdin, one a line, whatever bytes they are."""
    return [os.fsdecode(line) for line in sys.stdin.buffer.read().split(b"\n") if line]


def refuse_input(output: str, inputs: Iterable[str | Path | None]) -> None:
    """Raise a `ConvaeError` if a file that is to be written is one that is read.

    Any other file is overwritten, as by any program with ``-o``.
    """
    if os.path.exists(output) and any(
        each and os.path.exists(each) and os.path.samefile(each, output) for each in inputs
    ):
        raise ConvaeError(shown(output), "is one of the files that are read", "name another with -o")
