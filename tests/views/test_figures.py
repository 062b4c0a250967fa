"""The figures: what they show, and that nothing overlaps or leaves the page."""

import io
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from convae.network.noise import noisy_pixels
from convae.views import embedding, figures, image_grids, image_map, reconstructions, style
from convae.views.class_centres import visual_centre
from convae.views.image_grids import Block

RANDOM = np.random.default_rng(0)
CLASSES = [str(digit) for digit in range(10)]


def drawn() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2], label="a line")
    return figure


def test_an_svg_has_the_figures_size_and_the_same_bytes_and_tells_neither_program_nor_date() -> None:
    content = style.svg(drawn(), 50)
    assert content == style.svg(drawn(), 50)
    root = ElementTree.fromstring(content)
    assert (root.get("width"), root.get("height")) == ("144pt", "72pt")
    assert not re.search(rb"dc:date|dc:creator|Matplotlib v|20[0-9][0-9]-", content)
    assert b"<text" not in content  # outlines, which look alike whatever fonts there are


def test_a_png_has_the_figures_size_and_tells_neither_program_nor_date() -> None:
    with Image.open(io.BytesIO(style.png(drawn(), 50))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size == (100, 50)
        assert image.info.keys() == {"dpi"}
    assert style.png(drawn(), 50) == style.png(drawn(), 50)


def texts_on(figure):
    figure.draw_without_rendering()
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title]
        if axes.get_legend():
            found += axes.get_legend().get_texts()
        if axes.axison:
            found += [axes.xaxis.label, axes.yaxis.label]
            for axis in (axes.xaxis, axes.yaxis):
                low, high = axis.get_view_interval()
                for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                    if low <= tick.get_loc() <= high:  # the others are not drawn
                        found += [tick.label1, tick.label2]
    return [(text.get_text(), text.get_window_extent()) for text in found if text.get_text() and text.get_visible()]


def assert_texts_are_readable(figure) -> None:
    page = figure.bbox
    texts = texts_on(figure)
    for text, box in texts:
        assert box.x0 >= page.x0, text
        assert box.x1 <= page.x1, text
        assert box.y0 >= page.y0, text
        assert box.y1 <= page.y1, text
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        assert not a.overlaps(b), (one, other)


@pytest.mark.parametrize(("epochs", "mirrored"), [(1, False), (2, False), (20, False), (23, True), (400, False)])
def test_the_loss_figure_shows_both_losses_to_the_last_epoch_and_pcas_as_a_line(epochs: int, mirrored: bool) -> None:
    epoch = np.arange(1, epochs + 1)
    history = {"epoch": epoch, "train_loss": 0.3 / epoch, "test_loss": 0.2 / epoch}
    figure = figures.loss_figure(history, figures.Reference(0.0123, 64, mirrored, 0.29 / epochs))
    train, test, pca = figure.axes[0].get_lines()
    assert [line.get_ydata()[-1] for line in (train, test)] == [0.3 / epochs, 0.2 / epochs]
    assert all(len(line.get_xdata()) == epochs for line in (train, test))
    assert set(pca.get_ydata()) == {0.0123}
    ticks = figure.axes[0].get_xticks()
    assert ticks[-1] == epochs
    assert len(ticks) <= 11
    texts = " ".join(text for text, _ in texts_on(figure))
    assert f"with the final weights, the loss of the training images is {0.29 / epochs:.4f}" in texts
    assert ("mirror images" in texts) == mirrored
    assert_texts_are_readable(figure)


def test_the_loss_figure_names_the_epoch_that_validation_chose_and_its_losses() -> None:
    history = {"epoch": np.arange(1, 5), "train_loss": np.array([0.4, 0.3, 0.2, 0.1])}
    history |= {"test_loss": np.array([0.41, 0.32, 0.33, 0.34]), "validation_loss": np.array([0.42, 0.35, 0.31, 0.36])}
    figure = figures.loss_figure(history, figures.Reference(0.3, 64, False, 0.19))
    texts = [text for text, _ in texts_on(figure)]
    assert {f"{split} images (epoch 3, {loss})" for split, loss in (("test", "0.3300"), ("validation", "0.3100"))} <= {
        *texts
    }
    assert any("The weights of epoch 3 are kept" in text for text in texts)
    assert_texts_are_readable(figure)


