"""Share a stage's work among processes: forked on this machine, or started on several by PyTorch's torchrun."""

import contextlib
import fcntl
import logging
import multiprocessing
import os
import shutil
import signal
import socket
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
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, start_processes

from convae import artifacts
from convae.errors import ConvaeError
from convae.stage import is_worker, run, time_limit

# A worker that says nothing for so many seconds hangs: a batch takes milliseconds, an epoch's test a second.
# CONVAE_SILENCE_SECONDS overrules it.
SILENCE = 120
# A worker that has lost another fails so many seconds after it: the launcher reports whichever fails first.
COURTESY = 3
# When one has failed, the others have so many seconds to end, and as many again after SIGTERM.
GRACE = 1
# What ends a training; each, but not one that was ignored at the start, as `nohup` has SIGHUP ignored.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


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
    if given is not None and (not given.isdecimal() or not 1 <= int(given) <= most):
        want = f"want a whole number from 1 to {most} (train.shards), or unset it"
        raise ConvaeError("CONVAE_PROCESSES", f"got {given!r}", want)
    return int(given) if given else min(most, int(joblib.cpu_count()))


def launch(main: Callable[[], None], most: int, device: torch.device) -> bool:
    """Run a stage's `main` in as many processes as `processes` says, each on one thread, unless this is one of them.

    Parameters
    ----------
    main : callable
        The stage's function.
    most : int
        How many processes can share the work.
    device : torch.device
        Where they compute.

    Returns
    -------
    bool
        Whether it was run, to its end. If not, this process has to do the work: as one of several, or alone, because
        one is enough or several cannot be started here.

    Raises
    ------
    ConvaeError
        If a worker was killed.
    SystemExit
        With the failed worker's own message, or after a signal.
    """
    torch.set_num_threads(1)
    if is_worker() or (count := processes(most, device)) == 1:
        return False
    # The workers are on this machine: whatever its name resolves to, or a cluster's profile says, loopback is there.
    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"
    os.environ.pop("GLOO_DEVICE_TRANSPORT", None)
    # It would warn of each process that it ends, around the one line that says why.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)
    # Noted, not raised: an exception in the midst of a fork would be lost.
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, lambda number, _: received.append(number))
    folder = None
    try:
        try:
            folder = tempfile.mkdtemp(prefix="convae-")
            _try_to_meet(folder, count)
            # A fork has PyTorch imported already, and shares that memory; macOS's own libraries do not bear one.
            workers = start_processes(  # type: ignore[no-untyped-call]
                _work,
                (main, count, folder, os.getpid()),
                count,
                join=False,
                start_method="spawn" if sys.platform == "darwin" else "fork",
            )
        except OSError as error:
            if received:
                sys.exit(128 + received[0])
            for number, handler in before.items():
                signal.signal(number, handler)
            print(f"train: several processes cannot be started here ({error}), so one does it all")
            return False
        _wait(workers, Path(folder), received)
    finally:
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
    return True


def _try_to_meet(folder: str, count: int) -> None:
    """Do once what the workers will; raise an ``OSError`` if they could not meet by a file in a folder and loopback."""
    with contextlib.ExitStack() as files:
        file = files.enter_context(tempfile.NamedTemporaryFile(dir=folder))
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(bytes(1 << 16))
        server = files.enter_context(socket.create_server(("127.0.0.1", 0)))
        files.enter_context(socket.create_connection(server.getsockname(), timeout=1))
        for _ in range(4 * count + 8):  # more than each has open at the same time
            files.enter_context(socket.socket())


def _wait(workers: ProcessContext, folder: Path, received: list[int]) -> None:
    """Wait until all workers have ended, or one has failed, or a signal has been received."""
    try:
        while not workers.join(timeout=0.2, grace_period=GRACE):
            if received:
                sys.exit(128 + received[0])
    except ProcessExitedException as failure:
        if received:  # as the workers have, from a terminal
            sys.exit(128 + received[0])
        if failure.exit_code < 0:
            what = f"worker {failure.error_index} was ended by {failure.signal_name}"
            raise ConvaeError("train", what, "run it again") from None
        report = folder / str(failure.error_index)
        # Without a report it was no ConvaeError, and the worker has printed its traceback.
        sys.exit(artifacts.read_json(report)["message"] if report.exists() else 1)


def _work(number: int, main: Callable[[], None], count: int, folder: str, launcher: int) -> None:
    for each in SIGNALS:
        if signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
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
    if not is_worker():
        yield
        return
    silence = timedelta(seconds=time_limit("CONVAE_SILENCE_SECONDS", SILENCE))
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    place = os.environ.get("CONVAE_RENDEZVOUS")
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        try:
            dist.init_process_group(backend, place, timeout=silence, rank=number, world_size=count)
        except (RuntimeError, ValueError) as error:
            time.sleep(COURTESY)
            fix = (
                "see that their hosts reach each other (GLOO_SOCKET_IFNAME names the interface) and that the limits of "
                "threads and files (ulimit -u, -n) are high enough, or set CONVAE_PROCESSES=1"
            )
            raise ConvaeError("train", f"worker {number} cannot meet the others ({error})", fix) from None
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
