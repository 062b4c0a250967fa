"""Run a stage: errors as one line, no result from inputs that changed meanwhile, no process left without its parent."""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from convae import artifacts
from convae.errors import ConvaeError
from convae.params import PARAMS, interpolated, lookup, read_params

PIPELINE = Path("dvc.yaml")
# How launchers number the processes that they start, and tell how many these are. SLURM_NTASKS would not do: sbatch
# sets it also for a script that runs once.
COPIES = {
    "RANK": "WORLD_SIZE",
    "SLURM_PROCID": "SLURM_STEP_NUM_TASKS",
    "OMPI_COMM_WORLD_RANK": "OMPI_COMM_WORLD_SIZE",
    "PMI_RANK": "PMI_SIZE",
}
# A hash of all that the stage which DVC runs declares. The processes that share it inherit it.
INPUTS = "_CONVAE_INPUTS"

_parent = os.getppid()
# Here, not in `run`: what a stage imports first takes longer than some stages' work.
_started = time.monotonic()
_sources: dict[str, str] = {}


def time_limit(variable: str, default: float) -> float:
    """Read a limit in seconds from an environment variable.

    Raises
    ------
    ConvaeError
        If it is not a number above 0 and up to 1e9.
    """
    given = os.environ.get(variable, str(default))
    try:
        limit = float(given)
    except ValueError:
        limit = 0
    if not 0 < limit <= 1e9:
        raise ConvaeError(variable, f"got {given!r}", "want a number of seconds above 0 and up to 1e9")
    return limit


def time_path(stage: str, inputs: Mapping[str, Any]) -> Path:
    """Tell where it is noted how long a stage took with these inputs, in whatever checkout or experiment it ran.

    Parameters
    ----------
    stage : str
        Its name.
    inputs : mapping of str to object
        The MD5 of each file that it depends on, by its path; the value of each parameter, by ``FILE: KEY``.
    """
    content = json.dumps([stage, *sorted(inputs.items())])
    return Path(".convae/times", f"{stage}-{hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()}.json")


def is_worker() -> bool:
    """Tell whether torchrun started this process as one of several.

    ``RANK`` alone does not say so: a cluster's profile may have left it in the environment.
    """
    return {"TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE"} <= os.environ.keys()


def refuse_copies() -> None:
    """Refuse to run as one of several processes that know nothing of each other and would write the same files.

    Raises
    ------
    ConvaeError
        If a launcher other than torchrun has started several.
    """
    if is_worker() or os.environ.get("CONVAE_HOSTS", "1") != "1":
        return
    for rank, count in COPIES.items():
        number = os.environ.get(count, "")
        if rank in os.environ and number.isdecimal() and int(number) > 1:
            what = f"says that {number} processes run this stage, and each would do all the work"
            fix = f"start it once; to share a training, see docs/hosts.md; if that is not so, unset {count}"
            raise ConvaeError(count, what, fix)


def note_sources() -> None:
    """Remember the code as it is before any of it is imported; `run` compares it with what is there at the end."""
    for path in [*Path("src/convae").rglob("*.py"), *Path("stages").glob("*.py")]:
        _sources[str(path)] = file_md5(path)