def test_losses_of_noisy_images_are_not_compared_with_pca_of_clean_ones() -> None:
    epoch = np.arange(1, 4)
    figure = figures.loss_figure({"epoch": epoch, "train_loss": 0.3 / epoch, "test_loss": 0.2 / epoch}, None)
    assert len(figure.axes[0].get_lines()) == 2
    assert not any("PCA" in text or "final weights" in text for text, _ in texts_on(figure))


def test_the_losses_of_several_runs_are_drawn_together_each_in_its_colour() -> None:
    runs = {}
    for epochs in range(1, 31):
        epoch = np.arange(1, epochs + 1)
        runs[f"run-{epochs}"] = {"epoch": epoch, "train_loss": 0.3 / epoch, "test_loss": 0.2 / epoch}
    figure = figures.losses_figure(runs)
    lines = figure.axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [epochs for epochs in range(1, 31) for _ in range(2)]
    assert len({line.get_color() for line in lines}) == 30
    assert [text.split()[0] for text, _ in texts_on(figure) if text.startswith("run-")] == list(runs)
    assert_texts_are_readable(figure)


def block(images: np.ndarray, captions: list[str], *more: np.ndarray) -> Block:
    stacks = dict(zip(("input", "output", "clean"), (images, *more), strict=False))
    return Block(stacks, captions, [f"error {number}" for number in range(len(captions))])


