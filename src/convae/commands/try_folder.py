"""From a folder of images to the explorer: choose parameters, run the pipeline as an experiment, show what came out.

The experiment runs in a temporary checkout. So neither the folder nor anything in this working copy is changed, whether
the run ends well, fails or is interrupted, and there is nothing to go back to. Its results are then copied to a folder.
"""

import argparse
import itertools
import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.scm import resolve_rev

from convae import artifacts
from convae.check import check_params
from convae.commands.estimate import expected
from convae.commands.explore import show
from convae.commands.inspection import described, inspect
from convae.commands.programs import dvc, git
from convae.commands.recipe import ARCHITECTURE, Choice, choose, table
from convae.data.listing import shown
from convae.errors import ConvaeError
from convae.measures.verdict import verdict
from convae.params import lookup, read_params

RESULTS = Path("tries")
# Of the arrays, which may be large, those that the network's programs need. All other files are copied.
ARRAYS = ("embedding.npy", "labels.npy", "latents.npy")
EXPLORER, LOSSES, QUALITY = "plots/explorer.html", "evaluate/losses.json", "quality/embedding.json"


def run(arguments: argparse.Namespace) -> None:
    """Run the pipeline on a folder, and open the explorer.

    Raises
    ------
    ConvaeError
        If the folder, this project or the parameters cannot be used, or the run fails.
    """
    folder = check_folder(Path(arguments.folder))
    check_project()
    found = inspect(folder)
    choices = choose(found, source_of(folder))
    content = read_params()
    for each in choices:
        section, _, key = each.name.rpartition(".")
        lookup(content, section)[key] = each.value
    check_params(content=content)
    command = ["dvc", "exp", "run", "--temp", *settings(choices)]
    name = free_name(folder.name)
    print(f"{described(found)}\n\n{table(choices)}\n\n{expected(found, choices)}")
    print(
        f"The experiment {name} runs this; add `-S NAME=VALUE` to choose otherwise:\n  {shlex.join(command)}\n",
        flush=True,
    )
    if arguments.dry_run:
        return
    try:
        dvc(*command[1:4], "--name", name, *command[4:], tidies=True, variables=author())
    except ConvaeError as error:
        fix = "mend that, and give the same command again: what is done is not done twice"
        raise ConvaeError(name, "failed, for the reason above, and nothing was changed", fix) from error
    except SystemExit:
        print("\nInterrupted. Nothing was changed; the same command goes on where this one ended.", file=sys.stderr)
        raise
    results = copy_results(name)
    print(ending(results, folder, command))
    show(results / EXPLORER)


