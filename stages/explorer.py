"""Write the explorer: a web page that shows the map, the images and their reconstructions."""

from pathlib import Path

import numpy as np

from convae import artifacts
from convae.data.files import read_dataset
from convae.data.labels import read_classes, read_labels
from convae.latents.splits import read_splits
from convae.maps.neighbours import kept_neighbours, read_neighbours
from convae.network.preparation import read_preparation
from convae.network.stored import read_network
from convae.progress import doing, log
from convae.stage import run
from convae.views.explorer import page
from convae.views.explorer.beside import scripts_beside, write_beside
from convae.views.explorer.copies import read_copies, shown_copies
from convae.views.explorer.network_data import Network
from convae.views.explorer.page_data import choose_shown, explorer_data
from convae.views.explorer.points import read_points


@doing("writing the page")
def main() -> None:
    data, folder, plots = Path("artifacts/data"), Path("artifacts/latents"), Path("artifacts/plots")
    latents = artifacts.read_array(folder / "latents.npy", np.float32, (None, None))
    classes, counts = read_classes(data / "classes.json"), read_splits(folder / "splits.json", latents)
    labels = read_labels(folder / "labels.npy", latents, len(classes))
    dataset, copies = read_dataset(data / "files.json", counts), read_copies(data / "copies.csv", counts)
    points = read_points(Path("artifacts"), counts, labels, classes, dataset.files, dataset.folder)
    near = read_neighbours(Path("artifacts/neighbours/indices.npy"), latents)
    distances = artifacts.read_array(Path("artifacts/neighbours/distances.npy"), np.float32, near.shape)
    stored = read_network(folder / "layers.json", Path("artifacts/model/weights.safetensors"))
    network = Network(*stored, latents, read_preparation(data / "preparation.json").content())
    shown = choose_shown(points, network)
    arrays = {"neighbours": near, "distances": distances, "kept": kept_neighbours(latents, near, points.embedding)}
    content = explorer_data(dataset.name, points, shown, arrays, network)
    content["copies"] = shown_copies(copies, shown.rows)
    write_beside(plots / "explorer_files", scripts_beside(points, shown, arrays, network))
    artifacts.write_bytes(plots / "explorer.html", page(content).encode())
    log("artifacts/plots/explorer.html shows the map and the images; `convae explore` opens it")


if __name__ == "__main__":
    run(main)
