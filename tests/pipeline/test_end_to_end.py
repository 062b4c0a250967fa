"""The real pipeline, run by the real DVC on a small slice of real MNIST."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SLICE, Repository, copy_of, run_convae, stages_run
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import convae
from pipeline.conftest import array, metrics

pytestmark = pytest.mark.slow


def history(repository: Repository) -> list[dict[str, str]]:
    return list(csv.DictReader((repository.path / "artifacts/train/history.csv").read_text().splitlines()))


def test_a_finished_pipeline_is_up_to_date_and_leaves_the_working_copy_clean(finished: Repository) -> None:
    assert "Data and pipelines are up to date." in finished.run("dvc repro")
    assert finished.run("git status --porcelain") == ""


def test_the_artifacts_have_the_promised_names_shapes_and_types(finished: Repository) -> None:
    train, test = SLICE["data.train_images"], SLICE["data.test_images"]
    expected = {
        "data/train_images": ((train, 1, 28, 28), "uint8"),
        "data/test_images": ((test, 1, 28, 28), "uint8"),
        "data/train_labels": ((train,), "int64"),
        "data/test_labels": ((test,), "int64"),
        "latents/latents": ((test, 256), "float32"),
        "latents/labels": ((test,), "int64"),
        "latents/reconstructions": ((test, 1, 28, 28), "uint8"),
        "latents/errors": ((test,), "float32"),
        "neighbours/indices": ((test, 10), "uint32"),
        "neighbours/distances": ((test, 10), "float32"),
        "tsne/embedding": ((test, 2), "float32"),
        "generate/samples": ((100, 1, 28, 28), "uint8"),
        "generate/independent": ((100, 1, 28, 28), "uint8"),
        "generate/interpolations": ((5, 10, 1, 28, 28), "uint8"),
        "generate/crossfades": ((5, 10, 1, 28, 28), "uint8"),
    }
    assert {name: (array(finished, name).shape, str(array(finished, name).dtype)) for name in expected} == expected
    assert [list(row) for row in history(finished)] == [["epoch", "train_loss", "test_loss"]]
    for name in ("loss", "reconstructions", "error_by_class", "tsne", "map_of_images", "samples", "interpolations"):
        with Image.open(finished.path / f"artifacts/plots/{name}.png") as image:
            assert image.format == "PNG"
            assert image.info.keys() <= {"dpi"}  # no program, no date


def test_git_has_the_main_numbers_of_what_was_measured(finished: Repository) -> None:
    found = {path.stem: json.loads(path.read_text()) for path in (finished.path / "metrics").iterdir()}
    losses, embedding = metrics(finished, "losses"), metrics(finished, "embedding")
    assert found == {
        "losses": {split: {"mse": losses[split]["mse"]} for split in ("train", "test")},
        "embedding": {name: embedding[name] for name in ("map_knn_accuracy", "neighbour_recall")},
        "generation": {"coverage": metrics(finished, "generation")["coverage"]["mixture"]},
    }


def test_the_tables_for_dvcs_page_say_what_the_metrics_say(finished: Repository) -> None:
    by_class = metrics(finished, "losses")["test_mse_by_class"]
    table = list(csv.DictReader((finished.path / "artifacts/plots/error_by_class.csv").read_text().splitlines()))
    assert {row["class"]: float(row["mse"]) for row in table} == pytest.approx(by_class, abs=1e-4)  # of rounded pixels
    pairs = list(csv.DictReader((finished.path / "artifacts/quality/confusion.csv").read_text().splitlines()))
    assert [int(row["actual"]) for row in pairs] == array(finished, "latents/labels").tolist()
    right = np.mean([row["actual"] == row["predicted"] for row in pairs])
    assert right == pytest.approx(metrics(finished, "embedding")["map_knn_accuracy"], abs=1e-6)


def test_figures_as_svg_are_tracked_in_place_of_those_as_png_and_nothing_else_runs(
    finished: Repository, tmp_path: Path
) -> None:
    repository = copy_of(finished, tmp_path)
    repository.set_params(**{"plot.format": "svg"})
    assert stages_run(repository.run("dvc repro")) == ["plot"]
    names = ["error_by_class", "interpolations", "loss", "map_of_images", "reconstructions", "samples", "tsne"]
    found = sorted((repository.path / "artifacts/plots").glob("*.svg"))  # DVC leaves those as PNG where they are
    assert [path.stem for path in found] == names
    assert all(path.read_bytes().startswith(b"<?xml") for path in found)
    run_convae(repository, "check-lock")
    repository.run("dvc plots show")
    assert "artifacts_plots_tsne.svg" in (repository.path / "dvc_plots/index.html").read_text()


def test_the_weights_fit_the_textbook_class_whose_own_loop_finds_the_stated_losses(
    finished: Repository, mnist_raw: Path, tmp_path: Path
) -> None:
    # Here, since with torchvision comes PyTorch's compiler, which takes seconds.
    import torchvision
    from benchmarks.reference import Autoencoder

    (tmp_path / "MNIST").mkdir()
    (tmp_path / "MNIST/raw").symlink_to(mnist_raw)
    transform = torchvision.transforms.Compose(
        [torchvision.transforms.ToTensor(), torchvision.transforms.Normalize(0.5, 0.5)]
    )
    model = Autoencoder()
    model.load_state_dict(load_file(finished.path / "artifacts/model/weights.safetensors"), strict=True)
    assert sum(weight.numel() for weight in model.parameters()) == 50_161
    for split, images in (("train", SLICE["data.train_images"]), ("test", SLICE["data.test_images"])):
        dataset = torchvision.datasets.MNIST(tmp_path, train=split == "train", transform=transform)
        loader = torch.utils.data.DataLoader(torch.utils.data.Subset(dataset, range(images)), batch_size=256)
        total = 0.0
        with torch.no_grad():
            for batch, _ in loader:
                total += nn.functional.mse_loss(model(batch), batch).item() * len(batch)
        assert total / images == pytest.approx(metrics(finished, "losses")[split]["mse"], abs=1e-5)


def test_the_metrics_agree_with_the_artifacts_and_a_hardly_trained_network_already_beats_chance(
    finished: Repository,
) -> None:
    test_loss = metrics(finished, "losses")["test"]["mse"]
    assert float(history(finished)[-1]["test_loss"]) == pytest.approx(test_loss, abs=1e-6)
    assert array(finished, "latents/errors").mean(dtype=float) == pytest.approx(test_loss, abs=1e-6)
    assert (array(finished, "latents/reconstructions") == array(finished, "evaluate/reconstructions")).all()
    quality, new = metrics(finished, "embedding"), metrics(finished, "generation")
    assert all(0 <= value <= 1 for value in quality.values())
    assert quality["map_knn_accuracy"] > 0.5
    assert quality["trustworthiness"] > 0.8
    assert new["components"] == SLICE["generate.components"]
    assert new["coverage"]["mixture"] > new["coverage"]["independent"] + 0.1
    assert all(0 < value < 2 for value in new["nearest_training_image"].values())


def test_the_network_gives_users_the_pipelines_own_results_to_the_bit(finished: Repository) -> None:
    model, images = convae.load(finished.path / "artifacts/model"), array(finished, "data/test_images")
    mixture = finished.path / "artifacts/generate/mixture.safetensors"
    for name, found in (
        ("latents/latents", convae.encode(model, images)),
        ("evaluate/reconstructions", convae.reconstruct(model, images)),
        ("generate/samples", convae.generate(model, mixture, SLICE["generate.samples"], seed=0)),
    ):
        assert found.tobytes() == array(finished, name).tobytes()


@pytest.mark.nightly
def test_the_dense_autoencoder_and_the_other_choices_run_through_everything(
    finished: Repository, tmp_path: Path
) -> None:
    repository = copy_of(finished, tmp_path)
    choices = {
        "model.architecture": "dense",
        "model.dense.latent_size": 12,
        "train.schedule": "one_cycle",
        "extract.split": "train",
        "tsne.backend": "sklearn",
    }
    repository.set_params(**choices)
    repository.run("dvc repro")
    assert array(repository, "latents/latents").shape == (1200, 12)
    losses = metrics(repository, "losses")
    # 784 -> 128 -> 64 -> 12 and back, weights and biases.
    sizes = [784, 128, 64, 12, 64, 128, 784]
    assert losses["parameters"] == sum(a * b + b for a, b in itertools.pairwise(sizes))
    assert losses["latent_size"] == 12
