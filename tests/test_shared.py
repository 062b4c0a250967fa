"""What a program has set for all its threads is as before after a call of ours, also after several at the same time."""

import logging
import os
import random
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import network
from PIL import Image
from threadpoolctl import threadpool_info

import convae
from convae.generation.mixtures import Mixture, write_mixture
from convae.shared import Shared

PIXELS = np.random.default_rng(0).integers(0, 256, (130, 1, 28, 28), dtype=np.uint8)
LATENTS = np.random.default_rng(1).normal(size=(40, 24)).astype(np.float32)


def settings() -> dict[str, Any]:
    return {
        "threads": torch.get_num_threads(),
        "threads of a new thread": ThreadPoolExecutor(1).submit(torch.get_num_threads).result(),
        "libraries' threads": sorted((each["filepath"], each["num_threads"]) for each in threadpool_info()),
        "floats": (torch.get_default_dtype(), torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()),
        "generators": (torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()),
        "warnings": list(warnings.filters),
        "logging": {name: logging.getLogger(name).level for name in ("", "PIL", "matplotlib", "torch")},
        "pixels": Image.MAX_IMAGE_PIXELS,
        "hooks": (sys.excepthook, threading.excepthook, os.getcwd(), dict(os.environ)),
    }


@pytest.fixture
def calls(tmp_path: Path) -> list[Callable[[], object]]:
    """Provide calls of all public functions that compute."""
    model = network("conv")
    assert model.latent_size == LATENTS.shape[1]
    Image.fromarray(PIXELS[0, 0]).save(tmp_path / "image.png")
    np.save(tmp_path / "images.npy", PIXELS)
    mixture = tmp_path / "mixture.safetensors"
    eye = np.eye(2, 24)
    write_mixture(mixture, Mixture(LATENTS[0].astype(float), eye, np.ones(1), np.zeros((1, 2)), np.eye(2)[None]))
    return [
        lambda: convae.encode(model, PIXELS),
        lambda: convae.reconstruct(model, PIXELS),
        lambda: convae.score(model, PIXELS),
        lambda: convae.generate(model, mixture, 70),
        lambda: convae.similar(LATENTS[:3], LATENTS, 2),
        lambda: convae.place(LATENTS[:3], LATENTS, LATENTS[:, :2]),
        lambda: convae.read_images([tmp_path / "image.png", tmp_path / "images.npy"], model),
        lambda: convae.to_pixels(convae.normalize(PIXELS)),
    ]


def test_no_call_changes_what_a_program_has_set_not_even_several_at_the_same_time(
    calls: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblib.cpu_count", lambda **_: 2)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        for call in calls:  # what libraries set when they are first imported is theirs
            call()
        before = settings()
        for call in calls:
            call()
            assert settings() == before
        with ThreadPoolExecutor(8) as pool:
            for result in [pool.submit(call) for call in calls * 4]:
                result.result()
        assert settings() == before
    finally:
        torch.set_num_threads(threads)


def test_a_few_files_are_read_without_another_process(
    calls: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fork")
    calls[6]()


def test_a_shared_change_is_undone_when_the_last_thread_has_left_and_before_a_later_one_enters() -> None:
    happened = []

    @contextmanager
    def change():
        happened.append("made")
        yield
        happened.append("undone")

    shared = Shared(change)
    with shared:
        with shared:
            pass
        assert happened == ["made"]
    with shared:
        pass
    assert happened == ["made", "undone"] * 2
