"""Files of a folder that are no images, and how they and images that cannot be used are counted."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from convae import artifacts
from convae.data.contents import Files
from convae.data.image_formats import UnusableImageError, open_image, refusals
from convae.data.listing import named, shown
from convae.errors import ConvaeError

# What a file that is no image may be, and its usual endings.
ENDINGS = {
    "sidecar": "xmp aae json txt csv tsv xml yaml yml md html htm url ini log srt",
    "video": "mp4 mov avi mkv m4v 3gp webm wmv flv mpg mpeg mts m2ts insv lrv",
    "sound": "mp3 wav m4a aac flac ogg opus",
    "archive": "zip tar gz tgz bz2 xz zst 7z rar",
    "document": "pdf doc docx odt xls xlsx ods ppt pptx odp",
}
WHAT = {"sidecar": "text or metadata", "video": "a video", "sound": "sound", "archive": "an archive"}
KINDS = {f".{ending}": kind for kind, endings in ENDINGS.items() for ending in endings.split()}
# Files with these endings are images or meant to be: only decoding tells whether they can be used.
IMAGES = "jpg jpeg jpe jfif png apng gif bmp dib tif tiff webp heic heif avif jp2 j2k jpx jxl tga ico pbm pgm ppm pnm "
IMAGES += "svg psd xcf raw dng cr2 cr3 nef arw orf rw2 raf pef srw exr hdr dcm fits eps pcx mpo"
IMAGE_ENDINGS = {f".{ending}" for ending in IMAGES.split()}
# Tar archives that are not read, since one would have to read all of one to get at an image.
COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
# A limit for pixels that no file is too large for.
ANY_SIZE = sys.maxsize
# The whole list, outside the outputs: DVC deletes those before the stage runs again.
REFUSED = ".convae/refused.txt"


class LeftOut(NamedTuple):
    """A file that is not used: its path below the folder, what kind it is, and why, as the end of a sentence."""

    file: str
    kind: str
    why: str


def other_files(files: Files, largest_pixels: int) -> dict[int, LeftOut]:
    """Find the files, by their numbers, that are no images: neither by their endings nor by their content.

    Files that cannot be read are not among them: decoding tells what is wrong with them.
    """
    found = {}
    for number, path in enumerate(files.names):
        if ending(path) in IMAGE_ENDINGS:
            continue
        kind = KINDS.get(ending(path), "other")
        with suppress(UnusableImageError, OSError), files.open(number, ANY_SIZE) as file:
            if kind == "other" and not file.read(1):
                continue
            try:
                with refusals(largest_pixels):
                    open_image(file)
            except UnusableImageError as error:
                found[number] = LeftOut(path, kind, f"is {WHAT[kind]}, not an image" if kind in WHAT else str(error))
    return found


def counts(files: Iterable[LeftOut]) -> str:
    """Count files by their endings: ``12 .mp4 (video), 3 .jpg (image)``."""
    numbers = Counter((ending(each.file) or "without ending", each.kind) for each in files)
    return named(f"{count:,} {shown(ending)} ({kind})" for (ending, kind), count in numbers.most_common())


def refused(where: str, files: Mapping[str, LeftOut], total: int, fix: str) -> ConvaeError:
    """Write the list of files that cannot be used, and return the error that names ten of them and the list."""
    # DVC_ROOT is the repository from which an experiment was started: its own checkout is gone when it has ended.
    root = Path(os.environ.get("DVC_ROOT", ""))
    path = (Path() if root.resolve() == Path.cwd() else root) / REFUSED
    # Images that cannot be used first: what else lies there is no surprise.
    ordered = sorted(files.values(), key=lambda each: each.kind != "image")
    artifacts.write_bytes(path, "".join(f"{shown(each.file)} {each.why}\n" for each in ordered).encode())
    some = named(f"{shown(each.file)[-200:]} {each.why}" for each in ordered)
    what = f"{len(files):,} of {total:,} files cannot be used: {counts(files.values())}: {some}"
    return ConvaeError(where, what, f"{fix}; {shown(str(path))} lists them all")


def no_images(where: str, files: Mapping[str, LeftOut]) -> ConvaeError:
    """Return the error for a folder whose files are no images."""
    archives = [each.file for each in files.values() if each.kind == "archive"]
    what = f"holds no images, only {counts(files.values())}"
    if archives and archives[0].lower().endswith(COMPRESSED):
        fix = f"decompress {shown(archives[0])} to a .tar file: images hardly become smaller by compression"
        return ConvaeError(where, what, fix)
    if archives:
        return ConvaeError(where, what, f"unpack {shown(archives[0])} there, and move it out of the folder")
    return ConvaeError(where, what, "put images there, as CLASS/NAME.png or without classes")


def ending(path: str) -> str:
    """Give the ending of a file's name, with its dot and in lower case."""
    return os.path.splitext(path)[1].lower()
