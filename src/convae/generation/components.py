"""How many Gaussians the mixture has."""

from pathlib import Path

from convae import artifacts

# Images that one has at the least.
EACH = 20


def borne(asked: int, images: int) -> int:
    """Lower the number of components that is asked for to what so many images bear, and say so."""
    most = max(1, images // EACH)
    if asked > most:
        print(f"generate: {most} components, not {asked}, since each is to have {EACH} of the {images} images")
    return min(asked, most)


def read_components(path: Path) -> int:
    """Read how many components a mixture has; see `convae.artifacts.read_array` for the errors."""
    content = artifacts.read_json(path)
    components = content.get("components") if isinstance(content, dict) else None
    if not isinstance(components, int) or components < 1:
        raise artifacts.unusable(path, 'has no number of "components"')
    return components
