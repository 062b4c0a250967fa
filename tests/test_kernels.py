"""The same bytes on processors that differ: networks, and maps with any BLAS, by design.

The rest by what a stage's start sets: see pipeline/test_other_machines.
"""

from pathlib import Path

import pytest
from conftest import python
from test_startup import require_avx2

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
show("sklearn", tsne.embed(latents[:200], TsneParams(backend="sklearn", affinity="perplexity", perplexity=10, seed=0)))
for name, tsne.FFT_POINTS in (("Barnes-Hut", 1000), ("interpolation", 1)):
    embedding = tsne.embed(latents, TsneParams(backend="opentsne", affinity="perplexity", perplexity=10, seed=0))
    show(name, embedding)
print(quality(latents, near[0], embedding, np.arange(600) % 5, 5))
"""
KERNELS = ["Haswell", "Prescott"]  # beside what this processor has, perhaps with AVX-512
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
@pytest.mark.parametrize(
    "name", ["plain functions", "of this processor", pytest.param("for AVX2", marks=pytest.mark.nightly)]
)
def test_networks_have_the_committed_hashes_whatever_functions_compute_them(name: str) -> None:
    hashes = SMALL_RUN.with_suffix(".txt")
    _, *found = output(SMALL_RUN.read_text(), OTHERS[name])
    assert found == hashes.read_text().splitlines()


def output(script: str, settings: dict[str, str]) -> list[str]:
    # Threads of several tests would spend minutes on waiting for each other.
    lines = python(script, **{"OPENBLAS_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1", **settings})
    return [line for line in lines if not line.startswith("tsne: ")]


@pytest.mark.slow
def test_maps_are_the_same_bytes_with_any_kernel_of_the_blas() -> None:
    require_avx2()
    expected = output(SHOW + MAPS, {})
    assert len(expected) == 7
    for kernel in KERNELS:
        assert output(SHOW + MAPS, {"OPENBLAS_CORETYPE": kernel}) == expected, kernel
    assert output(SHOW + MAPS, OLD)[:5] == expected[:5]
