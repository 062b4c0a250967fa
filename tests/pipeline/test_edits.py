"""An edit of the code reruns only what it can change: as a maintainer would make it, and as DVC then sees it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from conftest import CHECKS, REPOSITORY, Repository, changed_stages, copy_of

pytestmark = pytest.mark.slow

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
# By file: what becomes of its text.
Edit = dict[str, Callable[[str], str]]


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(content: str) -> str:
        assert old in content
        return content.replace(old, new, 1)

    return change


def new_key(section: str, room: str) -> Edit:
    """Add a parameter, to the file and to its schema."""
    return {
        "params.yaml": swap(f"{section}:\n", f"{section}:\n  more: 1\n"),
        f"src/convae/{room}/params.py": swap("(Section):\n", "(Section):\n    more: int\n"),
    }


def new_artifact(stage: str) -> Edit:
    """Let a stage write one more file."""

    def declare(content: str) -> str:
        pipeline = yaml.safe_load(content)
        pipeline["stages"][stage].setdefault("outs", []).append("artifacts/more.json")
        return yaml.safe_dump(pipeline)

    writing = '    artifacts.write_json(Path("artifacts/more.json"), {})\n'
    return {"dvc.yaml": declare, f"stages/{stage}.py": swap("\n\nif __name__", f"{writing}\n\nif __name__")}


def new_figure(pipeline: str) -> str:
    first = "      - artifacts/plots/loss.${plot.format}\n"
    return swap(first, f"{first}      - artifacts/plots/new.${{plot.format}}\n")(pipeline)


def text(module: str, old: str) -> Edit:
    """Write another text of an error, or whatever else is told to people."""
    return {f"src/convae/{module}.py": swap(old, f"{old} indeed")}


ALL = set(STAGES)
# What a maintainer edits, and which stages DVC then wants to run, before it sees what becomes of their outputs.
EDITS: dict[str, tuple[Edit, set[str]]] = {
    "a key in data": (new_key("data", "data"), {*CHECKS, "download"}),
    "a key in model": (new_key("model", "network"), {*CHECKS, "train"}),
    "a key in train": (new_key("train", "training"), {*CHECKS, "train"}),
    "a key in extract": (new_key("extract", "latents"), {*CHECKS, "extract"}),
    "a key in tsne": (new_key("tsne", "maps"), {*CHECKS, "tsne"}),
    "a key in generate": (new_key("generate", "generation"), {*CHECKS, "generate"}),
    "a key in plot": (new_key("plot", "views"), {*CHECKS, "plot"}),
    **{f"an artifact of {stage}": (new_artifact(stage), {stage}) for stage in STAGES},
    "a figure": (
        {
            "src/convae/views/figures.py": swap("def loss_", "def new():\n    return Figure()\n\n\ndef loss_"),
            "src/convae/views/gallery.py": swap('        "loss":', '        "new": new(),\n        "loss":'),
            "dvc.yaml": new_figure,
        },
        {"plot"},
    ),
    "a rule between sections": (text("check", "so many latent vectors make a map"), {*CHECKS}),
    "a kind of image": (text("data/pictures", "has pixels of 32 bits"), {"download"}),
    "an error of folders": (text("data/listing", "is a link to a folder"), {"download"}),
    "a dataset's mirror": (text("data/datasets", "https://ossci-datasets.s3.amazonaws.com/mnist/"), {"download"}),
    "an error of data": (text("data/downloads", "the server answered"), {"download"}),
    "an error of labels": (
        text("data/labels", "has labels outside"),
        {"evaluate", "extract", "quality", "plot", "explorer"},
    ),
    "an error of network": (text("network/params", "to be embedded in the plane"), {*CHECKS, "train"}),
    "an error on loading": (text("network/loading", "describes no network"), {"evaluate", "extract", "generate"}),
    "an error of training": (text("training/loop", "the loss diverged"), {"train"}),
    "an error of hosts": (text("training/hosts", "cannot meet the others"), {"train"}),
    "an exact layer": (text("arithmetic/layers", "PyTorch's layers"), {"train", "evaluate", "extract", "generate"}),
    "exact components": (text("arithmetic/pca", "Principal components"), {"tsne", "neighbours", "quality", "explorer"}),
    "an error of maps": (text("maps/tsne", "or more images"), {"tsne"}),
    "an error of the map's quality": (text("maps/quality", "points are too few to measure"), {"quality"}),
    "an error of neighbours": (text("maps/neighbours", "has neighbours beyond"), {"neighbours", "quality", "explorer"}),
    "an error of views": (text("views/history", "the last row is cut short"), {"plot"}),
    "the latents' encoding": (text("network/encoding", "Encode images"), {"evaluate", "generate"}),
    "a measure": (text("measures/pca", "Compute the mean squared errors"), {"evaluate"}),
    "the density of latents": (text("generation/densities", "Estimate the density"), {"generate"}),
    "a measure of new images": (text("generation/likeness", "Measure how like"), {"assess"}),
    "a title of reconstructions": (text("views/reconstructions", "What the figure"), {"plot"}),
    "the explorer's data": (text("views/explorer/page_data", "What the explorer shows"), {"explorer"}),
    "a command": (text("commands/verify", "The metrics were compared instead"), set()),
    "a public name": (text("api", "The names"), set()),
    "an error of the ground": (text("artifacts", "is damaged"), ALL),
}


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return copy_of(finished, tmp_path_factory.mktemp("edits"))


def write_anew(path: Path, content: str) -> None:
    """Put a new file in place of the old one: a rewritten one of the same size could look unchanged."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(content)
    new.replace(path)


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_reruns_only_the_stages_that_read_what_was_edited(what: str, repository: Repository) -> None:
    edit, expected = EDITS[what]
    originals = {name: (repository.path / name).read_text() for name in edit}
    try:
        for name, change in edit.items():
            write_anew(repository.path / name, change(originals[name]))
        assert changed_stages(repository) == expected
    finally:
        for name, original in originals.items():
            write_anew(repository.path / name, original)


def test_every_section_and_every_room_has_an_edit_in_the_table() -> None:
    params = yaml.safe_load((REPOSITORY / "params.yaml").read_text())
    assert {f"a key in {section}" for section in params} <= EDITS.keys()
    rooms = {path.parent.name for path in (REPOSITORY / "src/convae").glob("*/__init__.py")}
    assert rooms <= {Path(name).parent.name for edit, _ in EDITS.values() for name in edit}
