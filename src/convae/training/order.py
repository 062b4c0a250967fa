"""The order in which an epoch takes the training images: a pure function of (seed, epoch)."""

import numpy as np

# With shuffled blocks: images that are next to each other in a block, and blocks whose images are mixed.
BLOCK, MIXED = 1024, 64
# Bytes of the largest image for which whole blocks are asked for: so many blocks of larger ones might not fit into
# memory, and such an image is large enough to be read alone.
LARGEST = 2**12


def epoch_order(seed: int, epoch: int, images: int, shuffle: str) -> np.ndarray:
    """Draw an epoch's random order of images. It depends on (seed, epoch) only, so a resumed run has the same.

    Parameters
    ----------
    seed, epoch : int
        What the order depends on.
    images : int
        Number of images.
    shuffle : str
        ``full``: every order is equally likely. ``blocks``: blocks of 1,024 neighbouring images come in random order,
        and the images of each 64 of them are mixed. Reading then stays within 64 parts of the file for a while.

    Returns
    -------
    numpy.ndarray
        int64 [images], each number once.
    """
    random = np.random.default_rng([seed, epoch])
    if shuffle == "full":
        return random.permutation(images)
    blocks = random.permutation(-(-images // BLOCK))
    order, done = np.empty(images, np.int64), 0
    for start in range(0, len(blocks), MIXED):
        numbers = (blocks[start : start + MIXED, None] * BLOCK + np.arange(BLOCK)).ravel()
        numbers = random.permutation(numbers[numbers < images])
        order[done : done + len(numbers)] = numbers
        done += len(numbers)
    return order


def blocks_to_read(order: np.ndarray, batch: int, batch_size: int) -> np.ndarray:
    """Return the blocks that a group of batches reads, if this batch is the first of its group; otherwise none.

    Parameters
    ----------
    order : numpy.ndarray
        The order of an epoch, with shuffled blocks.
    batch, batch_size : int
        The number of the batch, and how many images each has.

    Returns
    -------
    numpy.ndarray
        int64 [n], the first image of each block.
    """
    batches = max(1, BLOCK * MIXED // batch_size)
    if batch % batches:
        return np.empty(0, np.int64)
    return np.unique(order[batch * batch_size : (batch + batches) * batch_size] // BLOCK) * BLOCK
