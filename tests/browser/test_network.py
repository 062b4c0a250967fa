"""The explorer's own network, in a real browser, beside PyTorch's; and the way between two images that it shows."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import Example, array
from tests.browser.reading import Show, alone, places, shown_points

from convae import artifacts
from convae.data.fitting import fitted
from convae.network.config import ModelConfig
from convae.network.description import describe
from convae.network.models import Autoencoder, build
from convae.network.pixels import normalize, to_pixels
from convae.network.preparation import Preparation
from convae.network.stored import read_network
from convae.network.weights import weights, write_weights
from convae.views.explorer import page
from convae.views.explorer.network_data import LARGE, Network, shown_network

pytestmark = pytest.mark.slow

NETWORKS = {
    "MNIST's": {"architecture": "conv", "channels": (32, 64), "image_shape": (1, 28, 28)},
    "conv, padded, colour": {"architecture": "conv", "channels": (4, 6), "image_shape": (3, 11, 45)},
    "conv, deeper": {"architecture": "conv", "channels": (4, 6, 5, 7), "image_shape": (1, 47, 30)},
    "conv_linear": {"architecture": "conv_linear", "channels": (6, 9), "latent_size": 7, "image_shape": (1, 19, 22)},
    "conv_linear, colour": {
        "architecture": "conv_linear",
        "channels": (5,),
        "latent_size": 9,
        "image_shape": (3, 9, 7),
    },
    "pca_conv": {"architecture": "pca_conv", "channels": (4, 6), "latent_size": 99, "image_shape": (3, 18, 13)},
    "dense": {"architecture": "dense", "latent_size": 5, "image_shape": (1, 13, 10)},
    "dense, colour": {"architecture": "dense", "latent_size": 6, "image_shape": (3, 7, 9)},
}
COMPUTE = """([spec, images, latents]) => {
    const { encode, decode } = modules.autoencoder.makeNetwork(spec);
    return {
        latents: images.map((pixels) => [...encode(pixels)]),
        images: latents.map((latent) => [...decode(latent)]),
    };
}"""


def random_network(**config: Any) -> Autoencoder:
    """Build a network whose outputs neither vanish nor saturate, and in which each bias tells."""
    network, random = build(ModelConfig(**config)).eval(), np.random.default_rng(1)
    gain = 0.9 if config["architecture"] == "pca_conv" else 1.4  # its outputs are clamped, and branches add up
    with torch.no_grad():
        for values in network.parameters():
            scale = 0.2 if values.ndim == 1 else gain / np.sqrt(values[0].numel())
            values.copy_(torch.from_numpy(random.normal(scale=scale, size=values.shape)).half())
            if values.ndim > 1 and values.numel() >= LARGE:  # as the page rounds them
                step = values.flatten(1).abs().amax(1).div(127).reshape(-1, *[1] * (values.ndim - 1))
                values.copy_((values / step).round() * step)
        for values in network.buffers():
            values.copy_(torch.from_numpy(random.uniform(0.7, 1.4, values.shape)).half())
    return network


def stored_network(network: Autoencoder, folder: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    """Write the files that the stages write of a network, and read them."""
    artifacts.write_json(folder / "layers.json", describe(network))
    write_weights(folder / "weights.safetensors", weights(network))
    return read_network(folder / "layers.json", folder / "weights.safetensors")


def spec_of(network: Autoencoder, folder: Path) -> dict[str, Any]:
    """Give a network as the page's data has it, by way of the files that the stages write and read."""
    stored = stored_network(network, folder)
    shown = shown_network(
        Network(*stored, np.empty((0, 1)), Preparation().content()), ("encoder", "decoder"), np.arange(0)
    )
    assert shown
    return shown


@torch.no_grad()
def encoded(network: Autoencoder, images: np.ndarray) -> np.ndarray:
    """Encode uint8 [N, C, H, W] to float32 [N, D]."""
    return network.encoder(normalize(torch.from_numpy(images))).flatten(1).numpy()


