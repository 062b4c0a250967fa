"""The same bytes on processors that differ: maps with any BLAS, by design; the rest by what a stage's start sets."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_startup import FEATURES, require_avx2

SHOW = """
import hashlib, sys
import numpy as np

def show(name, *arrays):
    print(name, hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest())

random = np.random.default_rng(0)
latents = (random.random((600, 100)) + np.eye(100)[np.arange(600) % 5]).astype(np.float32)
latents[500:] = latents[:100]
"""
MAPS = """
from sklearn.neighbors import NearestNeighbors
from convae.maps import tsne
from convae.maps.neighbours import neighbours
from convae.maps.params import TsneParams
from convae.maps.points import round_points
from convae.maps.quality import quality

show("start", tsne.initial_map(latents, 0))
# What t-SNE computes its affinities of.
show("distances", *NearestNeighbors(n_neighbors=30, algorithm="brute").fit(round_points(latents)).kneighbors())
tsne.EARLY, tsne.LATE = 10, 30
near = neighbours(latents)
show("neighbours", *near)
show("sklearn", tsne.embed(latents[:200], TsneParams(backend="sklearn", perplexity=10, seed=0)))
for name, tsne.FFT_POINTS in (("Barnes-Hut", 1000), ("interpolation", 1)):
    embedding = tsne.embed(latents, TsneParams(backend="opentsne", perplexity=10, seed=0))
    show(name, embedding)
print(quality(latents, near[0], embedding, np.arange(600) % 5, 5))
"""
REST = """
from convae.generation.densities import fit_mixture, from_columns
from convae.generation.mixtures import from_mixture
from convae.measures.pca import pca_errors
from convae.measures.similarity import similarities

for given in (latents, random.random((200, 1100), dtype=np.float32)):
    mixture = fit_mixture(given, 5, 0)
    show("mixture", *mixture)
    show("draws", from_mixture(mixture, 300, 0)(0, 300), from_columns(given, 0)(0, 300))
for side in (28, 36):
    pixels = random.integers(0, 256, (200, 1, side, side), dtype=np.uint8)
    print(pca_errors(pixels, pixels[:50], 7))
show("similarities", similarities(pixels[:50], pixels[50:100]))
"""
KERNELS = ["Haswell", "Prescott", *(["SkylakeX"] if "avx512f" in FEATURES else [])]
# As on a processor of 2006, on which interpolation, whose complex numbers NumPy multiplies, rounds otherwise.
OLD = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3"}
SMALL_RUN = Path(__file__).parent / "emulated/small_run.py"


# What makes PyTorch, MKL, oneDNN, OpenBLAS and NumPy choose other functions, as other processors do; and threads.
OTHERS = {
    "plain functions": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "LOKY_MAX_CPU_COUNT": "5",
        **OLD,
    },
    "for AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "AVX2",
        "OPENBLAS_CORETYPE": "Zen",
        "LOKY_MAX_CPU_COUNT": "1",
    },
    "of this processor": {"LOKY_MAX_CPU_COUNT": "2"},
}


@pytest.mark.slow
@pytest.mark.parametrize("settings", OTHERS.values(), ids=OTHERS)
def test_networks_have_the_committed_hashes_whatever_functions_compute_them(settings: dict[str, str]) -> None:
    hashes = SMALL_RUN.with_suffix(".txt")
    _, *found = output(SMALL_RUN.read_text(), {"OPENBLAS_NUM_THREADS": "1", **settings})
    assert found == hashes.read_text().splitlines()


def output(script: str, settings: dict[str, str]) -> list[str]:
    # Threads of several tests would spend minutes on waiting for each other.
    one = {"OPENBLAS_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1"}
    environment = {**os.environ, **one, "PYTHONPATH": "src", **settings}
    command, folder = [sys.executable, "-c", script], Path(__file__).parents[1]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return [line for line in result.stdout.splitlines() if not line.startswith("tsne: ")]


@pytest.mark.slow
def test_maps_are_the_same_bytes_with_any_kernel_of_the_blas() -> None:
    require_avx2()
    expected = output(SHOW + MAPS, {})
    assert len(expected) == 7
    for kernel in KERNELS:
        assert output(SHOW + MAPS, {"OPENBLAS_CORETYPE": kernel}) == expected, kernel
    assert output(SHOW + MAPS, OLD)[:5] == expected[:5]


@pytest.mark.slow
def test_whatever_is_set_a_stage_gives_the_same_bytes_as_on_a_processor_with_avx2() -> None:
    require_avx2()
    prepared = "from convae.startup import prepare; prepare()" + SHOW + REST
    expected = output(prepared, {})
    assert len(expected) == 7
    assert output(prepared, OLD) == expected
    # As they are not without what its start sets.
    assert output(SHOW + REST, OLD) != expected
