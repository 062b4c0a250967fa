"""The command line: each program's summary, example and arguments; what it does is in the module of its name."""

import argparse
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from convae.commands.argument_types import array_or_folder, colour, error_limit, file_named, folder, whole_number
from convae.version import __version__

# What `add_argument` takes. Of several in a list, at most one may be given.
Argument = tuple[tuple[str, ...], dict[str, Any]]


class Program(NamedTuple):
    """One of the programs of ``convae``."""

    summary: str
    example: str
    arguments: tuple[Argument | list[Argument], ...] = ()
    more: str = ""
    module: str = ""  # if it is not called like the program


def argument(*names: str, **options: Any) -> Argument:
    """Declare an argument, as `argparse.ArgumentParser.add_argument` takes it."""
    return names, options


TRIED = """The experiment runs in a temporary checkout: neither the folder nor this working copy is changed, also if it
fails or is interrupted. Its results go to tries/NAME. The rules: images are cropped and scaled to 64 x 64 pixels, or to
as many in the proportions that all of them share; small images of one size keep it; where half of them are smaller,
their size is taken. All are put on the map (above 70,000 images, those for testing). The network is pca_conv with 64
latent values, trained in batches of 32 by one_cycle with a learning rate of 0.003, for 50,000 / N epochs, between 10
and 30; for 150 where N, the number of images, is below 300. Images are mirrored and shifted from epoch to epoch, except
small grey ones. From 500 images on, a tenth chooses the best epoch. t-SNE's perplexity is a tenth of N, from 5 to 30.
Greys of more than 8 bits are scaled from the lowest to the highest level in use. What is no image is left out."""
PREPARED = """IMAGES are prepared like the training images: cropped about their centres and scaled to the network's
size, turned as EXIF says, and converted to its colours and to 8 bits. MNIST and similar data sets are light on dark:
invert images of dark ink first. An image that cannot be used is reported in one line and left out; the exit code is
then 1."""
MODEL = argument("model", metavar="MODEL", help="a folder with config.json and weights.safetensors")
IMAGES = argument(
    "images",
    metavar="IMAGES",
    nargs="+",
    help="image files, folders of them, tar shards, Parquet files, .npy files of uint8 [N, C, H, W], or - for a list "
    "of paths on stdin",
)
BACKGROUND = argument(
    "--background",
    metavar="COLOUR",
    type=colour,
    help="the colour behind transparent images, as #rrggbb (default: as in training)",
)
ON_IMAGES = (MODEL, IMAGES, BACKGROUND)
# How programs that list their results print or write them.
LISTED = [
    argument("--json", action="store_true", help="print JSON"),
    argument("-o", metavar="FILE", dest="output", type=file_named(".csv"), help="write a .csv file and print nothing"),
]


def output(metavar: str, kind: Callable[[str], str], text: str) -> Argument:
    """Declare where a program writes, which has to be given."""
    return argument("-o", metavar=metavar, dest="output", required=True, type=kind, help=text)


def figure(text: str) -> Argument:
    """Declare a figure that may be asked for."""
    return argument("--figure", metavar="FILE", type=file_named(".png"), help=text)


