"""The explorer: one page, in one file, that shows the map, the images and what the network makes of them."""

import json
from collections.abc import Mapping
from typing import Any


def page(data: Mapping[str, Any]) -> str:
    """Give the data alone, until there is a page."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<!doctype html><meta charset="utf-8"><script type="application/json" id="data">{text}</script>'