@pytest.mark.slow
@pytest.mark.parametrize(("count", "channels"), [(1, 1), (5, 1), (6, 3), (13, 3)])
def test_each_input_stands_above_its_reconstruction_under_the_title_of_its_block(count: int, channels: int) -> None:
    images = RANDOM.integers(0, 256, (3, count, channels, 28, 28), dtype=np.uint8)
    blocks = {f"block {k}": block(each, ["Ankle boot"] * count, 255 - each) for k, each in enumerate(images)}
    figure = image_grids.reconstructions_figure(blocks)
    places = [axes.get_position() for axes in figure.axes]
    shown = [np.asarray(axes.images[0].get_array(), dtype=int) for axes in figure.axes]
    assert len(shown) == 2 * 3 * count
    titles = {text.get_text(): text.get_position() for text in figure.texts}
    for number, (upper, lower) in enumerate(zip(shown[::2], shown[1::2], strict=True)):
        assert np.array_equal(upper, images[number // count, number % count].transpose(1, 2, 0).squeeze())
        assert (upper + lower == 255).all()
        above, below = places[2 * number : 2 * number + 2]
        assert above.x0 == pytest.approx(below.x0)
        assert above.y0 > below.y1
        x, y = titles[f"block {number // count}"]
        assert x <= above.x0 + 1e-9
        assert y > above.y1
    # Two blocks beside each other, if these are narrow.
    assert (titles["block 0"][1] == titles["block 1"][1]) == (count <= 5)
    assert_texts_are_readable(figure)


def test_the_map_has_a_colour_and_a_name_for_each_class_and_equal_axes() -> None:
    labels = np.repeat(np.arange(10), 100)
    angles = 2 * np.pi * labels / 10
    points = np.stack([20 * np.cos(angles), 20 * np.sin(angles)], axis=1) + RANDOM.normal(size=(1000, 2))
    figure = embedding.tsne_figure(points.astype(np.float32), labels, CLASSES, "one line\nand another")
    (axes,) = figure.axes  # no legend, since each name is on the map
    scatter = axes.collections[0]
    scatter.update_scalarmappable()
    colours = style.class_colours(10)
    of_points = {
        tuple(at): tuple(colour[:3])
        for at, colour in zip(scatter.get_offsets().data.tolist(), scatter.get_facecolors(), strict=True)
    }
    assert of_points == {
        tuple(at): colours[label][:3] for at, label in zip(points.astype(np.float32).tolist(), labels, strict=True)
    }
    assert axes.get_aspect() == 1
    assert sorted(text.get_text() for text in axes.texts) == CLASSES
    for text in axes.texts:
        centre = points[labels == int(text.get_text())].mean(axis=0)
        assert np.linalg.norm(np.array(text.get_position()) - centre) < 2
        assert text.get_color() == colours[int(text.get_text())]
    assert {"one line\nand another", "t-SNE of 1,000 latent vectors"} <= {text for text, _ in texts_on(figure)}
    assert_texts_are_readable(figure)


def test_a_map_whose_names_do_not_all_have_room_has_a_legend() -> None:
    labels = np.repeat(np.arange(9), 20)
    points = RANDOM.normal(size=(180, 2)) + np.array([0, 50])[(labels == 8).astype(int)][:, None]
    names = [f"a name that is long, {label}" for label in range(9)]
    figure = embedding.tsne_figure(points.astype(np.float32), labels, names)
    axes, legend = figure.axes
    assert 2 <= len(axes.texts) < 9
    assert [label.get_text() for label in legend.get_yticklabels()] == names
    assert_texts_are_readable(figure)


def test_a_class_without_points_has_no_label_on_the_map() -> None:
    figure = embedding.tsne_figure(RANDOM.normal(size=(30, 2)), np.repeat([2, 5, 9], 10), CLASSES)
    assert {text.get_text() for text in figure.axes[0].texts} == {"2", "5", "9"}


def test_a_name_stands_on_a_point_in_the_middle_of_the_densest_region() -> None:
    large, small = RANDOM.normal(size=(300, 2)), RANDOM.normal(size=(100, 2)) + 30
    points = np.concatenate([small, large]).astype(np.float32)
    at = np.array(visual_centre(points, 0.5))
    assert np.linalg.norm(at) < 1
    assert (points == at).all(axis=1).any()
    # The mean of a ring is in its hole, where there is nothing.
    angles = RANDOM.uniform(0, 2 * np.pi, 500)
    ring = 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert np.linalg.norm(visual_centre(ring, 0.5)) == pytest.approx(10)
    # Neither one point, nor two far from each other, nor equal ones, leave it without a place.
    assert visual_centre(np.array([[1.0, 2.0]]), 0.5) == (1.0, 2.0)
    assert visual_centre(np.array([[1.0, 2.0], [90.0, 2.0]]), 0.5)[1] == 2.0
    assert visual_centre(np.ones((9, 2)), 0.0) == (1.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 20, 21, 60, 100])
def test_each_of_many_classes_has_a_colour_of_its_own(count: int) -> None:
    labels = np.arange(max(60, 3 * count)) % count
    points = RANDOM.normal(size=(len(labels), 2)).astype(np.float32)
    figure = embedding.tsne_figure(points, labels, [f"class {label}" for label in range(count)])
    axes, *bar = figure.axes
    scatter = axes.collections[0]
    scatter.update_scalarmappable()
    assert {tuple(colour[:3]) for colour in scatter.get_facecolors()} == {c[:3] for c in style.class_colours(count)}
    assert len({c[:3] for c in style.class_colours(count)}) == count
    assert 1 <= len(axes.texts) <= count
    assert bool(bar) == (len(axes.texts) < count)
    assert all(len(each.get_yticklabels()) == count for each in bar)
    assert_texts_are_readable(figure)
    assert Image.open(io.BytesIO(style.png(figure, 40))).size == (320, 280)


def test_points_without_labels_have_one_colour_and_no_names() -> None:
    points = RANDOM.normal(size=(50, 2)).astype(np.float32)
    figure = embedding.tsne_figure(points, np.full(50, -1), [])
    (axes,) = figure.axes
    assert len(np.unique(axes.collections[0].get_facecolors(), axis=0)) == 1
    assert len(axes.collections[0].get_offsets()) == 50
    assert list(axes.texts) == []
    assert_texts_are_readable(figure)
    assert style.png(figure, 40)


LONG = "abcdefghij" * 20
NAMES = {
    "$x_1$": "$x_1$",
    "$": "$",
    "a_b^c": "a_b^c",
    r"\\frac{": r"\\frac{",
    "<b>": "<b>",
    "%s {}": "%s {}",
    "_underscored": "_underscored",
    "Größe": "Größe",
    "日本": "another",  # which the font lacks
    "emoji \N{DOG FACE}": "another",
    "two\nlines": "another",
    "a\ttab": "another",
    "\udcff": "another",  # a byte of a file's name that is not UTF-8
    "left \N{RIGHT-TO-LEFT OVERRIDE} right": "another",
    "x" * 24: "x" * 24,
    LONG: "abcdefghij...jabcdefghij",
}


def test_a_name_is_drawn_as_it_is_shortened_or_replaced_where_the_font_lacks_a_character() -> None:
    for name, expected in NAMES.items():
        assert style.drawable_name(name, "another") == expected
        assert len(expected) <= 24
    assert style.drawable_name(LONG, "another", 17) == "abcdef...cdefghij"


@pytest.mark.parametrize("name", ["$x_1$", "日本", "\udcff", LONG], ids=ascii)
def test_any_name_of_a_class_and_of_a_file_can_be_drawn_on_the_map_and_above_an_image(name: str) -> None:
    labels = np.repeat([0, 1], 20)
    points = RANDOM.normal(size=(40, 2)) + 30 * labels[:, None]
    on_map = embedding.tsne_figure(points, labels, ["plain", name])
    shown = NAMES[name] if NAMES[name] != "another" else "class 1"
    assert [text.get_text() for text in on_map.axes[0].texts] == ["plain", shown]
    assert not any(text.get_parse_math() for text in on_map.axes[0].texts)

    images = RANDOM.integers(0, 256, (5, 3, 9, 8), dtype=np.uint8)
    above = reconstructions.titles(np.arange(5), np.array([1, 0, 1, 1, 0]), ["plain", name], [f"test/{name}/1.png"] * 5)
    assert len(set(above)) == 2
    assert max(len(line) for title in above for line in title.split("\n")) <= 17
    figure = image_grids.reconstructions_figure({"Random": block(images, above, images)})
    assert [text.get_text() for text in figure.texts if text.get_text() in above] == above
    for each in (on_map, figure):
        assert_texts_are_readable(each)
        assert style.png(each, 40)


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize("length", [10, 17, 24])
def test_long_titles_do_not_run_into_each_other(length: int, lines: int) -> None:
    images = RANDOM.integers(0, 256, (10, 1, 28, 28), dtype=np.uint8)
    name = style.drawable_name(("photograph_of_a_house_" * 10)[:length], "another")
    above = ["\n".join([name] * lines)] * 10
    assert_texts_are_readable(image_grids.reconstructions_figure({"Random": block(images, above, images)}))


def test_titles_say_what_is_known_of_an_image() -> None:
    chosen, labels = np.array([2, 0]), np.array([1, 0, 0])
    classes, files = ["cat", "日本"], ["test/日本/1.png", "test/cat/two.png", "test/cat/\n.png"]
    assert reconstructions.titles(chosen, labels, classes, files) == ["cat\nimage 2", "class 1\n1.png"]
    assert reconstructions.titles(chosen, labels, classes, []) == ["cat", "class 1"]
    assert reconstructions.titles(chosen, np.full(3, -1), [], files) == ["image 2", "1.png"]
    assert reconstructions.titles(chosen, np.full(3, -1), [], []) == ["image 2", "image 0"]


def test_a_network_that_removes_noise_is_shown_between_what_it_was_given_and_what_it_should_give() -> None:
    images, outputs = RANDOM.integers(0, 256, (2, 9, 3, 12, 10), dtype=np.uint8)
    chosen = np.array([7, 2, 4])
    plain = reconstructions.chosen_images(images, outputs, chosen, None)
    assert list(plain) == ["input", "output"]
    shown = reconstructions.chosen_images(images, outputs, chosen, 0.5)
    assert list(shown) == ["noisy", "output", "clean"]
    assert np.array_equal(shown["clean"], images[chosen])
    assert np.array_equal(shown["output"], outputs[chosen])
    assert np.array_equal(shown["noisy"], noisy_pixels(images, np.arange(9), 0.5)[chosen])
    figure = image_grids.reconstructions_figure({"Worst": Block(shown, ["a", "b", "c"], ["1", "2", "3"])})
    drawn_images = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    expected = [stack[number].transpose(1, 2, 0) for number in range(3) for stack in shown.values()]
    assert all(np.array_equal(a, b) for a, b in zip(drawn_images, expected, strict=True))
    assert [text.get_text() for text in figure.texts][1:6] == ["noisy", "output", "clean", "a", "1"]
    assert_texts_are_readable(figure)


def test_the_map_of_images_shows_in_each_cell_the_image_nearest_to_its_centre_in_its_own_pixels() -> None:
    # Four by four cells of 10 x 10 units: three points in the upper left cell, one in the lower right, one between.
    points = np.array([[0, 40], [6, 36], [9, 31], [40, 0], [14, 26]], np.float32)
    placed = image_map.place_images(points, 4, 1)
    assert (placed.rows.tolist(), placed.cells.tolist()) == ([1, 4, 3], [[0, 0], [1, 1], [3, 3]])
    assert (placed.shape, placed.sparse) == ((4, 4), 0)
    images = [RANDOM.integers(0, 256, (count, 3, 8, 8), dtype=np.uint8) for count in (2, 3)]
    figure = image_map.map_of_images_figure(points, images, 100)
    [axes] = figure.axes
    sheet = np.asarray(axes.images[0].get_array())
    assert sheet.shape == (8 * 9, 8 * 9, 3)
    assert np.array_equal(sheet[-9:-1, -9:-1], images[1][1].transpose(1, 2, 0))  # point 3, the second of its part
    assert (sheet[-1] == 255).all()
    assert texts_on(figure)[1][0] == "All images."


def test_cells_with_far_fewer_images_than_others_are_left_white() -> None:
    points = np.array([[x, 0] for x in (0, 0, 0, 0, 30, 30, 30, 30, 60)], np.float32)
    placed = image_map.place_images(points, 3, 1)
    assert (placed.rows.tolist(), placed.sparse) == ([0, 4], 1)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 40), (1, 40, 9), (3, 8, 256), (1, 256, 8), (3, 256, 256)])
