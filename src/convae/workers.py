"""Share a stage's work among processes, started by PyTorch's launcher (torchrun) on this machine or on several."""

import contextlib
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta

import joblib
import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from convae.errors import ConvaeError
from convae.stage import time_limit

# A worker that says nothing for so many seconds hangs: a batch takes milliseconds, an epoch's test a second.
# CONVAE_SILENCE_SECONDS overrules it.
SILENCE = 120
# A worker that has lost another fails so many seconds after it: the launcher reports whichever fails first.
COURTESY = 3


def started_by_launcher() -> bool:
    """Tell whether this process is one of several that the launcher started."""
    return "RANK" in os.environ


def rank() -> int:
    """Give this process's number; 0 writes the artifacts and prints."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Give the number of processes that share the work."""
    return dist.get_world_size() if dist.is_initialized() else 1


def processes(most: int, device: torch.device) -> int:
    """Choose how many processes to start: one per CUDA device or available core, but no more than `most`.

    ``CONVAE_PROCESSES`` overrules it.

    Raises
    ------
    ConvaeError
        If ``CONVAE_PROCESSES`` is not a whole number from 1 to `most`.
    """
    given = os.environ.get("CONVAE_PROCESSES")
    if given is not None:
        if not given.isdecimal() or not 1 <= int(given) <= most:
            raise ConvaeError(
                "CONVAE_PROCESSES",
                f"got {given!r}",
                f"want a whole number from 1 to {most} (train.shards), or unset it",
            )
        return int(given)
    available = {"cuda": torch.cuda.device_count(), "cpu": joblib.cpu_count()}
    return min(most, int(available.get(device.type, 1)))


def launch(module: str, count: int) -> None:
    """Run ``python -m module`` in `count` processes and wait for them; when one fails, end the others and exit.

    Raises
    ------
    ConvaeError
        If a worker was killed.
    SystemExit
        With the failed worker's own message, or after a signal.
    """
    # The workers are on this machine: whatever its name resolves to, the loopback interface is there.
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    os.environ["CONVAE_LAUNCHER"] = str(os.getpid())
    # Its own report of a failure is a page of log lines around the worker's one.
    for logger in ("torch.distributed.elastic", "torch.distributed.elastic.agent.server.api"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="convae-") as logs:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id="convae",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            shutdown_timeout=5,
            # Not SIGINT, which it would pass on: a worker that is still importing would print a traceback.
            signals_to_handle="SIGTERM,SIGHUP,SIGQUIT",
            logs_specs=DefaultLogsSpecs(log_dir=logs),
        )
        try:
            elastic_launch(config, sys.executable)("-m", module)
        except ChildFailedError as error:
            _, failure = error.get_first_failure()
            if failure.exitcode < 0:
                what = f"worker {failure.local_rank} was ended by {failure.signal_name()}"
                raise ConvaeError(module, what, "run it again") from None
            # Without a report, which has a timestamp, it was no ConvaeError, and the worker has printed its traceback.
            report = failure.error_file_data
            sys.exit(report["message"] if "timestamp" in report else 1)
        except SignalException as signal:
            sys.exit(128 + signal.sigval)


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Join the other workers, if the launcher started any; a worker's silence becomes an error."""
    if not started_by_launcher():
        yield
        return
    silence = timedelta(seconds=time_limit("CONVAE_SILENCE_SECONDS", SILENCE))
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=silence)
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        time.sleep(COURTESY)
        raise ConvaeError("train", f"worker {os.environ['RANK']} lost another ({error})", "run it again") from None
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def gather(mine: Tensor) -> Tensor:
    """Collect rows [N, ...], as many from each process: [processes * N, ...], by rank."""
    if world_size() == 1:
        return mine
    everyones = mine.new_empty((world_size() * len(mine), *mine.shape[1:]))
    dist.all_gather_single(everyones, mine)
    return everyones


def broadcast(content: bytes, device: torch.device) -> bytes:
    """Give everyone the bytes that process 0 holds."""
    if world_size() == 1:
        return content
    size = torch.tensor([len(content)], device=device)
    dist.broadcast(size, src=0)
    received = torch.zeros(int(size), dtype=torch.uint8, device=device)
    if rank() == 0 and content:
        received.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    dist.broadcast(received, src=0)
    return received.cpu().numpy().tobytes()
