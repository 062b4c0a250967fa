"""Whatever a public function is given: it works with it, or says in one line what is the matter."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import network
from PIL import Image

import convae

MODEL = network("conv")
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 1, 28, 28), dtype=np.uint8)
LATENTS = np.random.default_rng(1).normal(size=(6, 3)).astype(np.float32)
OUTPUTS = [convae.encode, convae.reconstruct, convae.score]
NAN = np.array([[1, 2, 3], [4, np.nan, 6]])


def changed(change: Callable[[Any], object]) -> Any:
    model = copy.deepcopy(MODEL)
    change(model)
    return model


def images(pixels: np.ndarray) -> convae.Images:
    return convae.Images(pixels, [str(number) for number in range(len(pixels))], [], [])


def test_images_are_taken_in_any_form_that_holds_the_same_pixels() -> None:
    forms = [images(PIXELS), list(PIXELS), PIXELS.tolist(), torch.from_numpy(PIXELS), np.asfortranarray(PIXELS)]
    forms[2] = [np.array(each, np.uint8) for each in forms[2]]
    strided = np.repeat(PIXELS, 2, axis=0)[::2]
    for function in OUTPUTS:
        expected = function(MODEL, PIXELS)
        for form in (*forms, strided):
            assert function(MODEL, form).tobytes() == expected.tobytes()
    for form in (*forms, strided):
        assert torch.equal(convae.normalize(form), convae.normalize(torch.from_numpy(PIXELS)))


def test_latents_are_taken_as_any_real_numbers() -> None:
    rows, distances = convae.similar(LATENTS, LATENTS, 2)
    forms = [
        LATENTS.tolist(),
        torch.from_numpy(LATENTS).requires_grad_(),
        LATENTS.astype(">f4"),
        np.asfortranarray(LATENTS),
    ]
    for form in (*forms, LATENTS.astype(np.float64)):
        found = convae.similar(form, form, np.int64(2))
        assert [each.tobytes() for each in found] == [rows.tobytes(), distances.tobytes()]
        placed = convae.place(form, form, form[:, :2] if not isinstance(form, list) else LATENTS[:, :2])
        assert placed.distances.max() == 0
    half = LATENTS.astype(np.float16)
    assert (convae.similar(half, half, 1)[0][:, 0] == np.arange(6)).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_images_of_any_precision_become_pixels(dtype: torch.dtype) -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    found = convae.to_pixels(convae.normalize(levels).to(dtype))
    assert (found.int() - levels.int()).abs().max() <= (1 if dtype == torch.bfloat16 else 0)


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    **{
        f"{function.__name__}, {name}": (lambda _, function=function, given=given: function(*given), error)
        for function in OUTPUTS
        for name, given, error in [
            ("a path", ("model", PIXELS), "model: is a str, not a network; convae.load reads one"),
            (
                "half precision",
                (changed(lambda model: model.half()), PIXELS),
                "model: has float16 weights, not float32",
            ),
            ("another device", (changed(lambda model: model.to("meta")), PIXELS), "model: is on meta, and "),
            ("training", (changed(lambda model: model.train()), PIXELS), "model: is in training mode, in which"),
            ("floats", (MODEL, PIXELS / 255), "images: are float64 [5, 1, 28, 28], not uint8 [N, 1, 28, 28]"),
            ("one image", (MODEL, PIXELS[0]), "images: are uint8 [1, 28, 28], not uint8 [N, 1, 28, 28]"),
            ("no image", (MODEL, PIXELS[:0]), "images: are uint8 [0, 1, 28, 28], not uint8"),
            (
                "another size",
                (MODEL, np.zeros((2, 1, 32, 32), np.uint8)),
                "images: are uint8 [2, 1, 32, 32], not uint8",
            ),
            ("several sizes", (MODEL, [PIXELS[0], PIXELS[0, :, 1:]]), "images: are no array ("),
            ("names", (MODEL, ["a.png"]), "images: are <U5 [1], not uint8 [N, 1, 28, 28]; convae.read_images prepares"),
            ("nothing", (MODEL, None), "images: are object [], not uint8"),
        ]
    },
    "similar, one row": (
        lambda _: convae.similar(LATENTS[0], LATENTS),
        "points: are float32 [3], not float32 [N, D]; want",
    ),
    "similar, NaN": (
        lambda _: convae.similar(NAN, LATENTS, 1),
        "points: hold NaN, infinity, or numbers beyond float32, first in row 1",
    ),
    "similar, too large": (
        lambda _: convae.similar(LATENTS, LATENTS.astype(float) * 1e300, 1),
        "among: hold NaN, infinity, or",
    ),
    "similar, images": (
        lambda _: convae.similar(images(PIXELS), LATENTS),
        "points: are uint8 [5, 1, 28, 28], not float32 [N, D]; convae.encode gives",
    ),
    "similar, texts": (lambda _: convae.similar([["a", "b"]], LATENTS), "points: are <U1 [1, 2], not float32 [N, D]"),
    "similar, rows of several lengths": (lambda _: convae.similar([[1, 2], [3]], LATENTS), "points: are no array ("),
    "similar, other widths": (lambda _: convae.similar(LATENTS[:, :2], LATENTS, 1), "latents: have 2 values each, and"),
    "similar, none": (lambda _: convae.similar(LATENTS, LATENTS, 0), "count: got 0; want a whole number from 1 to 6"),
    "similar, too many": (lambda _: convae.similar(LATENTS, LATENTS), "count: got 10; want a whole number from 1 to 6"),
    "similar, a part": (
        lambda _: convae.similar(LATENTS, LATENTS, 1.5),
        "count: got 1.5; want a whole number from 1 to 6",
    ),
    "place, NaN": (lambda _: convae.place(NAN, LATENTS, LATENTS[:, :2]), "latents: hold NaN, infinity"),
    "place, NaN on the map": (lambda _: convae.place(LATENTS, LATENTS, NAN[:, 1:]), "positions: hold NaN, infinity"),
    "place, one row": (
        lambda _: convae.place(LATENTS, LATENTS[0], LATENTS[:, :2]),
        "map_latents: are float32 [3], not",
    ),
    "place, no map": (lambda _: convae.place(LATENTS, LATENTS, LATENTS), "map: has positions [6, 3] for 6 latents"),
    "normalize, floats": (lambda _: convae.normalize(torch.zeros(1, 28, 28)), "pixels: are float32; want uint8"),
    "to_pixels, NaN": (lambda _: convae.to_pixels(torch.tensor([0, torch.nan])), "images: hold NaN or infinity"),
    "to_pixels, pixels": (lambda _: convae.to_pixels(PIXELS), "images: are uint8; want floats from -1 to 1"),
    "generate, half precision": (
        lambda path: convae.generate(changed(lambda model: model.half()), path),
        "model: has float16",
    ),
    "generate, none": (lambda path: convae.generate(MODEL, path, 0), "count: got 0; want a whole number from 1"),
    "generate, a seed below 0": (
        lambda path: convae.generate(MODEL, path, seed=-1),
        "seed: got -1; want a whole number from 0",
    ),
    "export, training": (
        lambda path: convae.export(changed(lambda model: model.train()), path),
        "model: is in training",
    ),
    "read_images, a number": (lambda _: convae.read_images(5, MODEL), "paths: hold 5; want names of files or folders"),
    "read_images, bytes": (lambda _: convae.read_images([b"a.png"], MODEL), "paths: hold b'a.png'; want names"),
    "read_images, a colour's name": (
        lambda path: convae.read_images(path, MODEL, background="white"),
        "background: got 'white'; want red, green",
    ),
    "read_images, a level": (
        lambda path: convae.read_images(path, MODEL, background=(0, 0, 256)),
        "background: got 256; want a whole number from 0 to 255",
    ),
    "read_images, no network": (lambda path: convae.read_images(path, "model"), "model: is a str, not a network"),
    "read_images, Fortran order": (
        lambda path: convae.read_images(path / "fortran.npy", MODEL),
        "in Fortran order, not in C order as numpy.ascontiguousarray",
    ),
    "load, no folder": (lambda path: convae.load(path / "none"), "none: is not there; name the folder of a trained"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_one_line(case: str, tmp_path: Path) -> None:
    call, error = WRONG[case]
    np.save(tmp_path / "fortran.npy", np.asfortranarray(PIXELS))
    with pytest.raises(convae.ConvaeError, match=re.escape(error)) as told:
        call(tmp_path)
    assert "\n" not in str(told.value)


def test_images_are_read_for_a_network_on_any_device_and_in_training(tmp_path: Path) -> None:
    Image.fromarray(PIXELS[0, 0]).save(tmp_path / "image.png")
    for model in (changed(lambda model: model.to("meta").half().train()), MODEL):
        assert (convae.read_images(tmp_path, model).pixels == PIXELS[:1]).all()
