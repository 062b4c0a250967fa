"""Share a stage's work among processes: forked on this machine, or started on several by PyTorch's torchrun."""

import contextlib
import importlib
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import joblib
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import ProcessExitedException, start_processes

from convae import artifacts
from convae.errors import ConvaeError
from convae.stage import run, time_limit

# A worker that says nothing for so many seconds hangs: a batch takes milliseconds, an epoch's test a second.
# CONVAE_SILENCE_SECONDS overrules it.
SILENCE = 120
# A worker that has lost another fails so many seconds after it: the launcher reports whichever fails first.
COURTESY = 3
# When one has failed, the others have so many seconds to end, and as many again after SIGTERM.
GRACE = 1


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
    """Choose how many processes to start: on a CPU one per available core, but no more than `most`; otherwise one.

    On a CPU, ``CONVAE_PROCESSES`` overrules it.

    Raises
    ------
    ConvaeError
        If ``CONVAE_PROCESSES`` is not a whole number from 1 to `most`.
    """
    if device.type != "cpu":
        return 1
    given = os.environ.get("CONVAE_PROCESSES")
    if given is None:
        return min(most, int(joblib.cpu_count()))
    if not given.isdecimal() or not 1 <= int(given) <= most:
        want = f"want a whole number from 1 to {most} (train.shards), or unset it"
        raise ConvaeError("CONVAE_PROCESSES", f"got {given!r}", want)
    return int(given)


def launch(main: Callable[[], None], count: int) -> None:
    """Run a stage's `main` in `count` processes and wait for them; when one fails, end the others and exit.

    Raises
    ------
    ConvaeError
        If a worker was killed.
    SystemExit
        With the failed worker's own message, or after a signal.
    """
    # The workers are on this machine: whatever its name resolves to, the loopback interface is there.
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    # It would warn of each process that it ends, around the one line that says why.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    # The first optimiser imports it; before the fork, so that the workers share its 100 MB.
    importlib.import_module("torch._dynamo")
    # A fork has PyTorch imported already, and shares that memory; macOS's own libraries do not bear one.
    method = "spawn" if sys.platform == "darwin" else "fork"
    with tempfile.TemporaryDirectory(prefix="convae-") as folder:
        workers = start_processes(  # type: ignore[no-untyped-call]
            _work, (main, count, folder, os.getpid()), count, join=False, start_method=method
        )
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, lambda number, _: sys.exit(128 + number))
        try:
            while not workers.join(grace_period=GRACE):
                pass
        except ProcessExitedException as failure:
            if failure.exit_code < 0:
                what = f"worker {failure.error_index} was ended by {failure.signal_name}"
                raise ConvaeError("train", what, "run it again") from None
            report = Path(folder, str(failure.error_index))
            # Without a report it was no ConvaeError, and the worker has printed its traceback.
            sys.exit(artifacts.read_json(report)["message"] if report.exists() else 1)
        finally:
            for process in workers.processes:
                process.kill()
                process.join()


def _work(number: int, main: Callable[[], None], count: int, folder: str, launcher: int) -> None:
    # As torchrun would set them, but for the place where the workers find each other.
    os.environ |= {"RANK": str(number), "WORLD_SIZE": str(count), "TORCHELASTIC_ERROR_FILE": f"{folder}/{number}"}
    os.environ["CONVAE_RENDEZVOUS"] = f"file://{folder}/rendezvous"
    try:
        run(main, parent=launcher)
    except Exception:
        # Any error of ours ends the process: PyTorch would pickle it for the launcher, and no pickle is loaded here.
        traceback.print_exc()
        sys.exit(1)


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Join the other workers, if a launcher started any; a worker's silence becomes an error."""
    if not started_by_launcher():
        yield
        return
    silence = timedelta(seconds=time_limit("CONVAE_SILENCE_SECONDS", SILENCE))
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    place = os.environ.get("CONVAE_RENDEZVOUS")
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, place, timeout=silence, rank=number, world_size=count)
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            raise
        time.sleep(COURTESY)
        raise ConvaeError("train", f"worker {number} lost another ({error})", "run it again") from None
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
