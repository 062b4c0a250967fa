"""The figures: what they show, and that nothing overlaps or leaves the page."""

import io
import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from convae.views import figures

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
    figure = figures.reconstructions_figure(images, 255 - images, ["Ankle boot"] * count)
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
