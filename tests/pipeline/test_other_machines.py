"""Other people's machines: whatever an account and its settings are, the same bytes or one clear line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of

pytestmark = pytest.mark.slow

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text().replace("${plot.format}", "png"))["stages"]


@pytest.fixture(scope="module")
def repository(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return copy_of(finished, tmp_path_factory.mktemp("machines"))


def paths(repository: Repository, stage: str) -> list[Path]:
    metrics = [name for metric in STAGES[stage].get("metrics", []) for name in metric]
    return [repository.path / name for name in [*STAGES[stage].get("outs", []), *metrics]]


def outputs(repository: Repository, stage: str) -> list[bytes]:
    return [path.read_bytes() for path in paths(repository, stage)]


def run_anew(repository: Repository, stage: str, prefix: str = "", **environment: str) -> str:
    """Run a stage with nothing of its outputs there; give what it printed."""
    for path in paths(repository, stage):
        path.unlink(missing_ok=True)
    return repository.run(f"{prefix} sh stages/run.sh {stage}", **environment)


# What users, schedulers and other programs have set, all of it at once.
HOSTILE = {
    # for Python and matplotlib
    "PYTHONOPTIMIZE": "2",
    "PYTHONSAFEPATH": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONPATH": "{hostile}",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "C",
    "LANG": "tr_TR.UTF-8",
    "TZ": "Asia/Kathmandu",
    "MPLBACKEND": "nonsense",
    "MPLCONFIGDIR": "{hostile}",
    "COLUMNS": "7",
    "NO_COLOR": "1",
    # for threads
    "OMP_NUM_THREADS": "16",
    "OPENBLAS_NUM_THREADS": "16",
    "MKL_NUM_THREADS": "16",
    "LOKY_MAX_CPU_COUNT": "16",
    "MKL_DYNAMIC": "FALSE",
    "OMP_DYNAMIC": "TRUE",
    "OMP_THREAD_LIMIT": "1",
    "OMP_SCHEDULE": "dynamic",
    "JOBLIB_MULTIPROCESSING": "x",
    "JOBLIB_START_METHOD": "x",
    "LOKY_MAX_DEPTH": "x",
    "LOKY_PICKLER": "x",
    "NUMEXPR_NUM_THREADS": "x",
    "SKLEARN_PAIRWISE_DIST_CHUNK_SIZE": "x",
    # for arithmetic
    "ATEN_CPU_CAPABILITY": "default",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Prescott",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "TORCH_LOGS": "nonsense",
    "TQDM_MININTERVAL": "x",
    # by a scheduler
    "RANK": "3",
    "WORLD_SIZE": "1",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "10.0.0.1",
    "MASTER_PORT": "1",
    "SLURM_PROCID": "3",
    "SLURM_NTASKS": "8",
    "TORCHELASTIC_ERROR_FILE": "/nowhere/error.json",
    "GLOO_SOCKET_IFNAME": "eth7",
}


@pytest.mark.parametrize(
    ("stage", "threads"),
    [("train", "16"), ("evaluate", "x"), ("tsne", "16"), ("quality", "x"), ("generate", "x"), ("plot", "x")],
)
def test_whatever_the_environment_holds_a_stage_gives_the_same_bytes(
    stage: str, threads: str, repository: Repository, finished: Repository, tmp_path: Path
) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('the module of another program')")
    style = "figure.facecolor: red\nfont.size: 30\naxes.grid: True\nsavefig.bbox: tight\nsvg.hashsalt: mine\n"
    (tmp_path / "matplotlibrc").write_text(style)
    (repository.path / "matplotlibrc").write_bytes(style.encode() + b"# caf\xe9\n")  # not UTF-8
    environment = {name: value.format(hostile=tmp_path) for name, value in HOSTILE.items()}
    run_anew(repository, stage, **{**environment, "OMP_NUM_THREADS": threads})
    (repository.path / "matplotlibrc").unlink()
    assert outputs(repository, stage) == outputs(finished, stage)


@pytest.mark.parametrize(("stage", "home"), [("train", "--unset=HOME"), ("plot", "HOME=/proc")])
def test_a_user_without_a_name_and_a_home_trains_and_plots_and_is_told_that_no_checkpoint_is_kept(
    stage: str, home: str, repository: Repository, finished: Repository
) -> None:
    nobody = f"unshare --user --map-user=12345 env --unset=CONVAE_CHECKPOINTS --unset=USER --unset=LOGNAME {home}"
    output = run_anew(repository, stage, nobody)
    assert ("no checkpoints, so a killed run starts over" in output) == (stage == "train"), output
    assert outputs(repository, stage) == outputs(finished, stage)
    assert not list(repository.path.glob("~*"))


@pytest.mark.parametrize("python", ["", f'#!/bin/sh\nexec {sys.base_prefix}/bin/python3 "$@"\n'])
def test_an_environment_that_is_not_active_is_named_in_one_line(
    python: str, repository: Repository, tmp_path: Path
) -> None:
    if python:
        (tmp_path / "python").write_text(python)
        (tmp_path / "python").chmod(0o755)
    dvc = Path(sys.executable).with_name("dvc")
    output = repository.run(f"{dvc} repro --force --single-item check", code=255, PATH=f"{tmp_path}:/usr/bin:/bin")
    errors = [line for line in output.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, output
    assert "activate the environment" in errors[0]
    assert "Traceback" not in output
    convae = Path(sys.executable).with_name("convae")
    repository.run("dvc checkout --quiet")
    assert "10-NN" in repository.run(f"{convae} report", PATH="/usr/bin:/bin")


def test_a_module_that_git_does_not_know_is_named_when_an_experiment_lacks_it(
    finished: Repository, tmp_path: Path
) -> None:
    repository = copy_of(finished, tmp_path)
    (repository.path / "src/convae/views/more.py").write_text("MORE = 1\n")
    script = repository.path / "stages/plot.py"
    script.write_text(
        script.read_text().replace(
            "from convae.views import", "from convae.views.more import MORE\nfrom convae.views import"
        )
    )
    output = repository.run("dvc exp run --temp", code=255)
    [error] = [line for line in output.splitlines() if line.startswith("error: ")]
    assert error.startswith("error: convae.views.more: is no module here; `git add` its file, if it is new")
    assert "Traceback" not in output


def test_a_clone_has_the_same_bytes_whatever_its_user_has_set_for_line_ends_and_encodings(
    finished: Repository, tmp_path: Path
) -> None:
    (tmp_path / "attributes").write_text("* text eol=crlf\n*.py ident working-tree-encoding=UTF-16\n")
    settings = f"--config core.autocrlf=true --config core.attributesFile={tmp_path / 'attributes'}"
    finished.run(f"git clone --quiet {settings} . {tmp_path / 'clone'}")
    clone = Repository(tmp_path / "clone", finished.environment)
    assert "is up to date" in clone.run("convae check-lock")
    assert clone.run("git status --porcelain") == ""
    for name in finished.run("git ls-files").split():
        assert (clone.path / name).read_bytes() == (finished.path / name).read_bytes(), name


@pytest.mark.parametrize("lacking", ["USER", "HOME"])
def test_a_user_without_a_name_or_a_home_is_told_what_dvc_wants(lacking: str, repository: Repository) -> None:
    has = {"USER": "HOME=/proc", "HOME": "USER=x"}[lacking]
    nobody = f"unshare --user --map-user=12345 env --unset=USER --unset=LOGNAME --unset=HOME {has}"
    output = repository.run(f"{nobody} convae doctor --quick", code=1)
    assert output.startswith(f"error: {lacking}: is not set, nor has this user")
    assert output.count("\n") == 1


def test_gits_advice_about_a_repository_of_another_user_is_shown_and_no_traceback(repository: Repository) -> None:
    output = repository.run("convae verify", code=1, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert "safe.directory" in output
    assert "Traceback" not in output
    assert output.splitlines()[-1].startswith("error: ")


@pytest.fixture(scope="module")
def subfolder(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide the finished project in a subfolder of a Git repository, as `dvc init --subdir` would have made it."""
    top = tmp_path_factory.mktemp("subfolder")
    project = copy_of(finished, top)
    subprocess.run(["rm", "-rf", project.path / ".git"], check=True)
    project.run("git init --quiet --initial-branch main ..")
    project.run("git add .")
    project.run("git commit --quiet --message 'A project in a subfolder'")
    return project


