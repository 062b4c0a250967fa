"""What asks how many cores there are gives the same bytes on 1, 2 and 16 of them, even where many points are equal."""

import pytest
from conftest import python

pytestmark = pytest.mark.slow

# 2,100 queries are divided among up to two threads, and else the points are: with more, scikit-learn would meet equally
# near ones in another order. So would it those of the fifths that are classified, with two.
COMPUTE = """
import hashlib, sys
import joblib, numpy as np, torch
cores = int(sys.argv[1])
joblib.cpu_count = lambda **_: cores
torch.set_num_threads(cores)
from convae.generation.latent_decoding import decode
from convae.generation.densities import fit_mixture, from_columns
from convae.generation.mixtures import from_mixture
from convae.generation.interpolation import interpolations
from convae.network.encoding import encode
from convae.latents.extraction import extract
from convae.maps import tsne
from convae.maps.neighbours import neighbours
from convae.maps.params import TsneParams
from convae.maps.quality import quality
from convae.measures.pca import pca_errors
from convae.measures.reconstruction import measure_reconstructions
from convae.measures.rounding import rounded_errors
from convae.network.models import build
from convae.network.config import ModelConfig

def show(name, *arrays):
    print(name, hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest())

random = np.random.default_rng(0)
lattice = random.integers(0, 2, (2100, 17)).astype(np.float32)
equal = random.normal(size=(2100, 20)).astype(np.float32)
equal[:1700] = equal[random.integers(0, 4, 1700)]
tsne.EARLY, tsne.LATE = 10, 20
settings = {"affinity": "perplexity", "perplexity": 5, "seed": 0}
for points in (1, 10000):
    tsne.FFT_POINTS = points
    for name, latents in (("lattice", lattice), ("equal", equal)):
        show(f"{name} {points}", tsne.embed(latents, TsneParams(backend="opentsne", **settings)))
tsne.EARLY, tsne.LATE = 125, 325
show("sklearn", tsne.embed(equal[1600:1800], TsneParams(backend="sklearn", **settings)))
labels = random.integers(0, 10, 2100)
for latents in (lattice, equal):
    near = neighbours(latents)
    show("neighbours", *near)
    print(quality(latents, near[0], np.round(latents[:, :2]), labels, 10))
model = build(ModelConfig(architecture="conv", channels=(8, 16), image_shape=(1, 28, 28)), 0)
pixels = random.integers(0, 256, (600, 1, 28, 28), dtype=np.uint8)
show("encode", *encode(model, pixels))
show("extract", *(part for chunk in extract(model, pixels) for part in chunk))
show("reconstruct", *measure_reconstructions(model, pixels))
print(rounded_errors(model, pixels, pixels[:300], (8, 4)))
for latents in (equal, random.normal(size=(300, 1100)).astype(np.float32)):
    mixture = fit_mixture(latents, 9, 0)
    show("mixture", *mixture)
    show("draw", from_mixture(mixture, 700, 0)(0, 700), from_columns(latents, 0)(0, 700))
show("interpolate", interpolations(model, pixels[:80].reshape(40, 2, 1, 28, 28)))
print(pca_errors(pixels, pixels[:300], 7))
larger = random.integers(0, 256, (600, 1, 48, 48), dtype=np.uint8)
print(pca_errors(larger, larger[:300], 7))
decoded = []
decode(model, from_columns(np.concatenate(list(encode(model, pixels))), 0), 600, lambda _, rows: decoded.append(rows))
show("decode", *decoded)
"""


def test_one_two_and_sixteen_cores_give_the_same_bytes() -> None:
    outputs = []
    for cores in (1, 2, 16):
        # scikit-learn takes no more threads than there are cores, unless it is told so.
        threads = {"OMP_NUM_THREADS": str(cores), "OPENBLAS_NUM_THREADS": str(cores)}
        lines = python(COMPUTE, cores, OMP_WAIT_POLICY="PASSIVE", **threads)
        outputs.append([line for line in lines if not line.startswith("tsne: ")])
    assert len(outputs[0]) == 21
    assert outputs[0] == outputs[1] == outputs[2]