@torch.no_grad()
def decoded(network: Autoencoder, latents: np.ndarray) -> np.ndarray:
    """Decode [N, D] to uint8 [N, C, H, W]."""
    shape = network.encoder(torch.zeros(1, *network.image_shape)).shape[1:]
    return to_pixels(network.decoder(torch.from_numpy(latents).reshape(-1, *shape))).numpy()


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    file = tmp_path_factory.mktemp("page") / "explorer.html"
    file.write_text(page(Example(count=3).data()))
    opened = browser.new_page()
    opened.goto(file.as_uri())
    return opened


@pytest.mark.parametrize("name", NETWORKS)
def test_it_encodes_and_decodes_as_pytorch_does(opened: Page, name: str, tmp_path: Path) -> None:
    network, random = random_network(**NETWORKS[name]), np.random.default_rng(0)
    images = random.integers(0, 256, (3, *network.image_shape), np.uint8)
    latents = encoded(network, images)
    # Also some that no image has.
    given = np.concatenate([latents, random.normal(size=latents.shape).astype(np.float32)])
    expected = decoded(network, given)
    found = opened.evaluate(COMPUTE, [spec_of(network, tmp_path), images.reshape(3, -1).tolist(), given.tolist()])
    np.testing.assert_allclose(found["latents"], latents, rtol=1e-4, atol=1e-6)
    assert np.std(latents) > 0.05
    differences = np.abs(np.array(found["images"]) - expected.reshape(len(expected), -1))
    assert differences.max() <= 1
    assert (differences > 0).mean() < 0.01
    assert np.std(expected) > 10
    assert np.isin(expected, [0, 255]).mean() < 0.5


@pytest.fixture(scope="module", params=["encoded here", "in the page"])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Example, Autoencoder]:
    network = random_network(architecture="conv", channels=(4, 6), image_shape=(3, 8, 10))
    made = Example(channels=3, network=spec_of(network, tmp_path_factory.mktemp("network")))
    if request.param == "in the page":
        made.network["latents"] = array(latents_of(made, network))
    return made, network


def latents_of(example: Example, network: Autoencoder) -> np.ndarray:
    return encoded(network, np.ascontiguousarray(example.images.transpose(0, 3, 1, 2)))


def shown(page: Page, canvas: str, part: int) -> np.ndarray:
    """Read a canvas, once it shows what is so many per cent of the way along: [H, W, 3]."""
    expect(page.locator(canvas)).to_have_attribute("aria-label", re.compile(f", {part} per cent of the way$"))
    script = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 10, 8).data]"
    return np.array(page.locator(canvas).evaluate(script)).reshape(8, 10, 4)[..., :3]


