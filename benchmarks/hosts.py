"""Time the stages that hosts can share: on half of the cores, on all, and on two hosts with half of the cores each."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.bench import Bench, say
from benchmarks.scale import PARAMS, write_data
from convae.commands.worker import SHARED

BEFORE = ("check", "download", "check_images")
ARRANGEMENTS = ("half of the cores", "all cores", "two hosts, half of the cores each")
MASTER = {"CONVAE_HOSTS": "2", "CONVAE_MASTER": "10.9.0.1:29500"}


@contextmanager
def two_hosts(folder: Path) -> Iterator[list[str]]:
    """Make two network namespaces; give the commands that enter them."""
    names = folder / "hosts"
    names.write_text("127.0.0.1 localhost host\n")
    command = [
        "unshare",
        "--map-root-user",
        "--net",
        "--mount",
        "--uts",
        "bash",
        "-e",
        "tools/network.sh",
        str(names),
        "2",
    ]
    network = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert network.stdout
        entered = "--user --net --mount --uts --preserve-credentials"
        pids = network.stdout.readline().split()
        if len(pids) != 2:
            raise SystemExit("error: benchmarks: network namespaces cannot be made here; run the other sections")
        yield [f"nsenter --target {pid} {entered}" for pid in pids]
    finally:
        os.killpg(network.pid, signal.SIGKILL)
        network.wait()


def measure_hosts(bench: Bench) -> dict[str, Any]:
    """Run the shared stages in each arrangement in turn, on several numbers of images."""
    with two_hosts(bench.folder) as entries:
        return {str(images): _measure(bench, images, entries) for images in bench.scale.sizes}


def _measure(bench: Bench, images: int, entries: list[str]) -> dict[str, Any]:
    source = write_data(bench.raw, bench.folder / "scale-data", images)
    sizes = {"data.source": str(source), "data.train_images": None, "data.test_images": None}
    first = bench.clone("first", **PARAMS, **sizes)
    for stage in BEFORE:
        bench.run(first, f"sh stages/run.sh {stage}", CONVAE_MIRROR=str(source.parent))
    second = bench.folder / "second"
    shutil.rmtree(second, ignore_errors=True)
    shutil.copytree(first, second)
    cores = sorted(map(str, os.sched_getaffinity(0)))
    half = max(1, len(cores) // 2)
    limits = [f"taskset --cpu-list {','.join(each)}" for each in (cores[:half], cores[-half:])]
    prefixes = (limits[0], "", f"{entries[0]} --wd={first} {limits[0]}")
    measured: dict[str, Any] = {stage: {name: [] for name in ARRANGEMENTS} for stage in SHARED}
    for _ in range(bench.scale.pairs):
        for name, prefix in zip(ARRANGEMENTS, prefixes, strict=True):
            variables = MASTER if name == ARRANGEMENTS[2] else {}
            if variables:
                command = f"{entries[1]} --wd={second} {limits[1]} python -m convae worker 1"
                worker = subprocess.Popen(command.split(), env={**bench.environment(second), **variables})
            try:
                for stage in SHARED:
                    seconds, _ = bench.run(first, f"{prefix} sh stages/run.sh {stage}", None, **variables)
                    measured[stage][name].append(seconds)
                    say(f"{images:,} images, {stage}, {name}: {seconds:.1f} s")
            finally:
                if variables:
                    worker.terminate()
                    worker.wait()
    return measured


def table(section: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a table."""
    sizes = sorted((each for each in section if each.isdecimal()), key=int)
    rows = []
    for size in sizes:
        for stage, measured in section[size].items():
            seconds = [f"{median(measured[name]):.1f}" for name in ARRANGEMENTS]
            ratios = [
                whole / hosts for whole, hosts in zip(*(measured[name] for name in ARRANGEMENTS[1:]), strict=True)
            ]
            ratio = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            rows.append([f"{stage}, {int(size):,} training images", *seconds, ratio])
    return ["seconds of a stage", *ARRANGEMENTS, "all cores / two hosts"], rows
