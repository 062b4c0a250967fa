"""Latent vectors, against plain PyTorch."""

from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from networks import NETWORKS, network

from convae.joining import joined
from convae.network.encoding import encode
from convae.threads import AHEAD, in_order


@pytest.mark.parametrize("arithmetic", ["exact", "native"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_latent_is_the_encoders_and_the_same_to_the_bit_alone_in_any_order_and_among_any_others(
    name: str, arithmetic: str
) -> None:
    model, random = network(name, arithmetic=arithmetic), np.random.default_rng(1)
    images = random.integers(0, 256, (270, *model.image_shape), dtype=np.uint8)  # several chunks and some

    def latents(rows: np.ndarray) -> np.ndarray:
        return np.concatenate(list(encode(model, images[rows])))

    whole = latents(np.arange(270))
    with torch.no_grad():
        expected = model.encoder(torch.tensor((images / 255 - 0.5) / 0.5, dtype=torch.float32)).flatten(1)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    for rows in (np.arange(1), np.array([269]), np.arange(250, 270), np.arange(17), random.permutation(270)):
        assert latents(rows).tobytes() == whole[rows].tobytes()


def test_what_this_guards_against_is_there() -> None:
    model = network("dense", arithmetic="native", latent_size=16, image_shape=(1, 28, 28))
    images = torch.rand(130, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        assert not torch.equal(model.encoder(images[:1]), model.encoder(images)[:1])


def test_threads_to_come_use_as_many_of_pytorch_s_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        list(encode(network("conv"), np.zeros((3, 1, 28, 28), np.uint8)))
        with ThreadPoolExecutor(1) as pool:
            assert (torch.get_num_threads(), pool.submit(torch.get_num_threads).result()) == (3, 3)
    finally:
        torch.set_num_threads(before)


def test_results_come_in_order_and_few_items_are_begun_before_they_are_wanted() -> None:
    begun: list[int] = []

    def compute(number: int) -> int:
        begun.append(number)
        return number

    with ThreadPoolExecutor(3) as pool:
        results = in_order(pool, compute, range(1000))
        assert next(results) == 0
        assert len(begun) <= AHEAD * joblib.cpu_count() + 1
        assert [*results] == list(range(1, 1000))


def test_joined_arrays_hold_on_to_no_chunk() -> None:
    large = np.arange(40.0).reshape(2, 4, 5)
    ones, rows = joined(((chunk[:, 0], chunk) for chunk in large), 8)
    assert (rows == large.reshape(8, 5)).all()
    assert (ones == large.reshape(8, 5)[:, 0]).all()
    assert ones.base is None
