"""Check before training that the parameters fit the images. The output is always the same."""

from pathlib import Path

from convae import artifacts
from convae.check import check_images, check_params
from convae.data.images import read_images
from convae.stage import run


def main() -> None:
    train, test = (read_images(Path(f"artifacts/data/{split}_images.npy")) for split in ("train", "test"))
    check_images(check_params(), len(train), len(test), train.shape[1:])
    artifacts.write_json(Path("artifacts/check/images_passed.json"), {"passed": True})


if __name__ == "__main__":
    run(main)
