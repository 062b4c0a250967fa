"""Say why outputs that were made here may differ from those that a commit's ``dvc.lock`` names, and which outputs.

With exact arithmetic and the locked libraries, on Linux on x86-64 with AVX2 and FMA, none may: all bytes are the same.
"""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from convae.commands.libraries import installed_otherwise
from convae.commands.programs import dvc, git
from convae.errors import ConvaeError
from convae.startup import has_avx2_and_fma

LOCK = Path("dvc.lock")
MACHINE, DECODER = "artifacts/train/machine.json", "artifacts/data/decoder.json"
# What exact arithmetic makes the same on every processor.
ANYWHERE = (
    *(f"artifacts/{name}/" for name in ("check", "data", "latents", "model", "train")),
    "artifacts/evaluate/reconstructions.npy",
)


class Reason(NamedTuple):
    """Why bytes may differ, as a sentence's part, and whether all may or only those that no network makes."""

    why: str
    of_all: bool


def reasons(folder: Path, committed: dict[str, str], made: dict[str, str]) -> list[Reason]:
    """Find the reasons why bytes that were made here may differ from a commit's.

    Parameters
    ----------
    folder : Path
        The working copy in which the pipeline ran.
    committed, made : dict of str to str
        The hash of each output, as the commit's lock file has it and as it was made here.

    Returns
    -------
    list of Reason
        None, if the bytes should be the same.
    """
    found = []
    if why := _native(folder, committed, made):
        found.append(Reason(why, of_all=True))
    if others := installed_otherwise(folder):
        names = ", ".join(f"{name} {here} (locked: {locked})" for name, (here, locked) in others.items())
        found.append(Reason(f"other versions than those of requirements.lock are installed: {names}", of_all=True))
    if DECODER in made and made[DECODER] != committed.get(DECODER, made[DECODER]):
        found.append(Reason(f"other libraries decoded the images, as {DECODER} tells", of_all=True))
    if here := other_processor(platform.system(), platform.machine(), has_avx2_and_fma()):
        found.append(
            Reason(f"the map and new images need Linux on x86-64 with AVX2 and FMA, and this is {here}", False)
        )
    return found


def other_processor(system: str, machine: str, avx2_and_fma: bool) -> str:
    """Say what a machine is, if it is not Linux on x86-64 with AVX2 and FMA; else nothing.

    Parameters
    ----------
    system, machine : str
        As Python's ``platform`` names them.
    avx2_and_fma : bool
        Whether its processor has both.
    """
    if (system, machine.lower()) not in (("Linux", "x86_64"), ("Linux", "amd64")):
        return f"{system} on {machine}"
    return "" if avx2_and_fma else "a processor without AVX2 and FMA"


def unexplained(different: Sequence[str], found: Sequence[Reason]) -> list[str]:
    """Name the differing artifacts that none of the reasons explains."""
    if any(reason.of_all for reason in found):
        return []
    return [name for name in different if not found or name.startswith(ANYWHERE)]


def joined(found: Sequence[Reason]) -> str:
    """Join reasons into one sentence's part."""
    return "; and ".join(reason.why for reason in found)


def _native(folder: Path, committed: dict[str, str], made: dict[str, str]) -> str:
    """Say that the network was computed natively, on another machine than the commit's, if that is so."""
    try:
        machine = json.loads((folder / MACHINE).read_bytes())
    except (OSError, ValueError):  # none was trained here
        return ""
    if machine.get("arithmetic") != "native" or made.get(MACHINE) == committed.get(MACHINE):
        return ""
    there = cached_json(committed.get(MACHINE, ""))
    where = f"here {_described(machine)}" + (f", for the commit {_described(there)}" if there else "")
    return f"train.arithmetic is native, which rounds as the processor and its libraries do ({where})"


def cached_json(md5: str) -> dict[str, Any]:
    """Read a small JSON file from DVC's cache, by its hash; empty if it is not there."""
    try:
        cache = Path(dvc("cache", "dir", capture=True).strip())
        content = json.loads((cache / "files/md5" / md5[:2] / md5[2:]).read_bytes())
    except (ConvaeError, OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _described(machine: dict[str, Any]) -> str:
    """Name a machine by what of it decides how native arithmetic rounds."""
    names = (("vendor", ""), ("family", "family "), ("model", "model "), ("instruction_set", ""), ("glibc", "glibc "))
    parts = [f"{label}{machine[key]}" for key, label in names if machine.get(key)]
    device = [machine["device"]] if machine.get("device", "cpu") != "cpu" else []
    return " ".join([*device, *(parts or [str(machine.get("processor", "an unknown one"))])])


def output_hashes(lock: dict[str, Any]) -> dict[str, str]:
    """Collect every output's MD5 from a parsed ``dvc.lock``, in the pipeline's order."""
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}


def departed(committed: dict[str, Any], made: dict[str, Any]) -> dict[str, list[str]]:
    """Find the stages that made other outputs than a commit's, of the same command, dependencies and parameters.

    Parameters
    ----------
    committed, made : dict
        Parsed lock files.

    Returns
    -------
    dict of str to list of str
        By stage, the outputs that differ. What such a stage's outputs change further on is not in it.
    """
    found = {}
    for name, stage in made["stages"].items():
        before = committed["stages"].get(name, {})
        if all(stage.get(kind) == before.get(kind) for kind in ("cmd", "deps", "params")):
            hashes = {out["path"]: out["md5"] for out in before["outs"]}
            if paths := [out["path"] for out in stage["outs"] if hashes.get(out["path"]) != out["md5"]]:
                found[name] = paths
    return found


def note() -> str:
    """Say in a line which outputs differ from the last commit's, and why, if code, parameters and data are the same.

    Returns
    -------
    str
        Empty if they do not; if parameters, code or data have changed; or if that cannot be known, as outside Git.
    """
    try:
        committed, made = git("show", f"HEAD:./{LOCK}"), LOCK.read_text()
        if committed == made:
            return ""
        locks = [yaml.safe_load(text) for text in (committed, made)]
        stages = departed(*locks)
        found = reasons(Path(), *map(output_hashes, locks)) if stages else []
    # No Git, commit or lock file; conflict markers; what is no lock file.
    except (ConvaeError, OSError, ValueError, yaml.YAMLError, LookupError, TypeError, AttributeError):
        return ""
    if not stages:
        return ""
    what = f"note: {' and '.join(stages)} made other bytes than the last commit's {LOCK} names"
    if not found or unexplained([path for paths in stages.values() for path in paths], found):
        return f"{what}, from the same code, parameters and data; that should not be: `make verify` says more."
    return f"{what}: {joined(found)}. The results are as good; leave {LOCK} and metrics/ changed here, or commit them."
