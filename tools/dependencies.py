"""Write what follows from the code: the stages' dependencies in dvc.yaml, their table in docs/design.md.

``make deps`` runs it. ``python -m tools.dependencies --check`` writes nothing, prints what would change, and then ends
with exit code 1. dvc.yaml and params.yaml come out as DVC itself writes them, so that DVC changes no other line.
"""

import ast
import difflib
import itertools
import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dumps_yaml
from dvc.utils.serialize._yaml import parse_yaml_for_update

PIPELINE, PARAMS, DESIGN, LIBRARIES = "dvc.yaml", "params.yaml", "docs/design.md", "libraries.yaml"
BEGIN, END = "<!-- stages: begin -->\n", "<!-- stages: end -->\n"
# Those that everything else hangs on.
SPINE = ("download", "train", "evaluate", "extract", "tsne", "plot")
# What a library requires and stages do not load with it: of scikit-image, only metrics are called.
NOT_LOADED = {("scikit-image", "pillow")}


def main() -> None:
    """Write the files, or only say what would change."""
    if "--check" not in sys.argv[1:]:
        for name, text in changes(Path()).items():
            Path(name).write_text(text, encoding="utf-8")
    elif found := difference(Path()):
        sys.exit(f"{found}error: dvc.yaml, params.yaml or docs/design.md: differ as above; run `make deps`")


def changes(root: Path) -> dict[str, str]:
    """Return the files that are not as they should be, by name, with the text that they should have."""
    pipeline = parse_yaml_for_update((root / PIPELINE).read_text(encoding="utf-8"), PIPELINE)
    for name, stage in pipeline["stages"].items():
        _set_dependencies(stage, name, root)
    params = parse_yaml_for_update((root / PARAMS).read_text(encoding="utf-8"), PARAMS)
    design = (root / DESIGN).read_text(encoding="utf-8")
    before, _, rest = design.partition(BEGIN)
    texts = {
        PIPELINE: dumps_yaml(pipeline),
        PARAMS: dumps_yaml(params),
        DESIGN: f"{before}{BEGIN}{overview(pipeline['stages'])}{END}{rest.partition(END)[2]}" if rest else design,
    }
    return {name: text for name, text in texts.items() if text != (root / name).read_text(encoding="utf-8")}


def difference(root: Path) -> str:
    """Return what would change, as a unified diff."""
    lines: list[str] = []
    for name, text in changes(root).items():
        old = (root / name).read_text(encoding="utf-8")
        lines += difflib.unified_diff(old.splitlines(True), text.splitlines(True), name, f"{name}, from the code")
    return "".join(lines)


def _set_dependencies(stage: Any, name: str, root: Path) -> None:
    """Put into a stage what it imports; leave what it reads, which its author has written."""
    files, packages = imports(root / f"stages/{name}.py", root)
    code = {str(file.relative_to(root)) for file in files | data_folders(files)} | {"stages/run.sh"}
    read = {dep for dep in stage["deps"] if not dep.startswith(("src/", "stages/"))}
    stage["deps"] = sorted(read | code)
    libraries = {LIBRARIES: versioned(packages, root)}
    if "params" not in stage:
        stage.insert(list(stage).index("deps") + 1, "params", [])
    others = [entry for entry in stage["params"] if not isinstance(entry, dict) or LIBRARIES not in entry]
    stage["params"] = [*others, libraries]


def imports(module: Path, root: Path) -> tuple[set[Path], set[str]]:
    """Follow the import statements of a module, wherever in it they stand, through this repository's modules.

    Returns
    -------
    set of Path
        This repository's files, the module among them.
    set of str
        The top-level packages of others.
    """
    found: set[Path] = set()
    others: set[str] = set()
    todo = [module]
    while todo:
        file = todo.pop()
        if file in found:
            continue
        found.add(file)
        # A package is imported before what is in it.
        for name in imported_names(file.read_text(encoding="utf-8")) | {
            ".".join(file.relative_to(root).parts[:-1]).removeprefix("src.")
        }:
            parts = name.split(".")
            paths = [
                path
                for folder, end in itertools.product((root / "src", root), range(1, len(parts) + 1))
                for path in (
                    folder.joinpath(*parts[:end]).with_suffix(".py"),
                    folder.joinpath(*parts[:end], "__init__.py"),
                )
                if path.is_file()
            ]
            todo += paths
            others |= set() if paths else {parts[0]}
    return found, others