def test_a_project_in_a_subfolder_of_its_repository_is_compared_with_all_its_figures(subfolder: Repository) -> None:
    address = subfolder.run("convae compare").strip()
    page = Path(address.removeprefix("file://")).read_text()
    assert page.count('src="data:image/png;base64,') == 5  # losses, reconstructions, map, its images, new images
    assert "not on this machine" not in page
    assert subfolder.run("convae check-lock").startswith("dvc.lock is up to date")
    assert subfolder.run("convae doctor --quick") == ""


def test_a_project_in_a_subfolder_is_verified_and_its_experiments_run(subfolder: Repository) -> None:
    subfolder.run("dvc exp run --temp --name larger -S plot.dpi=60")
    assert "larger" in subfolder.run("dvc exp show --md")
    # All stages are rebuilt in test_verify; where the project lies is the same to each.
    for name in ("dvc.yaml", "dvc.lock"):
        written = yaml.safe_load((subfolder.path / name).read_text())
        written["stages"] = {stage: written["stages"][stage] for stage in ("check", "download", "check_images")}
        (subfolder.path / name).write_text(yaml.safe_dump(written))
    subfolder.run("git commit --quiet --all --message 'Fewer stages'")
    assert re.search(r"All \d+ artifacts are the same, byte for byte\.", subfolder.run("convae verify"))


def test_commands_work_from_any_folder_of_the_project(repository: Repository) -> None:
    report = repository.run("convae report")
    assert Repository(repository.path / "src/convae", repository.environment).run("convae report") == report