def check_folder(folder: Path) -> Path:
    """Follow links to a folder; refuse what is none, or holds this project.

    Raises
    ------
    ConvaeError
        With what to do.
    """
    name = shown(str(folder))
    if not folder.exists():
        raise ConvaeError(name, "is not there", "name a folder of images")
    if folder.suffix.lower() in (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar") and folder.is_file():
        fix = "put it into a folder of its own, and name that" if folder.suffix.lower() == ".tar" else "unpack it"
        raise ConvaeError(name, "is an archive", f"{fix}; see docs/images.md")
    if not folder.is_dir():
        raise ConvaeError(name, "is a file", f"name a folder, such as {shown(str(folder.parent))}")
    real = folder.resolve()
    if Path.cwd().is_relative_to(real):
        raise ConvaeError(name, "holds this project", "name a folder that holds only the images")
    return real


def check_project() -> None:
    """Refuse a project in which DVC can run no experiment.

    Raises
    ------
    ConvaeError
        With what to do.
    """
    git("rev-parse", "HEAD", fix="experiments need Git: get the project with `git clone`")
    if git("rev-parse", "--is-shallow-repository").strip() == "true":  # DVC would run, and lose the experiment
        raise ConvaeError("Git", "has only the last commits here", "fetch the others with `git fetch --unshallow`")
    if git("ls-files", "--unmerged"):
        raise ConvaeError("Git", "knows of conflicts in this project", "resolve them, and commit: DVC needs that")


def author() -> dict[str, str]:
    """Give variables that name the author of an experiment's commit, if Git knows no name and address."""
    if all(git("config", "--default", "", "--get", f"user.{key}").strip() for key in ("name", "email")):
        return {}
    values = {"NAME": "convae", "EMAIL": "convae@localhost"}
    return {f"GIT_{role}_{key}": values[key] for role in ("AUTHOR", "COMMITTER") for key in values}


def source_of(folder: Path) -> str:
    """Name a folder as the experiment's own checkout finds it: that has only what Git or DVC tracks."""
    here = Path.cwd()
    if not folder.is_relative_to(here):
        return str(folder)
    inside = folder.relative_to(here)
    by_dvc = any(Path(f"{path}.dvc").exists() for path in (inside, *inside.parents))
    if not by_dvc and git("ls-files", "--others", "--", str(inside)):
        return str(folder)
    return str(inside) if "/" in str(inside) else f"./{inside}"  # a folder may be called 2020 or null


def free_name(folder: str) -> str:
    """Make a name for an experiment from a folder's: one that no experiment, branch, tag or result has."""
    base = re.sub(r"[^\w-]+", "-", folder).strip("-") or "images"
    taken = {ref.rpartition("/")[2] for ref in git("for-each-ref", "--format=%(refname)").splitlines()}
    taken |= {path.name for path in RESULTS.glob("*")}
    names = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(name for name in names if name not in taken)


def settings(choices: list[Choice]) -> list[str]:
    """Write what was chosen as options of ``dvc exp run``, where params.yaml has other values.

    Raises
    ------
    ConvaeError
        If DVC would read the folder's name as something else.
    """
    params = read_params()
    changed = [each for each in choices if lookup(params, each.name) != each.value]
    return [word for each in changed for word in ("-S", f"{each.name}={override(each.value)}")]


def override(value: object) -> str:
    """Write a value as ``dvc exp run -S`` reads it."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{','.join(map(str, value))}]"
    text = str(value)
    if not isinstance(value, str) or re.fullmatch(r"[a-z_]+|[\w./-]*/[\w./-]*", text, re.ASCII):
        return text
    if "\\" in text or "${" in text or not text.isprintable():
        raise ConvaeError(shown(text), "has a name that DVC's options cannot hold", "rename it, or a folder above")
    mark = "'" if '"' in text else '"'
    return mark + text.replace(mark, f"\\{mark}") + mark


def copy_results(name: str) -> Path:
    """Copy an experiment's parameters and artifacts, but for arrays of images, from DVC's cache to a folder.

    Raises
    ------
    ConvaeError
        If DVC has not kept the experiment.
    """
    copied = RESULTS / f".{name}"  # complete, or not there under its name
    try:
        with Repo() as repo, repo.switch(resolve_rev(repo.scm, name)):
            for path in ["params.yaml", *repo.dvcfs.find("artifacts")]:
                if not path.endswith(".npy") or path.endswith(ARRAYS):
                    artifacts.write_bytes(copied / path.removeprefix("artifacts/"), repo.dvcfs.read_bytes(path))
    except DvcException as error:
        fix = "`dvc exp list` shows what there is; give the same command again"
        raise ConvaeError(name, f"cannot be read back ({error})", fix) from error
    return copied.rename(RESULTS / name)


def ending(results: Path, folder: Path, command: Sequence[str]) -> str:
    """Say in three sentences what came out; where it is, and how to repeat it."""
    losses, quality = (artifacts.read_json(results / path) for path in (LOSSES, QUALITY))
    train_images = artifacts.read_array(results / "data/train_labels.npy", np.int64, (None,)).size
    kept = f"On the map, {quality['neighbour_recall']:.0%} of each image's ten nearest neighbours are still its nearest"
    if "map_knn_accuracy" in quality:
        kept += f", and {quality['map_knn_accuracy']:.0%} of the images lie among their own class"
    # `make try` needs no active environment, but these programs do.
    activate = [] if shutil.which("convae") else [f"  . {os.path.relpath(sys.prefix)}/bin/activate"]
    return "\n".join(
        [
            "",
            *verdict(losses, ARCHITECTURE, train_images),
            f"{kept}.",
            "",
            f"Figures, network and tables are in {results}; nothing else has changed. Try next:",
            *activate,
            f"  convae similar {results}/model IMAGE --among {shlex.quote(str(folder))} --figure similar.png",
            f"  dvc exp apply {results.name}   # into this working copy; commit your own edits first",
            f"To repeat it: {shlex.join(command)}",
            "",
            "The explorer:",
        ]
    )
