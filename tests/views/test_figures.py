"""The figures: what they show, and that nothing overlaps or leaves the page."""

import io
import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from convae.network.noise import noisy_pixels
from convae.views import figures, reconstructions

RANDOM = np.random.default_rng(0)
CLASSES = [str(digit) for digit in range(10)]


def drawn() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([1, 3, 2], label="a line")
    return figure


def test_a_png_has_the_figures_size_and_tells_neither_program_nor_date() -> None:
    with Image.open(io.BytesIO(figures.png(drawn(), 50))) as image:
        image.load()
        assert image.format == "PNG"
        assert image.size == (100, 50)
        assert image.info.keys() == {"dpi"}
    assert figures.png(drawn(), 50) == figures.png(drawn(), 50)


def texts_on(figure):
    figure.draw_without_rendering()
    found = []
    for axes in figure.axes:
        found += [*axes.texts, axes.title]
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


@pytest.mark.parametrize("epochs", [1, 2, 20, 400])
def test_the_loss_figure_shows_both_losses_over_whole_epochs(epochs: int) -> None:
    epoch = np.arange(1, epochs + 1)
    history = {"epoch": epoch, "train_loss": 0.3 / epoch, "test_loss": 0.2 / epoch}
    figure = figures.loss_figure(history)
    lines = figure.axes[0].get_lines()
    assert [line.get_ydata()[-1] for line in lines] == [0.3 / epochs, 0.2 / epochs]
    assert all(len(line.get_xdata()) == epochs for line in lines)
    assert_texts_are_readable(figure)


def test_the_losses_of_several_runs_are_drawn_together_each_in_its_colour() -> None:
    runs = {}
    for epochs in (1, 5, 20):
        epoch = np.arange(1, epochs + 1)
        runs[f"run-{epochs}"] = {"epoch": epoch, "train_loss": 0.3 / epoch, "test_loss": 0.2 / epoch}
    figure = figures.losses_figure(runs)
    lines = figure.axes[0].get_lines()
    assert [len(line.get_xdata()) for line in lines] == [1, 1, 5, 5, 20, 20]
    assert len({line.get_color() for line in lines}) == 3
    assert [text.split()[0] for text, _ in texts_on(figure) if text.startswith("run-")] == list(runs)
    assert_texts_are_readable(figure)


@pytest.mark.parametrize(("count", "channels"), [(1, 1), (5, 1), (13, 3)])
def test_each_input_stands_above_its_reconstruction(count: int, channels: int) -> None:
    images = RANDOM.integers(0, 256, (count, channels, 28, 28), dtype=np.uint8)
    figure = figures.reconstructions_figure({"input": images, "output": 255 - images}, ["Ankle boot"] * count)
    shown = [axes for axes in figure.axes if axes.images]
    assert len(shown) == 2 * count
    figure.draw_without_rendering()
    for above, below in ((a, b) for a, b in itertools.combinations(shown, 2)):
        upper, lower = (np.asarray(axes.images[0].get_array(), dtype=int) for axes in (above, below))
        if (upper + lower == 255).all():
            (a, b) = (above.get_position(), below.get_position())
            assert a.x0 == pytest.approx(b.x0)
            assert max(a.y0, b.y0) >= min(a.y1, b.y1)
    assert_texts_are_readable(figure)


def test_the_map_has_a_colour_and_a_name_for_each_class_and_equal_axes() -> None:
    labels = np.repeat(np.arange(10), 100)
    angles = 2 * np.pi * labels / 10
    points = np.stack([20 * np.cos(angles), 20 * np.sin(angles)], axis=1) + RANDOM.normal(size=(1000, 2))
    figure = figures.tsne_figure(points.astype(np.float32), labels, CLASSES)
    axes, bar = figure.axes
    scatter = axes.collections[0]
    scatter.update_scalarmappable()
    assert len({tuple(colour) for colour in scatter.get_facecolors()}) == 10
    assert axes.get_aspect() == 1
    assert [label.get_text() for label in bar.get_yticklabels()] == CLASSES
    for text in axes.texts:
        centre = points[labels == int(text.get_text())].mean(axis=0)
        assert np.linalg.norm(np.array(text.get_position()) - centre) < 2
    assert_texts_are_readable(figure)


def test_a_class_without_points_has_no_label_on_the_map() -> None:
    figure = figures.tsne_figure(RANDOM.normal(size=(30, 2)), np.repeat([2, 5, 9], 10), CLASSES)
    assert [text.get_text() for text in figure.axes[0].texts] == ["2", "5", "9"]


def test_the_densest_point_lies_in_the_larger_cluster() -> None:
    points = np.concatenate([RANDOM.normal(size=(300, 2)), RANDOM.normal(size=(100, 2)) + 30])
    assert np.linalg.norm(figures.densest_point(points)) < 2
    assert figures.densest_point(np.array([[1.0, 2.0]])) == (1.0, 2.0)


