"""The explorer: one page, in one file, that shows the map, the images and what the network makes of them.

The sources stand beside this module, and come into the page as they are: `page.html`, `style.css` and the scripts.
These only declare (but for `start.js`, which begins when the page is read), so that their order does not matter.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

FOLDER = Path(__file__).parent
# Whatever could end or begin an element, or a line of a script, is written as JSON's escape.
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def page(data: Mapping[str, Any]) -> str:
    """Join the page's sources and the data to one text, which needs no other file and no network.

    Parameters
    ----------
    data
        What the explorer shows, as `data.py` makes it: texts, numbers, and arrays in base64. Must be JSON without NaN.

    Returns
    -------
    str
        HTML, ASCII but for the sources' own characters. A Content-Security-Policy allows the page's own style and
        script, by their hashes, and images that are in the page; nothing else is loaded, run or sent.
    """
    style = _source("style.css")
    script = "\n".join(f"// {path.name}\n{_source(path.name)}" for path in sorted(FOLDER.glob("*.js")))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).translate(ESCAPES)
    return Template(_source("page.html")).substitute(policy=policy, style=style, data=text, script=script)


def _source(name: str) -> str:
    """Read a source with the lines' ends that an HTML parser would make of any others, so that the hashes fit."""
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(block: str) -> str:
    """Give a block's hash as the policy spells it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}"