def run(main: Callable[[], None]) -> None:
    """Run a stage; on bad input print one line and exit with code 1, without a traceback.

    Parameters
    ----------
    main : callable
        The stage's function, in a module named ``stages.NAME`` that is run as a program.
    """
    stage = os.environ.get("DVC_STAGE")
    worker = is_worker()
    try:
        # A worker has nothing to tidy up: it ends at once, and its launcher says why.
        if not worker and signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if stage or worker:
            threading.Thread(target=_end_with, args=[_parent], daemon=True).start()
        refuse_copies()
        if not worker:
            os.environ.pop(INPUTS, None)
        if stage and not worker:
            declared = _declared(stage)
            before = _inputs(declared) | _sources
            os.environ[INPUTS] = hashlib.sha256(json.dumps(before, sort_keys=True).encode()).hexdigest()
            main()
            after = _inputs(declared)
            _check_unchanged(before, after)
            _note_time(stage.rpartition(":")[2], after)
        else:
            main()
    except ConvaeError as error:
        _fail(f"error: {error}")
    except OSError as error:  # a full disk, a folder without permission
        _fail(f"error: {error.filename or 'input or output'}: {error.strerror or error}; mend that and run it again")
    except MemoryError as error:
        _fail(f"error: memory: is full ({error}); end other programs, or take fewer images (data.train_images)")
    except RuntimeError as error:
        if "can't start new thread" not in str(error):
            raise
        _fail("error: threads: no more can be started here; raise the limit (ulimit -u), or end other programs")
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C, while Python ends, is as quiet
        sys.exit(130)


def _declared(stage: str) -> dict[str, Any]:
    """Take from dvc.yaml what a stage reads; DVC, too, looks there only before it starts the stage."""
    # From another folder, DVC calls the stage `../dvc.yaml:NAME`.
    declared: dict[str, Any] = yaml.safe_load(PIPELINE.read_bytes())["stages"][stage.rpartition(":")[2]]
    return declared


def _inputs(declared: dict[str, Any]) -> dict[str, Any]:
    """Take the state of all that is declared."""
    params = read_params()
    states = {}
    for entry in declared.get("params", []):
        if isinstance(entry, str):
            name = interpolated(entry, params)
            states[f"{PARAMS}: {name}"] = lookup(params, name)
        else:  # keys of another file, or all of a file
            for file, keys in entry.items():
                content = read_params(Path(file))
                states |= {f"{file}: {key}": lookup(content, key) for key in keys or content}
    return states | {dep: _state(Path(dep)) for dep in (interpolated(dep, params) for dep in declared["deps"])}


def _state(path: Path) -> str:
    """Tell a file by its content, and a folder by its files' sizes and times: to read it twice may take long."""
    if not path.is_dir():
        return file_md5(path)
    # Hidden files are none of the images: a file manager may put some there at any time.
    files = (Path(root, name) for root, _, names in os.walk(path) for name in names if not name.startswith("."))
    states = sorted((os.fsencode(file), file.lstat().st_size, file.lstat().st_mtime_ns) for file in files)
    return hashlib.sha256(repr(states).encode()).hexdigest()


def file_md5(path: Path) -> str:
    """Give a file's MD5, which is what dvc.lock has of it; against mistakes, not against forgery."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except FileNotFoundError:
        return "missing"


def _check_unchanged(before: dict[str, Any], after: dict[str, Any]) -> None:
    # DVC hashes the dependencies when the command has ended: without this, it would record a result of the old ones
    # as one of the new ones.
    for name, state in after.items():
        if state != before.get(name):
            raise ConvaeError(name, "changed while the stage ran", "run `dvc repro` again")


def _fail(message: str) -> NoReturn:
    report = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if report is None or not is_worker():
        sys.exit(message)
    # One of several workers, all of which may have met the same error: the launcher prints the first one's.
    artifacts.write_json(Path(report), {"message": message, "timestamp": str(int(time.time()))})
    sys.stdout.flush()
    os._exit(1)  # at once: to leave PyTorch in good order takes seconds, in which the others wait


def _end_with(parent: int) -> None:
    """End this process when its parent, DVC or the launcher, has been killed: a later run shall not meet it."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _note_time(stage: str, inputs: dict[str, Any]) -> None:
    # DVC_ROOT is the repository from which an experiment was started: its own checkout is gone when it has ended.
    root = Path(os.environ.get("DVC_ROOT", ""))
    # dvc.lock has another hash of a folder than we do, so a folder is no part of what the time is looked up by.
    known = {name: value for name, value in inputs.items() if not Path(name).is_dir()}
    artifacts.write_json(root / time_path(stage, known), {"seconds": round(time.monotonic() - _started, 1)})