def many_classes(count: int) -> tuple[Figure, np.ndarray]:
    labels = np.arange(max(60, 3 * count)) % max(1, count)
    points = RANDOM.normal(size=(len(labels), 2)).astype(np.float32)
    return figures.tsne_figure(points, labels, [f"class {label}" for label in range(count)]), labels


@pytest.mark.parametrize("count", [1, 2, 11, 20, 21, 101])
def test_each_of_many_classes_has_a_colour_of_its_own(count: int) -> None:
    figure, labels = many_classes(count)
    axes, bar = figure.axes
    scatter = axes.collections[0]
    scatter.update_scalarmappable()
    colours = [tuple(colour[:3]) for colour in scatter.get_facecolors()]
    assert len(set(colours)) == count
    assert len(set(zip(colours, labels, strict=True))) == count
    assert [tuple(colour[:3]) for colour in figures.class_colours(count)] == colours[:count]
    assert len(bar.get_yticklabels()) == count
    assert 1 <= len(axes.texts) <= count
    assert Image.open(io.BytesIO(figures.png(figure, 40))).size == (320, 280)


def test_there_may_be_more_classes_than_colours() -> None:
    figure, _ = many_classes(300)
    assert len(set(figures.class_colours(300))) == 256
    assert figures.png(figure, 40)


def test_points_without_labels_have_one_colour_and_no_names() -> None:
    points = RANDOM.normal(size=(50, 2)).astype(np.float32)
    figure = figures.tsne_figure(points, np.full(50, -1), [])
    (axes,) = figure.axes
    assert len(np.unique(axes.collections[0].get_facecolors(), axis=0)) == 1
    assert len(axes.collections[0].get_offsets()) == 50
    assert list(axes.texts) == []
    assert_texts_are_readable(figure)
    assert figures.png(figure, 40)


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


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_is_drawn_as_it_is_shortened_or_replaced_where_the_font_lacks_a_character(name: str) -> None:
    assert figures.drawn(name, "another") == NAMES[name]
    assert len(figures.drawn(name, "another")) <= 24


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_of_a_class_can_be_drawn_on_the_map(name: str) -> None:
    figure = figures.tsne_figure(RANDOM.normal(size=(40, 2)), np.repeat([0, 1], 20), ["plain", name])
    shown = NAMES[name] if NAMES[name] != "another" else "class 1"
    assert [text.get_text() for text in figure.axes[0].texts] == ["plain", shown]
    assert [text.get_text() for text in figure.axes[1].get_yticklabels()] == ["plain", shown]
    assert not any(text.get_parse_math() for text in (*figure.axes[0].texts, *figure.axes[1].get_yticklabels()))
    assert figures.png(figure, 40)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_of_a_class_and_of_a_file_can_be_drawn_above_an_image(name: str) -> None:
    images = RANDOM.integers(0, 256, (5, 3, 9, 8), dtype=np.uint8)
    above = reconstructions.titles(np.arange(5), np.array([1, 0, 1, 1, 0]), ["plain", name], [f"test/{name}/1.png"] * 5)
    assert len(set(above)) == 2
    figure = figures.reconstructions_figure({"input": images, "output": images}, above)
    assert [axes.get_title() for axes in figure.axes[:5]] == above
    assert_texts_are_readable(figure)
    assert figures.png(figure, 40)


@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize("length", [10, 12, 17, 24, 200])
def test_long_titles_do_not_run_into_each_other(length: int, lines: int) -> None:
    images = RANDOM.integers(0, 256, (10, 1, 28, 28), dtype=np.uint8)
    name = figures.drawn(("photograph_of_a_house_" * 10)[:length], "another")
    above = ["\n".join([name] * lines)] * 10
    assert_texts_are_readable(figures.reconstructions_figure({"input": images, "output": images}, above))


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
    figure = figures.reconstructions_figure(shown, ["a", "b", "c"])
    drawn_images = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    expected = [stack[number].transpose(1, 2, 0) for stack in shown.values() for number in range(3)]
    assert all(np.array_equal(a, b) for a, b in zip(drawn_images, expected, strict=True))
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["noisy", "output", "clean"]
    assert_texts_are_readable(figure)


SHAPES = [(1, 28, 28), (3, 28, 28), (1, 9, 40), (3, 40, 9), (3, 8, 256), (1, 256, 8), (3, 256, 256)]


@pytest.mark.parametrize("shape", SHAPES)
def test_images_of_any_size_and_colour_keep_their_proportions_and_give_the_same_bytes(
    shape: tuple[int, int, int],
) -> None:
    contents = []
    for _ in range(2):
        images = np.random.default_rng(0).integers(0, 256, (3, 3, *shape), dtype=np.uint8)
        stacks = dict(zip(("noisy", "output", "clean"), images, strict=True))
        figure = figures.reconstructions_figure(stacks, ["Ankle boot"] * 3)
        contents.append(figures.png(figure, 40))
    assert contents[0] == contents[1]
    assert_texts_are_readable(figure)
    for axes in figure.axes:
        box = axes.get_window_extent()
        assert box.height / box.width == pytest.approx(shape[1] / shape[2], rel=0.01)