def assert_between(page: Page, example: tuple[Example, Autoencoder], one: int, other: int, part: int) -> None:
    """Hold the two images in between to PyTorch's and NumPy's."""
    made, network = example
    images = made.images[[one, other]]
    first, last = encoded(network, np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    (expected,) = decoded(network, (first + (last - first) * np.float32(part / 100))[None])
    assert np.abs(shown(page, "#decoded", part) - expected.transpose(1, 2, 0).astype(int)).max() <= 1
    faded = images[0] + (images[1].astype(float) - images[0]) * part / 100
    assert np.abs(shown(page, "#faded", part) - faded).max() <= 2  # the browser rounds the part and the sum to 8 bits


def test_a_click_with_shift_shows_the_way_and_the_slider_goes_along_it(
    show: Show, example: tuple[Example, Autoencoder]
) -> None:
    one, other = alone(show(example[0]), example[0])[:2]
    page = show(example[0], f"#i={example[0].rows[one]}")
    expect(page.locator("#between")).to_be_visible()
    page.keyboard.down("Shift")
    page.mouse.click(*places(page, example[0])[other])
    page.keyboard.up("Shift")
    expect(page.locator("#selected-title")).to_have_text(f"Index {example[0].rows[one]}")
    expect(page.locator(".way figcaption").last).to_have_text(f"Index {example[0].rows[other]}")
    assert_between(page, example, one, other, 50)
    for part in (0, 37, 100):
        page.locator("#part").fill(str(part / 100))
        assert_between(page, example, one, other, part)
    # The handle on the map is the slider's: from the end to a quarter of the way.
    start, end = places(page, example[0])[[one, other]]
    page.mouse.move(*end)
    page.mouse.down()
    for step in (0.9, 0.6, 0.25):
        page.mouse.move(*(start + (end - start) * step))
    page.mouse.up()
    assert_between(page, example, one, other, 25)
    assert page.locator("#part").input_value() == "0.25"
    # A link shows the same.
    expect(page).to_have_url(re.compile("_0.25$"))
    again = show(example[0], "#" + page.url.split("#")[1])
    assert_between(again, example, one, other, 25)


def test_the_way_can_be_gone_by_keyboard_alone(show: Show, example: tuple[Example, Autoencoder]) -> None:
    page = show(example[0])
    for key in ("n", "b", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    one = int(example[0].errors.argmax())
    other = int(example[0].neighbours[one, 1])
    assert_between(page, example, one, other, 50)
    for key in ("ArrowRight", "ArrowRight"):  # the slider has the focus
        page.keyboard.press(key)
    assert_between(page, example, one, other, 52)
    page.keyboard.press("c")  # letters are not the slider's
    expect(page.get_by_label("Error", exact=True)).to_be_checked()
    page.keyboard.press("Shift+Tab")
    page.locator("#chooser").press("Enter")
    expect(page.locator("#chooser")).to_be_focused()
    expect(page.locator("#chooser")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")  # the choice, and only it
    expect(page.locator("#chooser")).to_have_attribute("aria-pressed", "false")
    page.locator("#part").press("Escape")
    expect(page.locator("#between")).to_be_hidden()
    expect(page.locator("#selected")).to_be_hidden()


def test_without_a_network_shift_only_selects(show: Show) -> None:
    page = show(Example(), "#i=5&to=8_0.5")
    expect(page.locator("#selected-title")).to_have_text("Index 5")
    expect(page.locator("#between")).to_be_hidden()
    page.keyboard.press("b")
    page.locator("[data-row='0'] button").first.click(modifiers=["Shift"])
    expect(page.locator("#selected-title")).not_to_have_text("Index 5")
    expect(page.locator("#between")).to_be_hidden()
    expect(page.locator("#left-out")).to_have_text("The network is too large.")
    for hidden in ("#decode", "#open"):
        expect(page.locator(hidden)).to_be_hidden()
    assert "B" not in page.locator("#keys dt").all_text_contents()


PICTURE = """canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]"""


def made_images(page: Page) -> list[np.ndarray]:
    """Read what the network has made: [H, W, 3] each."""
    canvases = page.locator("#made .pictures canvas").all()
    return [np.array(canvas.evaluate(PICTURE)).reshape(8, 10, 4)[..., :3] for canvas in canvases]


def test_decode_here_shows_the_image_of_the_mean_of_the_nearest_latents(
    show: Show, example: tuple[Example, Autoencoder]
) -> None:
    made, network = example
    page = show(made)
    page.keyboard.press("d")
    page.mouse.click(300, 333)
    expect(page.locator("#made-title")).to_have_text("Decoded here")
    squares = ((places(page, made) - [300, 333]) ** 2).sum(1)
    nearest = np.argsort(squares)[:8]
    assert shown_points(page, "#made .strip button") == list(nearest)
    weights = (1 / squares[nearest]) / (1 / squares[nearest]).sum()
    captions = [float(text.rstrip(" %")) for text in page.locator("#made .strip span").all_inner_texts()]
    np.testing.assert_allclose(captions, 100 * weights, atol=0.6)
    (expected,) = decoded(
        network, (weights[:, None] * latents_of(made, network)[nearest]).sum(0, dtype=np.float32)[None]
    )
    assert np.abs(made_images(page)[0] - expected.transpose(1, 2, 0).astype(int)).max() <= 1
    # A link shows the same; arrows move the place, and Escape clears it.
    page.wait_for_url("**#at=*")
    again = show(made, "#" + page.url.split("#")[1])
    expect(again.locator("#made-title")).to_be_visible()
    assert shown_points(again, "#made .strip button") == list(nearest)
    before = page.url
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != before)
    page.keyboard.press("Escape")
    expect(page.locator("#made")).to_be_hidden()


def test_an_image_of_ones_own_is_encoded_and_placed_beside_its_nearest(
    show: Show, example: tuple[Example, Autoencoder], tmp_path: Path
) -> None:
    made, network = example
    page = show(made)
    image = np.random.default_rng(3).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "mine.png")
    page.locator("#file").set_input_files(tmp_path / "mine.png")
    expect(page.locator("#made-title")).to_have_text("mine.png")
    latent = encoded(network, np.ascontiguousarray(image.transpose(2, 0, 1))[None])
    distances = np.linalg.norm(latents_of(made, network) - latent, axis=1)
    nearest = np.argsort(distances)[:10]
    assert shown_points(page, "#made .strip button") == list(nearest)
    own, reconstruction = made_images(page)
    assert (own == image).all()
    assert np.abs(reconstruction - decoded(network, latent)[0].transpose(1, 2, 0).astype(int)).max() <= 1
    weights = 1 / distances[nearest] ** 2
    place = (weights[:, None] * made.positions[nearest]).sum(0) / weights.sum()
    assert page.evaluate("[modules.state.state.made.x, modules.state.state.made.y]") == pytest.approx(place, rel=1e-4)
    (tmp_path / "text.png").write_text("no image")
    page.locator("#file").set_input_files(tmp_path / "text.png")
    expect(page.locator("#hint")).to_have_text("text.png is no image that this browser can read.")


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_an_image_of_ones_own_is_prepared_to_the_bytes_that_python_makes(opened: Page, fit: str) -> None:
    random, cases, expected = np.random.default_rng(4), [], []
    preparation = Preparation(fit=fit, background=(10, 200, 30))
    for height, width, *shape in [
        (8, 10, 3, 8, 10),
        (61, 37, 3, 8, 10),
        (20, 95, 1, 9, 7),
        (5, 6, 3, 12, 9),
        (9, 4, 1, 6, 8),
    ]:
        pixels = random.integers(0, 256, (height, width, 3), np.uint8)
        cases.append([pixels.transpose(2, 0, 1).ravel().tolist(), width, height, shape, preparation.content()])
        expected.append(fitted(Image.fromarray(pixels), shape, preparation).ravel().tolist())
    script = "cases => cases.map(([rgb, ...rest]) => [...modules.prepared.prepared(Uint8Array.from(rgb), ...rest)])"
    assert opened.evaluate(script, cases) == expected


def test_a_browser_that_falsifies_canvases_is_told_apart(show: Show, example: tuple[Example, Autoencoder]) -> None:
    page = show(example[0])
    page.evaluate(
        """() => {
            const { prototype } = CanvasRenderingContext2D;
            const { getImageData } = prototype;
            prototype.getImageData = function (...place) {
                const read = getImageData.apply(this, place);
                read.data[4 * 7] ^= 1;
                return read;
            };
        }"""
    )
    for key in ("n", "b", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    if example[0].network["latents"]:  # then no pixel is read
        expect(page.locator("#decoded")).to_have_attribute("aria-label", re.compile("50 per cent"))
    else:
        expect(page.locator("#between")).to_contain_text("This browser falsifies")
