"""Connect the processes that PyTorch's torchrun has started, on one or several hosts, and end them together."""

import contextlib
import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
import torch
import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from convae.errors import ConvaeError
from convae.hosts.ranks import rank, world_size
from convae.progress import program
from convae.stage import is_worker, time_limit

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

Answer = TypeVar("Answer")
# Seconds without a message after which a process counts as failed; CONVAE_SILENCE_SECONDS overrides it. A batch takes
# milliseconds, and the test after an epoch takes a second.
SILENCE = 120
# Seconds that a process waits before it fails because another one has failed: torchrun reports the first failure.
GRACE_SECONDS = 3
# Seconds within which the store answers, if it can be reached.
ANSWER_SECONDS = 1
# What the processes and hosts tell each other before and beside the work itself, by the store that torchrun keeps.
FAILED, ADDRESS, RUN = "convae/failed", "convae/address", "convae/run"


@contextlib.contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Connect to the other processes if torchrun has started any, and end together with them.

    A process that fails tells the others why; one that stays silent becomes an error.
    """
    if not is_worker():
        yield
        return
    silence = timedelta(seconds=time_limit("CONVAE_SILENCE_SECONDS", SILENCE))
    number = int(os.environ["RANK"])
    store = None
    try:
        try:
            store, _, count = next(rendezvous("env://", timeout=silence))
            _choose_interface(store, number, count)
            if device.type == "cuda":
                torch.cuda.set_device(device)
            backend = "nccl" if device.type == "cuda" else "gloo"
            dist.init_process_group(backend, store=store, timeout=silence, rank=number, world_size=count)
        except (RuntimeError, ValueError) as error:
            told = _told_meanwhile(store)
            fix = (
                "see that their hosts reach each other (GLOO_SOCKET_IFNAME names the interface) and that the limits of "
                "threads and files (ulimit -u, -n) are high enough"
            )
            raise told or ConvaeError(program(), f"worker {number} cannot meet the others ({error})", fix) from None
        yield
        dist.barrier()  # until process 0 has written the results
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error).lower():
            _tell(store, number, error)
            raise
        told = _told_meanwhile(store)
        # Without the line of gloo's source, and what it says of itself.
        reason = re.sub(r"^\[\S+:\d+\] ", "", str(error)).partition(". ")[0]
        raise told or ConvaeError(program(), f"worker {number} lost another ({reason})", "run it again") from None
    except Exception as error:
        _tell(store, number, error)
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def agree(run: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse to share a run with processes for which something that determines its result is different.

    Parameters
    ----------
    run : mapping of str to mapping
        What determines the result, by kind, such as ``code``; each is a mapping of names to JSON values.

    Raises
    ------
    ConvaeError
        In all processes, if one of them differs from process 0.
    """
    if world_size() == 1:
        return
    store = dist.distributed_c10d._get_default_store()
    store.set(f"{RUN}/{rank()}", json.dumps([socket.gethostname(), run]))
    dist.barrier()  # which also fails if a process has ended before it came so far
    (first, wanted), *others = (json.loads(store.get(f"{RUN}/{number}")) for number in range(world_size()))
    dist.barrier()  # the store ends with the first process that fails
    for number, (host, found) in enumerate(others, 1):
        if different := differences(wanted, found):
            what = f"worker {number} on {host} and worker 0 on {first} differ in {', '.join(different)}"
            fix = "give all hosts the same commit, params.yaml, artifacts/data and packages, and run it again"
            raise ConvaeError(program(), what, fix)