@pytest.mark.parametrize("shape", [(1, 8, 256), (1, 256, 8)])
def test_fifty_images_however_long_fit_a_file_at_the_highest_resolution(shape: tuple[int, int, int]) -> None:
    images = np.zeros((50, *shape), np.uint8)
    figure = figures.reconstructions_figure({"noisy": images, "output": images, "clean": images}, ["7"] * 50)
    assert (figure.get_size_inches() * 600 < 2**16).all()  # which is matplotlib's limit


def test_maps_of_many_classes_and_of_none_give_the_same_bytes() -> None:
    points = RANDOM.normal(size=(130, 2)).astype(np.float32)
    for classes in ([], [f"class {label}" for label in range(30)]):
        labels = np.arange(130) % len(classes) if classes else np.full(130, -1)
        one, other = (figures.png(figures.tsne_figure(points, labels, classes), 40) for _ in range(2))
        assert one == other


def test_a_name_that_would_cover_that_of_a_larger_class_is_left_out() -> None:
    # Clusters of 30, 40, 50 and 60 points; the map is 100 wide, and a name of 20 characters at 14 points half of it.
    centres = np.array([[0, 0], [100, 0], [80, 1], [0, 40]])
    labels = np.repeat(np.arange(4), [30, 40, 50, 60])
    embedding = (centres[labels] + np.random.default_rng(0).uniform(0, 1e-3, (180, 2))).astype(np.float32)
    long = [letter * 20 for letter in "abcd"]
    found = figures.placed_names(embedding, labels, long, 14)
    assert [name for _, name in found] == [long[3], long[2], long[0]]
    np.testing.assert_allclose([at for at, _ in found], centres[[3, 2, 0]], atol=1e-2)
    assert len(figures.placed_names(embedding, labels, list("abcd"), 14)) == 4


def blocks(figure: Figure, number: int, columns: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Take the images of a block apart, uint8 [N, C, H, W], without the white frames, which are checked."""
    channels, height, width = shape
    tiled = np.asarray(figure.axes[number].images[0].get_array()).reshape(-1, columns * (width + 2), channels)
    cells = tiled.reshape(-1, height + 2, columns, width + 2, channels).transpose(0, 2, 4, 1, 3)
    cells = cells.reshape(-1, channels, height + 2, width + 2)
    assert (cells[:, :, [0, -1]] == 255).all()
    assert (cells[:, :, :, [0, -1]] == 255).all()
    return cells[:, :, 1:-1, 1:-1]


@pytest.mark.parametrize(("count", "shown"), [(2, 2), (57, 57), (300, 100)])
@pytest.mark.parametrize("shape", SHAPES[:5])
def test_new_images_of_both_kinds_stand_side_by_side(shape: tuple[int, int, int], count: int, shown: int) -> None:
    mixture, independent = RANDOM.integers(0, 256, (2, count, *shape), dtype=np.uint8)
    figure = figures.samples_figure(mixture, independent)
    columns = max(1, min(25, round(10 * (shape[1] / shape[2]) ** 0.5)))
    for number, images in enumerate((mixture, independent)):
        found = blocks(figure, number, columns, shape)
        assert np.array_equal(found[:shown], images[:shown])
        assert (found[shown:] == 255).all()
        assert len(found) - shown < columns
    assert [axes.get_title() for axes in figure.axes] == [
        "from a mixture of Gaussians",
        "from a Gaussian for each latent value",
    ]
    assert_texts_are_readable(figure)
    one, other = (figures.png(figures.samples_figure(mixture, independent), 40) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("pairs", [1, 5, 20])
@pytest.mark.parametrize("shape", SHAPES[:5])
def test_the_way_through_latent_space_stands_above_the_crossfade(shape: tuple[int, int, int], pairs: int) -> None:
    ways, fades = RANDOM.integers(0, 256, (2, pairs, 10, *shape), dtype=np.uint8)
    figure = figures.interpolations_figure(ways, fades)
    for pair in range(pairs):
        assert np.array_equal(blocks(figure, pair, 10, shape), np.concatenate([ways[pair], fades[pair]]))
    assert [bool(axes.get_title()) for axes in figure.axes] == [True] + [False] * (pairs - 1)
    assert_texts_are_readable(figure)
    assert (figure.get_size_inches() * 600 < 2**16).all()


def test_twenty_pairs_however_long_fit_a_file_at_the_highest_resolution() -> None:
    ways = np.zeros((20, 10, 1, 256, 8), np.uint8)
    assert (figures.interpolations_figure(ways, ways).get_size_inches() * 600 < 2**16).all()
