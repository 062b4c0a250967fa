"""Hosts with addresses of their own share stages: the same bytes as one process, or a line on each of them."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Repository, changed_stages, wait

from pipeline.test_reproducible import processes
from pipeline.test_training_processes import Training

pytestmark = pytest.mark.slow

SHARED = ("train", "evaluate", "extract", "neighbours")
REPRO = f"dvc repro --single-item {' '.join(SHARED)}"
WRITTEN = ("model", "train", "evaluate", "latents", "neighbours")
# One end of a cable on which every packet takes 50 ms; two hosts run it, with the two ends of a socket. The kernel's
# own delay, netem, is not everywhere.
CABLE = """
import collections, fcntl, os, select, socket, struct, subprocess, sys, time
tunnel = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tunnel, 0x400454CA, struct.pack("16sH", b"slow0", 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
subprocess.run(f"ip addr add {sys.argv[1]} dev slow0 && ip link set slow0 up", shell=True, check=True)
other, waiting = socket.socket(fileno=int(sys.argv[2])), collections.deque()
print("ready", flush=True)
while True:
    pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    ready, _, _ = select.select([tunnel, other], [], [], pause)
    if tunnel in ready:
        other.send(os.read(tunnel, 2**16))
    if other in ready:
        packet = other.recv(2**16)
        if not packet:  # the other end is gone
            sys.exit()
        waiting.append((time.monotonic() + 0.05, packet))
    while waiting and waiting[0][0] <= time.monotonic():
        os.write(tunnel, waiting.popleft()[1])
"""


class Cluster:
    """Hosts, each with a copy of the repository, in which the shared stages are to run."""

    def __init__(self, hosts: list[Training], entries: list[list[str]]) -> None:
        self.hosts, self.entries = hosts, entries
        self.master, self.command = "10.9.0.1:29500", REPRO
        self.started: list[subprocess.Popen[str]] = []

    def start(self, number: int, processes: int = 1, **variables: str) -> subprocess.Popen[str]:
        """Start DVC on the first host, or a worker on another one."""
        host = self.hosts[number]
        command = f"env PYTHONPATH=src python -P -m convae worker {number}" if number else self.command
        inside = shlex.quote(f"cd {host.path} && exec {command}")
        settings = {"CONVAE_HOSTS": str(len(self.hosts)), "CONVAE_MASTER": self.master}
        settings |= {"CONVAE_PROCESSES": str(processes), **variables}
        self.started.append(host.popen(f"{shlex.join(self.entries[number])} bash -c {inside}", **settings))
        return self.started[-1]

    def start_all(self, **variables: str) -> list[subprocess.Popen[str]]:
        return [self.start(number, **variables) for number in range(len(self.hosts))]

    def end(self) -> None:
        for host in self.hosts:
            for process in processes(host):
                process.kill()
        for stage in self.started:
            stage.communicate(timeout=60)


def results(host: Repository) -> dict[str, bytes]:
    """Read what the shared stages have written."""
    paths = [path for name in WRITTEN for path in (host.path / "artifacts" / name).glob("*")]
    paths.append(host.path / "metrics/losses.json")
    return {str(path.relative_to(host.path)): path.read_bytes() for path in paths if path.suffix and path.is_file()}


def forget(host: Repository) -> None:
    for name in WRITTEN:
        shutil.rmtree(host.path / "artifacts" / name, ignore_errors=True)
    (host.path / "metrics/losses.json").unlink(missing_ok=True)


def prepared(finished: Repository, folder: Path) -> Training:
    host = Training(finished, folder)
    host.set_params(**{"train.epochs": 4, "extract.split": "all"})
    forget(host)
    return host


@pytest.fixture(scope="module")
def alone(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Run the stages in one process each; give what they write."""
    host = prepared(finished, tmp_path_factory.mktemp("alone"))
    for stage in SHARED:
        host.run(f"python -m stages.{stage}")
    return results(host)


@pytest.fixture
def make_cluster(finished: Repository, tmp_path: Path) -> Iterator[Callable[[int], Cluster]]:
    """Provide a function that makes so many hosts."""
    (tmp_path / "hosts").write_text("127.0.0.1 localhost host\n")
    made: list[tuple[Cluster, subprocess.Popen[str]]] = []

    def make(count: int) -> Cluster:
        command = [
            "unshare",
            "--map-root-user",
            "--net",
            "--mount",
            "--uts",
            "bash",
            "-e",
            REPOSITORY / "tools/network.sh",
        ]
        network = subprocess.Popen(
            [*command, tmp_path / "hosts", str(count)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert network.stdout
        entered = ["--user", "--net", "--mount", "--uts", "--preserve-credentials"]
        entries = [["nsenter", "--target", pid, *entered] for pid in network.stdout.readline().split()]
        hosts = [prepared(finished, tmp_path / str(number)) for number in range(count)]
        made.append((Cluster(hosts, entries), network))
        return made[-1][0]

    yield make
    for cluster, network in made:
        cluster.end()
        os.killpg(network.pid, signal.SIGKILL)
        network.communicate()


def finishes(cluster: Cluster, first: subprocess.Popen[str], *others: subprocess.Popen[str]) -> None:
    """Wait until DVC has ended, and end the workers, which wait for further stages."""
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, (output, [other.poll() for other in others])
    for other in others:
        assert other.poll() is None, other.communicate()
        os.killpg(other.pid, signal.SIGTERM)
        assert other.communicate(timeout=60)[0] == ""
    assert output.count("epoch 4/4: ") == 1
    assert not changed_stages(cluster.hosts[0]) & {*SHARED}
    assert [results(host) for host in cluster.hosts[1:]] == [{}] * len(others)
    assert not any(list(host.scratch.iterdir()) for host in cluster.hosts)


def test_hosts_share_each_stage_in_turn_though_one_is_late_and_only_the_first_writes(
    make_cluster: Callable[[int], Cluster], alone: dict[str, bytes]
) -> None:
    cluster = make_cluster(2)
    first = cluster.start(0)
    assert first.stdout
    while "waits for 1 other host(s)" not in (line := first.stdout.readline()):
        assert line
    finishes(cluster, first, cluster.start(1, processes=2))
    assert results(cluster.hosts[0]) == alone


@pytest.mark.nightly
@pytest.mark.parametrize(("hosts", "processes"), [(1, 2), (2, 1), (3, 1), (2, 2)])
def test_any_number_of_hosts_and_processes_gives_the_bytes_of_one(
    hosts: int, processes: int, make_cluster: Callable[[int], Cluster], alone: dict[str, bytes]
) -> None:
    cluster = make_cluster(hosts)
    finishes(cluster, *[cluster.start(number, processes) for number in range(hosts)])
    assert results(cluster.hosts[0]) == alone


@pytest.mark.nightly
@pytest.mark.parametrize("stage", SHARED)
def test_processes_of_torchrun_share_each_stage(
    stage: str, finished: Repository, tmp_path: Path, alone: dict[str, bytes]
) -> None:
    host = prepared(finished, tmp_path)
    for each in SHARED[: SHARED.index(stage)]:
        host.run(f"python -m stages.{each}")
    host.run(f"python -m torch.distributed.run --standalone --nproc-per-node=3 -m stages.{stage}")
    found = results(host)
    assert found == {name: alone[name] for name in found}


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("lost", "number"),
    [
        (1, signal.SIGKILL),
        (0, signal.SIGKILL),
        (1, signal.SIGSTOP),
        (0, signal.SIGSTOP),
    ],
)
def test_when_a_host_is_lost_the_other_ends_in_a_line_and_the_first_goes_on_alone_to_the_same_bytes(
    lost: int, number: signal.Signals, make_cluster: Callable[[int], Cluster], alone: dict[str, bytes]
) -> None:
    cluster = make_cluster(2)
    stages = cluster.start_all(CONVAE_SILENCE_SECONDS="120" if number == signal.SIGKILL else "15")
    first = cluster.hosts[0]
    first.wait_until((first.path / "artifacts/train/history.csv").exists, stages[0])
    for process in processes(cluster.hosts[lost]):
        process.send_signal(number)
    says_that_another_is_lost(cluster, 1 - lost)
    for process in processes(cluster.hosts[lost]):  # those that were only stopped
        process.kill()
    wait(lambda: not processes(cluster.hosts[lost]))
    assert first.goes_on() == alone["artifacts/model/weights.safetensors"]


def says_that_another_is_lost(cluster: Cluster, number: int) -> None:
    started = time.monotonic()
    _, output = cluster.hosts[number].has_ended(cluster.started[number])
    print(f"host {number} ended after {time.monotonic() - started:.1f} s: {output}")
    assert re.search(rf"^error: train: worker {number} lost another \(.+\); run it again\n", output, re.MULTILINE), (
        output
    )


@pytest.mark.nightly
def test_when_a_cable_is_cut_both_sides_end_in_a_line_after_the_time_of_silence(
    make_cluster: Callable[[int], Cluster],
) -> None:
    cluster = make_cluster(2)
    stages = cluster.start_all(CONVAE_SILENCE_SECONDS="15")
    first = cluster.hosts[0]
    first.wait_until((first.path / "artifacts/train/history.csv").exists, stages[0])
    subprocess.run([*cluster.entries[1], "ip", "link", "set", "eth0", "down"], check=True)
    for number in (0, 1):
        says_that_another_is_lost(cluster, number)


def test_a_process_that_is_killed_is_named_on_both_hosts_and_the_first_goes_on_alone_to_the_same_bytes(
    make_cluster: Callable[[int], Cluster], alone: dict[str, bytes]
) -> None:
    cluster = make_cluster(2)
    stages = cluster.start_all()
    first, second = cluster.hosts
    first.wait_until((first.path / "artifacts/train/history.csv").exists, stages[0])
    (worker,) = [each for each in processes(second) if "RANK" in each.environ()]
    worker.kill()
    line = "train: worker 1 was ended by SIGKILL, probably because memory was full; "
    assert f"error: train: on host: {line}" in first.has_ended(stages[0])[1]
    assert f"error: {line}" in second.has_ended(stages[1])[1]
    assert first.goes_on() == alone["artifacts/model/weights.safetensors"]


@pytest.mark.nightly
def test_a_host_that_fails_before_it_meets_the_others_lets_them_end(make_cluster: Callable[[int], Cluster]) -> None:
    cluster = make_cluster(2)
    stages = [cluster.start(0), cluster.start(1, CONVAE_DEVICE="none")]
    lines = [host.has_ended(stage)[1] for host, stage in zip(cluster.hosts, stages, strict=True)]
    assert "error: train: on host: CONVAE_DEVICE: got 'none'; want cpu or cuda" in lines[0]
    assert "error: CONVAE_DEVICE: got 'none'; want cpu or cuda" in lines[1]


def test_hosts_with_other_parameters_and_data_are_refused_on_both_before_anything_is_written(
    make_cluster: Callable[[int], Cluster],
) -> None:
    cluster = make_cluster(2)
    second = cluster.hosts[1]
    second.set_params(**{"train.learning_rate": 0.5})
    data = second.path / "artifacts/data/test_images.npy"
    images = np.load(data)
    data.unlink()  # DVC's cache has it, too
    np.save(data, images[::-1])
    stages = cluster.start_all()
    outputs = [host.has_ended(stage)[1] for host, stage in zip(cluster.hosts, stages, strict=True)]
    line = (
        "error: train: worker 1 on host and worker 0 on host differ in parameters (train.learning_rate), "
        "data (test_images.npy); give all hosts the same commit, params.yaml, artifacts/data and packages, "
        "and run it again"
    )
    assert [output.splitlines().count(line) for output in outputs] == [1, 1], outputs
    assert not any(list(Path(host.environment["CONVAE_CHECKPOINTS"]).glob("*")) for host in cluster.hosts)


@pytest.mark.nightly
@pytest.mark.parametrize("stage", ["evaluate", "extract"])
def test_a_later_stage_too_is_refused_with_other_data_before_anything_is_written(
    stage: str, make_cluster: Callable[[int], Cluster]
) -> None:
    cluster = make_cluster(2)
    first, second = cluster.hosts
    data = second.path / "artifacts/data/test_images.npy"
    images = np.load(data)
    data.unlink()
    np.save(data, images[::-1])
    first.run("python -m stages.train")
    before = results(first)
    cluster.command = f"python -m stages.{stage}"
    outputs = [each.communicate(timeout=120)[0] for each in cluster.start_all()]
    line = f"error: {stage}: worker 1 on host and worker 0 on host differ in data (test_images.npy); "
    assert [output.count(line) for output in outputs] == [1, 1], outputs
    assert results(first) == before


@pytest.mark.nightly
def test_packets_that_take_50_ms_change_no_byte(
    make_cluster: Callable[[int], Cluster], alone: dict[str, bytes]
) -> None:
    cluster = make_cluster(2)
    cluster.master = "10.9.1.1:29500"
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    relays = []
    for number, (entry, end) in enumerate(zip(cluster.entries, ends, strict=True), 1):
        command = [*entry, sys.executable, "-c", CABLE, f"10.9.1.{number}/24", str(end.fileno())]
        relays.append(subprocess.Popen(command, pass_fds=[end.fileno()], stdout=subprocess.PIPE, text=True))
        end.close()
        assert relays[-1].stdout.readline() == "ready\n"  # type: ignore[union-attr]
    try:
        finishes(cluster, *cluster.start_all())
    finally:
        for relay in relays:
            relay.kill()
            relay.communicate()
    assert results(cluster.hosts[0]) == alone