@cache
def imported_names(source: str) -> frozenset[str]:
    """Return the modules that import statements name; of a name in a module, both."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def data_folders(files: set[Path]) -> set[Path]:
    """Return the folders in imported packages that hold files but no Python, such as the explorer's scripts."""
    folders = {folder for file in files if file.name == "__init__.py" for folder in file.parent.iterdir()}
    return {
        folder
        for folder in folders
        if folder.is_dir()
        and folder.name != "__pycache__"
        and any(file.is_file() for file in folder.iterdir())
        and not any(folder.glob("*.py"))
    }


def versioned(packages: set[str], root: Path) -> list[str]:
    """Return the libraries of libraries.yaml that come with packages, those that they require included."""
    known = dict(re.findall(r"^([\w-]+): (.*)", (root / LIBRARIES).read_text(encoding="utf-8"), re.MULTILINE))
    todo = {_normal(each) for package in packages for each in _distributions().get(package, ())} & known.keys()
    found: set[str] = set()
    while todo:
        name = todo.pop()
        found.add(name)
        required = {_normal(re.split(r"[^\w.-]", each)[0]) for each in _requirements(name)}
        todo |= {each for each in required & known.keys() if (name, each) not in NOT_LOADED} - found
    return sorted(found)


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def _requirements(name: str) -> list[str]:
    return [each for each in metadata.requires(name) or [] if "extra ==" not in each]


def _normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def overview(stages: dict[str, Any]) -> str:
    """Return the picture and the table of the stages, in Markdown."""
    arrows = [f"    {upper} --> {name}" for name in stages for upper in direct(stages, name)]
    picture = ["```mermaid", "flowchart TD", *arrows, "    classDef spine stroke-width:4px"]
    picture += [f"    class {','.join(SPINE)} spine", "```"]
    rows = [["stage", "reads from `params.yaml`", "what it does", "what it writes"], ["---"] * 4]
    rows += [[name, _sections(stage), stage["desc"], _outputs(stage)] for name, stage in stages.items()]
    return "\n".join([*picture, "", *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def upstream(stages: dict[str, Any], name: str) -> list[str]:
    """Return the stages whose outputs a stage reads, in the pipeline's order."""
    return [other for other in stages if set(stages[other].get("outs", [])) & set(stages[name]["deps"])]


def direct(stages: dict[str, Any], name: str) -> list[str]:
    """Return the same without those that lie before another of them."""

    def ancestors(each: str) -> set[str]:
        return {each}.union(*(ancestors(other) for other in upstream(stages, each)))

    above = upstream(stages, name)
    return [each for each in above if not any(each in ancestors(other) for other in above if other != each)]


def _sections(stage: Any) -> str:
    entries = stage.get("params", [])
    names = ["all" for entry in entries if isinstance(entry, dict) and PARAMS in entry]
    return ", ".join([*names, *(f"`{entry}`" for entry in entries if isinstance(entry, str))])


def _outputs(stage: Any) -> str:
    """Name the files, or the folder where there are several in it."""
    paths = [
        Path(path) for path in (*stage.get("outs", []), *(path for each in stage.get("metrics", []) for path in each))
    ]
    folders = {folder: [path for path in paths if path.parent == folder] for folder in (path.parent for path in paths)}
    return ", ".join(f"`{each[0]}`" if len(each) == 1 else f"`{folder}/`" for folder, each in folders.items())


if __name__ == "__main__":
    main()
