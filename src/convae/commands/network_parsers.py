"""The arguments of the programs that use a trained network: what one does is in the module of its name."""

import argparse
from collections.abc import Callable
from typing import Any

# A program's help, and an example.
PROGRAMS = {
    "encode": ("encode images to latent vectors", "convae encode artifacts/model photos -o latents.npy"),
    "reconstruct": ("write images as the network gives them back", "convae reconstruct artifacts/model photos -o out"),
    "similar": (
        "find the images whose latent vectors are nearest",
        "convae similar artifacts/model cat.jpg --among photos -k 5 --figure similar.png",
    ),
    "place": ("place images on the pipeline's map, which does not move", "convae place artifacts/model photos"),
    "score": (
        "list images by their reconstruction errors, the odd ones first",
        "convae score artifacts/model photos | head",
    ),
}
PREPARED = """IMAGES are prepared as those of the data set: cropped about their centres and scaled to the network's
size, turned as EXIF says, brought to its colours and to 8 bits. MNIST's and the like are light on dark: invert images
of dark ink before you give them. An image that cannot be used is told in one line and left out; the exit code is then
1."""
# What shtab completes, by shell; it need not be imported for that.
FILE = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}
FOLDER = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/", "tcsh": "d"}


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the programs to those of a command line."""
    for name, (summary, example) in PROGRAMS.items():
        described = f"{summary[0].upper()}{summary[1:]}. {PREPARED}"
        parser = subparsers.add_parser(name, help=summary, description=described, epilog=f"Example: {example}")
        _add(parser, "model", FOLDER, metavar="MODEL", help="a folder with config.json and weights.safetensors")
        images = "image files, folders of them, .npy files of uint8 [N, C, H, W], or - for a list of paths on stdin"
        _add(parser, "images", FILE, metavar="IMAGES", nargs="+", help=images)
        white = "red, green and blue, as #rrggbb, of what transparent images are laid on (#ffffff)"
        parser.add_argument("--background", metavar="COLOUR", type=_colour, default=(255, 255, 255), help=white)
        if name == "encode":
            latents = "the latents: .npy, float32 [N, D], or .csv with the images' names"
            _add(
                parser,
                "-o",
                FILE,
                metavar="FILE",
                dest="output",
                required=True,
                type=_named(".npy", ".csv"),
                help=latents,
            )
        elif name == "reconstruct":
            folder = "where to put them, as PNG, in folders as theirs; nothing there is overwritten"
            _add(parser, "-o", FOLDER, metavar="FOLDER", dest="output", required=True, help=folder)
        else:
            shown = parser.add_mutually_exclusive_group()
            shown.add_argument("--json", action="store_true", help="print JSON")
            table = "write a table there, .csv, and print nothing"
            _add(shown, "-o", FILE, metavar="FILE", dest="output", type=_named(".csv"), help=table)
        if name == "similar":
            among = "where to search: images, as IMAGES, or a .npy file of latents"
            _add(parser, "--among", FILE, metavar="IMAGES|LATENTS", required=True, help=among)
            parser.add_argument("-k", metavar="N", type=_count, default=10, help="how many to find for each image (10)")
            figure = "draw each image with those found, .png"
            _add(parser, "--figure", FILE, metavar="FILE", type=_named(".png"), help=figure)
        elif name == "place":
            _add(parser, "--map", FILE, metavar="FILE", help="the map (MODEL/../tsne/embedding.npy)")
            _add(parser, "--latents", FILE, metavar="FILE", help="what it shows (MODEL/../latents/latents.npy)")


def _add(parser: Any, name: str, completed: dict[str, str], **options: Any) -> None:
    parser.add_argument(name, **options).complete = completed


def _named(*suffixes: str) -> Callable[[str], str]:
    """Make a type of argument: a file with one of these suffixes."""

    def checked(name: str) -> str:
        if not name.endswith(suffixes):
            raise argparse.ArgumentTypeError(f"want a name that ends in {' or '.join(suffixes)}, got {name!r}")
        return name

    return checked


def _colour(text: str) -> tuple[int, ...]:
    digits = text.removeprefix("#")
    try:
        levels = bytes.fromhex(digits)
    except ValueError:
        levels = b""
    if len(levels) != 3:
        raise argparse.ArgumentTypeError(f"want a colour such as #ffffff, got {text!r}")
    return tuple(levels)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"want a whole number from 1 on, got {text!r}")
    return int(text)