def differences(wanted: Mapping[str, Mapping[str, Any]], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name the kinds in which two runs differ, each with up to three names, as in ``parameters (train.seed)``."""
    described = []
    for kind in wanted:
        ours, theirs = wanted[kind], found.get(kind, {})
        names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
        if names:
            described.append(f"{kind} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
    return described


def _tell(store: "Store | None", number: int, error: Exception) -> None:
    """Tell the other processes why this one fails, if they can still be reached."""
    reason = str(error) if isinstance(error, ConvaeError) else f"{type(error).__name__}: {error}"
    if store is not None:
        tell(store, f"worker {number} on {socket.gethostname()} failed: {reason}")


def tell(store: "Store", failure: str) -> None:
    """Tell the processes of all hosts what has failed, unless one was faster, if they can still be reached."""
    with contextlib.suppress(RuntimeError):
        _ask(lambda: store.compare_set(FAILED, "", failure))


def _told_meanwhile(store: "Store | None") -> ConvaeError | None:
    """Let the process that failed first end first; return what it, or what started it, has told of the failure."""
    told, deadline = None, time.monotonic() + GRACE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError):
            told = told or (_told(store) if store is not None else None)
        time.sleep(0.1)
    return told


def _told(store: "Store") -> ConvaeError | None:
    """Return what another process has told of its failure."""
    failure = _read(store, FAILED)
    return ConvaeError(program(), failure, "mend that and run it again") if failure else None


def _read(store: "Store", key: str) -> str | None:
    """Return what another process has put into the store, if anything."""
    return _ask(lambda: bytes(store.get(key)).decode() if store.check([key]) else None)


def _ask(question: Callable[[], Answer]) -> Answer | None:
    """Put a question to the store, and wait for a second: to one that is cut off, PyTorch would wait for ever."""
    answers: list[Answer] = []
    errors: list[RuntimeError] = []

    def ask() -> None:
        try:
            answers.append(question())
        except RuntimeError as error:
            errors.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    if errors:
        raise errors[0]
    return answers[0] if answers else None


def _choose_interface(store: "Store", number: int, count: int) -> None:
    """Let gloo use the network interface of the route to the other hosts, unless GLOO_SOCKET_IFNAME names one.

    By default, gloo takes the one that the host's own name stands for, which on many hosts is the loopback interface.
    """
    own = "" if "GLOO_SOCKET_IFNAME" in os.environ else local_address(os.environ["MASTER_ADDR"])
    store.set(f"{ADDRESS}/{number}", own)
    # Each process asks the store, so that those that name an interface and those that do not can be mixed.
    others = [_wait_for(store, f"{ADDRESS}/{each}") for each in range(count)]
    if not own:
        return
    # On the first host, the address of the store may be one of the loopback interface. The others' are not.
    remote = next((each for each in others if each and not is_loopback(each)), None)
    if is_loopback(own) and remote:
        own = local_address(remote)
    if interface := interface_of(own):
        os.environ["GLOO_SOCKET_IFNAME"] = interface


def _wait_for(store: "Store", key: str) -> str:
    """Return what another process puts into the store, or fail as soon as one has told of a failure."""
    deadline = time.monotonic() + time_limit("CONVAE_SILENCE_SECONDS", SILENCE)
    while (found := _read(store, key)) is None:
        if told := _told(store):
            raise told
        if time.monotonic() > deadline:
            raise RuntimeError("one of them is silent")
        time.sleep(0.1)
    return found


def local_address(host: str) -> str:
    """Return the address of this host from which packets to another one go; no packet is sent.

    Raises
    ------
    RuntimeError
        If there is no route.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)
            return str(probe.getsockname()[0])
    except OSError as error:
        raise RuntimeError(f"no route to {host}: {error.strerror or error}") from None


def is_loopback(address: str) -> bool:
    """Tell whether an address leads back to this host."""
    return address == "::1" or address.startswith("127.")


def interface_of(address: str) -> str | None:
    """Return the name of the network interface that has an address."""
    # Any of 127.0.0.0/8 is the loopback interface's, which lists one of them.
    wanted = "127.0.0.1" if address.startswith("127.") else address
    for name, addresses in psutil.net_if_addrs().items():
        if any(each.address.partition("%")[0] == wanted for each in addresses):
            return str(name)
    return None
