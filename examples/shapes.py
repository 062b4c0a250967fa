"""Draw the sample folder of images, examples/shapes: four classes of 40 coloured shapes, a few kilobytes in all."""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SHAPES = {"circle": 40, "square": 4, "star": 10, "triangle": 3}  # and the corners of each
SIDE, SCALE = 32, 8  # drawn larger, so that edges are smooth


def draw(shape: str, generator: np.random.Generator) -> Image.Image:
    """Draw a shape of a random colour, size, place and turn on a pale background."""
    corners = SHAPES[shape]
    centre = generator.uniform(0.4, 0.6, 2) * SIDE * SCALE
    radius, turn = generator.uniform(0.2, 0.38) * SIDE * SCALE, generator.uniform(0, 2 * math.pi)
    points = []
    for corner in range(corners):
        reach = radius * (0.45 if shape == "star" and corner % 2 else 1)
        angle = turn + 2 * math.pi * corner / corners
        points.append((centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)))
    pale, strong = (tuple(int(level) for level in generator.integers(*span, 3)) for span in ((200, 256), (0, 160)))
    image = Image.new("RGB", (SIDE * SCALE, SIDE * SCALE), pale)
    ImageDraw.Draw(image).polygon(points, fill=strong)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def main() -> None:
    """Draw all of them, the same ones each time."""
    generator = np.random.default_rng(0)
    for shape in SHAPES:
        folder = Path(__file__).parent / "shapes" / shape
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(40):
            draw(shape, generator).save(folder / f"{number:02}.png")


if __name__ == "__main__":
    main()
