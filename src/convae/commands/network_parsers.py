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
    "generate": (
        "draw new images from the mixture of Gaussians that the stage generate has kept",
        "convae generate artifacts/model -n 64 -o new --figure new.png",
    ),
    "export": ("write encoder and decoder as ONNX", "convae export artifacts/model -o onnx"),
}
PREPARED = """IMAGES are prepared as those of the data set: cropped about their centres and scaled to the network's
size, turned as EXIF says, brought to its colours and to 8 bits. MNIST's and the like are light on dark: invert images
of dark ink before you give them. An image that cannot be used is told in one line and left out; the exit code is then
1."""
# Of those that are given no images.
MORE = {
    "generate": """With the pipeline's generate.samples and generate.seed, they are the images of
artifacts/generate/samples.npy, to the bit.""",
    "export": """encoder.onnx takes images, float32 [N, C, H, W] in [-1, 1] (pixels / 127.5 - 1), and gives latents,
float32 [N, D], those of `convae encode` but for rounding; decoder.onnx takes latents and gives reconstructions like the
images. N is free. Needs the extra convae[onnx].""",
}
# What shtab completes, by shell; it need not be imported for that.
FILE = {"bash": "_shtab_compgen_files", "zsh": "_files", "tcsh": "f"}
FOLDER = {"bash": "_shtab_compgen_dirs", "zsh": "_files -/", "tcsh": "d"}


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the programs to those of a command line."""
    for name, (summary, example) in PROGRAMS.items():
        described = f"{summary[0].upper()}{summary[1:]}. {MORE.get(name, PREPARED)}"
        parser = subparsers.add_parser(name, help=summary, description=described, epilog=f"Example: {example}")
        model = "a folder with config.json and weights.safetensors, or a repository: its address, or its folder"
        _add(parser, "model", FOLDER, metavar="MODEL", help=model)
        rev = "the commit, tag or branch of the repository, whose artifacts/model DVC then fetches"
        parser.add_argument("--rev", metavar="REV", help=rev)
        if name not in MORE:
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
        elif name == "generate":
            _add_generate(parser)
        elif name == "export":
            _add(parser, "-o", FOLDER, metavar="FOLDER", dest="output", required=True, help="where to put the two")
        else:
            shown = parser.add_mutually_exclusive_group()
            shown.add_argument("--json", action="store_true", help="print JSON")
            table = "write a table there, .csv, and print nothing"
            _add(shown, "-o", FILE, metavar="FILE", dest="output", type=_named(".csv"), help=table)
        if name == "similar":
            among = "where to search: images, as IMAGES, or a .npy file of latents"
            _add(parser, "--among", FILE, metavar="IMAGES|LATENTS", required=True, help=among)
            parser.add_argument(
                "-k", metavar="N", type=_whole(1), default=10, help="how many to find for each image (10)"
            )
            figure = "draw each image with those found, .png"
            _add(parser, "--figure", FILE, metavar="FILE", type=_named(".png"), help=figure)
        elif name == "place":
            _add(
                parser, "--map", FILE, metavar="FILE", help="the map (embedding.npy in MODEL, or else in MODEL/../tsne)"
            )
            _add(
                parser,
                "--latents",
                FILE,
                metavar="FILE",
                help="what it shows (latents.npy in MODEL, or else in MODEL/../latents)",
            )


def _add_generate(parser: argparse.ArgumentParser) -> None:
    output = "where to put them: .npy, uint8 [N, C, H, W], or a folder, as PNG, where nothing is overwritten"
    _add(parser, "-o", FILE, metavar="FILE|FOLDER", dest="output", required=True, help=output)
    parser.add_argument("-n", metavar="N", type=_whole(1, 100_000), default=64, help="how many to draw (64)")
    seed = "another one, up to 4294967295, draws others (0)"
    parser.add_argument("--seed", metavar="N", type=_whole(0, 2**32 - 1), default=0, help=seed)
    _add(parser, "--figure", FILE, metavar="FILE", type=_named(".png"), help="draw the first hundred, .png")
    mixture = "the mixture (mixture.safetensors in MODEL, or else in MODEL/../generate)"
    _add(parser, "--mixture", FILE, metavar="FILE", help=mixture)


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


def _whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Make a type of argument: a whole number of this range."""

    def checked(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            wanted = f"from {least} on" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"want a whole number {wanted}, got {text!r}")
        return int(text)

    return checked
