"""Train small networks here and on emulated processors, and fail where anything comes out different.

    python tests/emulated/compare.py MACHINE...

Each is `arm64`, or one that `qemu-x86_64-static -cpu help` lists: the libraries beneath PyTorch and NumPy choose their
code by a processor's vendor and its instructions.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAM = Path(__file__).with_name("small_run.py")
# What environment.sh has made.
FOLDER = Path(".convae/emulated").absolute()


def lines(machine: str) -> Iterator[tuple[str, str]]:
    """Run the program on a machine, or `here`; give each item and its hash, when it has come to it."""
    before, command = ["src", "tests"], [sys.executable]
    if machine == "arm64":
        before.append(f"{FOLDER}/packages")
        command = [f"{FOLDER}/qemu-aarch64-static", "-L", f"{FOLDER}/arm64", f"{FOLDER}/arm64/usr/bin/python3.11"]
    elif machine != "here":
        command = [f"{FOLDER}/qemu-x86_64-static", "-cpu", machine, sys.executable]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(before), "OMP_NUM_THREADS": "1"}
    if machine != "here":
        environment["LOKY_MAX_CPU_COUNT"] = "1"  # all cores here, one there: that makes no difference either
    log = FOLDER / f"{machine}.log"
    with (
        log.open("w") as errors,
        subprocess.Popen([*command, PROGRAM], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as run,
    ):
        assert run.stdout
        for line in run.stdout:
            item, _, value = line.rstrip().rpartition(": ")
            yield item, value
    if run.returncode:
        sys.exit(f"error: {machine}: ended with code {run.returncode}; see {log}")


def compare(machine: str, here: dict[str, str]) -> bool:
    """Run the program on a machine, print each hash beside the one from here, and tell whether all are the same."""
    started, there = time.monotonic(), {}
    for item, value in lines(machine):
        there[item] = value
        if item == "machine":
            print(f"\nhere:  {here[item]}\n{machine}: {value}", flush=True)
        else:
            verdict = "" if value == here[item] else "  different"
            print(f"{item:36} {here[item][:16]}  {value[:16]}{verdict}", flush=True)
    del there["machine"]
    same = all(here[item] == value for item, value in there.items()) and len(there) == len(here) - 1
    print(f"{machine}: {'all the same' if same else 'not the same'}, {time.monotonic() - started:.0f} s", flush=True)
    return same


if __name__ == "__main__":
    expected = dict(lines("here"))
    different = [machine for machine in sys.argv[1:] if not compare(machine, expected)]
    if different:
        sys.exit(f"error: {', '.join(different)}: other bytes than here; look for what rounds differently there")
