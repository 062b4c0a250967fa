"""Where every artifact lies, relative to the repository's root (in which DVC runs each stage)."""

from pathlib import Path

PIPELINE = Path("dvc.yaml")
PARAMS = Path("params.yaml")
LOCK = Path("dvc.lock")

DATA = Path("artifacts/data")
TRAIN_IMAGES = DATA / "train_images.npy"
TRAIN_LABELS = DATA / "train_labels.npy"
TEST_IMAGES = DATA / "test_images.npy"
TEST_LABELS = DATA / "test_labels.npy"
CLASSES = DATA / "classes.json"

MODEL = Path("artifacts/model")
WEIGHTS = MODEL / "weights.safetensors"
CONFIG = MODEL / "config.json"
HISTORY = Path("artifacts/train/history.csv")
MACHINE = Path("artifacts/train/machine.json")

LOSSES = Path("metrics/losses.json")
RECONSTRUCTIONS = Path("artifacts/evaluate/reconstructions.npy")

LATENTS = Path("artifacts/latents/latents.npy")
LATENT_LABELS = Path("artifacts/latents/labels.npy")

EMBEDDING = Path("artifacts/tsne/embedding.npy")
EMBEDDING_QUALITY = Path("metrics/embedding.json")

LOSS_FIGURE = Path("artifacts/plots/loss.png")
RECONSTRUCTIONS_FIGURE = Path("artifacts/plots/reconstructions.png")
TSNE_FIGURE = Path("artifacts/plots/tsne.png")

# Scratch of this working copy, neither tracked nor promised.
COMPARISON = Path(".convae/comparison.html")


def times(experiment: str = "") -> Path:
    """Tell where it is noted how long each stage took when it last ran, for the workspace or an experiment."""
    return Path(".convae", experiment, "times.json")
