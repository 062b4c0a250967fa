"""Decode many image files, a process for each core."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from convae.data.forks import in_forks
from convae.data.pictures import UnusableImageError, decode, read_file
from convae.progress import progress


def decode_files(
    paths: Sequence[Path],
    size: tuple[int, int],
    colour: str,
    background: tuple[int, int, int],
    put: Callable[[int, np.ndarray], None],
) -> tuple[dict[int, str], dict[str, int]]:
    """Decode image files, as `convae.data.pictures.decode` does, with a progress bar.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    size, colour, background
        What the images are to be.
    put : callable
        Called in a fork, with the number of a file and its pixels, uint8 [C, H, W]: it keeps them where the caller
        finds them.

    Returns
    -------
    dict of int to str
        Why files cannot be used, by their numbers and in the order of these.
    dict of str to int
        What there is to tell, in alphabetical order, and of how many images.
    """

    def work(number: int) -> list[str]:
        try:
            pixels, told = decode(read_file(paths[number]), size, colour, background)
        except UnusableImageError as error:
            return [str(error)]
        put(number, pixels)
        return ["", *told]

    faults: dict[int, str] = {}
    told: Counter[str] = Counter()
    with progress(len(paths), "images") as advance:
        for number, (fault, *found) in in_forks(work, len(paths)):
            advance(1)
            told.update(found)
            if fault:
                faults[number] = fault
    return dict(sorted(faults.items())), dict(sorted(told.items()))
