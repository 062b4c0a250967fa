"""Start the processes that share a training, on this host and on others, by PyTorch's torchrun."""

import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from convae.errors import ConvaeError, killed
from convae.progress import log
from convae.stage import is_worker, time_limit
from convae.training.devices import default_device, device_errors
from convae.training.hosts import process_group

HOSTS, PROCESSES, MASTER, MEET = "CONVAE_HOSTS", "CONVAE_PROCESSES", "CONVAE_MASTER", "CONVAE_MEET_SECONDS"
# Seconds that a host waits for the others, which may have stages of their own to run first.
MEET_SECONDS = 600
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def shared(main: Callable[[torch.device], None]) -> Callable[[], None]:
    """Return a stage that calls `main` with a device, here or in the processes that the environment asks for."""

    def run() -> None:
        if not is_worker() and (hosts() > 1 or processes() > 1):
            launch(0)
            return
        device = default_device()
        with device_errors(device), process_group(device):
            main(device)

    return run


def hosts() -> int:
    """Return how many hosts share the work."""
    return _count(HOSTS)


def processes() -> int:
    """Return how many processes this host has to start."""
    return _count(PROCESSES)


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


def wait_for_master(address: str, port: int) -> None:
    """Wait until the training has begun on the first host.

    Raises
    ------
    ConvaeError
        If it has not within the time for the hosts to meet.
    """
    limit = time_limit(MEET, MEET_SECONDS)
    deadline = time.monotonic() + limit
    while True:
        try:
            socket.create_connection((address, port), timeout=5).close()
        except OSError as error:
            if time.monotonic() > deadline:
                what = f"no training began at {address}:{port} within {limit:g} s ({error})"
                fix = f"see that {MASTER} is right, or set {MEET} higher; on the host that runs DVC, set {HOSTS}"
                raise ConvaeError(MASTER, what, fix) from None
            time.sleep(0.2)
        else:
            return


def launch(host: int) -> None:
    """Run the stage ``train`` in this host's processes, and end when they have ended.

    Parameters
    ----------
    host : int
        This host's number: 0 for the one that runs DVC.

    Raises
    ------
    ConvaeError
        If the other hosts do not come, or a process is killed.
    SystemExit
        With the line of the process that failed first.
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
        with tempfile.TemporaryDirectory(prefix="convae-") as folder:
            config = LaunchConfig(
                min_nodes=count,
                max_nodes=count,
                nproc_per_node=processes(),
                run_id="convae",
                logs_specs=DefaultLogsSpecs(folder),
                rdzv_backend="static",
                rdzv_endpoint=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
                rdzv_configs={"rank": host, "timeout": limit},
                max_restarts=0,
                signals_to_handle=",".join(each.name for each in heeded),
            )
            elastic_launch(config, "sh")("stages/run.sh", "train")
    except ChildFailedError as failed:
        number, failure = failed.get_first_failure()
        if failure.message.startswith("error: "):
            sys.exit(failure.message)
        if failure.exitcode == -signal.SIGKILL:
            fewer = f"run it again with fewer processes ({PROCESSES}), smaller images (data.image_size)"
            raise killed("train", f"worker {number}", fewer) from None
        if failure.exitcode < 0:
            what = f"worker {number} was ended by {failure.signal_name()}"
            raise ConvaeError("train", what, "run it again") from None
        raise ConvaeError("train", f"worker {number} failed", "see its lines above") from None
    except SignalException as ended:
        sys.exit(128 + ended.sigval.value)
    except RuntimeError as error:  # of the store at which the hosts meet
        what = f"{count} hosts did not meet at {address}:{port} ({error})"
        fix = f"run `convae worker` on each other host within {limit:g} s ({MEET}), all with the same {HOSTS}"
        raise ConvaeError(MASTER, what, fix) from None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
