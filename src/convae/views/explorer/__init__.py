"""The explorer: a page, mostly one file, that shows the map, the images and what the network makes of them.

Its sources are in `web/`: `page.html`, `style.css` and the scripts, of which `start.js` uses all others.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from convae.views.explorer.scripts import join_scripts

FOLDER = Path(__file__).parent / "web"
# What could begin or end an HTML element, or a line of a script, is written as JSON's escape.
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def page(data: Mapping[str, Any]) -> str:
    """Join the page's sources and the data to one text, which needs no network access.

    Parameters
    ----------
    data
        What `explorer_data` gives: texts, numbers, and arrays in base64.

    Returns
    -------
    str
        HTML. Its Content-Security-Policy allows the page's own style and script, by their hashes, and images that are
        in the page; nothing else is loaded, run or sent, but for the scripts beside the page, if it has any.

    Raises
    ------
    ValueError
        If the data holds NaN or infinity, which JSON has not.
    """
    style = _source("style.css")
    script = join_scripts({path.stem: _source(path.name) for path in FOLDER.glob("*.js")})
    # What a trusted script loads is trusted: the files beside the page, if there are any.
    trust = " 'strict-dynamic'" if data["sheets"]["beside"] else ""
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'{trust}; style-src '{_hash(style)}'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).translate(ESCAPES)
    return Template(_source("page.html")).substitute(policy=policy, style=style, data=text, script=script)


def _source(name: str) -> str:
    """Read a source with line feeds alone, as a browser reads it, so that the hashes fit."""
    return (FOLDER / name).read_text(encoding="utf-8")


def _hash(block: str) -> str:
    """Give a block's hash as the policy wants it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}"
