"""Fetch the dataset, verified, and write its images and labels as arrays."""

from convae import artifacts, datasets, paths
from convae.downloads import fetch
from convae.params import load_params
from convae.stage import run


def main() -> None:
    params = load_params().data
    files = fetch(params.dataset)
    for first, images, labels, images_path, labels_path in (
        (params.train_images, datasets.TRAIN_IMAGES, datasets.TRAIN_LABELS, paths.TRAIN_IMAGES, paths.TRAIN_LABELS),
        (params.test_images, datasets.TEST_IMAGES, datasets.TEST_LABELS, paths.TEST_IMAGES, paths.TEST_LABELS),
    ):
        artifacts.write_array(images_path, datasets.images(files[images], images, first))
        artifacts.write_array(labels_path, datasets.labels(files[labels], labels, first))
    artifacts.write_json(paths.CLASSES, {"classes": datasets.DATASETS[params.dataset].classes})


if __name__ == "__main__":
    run(main)
