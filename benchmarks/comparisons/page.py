"""Write `docs/results.md` and its figures from `docs/results.json` alone: the same bytes wherever it is done."""


def write_page() -> None:
    """Write the page."""
