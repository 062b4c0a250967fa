"""Prepare a stage's process before any library is imported: its environment, Ctrl-C, and modules that are not there."""

import gc
import logging
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from convae.errors import ConvaeError

# Environment variables of libraries, removed because they change how numbers round (the kernels of oneDNN, OpenBLAS
# and PyTorch) or, if malformed, make an import fail. With any of the last four, OpenMP starts fewer threads than
# scikit-learn asks for, and scikit-learn then reads uninitialised memory as the results of the missing threads.
NOT_OURS = (
    *("ATEN_", "DNNL_", "JOBLIB_", "LOKY_", "MKL_", "NPY_", "ONEDNN_", "OPENBLAS_", "SCIPY_", "SKLEARN_"),
    *("TORCH_LOGS", "TQDM_"),
    *("OMP_DYNAMIC", "OMP_THREAD_LIMIT", "KMP_DYNAMIC_MODE", "KMP_TEAMS_THREAD_LIMIT"),
)
# OpenBLAS and NumPy choose their functions by the processor, and those for AVX-512 round differently from those for
# AVX2. These settings choose AVX2 and FMA, which most of Intel's processors have since 2013 and AMD's since 2015.
ANY_PROCESSOR = {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
PROCESSOR = Path("/proc/cpuinfo")
# How many cores there are to use.
CORES = "LOKY_MAX_CPU_COUNT"


def prepare() -> None:
    """Make rounding the same everywhere, end quietly on Ctrl-C, explain a missing module in one line.

    What the environment holds for other programs is left out of it. With what is set instead, NumPy, SciPy and OpenBLAS
    give the same bytes on all x86-64 processors with AVX2 and FMA that run Linux.

    Raises
    ------
    SystemExit
        With a line that says why, if the variable that tells how many cores there are to use is no number of them.
    """
    for name in [name for name in os.environ if name.startswith(NOT_OURS) and name != CORES]:
        del os.environ[name]
    if (cores := os.environ.get(CORES)) is not None and not re.fullmatch(r" *0*[1-9][0-9]{0,5} *", cores):
        sys.exit(f"error: {ConvaeError(CORES, f'got {cores[:80]!r}', 'want a whole number above 0, or unset it')}")
    # Training needs no such choice: its sums are exact, and the processor's own functions are the fastest.
    if has_avx2_and_fma() and "stages.train" not in sys.orig_argv:
        os.environ.update(ANY_PROCESSOR)
    # Threads that wait by spinning take the time of those that work, where cores are shared with other programs.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # One: on more, sums round differently, and each copy of the library would start one for each core as it is loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # PyTorch warns of hosts that have no name and of connections that are not there yet.
    os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"
    # Imports make hundreds of thousands of objects that stay; Python would look through all of them time and again.
    gc.set_threshold(100_000)
    # What Pillow logs about a damaged image does not name the file.
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    # Until `convae.stage.run` is reached, which the imports delay by seconds, Ctrl-C ends the process at once and
    # without a word: an exception could be lost in a library's import. Where it is ignored, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.excepthook = report_missing_module


def has_avx2_and_fma() -> bool:
    """Tell whether the processor has AVX2 and FMA, as Linux lists its features; False where that cannot be told."""
    with suppress(OSError), PROCESSOR.open(encoding="ascii", errors="replace") as lines:
        features = next((line for line in lines if line.startswith("flags")), "")
        return {"avx2", "fma"} <= set(features.split())
    return False


def report_missing_module(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Say in one line what to do about a module that is not there; any other error keeps its traceback."""
    name = error.name if isinstance(error, ImportError) else None
    ours = name is not None and name.split(".")[0] in ("convae", "stages")
    what = "is no module here" if isinstance(error, ModuleNotFoundError) else ""
    if ours and not what and hasattr(sys.modules.get(str(name)), "__path__"):
        what = str(error).partition(" (")[0]  # of a package, as in `from convae.views import figures`
    if not name or not what:
        sys.__excepthook__(kind, error, traceback)
        return
    if ours:
        fix = "`git add` its file, if it is new: the checkout of an experiment has only what Git tracks"
    else:
        fix = f"activate the environment that has it (. .venv/bin/activate); this is {sys.executable}"
    print(f"error: {name}: {what}; {fix}", file=sys.stderr)
