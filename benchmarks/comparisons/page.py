"""Write `docs/results.md` and its figures from `docs/results.json` alone: the same bytes on every machine.

The text is in `text.md`, with fields for numbers, such as ``{loss[dense-64]:.4f}``; see
`benchmarks.comparisons.values`. What a paragraph says may become false when numbers change. So a paragraph may begin
with conditions, lines like ``? {loss[dense-64]} < {loss[dense-32]}``. If a condition is false or a number is missing,
the paragraph is left out.
"""

import textwrap
from itertools import pairwise
from pathlib import Path

from benchmarks.comparisons.drawings import compression_figure, sizes_figure, svg
from benchmarks.comparisons.records import Json, read_results
from benchmarks.comparisons.table import BLOCKS, experiments
from benchmarks.comparisons.tables import tables
from benchmarks.comparisons.values import values
from convae import artifacts

TEXT = Path(__file__).with_name("text.md")
PAGE = Path("docs/results.md")
DRAWN = {Path("docs/results/sizes.svg"): sizes_figure, Path("docs/results/compression.svg"): compression_figure}


def write_page(results: Json | None = None, root: Path = Path()) -> list[str]:
    """Write the page and its figures under a folder; return the beginnings of the paragraphs that were left out."""
    results = read_results() if results is None else results
    page, left_out = render(TEXT.read_text(), results)
    artifacts.write_bytes(root / PAGE, page.encode())
    for path, figure in DRAWN.items():
        artifacts.write_bytes(root / path, svg(figure(results)))
    return left_out


def page_files() -> list[Path]:
    """Return the files that `write_page` writes."""
    return [PAGE, *DRAWN]


def render(text: str, results: Json) -> tuple[str, list[str]]:
    """Fill in the fields of a text.

    Parameters
    ----------
    text : str
        Paragraphs with fields and conditions.
    results : dict
        See `benchmarks.comparisons.records.read_results`.

    Returns
    -------
    str
        The page.
    list of str
        The first words of the paragraphs that were left out.
    """
    wanted = experiments()
    fields = {
        **values(results),
        "table": tables(results),
        "there": len(wanted.keys() & results["experiments"].keys()),
        "wanted": len(wanted),
        "missing": missing(results),
    }
    paragraphs, left_out = [], []
    for paragraph in text.strip().split("\n\n"):
        lines = paragraph.split("\n")
        body = "\n".join(line for line in lines if not line.startswith("? "))
        try:
            conditions = [line[2:].format_map(fields) for line in lines if line.startswith("? ")]
            if not all(map(holds, conditions)):
                raise LookupError("does not hold")  # noqa: TRY301
            paragraphs.append(wrapped(body.format_map(fields)))
        except LookupError:
            left_out.append(body[:60])
    return "\n\n".join(paragraphs) + "\n", left_out


def wrapped(paragraph: str) -> str:
    """Wrap the lines of a paragraph; tables, headings and figures stay as they are."""
    if paragraph.startswith(("|", "#", "!")):
        return paragraph
    indent = "  " if paragraph.startswith("- ") else ""
    return textwrap.fill(paragraph, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def missing(results: Json) -> str:
    """List the blocks with missing experiments, and how many are missing."""
    counts = {}
    for block, asked in BLOCKS.items():
        names = experiments({block: asked}).keys()
        counts[block] = f"{len(names - results['experiments'].keys())} of {len(names)} of `{block}`"
    return ", ".join(text for text in counts.values() if not text.startswith("0 ")) or "none"


def holds(condition: str) -> bool:
    """Return whether a condition is true: numbers with ``<`` between them."""
    numbers = [float(number) for number in condition.split(" < ")]
    return all(low < high for low, high in pairwise(numbers))


if __name__ == "__main__":
    write_page()