@pytest.mark.parametrize("points", ["many", "one place", "a line"])
def test_images_of_any_size_are_shown_on_any_map_as_large_as_there_is_room(shape: tuple, points: str) -> None:
    random = np.random.default_rng(0)
    at = {"many": random.normal(size=(90, 2)), "one place": np.ones((90, 2)), "a line": np.outer(range(90), [0, 1])}
    images = random.integers(0, 200, (90, *shape), dtype=np.uint8)
    figure = image_map.map_of_images_figure(at[points].astype(np.float32), [images], 50)
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    box = figure.axes[0].get_window_extent()
    # Cells are enlarged alike in both directions, up to the rounding of their pixels.
    assert box.width / sheet.shape[1] == pytest.approx(box.height / sheet.shape[0], rel=0.15)
    assert max(sheet.shape) <= 8 * 50 + 40 or max(shape) < 50
    assert (sheet < 255).any()
    assert_texts_are_readable(figure)
    assert style.png(figure, 50) == style.png(figure, 50)


SHAPES = [(1, 28, 28), (3, 28, 28), (1, 9, 40), (3, 40, 9), (3, 8, 256), (1, 256, 8), (3, 256, 256)]


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_size_and_colour_keep_their_proportions(shape: tuple[int, int, int]) -> None:
    images = RANDOM.integers(0, 256, (3, 3, *shape), dtype=np.uint8)
    figure = image_grids.reconstructions_figure({"Best": block(images[0], ["Ankle boot"] * 3, *images[1:])})
    assert_texts_are_readable(figure)
    for axes in figure.axes:
        axes.apply_aspect()
        box = axes.get_window_extent()
        assert box.height / box.width == pytest.approx(shape[1] / shape[2], rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 8, 256), (1, 256, 8)])