PROGRAMS = {
    "try": Program(
        "run the pipeline on a folder of images, with parameters that suit them, and open the explorer",
        "convae try photos",
        (
            argument("folder", metavar="FOLDER", type=os.path.abspath, help="images, as CLASS/* or without classes"),
            argument("--dry-run", action="store_true", help="only print what would be done"),
        ),
        TRIED,
        module="try_folder",
    ),
    "report": Program("print the results of the last run of the pipeline", "dvc repro && convae report"),
    "compare": Program("write a page that shows the current experiments side by side", 'xdg-open "$(convae compare)"'),
    "explore": Program(
        "open the explorer in a browser, and print its address",
        "convae explore --rev main",
        (
            argument("--rev", help="a commit, branch, tag or experiment (else this working copy)"),
            argument("--print", action="store_true", help="print the address only"),
        ),
    ),
    "verify": Program(
        "rebuild the last commit from scratch elsewhere and compare every artifact's hash", "convae verify"
    ),
    "check": Program(
        "check params.yaml, or what it would be with other values",
        "convae check -S train.epochs=5",
        (
            argument(
                *("-S", "--set-param"),
                metavar="SECTION.KEY=VALUE",
                action="append",
                default=[],
                help="check with this value, as `dvc exp run -S` would set it",
            ),
        ),
    ),
    "check-lock": Program("check, without data or a run, that dvc.lock is up to date", "convae check-lock && git push"),
    "doctor": Program(
        "repair DVC's files after a kill, and damaged objects in the cache and on the default remote",
        "convae doctor",
        (argument("--quick", action="store_true", help="only DVC's own files, in a second: no cache, no remote"),),
        """Repairs dvc.lock and .dvc/tmp/rwlock if a kill cut them off; reads every object in the cache and on the
default remote, and removes those whose content is not what their names say; fetches and pushes what is then missing.
Run it while nobody pushes.""",
    ),
    "push": Program(
        "share data and run cache on the default remote, even after a push that was cut off", "convae push"
    ),
    "worker": Program(
        "share the stages that another host's DVC runs; CONVAE_HOSTS and CONVAE_MASTER say how many hosts, and where",
        "CONVAE_HOSTS=2 CONVAE_MASTER=10.0.0.1:29500 convae worker 1",
        (argument("number", metavar="NUMBER", type=whole_number(1), help="this host's number, from 1 on"),),
    ),
    "summary": Program(
        "print the layers of a network, their output shapes and numbers of parameters",
        "convae summary artifacts/model",
        (MODEL,),
    ),
    "encode": Program(
        "encode images to latent vectors",
        "convae encode artifacts/model photos -o latents.npy",
        (
            *ON_IMAGES,
            output("FILE", file_named(".npy", ".csv"), "where to write: .npy, float32 [N, D], or .csv with names"),
        ),
        PREPARED,
    ),
    "reconstruct": Program(
        "write the network's reconstructions of images",
        "convae reconstruct artifacts/model photos -o out",
        (*ON_IMAGES, output("FOLDER", folder, "where to write PNG files, in folders as theirs; overwrites nothing")),
        PREPARED,
    ),
    "similar": Program(
        "find the images whose latent vectors are nearest",
        "convae similar artifacts/model cat.jpg --among photos -k 5 --figure similar.png",
        (
            *ON_IMAGES,
            LISTED,
            argument(
                "--among",
                metavar="IMAGES|LATENTS",
                required=True,
                help="where to search: images, as IMAGES, or latents, a .npy or .csv file of convae encode",
            ),
            argument("-k", metavar="N", type=whole_number(1), default=10, help="how many to find for each image (10)"),
            figure("draw each image with those found, .png"),
        ),
        PREPARED,
    ),
    "place": Program(
        "place images on the pipeline's map, which does not move",
        "convae place artifacts/model photos",
        (
            *ON_IMAGES,
            LISTED,
            argument("--map", metavar="FILE", help="the map (embedding.npy in MODEL, or else in MODEL/../tsne)"),
            argument(
                "--latents",
                metavar="FILE",
                help="the latents of its points (latents.npy in MODEL, or else in MODEL/../latents)",
            ),
        ),
        f"""A distance is that of latent vectors, to the nearest image of the map. An image is unusual if it is farther
away than 99 % of the map's images are, each from the nearest other one: its position then means little. {PREPARED}""",
    ),
    "score": Program(
        "list images by reconstruction error, the largest first",
        "convae score artifacts/model photos | head",
        (
            *ON_IMAGES,
            LISTED,
            argument("--threshold", metavar="MSE", type=error_limit, help="mark images with a larger error as unusual"),
            figure("draw the worst twenty, their reconstructions, and where these differ, .png"),
        ),
        f"""Without --threshold, images are unusual if their error is larger than that of 99 % of the training images,
and of 99 % of the test images. These are in losses.json, in MODEL or else in MODEL/../evaluate; if it is not there,
none is marked. {PREPARED}""",
    ),
    "generate": Program(
        "draw new images from the mixture of Gaussians that the stage generate fitted",
        "convae generate artifacts/model -n 64 -o new --figure new.png",
        (
            MODEL,
            output("FILE|FOLDER", array_or_folder, ".npy, uint8 [N, C, H, W], or a folder of PNG files"),
            argument("-n", metavar="N", type=whole_number(1, 100_000), default=64, help="how many to draw (64)"),
            argument(
                "--seed",
                metavar="N",
                type=whole_number(0, 2**32 - 1),
                default=0,
                help="another seed, up to 4294967295, draws other images (0)",
            ),
            figure("draw the first hundred, .png"),
            argument(
                "--mixture",
                metavar="FILE",
                help="the mixture (mixture.safetensors in MODEL, or else in MODEL/../generate)",
            ),
        ),
        """With the pipeline's generate.samples and generate.seed, they are the images of
artifacts/generate/samples.npy, to the bit. Nothing in a folder is overwritten.""",
    ),
    "export": Program(
        "write encoder and decoder as ONNX",
        "convae export artifacts/model -o onnx",
        (MODEL, output("FOLDER", folder, "where to write encoder.onnx and decoder.onnx")),
        """encoder.onnx takes images, float32 [N, C, H, W] in [-1, 1] (pixels / 127.5 - 1), and gives latents, float32
[N, D], those of `convae encode` but for rounding; decoder.onnx takes latents and gives reconstructions like the images.
N is free. Needs the extra convae[onnx].""",
    ),
}


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="convae",
        description="Look after the results of the pipeline, which `dvc repro` runs; use its network on other images.",
        epilog="Example: convae report",
    )
    parser.add_argument("--version", action="version", version=f"convae {__version__}")
    programs = parser.add_subparsers(dest="program", metavar="PROGRAM")
    for name, program in PROGRAMS.items():
        described = f"{program.summary[0].upper()}{program.summary[1:]}. {program.more}"
        one = programs.add_parser(
            name, help=program.summary, description=described, epilog=f"Example: {program.example}"
        )
        for each in program.arguments:
            group = one.add_mutually_exclusive_group() if isinstance(each, list) else one
            for names, options in each if isinstance(each, list) else [each]:
                group.add_argument(*names, **options)
    return parser
