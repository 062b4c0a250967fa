"""What a stage's process is prepared with, before any library is imported."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, python, require

from convae import startup

FEATURES = Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
SHOW = """
from convae.startup import prepare
prepare()
import json, warnings
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    import numpy, scipy.linalg
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from threadpoolctl import threadpool_info
kernels = [library["architecture"] for library in threadpool_info() if library["user_api"] == "blas"]
unknown = [str(each.message) for each in warned if "NPY_" in str(each.message)]
print(json.dumps([kernels, [name for name in __cpu_dispatch__ if __cpu_features__[name]], unknown]))
"""


def require_avx2() -> None:
    require({"avx2", "fma"} <= set(FEATURES), "the processor has no AVX2 or no FMA")


def test_numpy_and_both_openblas_do_on_any_processor_what_they_do_on_one_with_avx2() -> None:
    require_avx2()
    others = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3"}
    (found,) = python(SHOW, **others)
    # Two libraries: NumPy's and SciPy's. No AVX-512, whatever the processor has; no word of features that it lacks.
    assert json.loads(found) == [["Haswell", "Haswell"], ["X86_V3"], []]


LISTED = {
    "vendor_id\t: GenuineIntel\nflags\t\t: fpu sse4_2 fma avx avx2 bmi2\nbugs\t\t: fma\n": True,
    "flags\t\t: avx2 fma avx512f\n\nflags\t\t: avx2 fma avx512f\n": True,
    "flags\t\t: avx avx2 fma4\n": False,
    "flags\t\t: avx fma\n": False,
    "processor\t: 0\nFeatures\t: fp asimd atomics\n": False,  # 64-bit ARM
    "": False,
}


def test_a_processor_is_asked_for_avx2_and_fma_and_nothing_is_assumed_where_none_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "PROCESSOR", tmp_path / "cpuinfo")
    assert not startup.has_avx2_and_fma()
    for listed, has in LISTED.items():
        (tmp_path / "cpuinfo").write_text(listed)
        assert startup.has_avx2_and_fma() == has, listed


@pytest.mark.parametrize("command", ["sh stages/run.sh check", "python -m stages.check", "python -m convae check"])
def test_no_file_of_the_project_s_folder_is_imported_in_place_of_a_library(command: str, tmp_path: Path) -> None:
    for name in ("src", "stages", "datasets", ".dvc"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "cache", "tmp")
        )
    for name in ("params.yaml", "libraries.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    names = {*sys.stdlib_module_names, "convae", "numpy", "pydantic", "ruamel", "sitecustomize", "yaml"}
    if command.startswith("python -m"):  # which looks into the folder until it has found our module
        names = {"json", "queue", "random", "select", "numpy", "pydantic", "ruamel", "sitecustomize", "yaml"}
    for name in names:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')")
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    if "convae" in command:
        environment["PYTHONPATH"] = "src"
    result = subprocess.run(command.split(), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