def test_as_many_images_as_can_be_asked_for_fit_a_file_at_the_highest_resolution(shape: tuple[int, int, int]) -> None:
    images, ways = np.zeros((50, *shape), np.uint8), np.zeros((20, 10, *shape), np.uint8)
    blocks = {"Random": block(images, ["7"] * 50, images, images)}
    blocks |= {name: block(images[:10], ["7"] * 10, images[:10], images[:10]) for name in ("Best", "Median", "Worst")}
    for figure in (image_grids.reconstructions_figure(blocks), image_grids.interpolations_figure(ways, ways)):
        assert (figure.get_size_inches() * 600 < 2**16).all()  # which is matplotlib's limit


def test_a_name_gives_way_to_that_of_a_larger_class_or_is_left_out() -> None:
    # Clusters of 30, 40, 50 and 60 points on a map that is 100 wide, at one point (1/72 inch) a unit.
    centres = np.array([[0, 0], [50, 50], [50, 54], [100, 100]])
    labels = np.repeat(np.arange(4), [30, 40, 50, 60])
    points = (centres[labels] + np.random.default_rng(0).uniform(0, 1e-3, (180, 2))).astype(np.float32)
    font = FontProperties(size=10)
    found = dict(embedding.placed_names(points, labels, list("abcd"), font, 1))
    assert list(found) == [3, 2, 1, 0]
    assert found[2] == pytest.approx((50, 54), abs=1e-2)
    assert found[1] == pytest.approx((50, 50 - 12), abs=1e-2)  # its second place: a line of 12 points further down
    assert found[3][0] < 100  # moved into the map
    huge = embedding.placed_names(points, labels, list("abcd"), FontProperties(size=60), 1)
    assert [name.label for name in huge] == [3, 2, 0]


