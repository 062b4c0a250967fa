"""Fetch photographs of solar cells, and ask whether those with defects are the ones that are reconstructed badly.

2,624 electroluminescence images of 300 x 300 grey pixels from PyPI's package elpv-dataset (Buerhop-Lutz et al. 2018;
Deitsch et al. 2019 and 2021; CC BY-NC-SA 4.0: not for commercial use), with the probability of a defect that experts
gave to each. Run from the project's folder, ``python examples/solar_cells.py`` makes ``solar_cells/``: for training,
four of five cells that are surely intact; for testing, the others of these and those that are surely defective. The
401 cells that are in doubt are left out. After a run of the pipeline on it, ``python examples/solar_cells.py score``
tells how well the reconstruction error sets the defective cells apart.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

PACKAGE, FILE = "elpv-dataset==1.0.0.post1", "elpv_dataset-1.0.0.post1-py3-none-any.whl"
SHA256 = "85e31c1126ee9b48e62d3a0232c58f58b2d189b0814a45c13642fa0415af4a4c"
FOLDER = Path("solar_cells")


def fetch() -> None:
    """Fetch, verify and lay out the images."""
    if FOLDER.exists():
        sys.exit(f"error: {FOLDER}: is there already; remove it to fetch it anew")
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
        subprocess.run(pip, check=True)  # noqa: S603
        wheel = Path(scratch, FILE)
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"error: {FILE}: is not the file that is meant (its SHA-256 differs); try another package index")
        with zipfile.ZipFile(wheel) as package:
            rows = package.read("elpv_dataset/data/labels.csv").decode().splitlines()
            for number, row in enumerate(rows):
                name, probability, _ = row.split()
                kind = {0.0: "intact", 1.0: "defective"}.get(float(probability))
                if kind:
                    split = "train" if kind == "intact" and number % 5 else "test"
                    path = FOLDER / split / kind / Path(name).name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(package.read(f"elpv_dataset/data/{name}"))
    print(f"{FOLDER}: {sum(1 for _ in FOLDER.rglob('*.png')):,} images; next: dvc add {FOLDER}")


def score() -> None:
    """Print the area under the ROC curve of the test images' reconstruction errors, and of their darkness alone."""
    from sklearn.metrics import roc_auc_score

    images, outputs, labels = (
        np.load(f"artifacts/{name}.npy")
        for name in ("data/test_images", "evaluate/reconstructions", "data/test_labels")
    )
    classes = json.loads(Path("artifacts/data/classes.json").read_text())["classes"]
    defective = labels == classes.index("defective")
    errors = np.square(images.astype(float) - outputs).mean(axis=(1, 2, 3))
    print(f"{defective.sum()} defective and {(~defective).sum()} intact cells")
    print(f"AUROC of the reconstruction error {roc_auc_score(defective, errors):.3f}")
    print(f"AUROC of darkness alone           {roc_auc_score(defective, -images.mean(axis=(1, 2, 3))):.3f}")


if __name__ == "__main__":
    score() if sys.argv[1:] == ["score"] else fetch()
