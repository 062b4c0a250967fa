"""Start the processes that share a stage, on this host and on others, by PyTorch's torchrun."""

import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import joblib
import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from convae.errors import ConvaeError, killed
from convae.hosts.devices import default_device, device_errors
from convae.hosts.group import process_group, tell
from convae.progress import log, program
from convae.stage import is_worker, time_limit

HOSTS, PROCESSES, MASTER, MEET = "CONVAE_HOSTS", "CONVAE_PROCESSES", "CONVAE_MASTER", "CONVAE_MEET_SECONDS"
# Seconds that a host waits for the others, which may have stages of their own to run first.
MEET_SECONDS = 600
# What the first host tells the others: the stage that they share now.
STAGE = "convae/stage"
# The stages that use GPUs, one for each process. The others start one process on each host, which uses all its cores.
ON_GPUS = ("train",)
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def shared(main: Callable[[torch.device], None]) -> Callable[[], None]:
    """Return a stage that calls `main` with a device, here or in the processes that the environment asks for."""

    def run() -> None:
        stage = program()
        if not is_worker() and (hosts() > 1 or processes(stage) > 1):
            launch(0, stage)
            return
        device = default_device() if stage in ON_GPUS else torch.device("cpu")
        with device_errors(device), process_group(device):
            main(device)

    return run


def hosts() -> int:
    """Return how many hosts share the work."""
    return _count(HOSTS)


def processes(stage: str) -> int:
    """Return how many processes this host has to start for a stage."""
    return _count(PROCESSES) if stage in ON_GPUS else 1


def _count(variable: str) -> int:
    given = os.environ.get(variable, "1")
    if not given.isdecimal() or not 1 <= int(given) <= 10_000:
        raise ConvaeError(variable, f"got {given[:80]!r}", "want a whole number from 1 to 10000, or leave it unset")
    return int(given)


def master() -> tuple[str, int]:
    """Return the address and the port at which the hosts meet: those of the first host, which runs DVC."""
    given = os.environ.get(MASTER, "")
    address, _, port = given.rpartition(":")
    if not address or not port.isdecimal() or not 0 < int(port) < 2**16:
        fix = "want ADDRESS:PORT of the host that runs DVC, such as 10.0.0.1:29500"
        raise ConvaeError(MASTER, f"got {given[:80]!r}" if given else "is not set", fix)
    return address.strip("[]"), int(port)


def next_stage(last: str) -> str:
    """Wait until the first host begins to share a stage.

    Parameters
    ----------
    last : str
        What this function returned before, so that a stage that ends is not taken for the next one; at first, nothing.

    Returns
    -------
    str
        The stage's name, and what tells its run from others. Nothing if this host has shared a stage before, and no
        other one begins within the time for the hosts to meet.

    Raises
    ------
    ConvaeError
        If none at all begins within that time.
    """
    address, port = master()
    limit = time_limit(MEET, MEET_SECONDS)
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), timeout=5).close()
            begun = bytes(_store(address, port, False, 5).get(STAGE)).decode()
        except (OSError, RuntimeError) as found:
            error: Exception | str = found
        else:
            if begun != last:
                return begun
            error = "the last one ends"
        time.sleep(0.2)
    if last:
        return ""
    what = f"no stage to share began at {address}:{port} within {limit:g} s ({error})"
    fix = f"see that {MASTER} is right, or set {MEET} higher; on the host that runs DVC, set {HOSTS}"
    raise ConvaeError(MASTER, what, fix)


def _store(address: str, port: int, first: bool, limit: float) -> TCPStore:
    """Connect to the store at which the hosts meet; the first host makes it, and torchrun there uses the same."""
    return TCPStore(address, port, None, first, timedelta(seconds=limit), wait_for_workers=False, multi_tenant=True)


def launch(host: int, stage: str) -> None:
    """Run a stage in this host's processes, and end when they have ended.

    Parameters
    ----------
    host : int
        This host's number: 0 for the one that runs DVC.
    stage : str
        The stage's name.

    Raises
    ------
    ConvaeError
        If the other hosts do not come.
    SystemExit
        With a line that says why the first process failed.
    """
    # While PyTorch waits for other hosts, no handler in Python is called. What is ignored, as under nohup, stays so.
    heeded = [each for each in ENDING if signal.getsignal(each) is not signal.SIG_IGN]
    for each in heeded:
        signal.signal(each, signal.SIG_DFL)
    count, limit = hosts(), time_limit(MEET, MEET_SECONDS)
    address, port = master() if count > 1 else ("127.0.0.1", _free_port())
    # The processes run the Python of this one, in their own environment, as a stage.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if host == 0 and count > 1:
        log(f"waits for {count - 1} other host(s) at {address}:{port}, where `convae worker` has to run")

    logging.disable()  # what torchrun says of processes that end, beside the line of the first that fails
    try:
        store = _store(address, port, host == 0, limit)
        if host == 0:
            store.set(STAGE, f"{stage} {time.time_ns()}")
        with tempfile.TemporaryDirectory(prefix="convae-") as folder:
            config = LaunchConfig(
                min_nodes=count,
                max_nodes=count,
                nproc_per_node=processes(stage),
                run_id="convae",
                logs_specs=DefaultLogsSpecs(folder),
                rdzv_backend="static",
                rdzv_endpoint=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
                rdzv_configs={"rank": host, "timeout": limit},
                max_restarts=0,
                signals_to_handle=",".join(each.name for each in heeded),
            )
            cores = max(1, joblib.cpu_count() // processes(stage))  # which the processes of a host share
            elastic_launch(config, "env")(f"LOKY_MAX_CPU_COUNT={cores}", "sh", "stages/run.sh", stage)
    except ChildFailedError as failed:
        line = _line(stage, failed)
        tell(store, f"on {socket.gethostname()}: {line}")  # which a process that was killed could not do
        sys.exit(f"error: {line}")
    except SignalException as ended:
        sys.exit(128 + ended.sigval.value)
    except RuntimeError as error:  # of the store at which the hosts meet
        what = f"{count} hosts did not meet at {address}:{port} ({error})"
        fix = f"run `convae worker` on each other host within {limit:g} s ({MEET}), all with the same {HOSTS}"
        raise ConvaeError(MASTER, what, fix) from None
    finally:
        for each in heeded:  # torchrun has set its own
            signal.signal(each, signal.SIG_DFL)


def _line(stage: str, failed: ChildFailedError) -> str:
    """Say why the process that failed first has failed."""
    number, failure = failed.get_first_failure()
    if failure.message.startswith("error: "):
        return str(failure.message.removeprefix("error: "))
    if failure.exitcode == -signal.SIGKILL:
        less = f"processes ({PROCESSES})" if processes(stage) > 1 else "cores (LOKY_MAX_CPU_COUNT)"
        fewer = f"run it again with fewer {less}, smaller images (data.image_size)"
        return str(killed(stage, f"worker {number}", fewer))
    if failure.exitcode < 0:
        return str(ConvaeError(stage, f"worker {number} was ended by {failure.signal_name()}", "run it again"))
    return str(ConvaeError(stage, f"worker {number} failed", "see its lines above"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
