"""Measure the machine's speed and count the network's operations: ``python -m benchmarks.machine`` prints JSON.

It is a separate program, so that the one that measures memory need not load PyTorch.
"""

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import sklearn
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.reference import Autoencoder

SIDE = 2048
COPIED = 1 << 28


def multiply_adds() -> dict[str, int]:
    """Count the network's multiply-adds for one image.

    Returns
    -------
    dict of str to int
        ``forward``, and ``training``, which is forward and backward. Backward, each layer takes two products as large
        as its forward product, except the first, which needs no gradient of the image.
    """
    model, image = Autoencoder(), torch.zeros(1, 1, 28, 28)
    with FlopCounterMode(display=False) as forward:
        loss = model(image).sum()
    with FlopCounterMode(display=False) as backward:
        loss.backward()
    counts = [counter.get_total_flops() // 2 for counter in (forward, backward)]
    return {"forward": counts[0], "training": sum(counts)}


def fastest(action: Callable[[], object]) -> float:
    """Return the time of the fastest of ten calls in seconds: the one that was disturbed least."""
    times = []
    for _ in range(10):
        since = time.perf_counter()
        action()
        times.append(time.perf_counter() - since)
    return min(times)


def processor() -> str:
    """Return the processor's model on Linux, its architecture elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        lines = []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Measure one thread's rate of float32 multiply-adds, and the rate at which all threads copy memory."""
    cores = joblib.cpu_count()
    square = torch.rand(SIDE, SIDE)
    torch.set_num_threads(1)
    product_seconds = fastest(lambda: square @ square)
    torch.set_num_threads(cores)
    source, target = torch.ones(COPIED, dtype=torch.uint8), torch.zeros(COPIED, dtype=torch.uint8)
    copy_seconds = fastest(lambda: target.copy_(source))
    description = {
        "processor": processor(),
        "cores": cores,
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
    }
    rates = {
        "multiply_adds_per_second": cores * SIDE**3 / product_seconds,
        "bytes_per_second": 2 * COPIED / copy_seconds,  # each byte is read and written
    }
    print(json.dumps({"machine": description, "rates": rates, "network": multiply_adds()}))


if __name__ == "__main__":
    main()