def blocks(figure: Figure, number: int, columns: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Take the images of a block apart, uint8 [N, C, H, W], without the white frames, which are checked."""
    channels, height, width = shape
    tiled = np.asarray(figure.axes[number].images[0].get_array()).reshape(-1, columns * (width + 2), channels)
    cells = tiled.reshape(-1, height + 2, columns, width + 2, channels).transpose(0, 2, 4, 1, 3)
    cells = cells.reshape(-1, channels, height + 2, width + 2)
    assert (cells[:, :, [0, -1]] == 255).all()
    assert (cells[:, :, :, [0, -1]] == 255).all()
    return cells[:, :, 1:-1, 1:-1]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "shown"), [(2, 2), (57, 57), (300, 100)])
@pytest.mark.parametrize("shape", SHAPES[:4])
def test_new_images_of_both_kinds_stand_side_by_side(shape: tuple[int, int, int], count: int, shown: int) -> None:
    mixture, independent = RANDOM.integers(0, 256, (2, count, *shape), dtype=np.uint8)
    figure = image_grids.samples_figure(mixture, independent)
    columns = max(1, min(25, round(10 * (shape[1] / shape[2]) ** 0.5)))
    for number, images in enumerate((mixture, independent)):
        found = blocks(figure, number, columns, shape)
        assert np.array_equal(found[:shown], images[:shown])
        assert (found[shown:] == 255).all()
        assert len(found) - shown < columns
    together, alone = (dict(texts_on(figure))[f"Latent values drawn {how}"] for how in ("together", "one by one"))
    assert together.x1 < alone.x0
    assert_texts_are_readable(figure)


@pytest.mark.parametrize("pairs", [1, 5])
@pytest.mark.parametrize("shape", SHAPES[:4])
def test_the_way_through_latent_space_stands_above_the_crossfade(shape: tuple[int, int, int], pairs: int) -> None:
    ways, fades = RANDOM.integers(0, 256, (2, pairs, 10, *shape), dtype=np.uint8)
    figure = image_grids.interpolations_figure(ways, fades)
    for pair in range(pairs):
        assert np.array_equal(blocks(figure, pair, 10, shape), np.concatenate([ways[pair], fades[pair]]))
    boxes = [box for text, box in texts_on(figure) if text in ("pixels", "latent\nspace")]
    assert len(boxes) == 2 * pairs
    assert_texts_are_readable(figure)


def test_errors_are_those_of_the_pixels_on_the_scale_of_the_losses() -> None:
    images, outputs = RANDOM.integers(0, 256, (2, 300, 3, 5, 4), dtype=np.uint8)
    expected = ((images / 127.5 - outputs / 127.5) ** 2).reshape(300, -1).mean(axis=1)
    np.testing.assert_allclose(reconstructions.pixel_errors(images, outputs), expected, rtol=1e-12)


ONE = np.full(7, -1)  # no classes


def test_the_best_median_and_worst_are_chosen_by_their_errors_and_others_by_the_seed() -> None:
    errors = np.array([0.5, 0.1, 0.9, 0.3, 0.7, 0.1, 0.9])
    chosen = {what: numbers.tolist() for what, numbers in reconstructions.choices(errors, ONE, 3, 0).items()}
    assert chosen["Best"] == [1, 5, 3]
    assert chosen["Median"] == [3, 0, 4]
    assert chosen["Worst"] == [2, 6, 4]
    assert len({*chosen["Random"]}) == 3
    assert any(
        reconstructions.choices(errors, ONE, 3, seed)["Random"].tolist() != chosen["Random"] for seed in range(1, 5)
    )
    counts = {
        what: len(numbers) for what, numbers in reconstructions.choices(np.arange(80.0), np.full(80, -1), 50, 0).items()
    }
    assert counts == {"Random": 50, "Best": 10, "Median": 10, "Worst": 10}
    assert all(len(numbers) == 7 for numbers in reconstructions.choices(errors, ONE, 50, 0).values())
    # Of classes 4, 4, 2, 4, 2, 4 and 2: the best of each, then the second best of each.
    classes = np.array([4, 4, 2, 4, 2, 4, 2])
    assert reconstructions.choices(errors, classes, 3, 0)["Best of different classes"].tolist() == [1, 4, 5]


def test_the_figure_of_errors_shows_each_class_the_worst_on_top() -> None:
    labels = np.repeat([0, 1, 3], [40, 50, 10])
    errors = RANDOM.uniform(0, 1, 100) + np.array([1, 3, 0, 2])[labels]
    figure = figures.errors_figure(errors, labels, ["cat", "$x_1$", "empty", "eel"])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["$x_1$", "eel", "cat"]
    assert not any(text.get_parse_math() for text in axes.get_yticklabels())
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row is on top
    assert axes.lines[0].get_xdata() == pytest.approx([errors[labels == label].mean() for label in (1, 3, 0)])
    thin, thick = ([line[:, 0] for line in each.get_segments()] for each in axes.collections)
    of_class = np.sort(errors[labels == 1])
    assert thin[0] == pytest.approx(np.interp([2.45, 46.55], np.arange(50), of_class))
    assert thick[0] == pytest.approx(np.interp([12.25, 36.75], np.arange(50), of_class))
    assert_texts_are_readable(figure)


@pytest.mark.parametrize("count", [0, 1, 100])
def test_errors_of_any_number_of_classes_can_be_drawn(count: int) -> None:
    labels = np.arange(300) % count if count else np.full(300, -1)
    figure = figures.errors_figure(RANDOM.uniform(0, 1, 300), labels, [f"class {label}" for label in range(count)])
    assert len(figure.axes[0].get_yticklabels()) == {0: 1, 1: 1, 100: 60}[count]
    assert_texts_are_readable(figure)
    assert style.png(figure, 40)
