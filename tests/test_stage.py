"""A stage, run as a program: how it ends on errors and signals, on inputs that change meanwhile, and without a parent.

The stage is a small one in a copy of this repository's code, with a dvc.yaml of its own.
"""

import json
import shutil
import signal
import subprocess
import textwrap
from pathlib import Path

import psutil
import pytest
from conftest import REPOSITORY, environment, wait

from convae.commands.times import stage_times

pytestmark = pytest.mark.slow

PIPELINE = """\
stages:
  probe:
    cmd: exec python -m stages.probe
    deps:
      - data.txt
      - src/convae/errors.py
      - stages/probe.py
    params:
      - plot
      - libraries.yaml:
          - numpy
    outs:
      - result.txt
"""
STAGE = """\
import os, time
from pathlib import Path
from convae import artifacts
from convae.errors import ConvaeError
from convae.stage import run

def edit(name, old, new):
    path = Path(name)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

def wait(seconds=60):
    artifacts.write_json(Path("waiting"), {{"pid": os.getpid()}})
    time.sleep(seconds)

{imports}

def main():
{body}

if __name__ == "__main__":
    run(main)
"""
DVC = {"DVC_STAGE": "probe", "DVC_ROOT": "."}


class Project:
    """A working copy whose only stage does what its test says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = environment()

    def stage(self, body: str, imports: str = "") -> None:
        text = STAGE.format(imports=textwrap.dedent(imports), body=textwrap.indent(textwrap.dedent(body), "    "))
        (self.path / "stages/probe.py").write_text(text)

    def popen(self, command: str, folder: str = ".", **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.path / folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str = "python -m stages.probe", folder: str = ".", **environment: str) -> tuple[int, str]:
        """Run a command to its end; give its exit code and what it printed on stderr."""
        with self.popen(command, folder, **environment) as process:
            _, errors = process.communicate(timeout=120)
        return process.returncode, errors

    def waiting(self) -> psutil.Process:
        """Give the stage's process once it waits."""
        wait((self.path / "waiting").exists)
        return psutil.Process(json.loads((self.path / "waiting").read_text())["pid"])

    def lock(self) -> str | None:
        lock = self.path / "dvc.lock"
        return lock.read_text() if lock.exists() else None


def ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def project(tmp_path: Path) -> Project:
    path = tmp_path / "project"
    shutil.copytree(REPOSITORY / "src", path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (path / "stages").mkdir()
    shutil.copy2(REPOSITORY / "stages/__init__.py", path / "stages")
    for name in ("params.yaml", "libraries.yaml"):
        shutil.copy2(REPOSITORY / name, path)
    (path / "dvc.yaml").write_text(PIPELINE)
    (path / "data.txt").write_text("first")
    (path / ".dvc").mkdir()
    (path / ".dvc/config").write_text("[core]\nno_scm = true\nanalytics = false\ncheck_update = false\n")
    return Project(path)


FULL = "os.symlink('/dev/full', '.result.txt.tmp'); artifacts.write_bytes(Path('result.txt'), b'x')"
AGAIN = "mend that and run it again"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ConvaeError('data.txt', 'is bad:\\nvery', 'mend it')", "data.txt: is bad: very; mend it"),
        (FULL, f"result.txt: No space left on device; {AGAIN}"),
        ("open('nowhere/it')", f"nowhere/it: No such file or directory; {AGAIN}"),
        ("raise OSError('only words')", f"input or output: only words; {AGAIN}"),
    ],
)
def test_an_error_for_the_user_is_one_line_and_exit_code_1(body: str, message: str, project: Project) -> None:
    project.stage(body)
    assert project.run(**DVC) == (1, f"error: {message}\n")
    assert not (project.path / "result.txt").exists()
    assert not (project.path / ".result.txt.tmp").is_symlink()


@pytest.mark.parametrize(("body", "imports"), [("raise ValueError('ours')", ""), ("", "raise ValueError('ours')")])
def test_an_error_of_ours_keeps_its_traceback(body: str, imports: str, project: Project) -> None:
    project.stage(body or "pass", imports)
    code, errors = project.run()
    assert code == 1
    assert errors.startswith("Traceback")
    assert errors.endswith("ValueError: ours\n")


# While it imports, the process ends by the signal itself; a shell calls that 130, too.
@pytest.mark.parametrize(("body", "imports", "code"), [("wait()", "", 130), ("pass", "wait()", -signal.SIGINT)])
def test_an_interrupt_ends_a_stage_without_a_traceback(body: str, imports: str, code: int, project: Project) -> None:
    # Where pytest runs in the background, interrupts are ignored, and children would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    project.stage(body, imports)
    with project.popen("exec python -m stages.probe") as process:
        project.waiting().send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (code, "")


CHANGES = {
    "Path('data.txt').write_text('other')": "data.txt",
    "Path('data.txt').unlink()": "data.txt",
    "edit('src/convae/errors.py', 'The error that', 'An error that')": "src/convae/errors.py",
    "edit('stages/probe.py', '60', '61')": "stages/probe.py",
    "edit('params.yaml', 'dpi: 100', 'dpi: 90')": "params.yaml: plot",
    "edit('libraries.yaml', 'numpy', 'other')": "libraries.yaml: numpy",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_dependency_that_changes_while_the_stage_runs_fails_it_by_name(change: str, project: Project) -> None:
    project.stage(change)
    assert project.run(**DVC) == (
        1,
        f"error: {CHANGES[change]}: changed while the stage ran; run `dvc repro` again\n",
    )


def test_code_that_changes_between_its_import_and_the_start_fails_the_stage(project: Project) -> None:
    project.stage("pass", imports="edit('src/convae/errors.py', 'The error that', 'An error that')")
    code, errors = project.run(**DVC)
    assert code == 1
    assert errors.startswith("error: src/convae/errors.py: changed while the stage ran;")


def test_a_stage_that_is_run_by_hand_is_not_watched(project: Project) -> None:
    project.stage("\n".join(CHANGES))
    assert project.run() == (0, "")


def test_what_the_stage_does_not_depend_on_may_change(project: Project) -> None:
    project.stage("""
        edit('params.yaml', 'perplexity: 30', 'perplexity: 20')
        edit('params.yaml', 'dpi: 100', 'dpi:   100 # the same')
        edit('libraries.yaml', 'torch', 'other')
        edit('data.txt', 'first', 'first')
        edit('src/convae/params.py', 'Read', 'Take')
        Path('more.txt').write_text('more')
        # DVC, too, has read dvc.yaml before.
        edit('dvc.yaml', '- data.txt', '- more.txt')
        edit('dvc.yaml', 'probe:', 'renamed:')
        Path('dvc.yaml').write_text('{')
        for path in Path('.').rglob('*.*'): os.utime(path, (1, 1))
    """)
    assert project.run(**DVC) == (0, "")


@pytest.mark.parametrize("imports", ["", "wait(2)"])  # the latter: killed before the stage begins to look
def test_a_stage_ends_when_what_started_it_is_killed(imports: str, project: Project) -> None:
    project.stage("wait()", imports)
    with project.popen("python -m stages.probe; true", **DVC) as parent:
        stage = project.waiting()
        parent.kill()
    wait(lambda: ended(stage))


def test_dvc_records_no_state_of_a_stage_whose_dependency_changed_meanwhile(project: Project) -> None:
    project.stage("""
        if os.path.exists("meddle"):
            Path("data.txt").write_text("third")
        Path("result.txt").write_text("result")
    """)
    (project.path / "meddle").touch()
    code, errors = project.run("dvc repro")
    assert code != 0
    assert "error: data.txt: changed while the stage ran; run `dvc repro` again\n" in errors
    assert project.lock() is None
    (project.path / "meddle").unlink()
    assert project.run("dvc repro")[0] == 0
    before = project.lock()
    (project.path / "meddle").touch()
    (project.path / "data.txt").write_text("second")
    assert project.run("dvc repro")[0] != 0
    assert project.lock() == before


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh"])  # Debian's sh forks even for a lone command
def test_a_stage_ends_when_dvc_is_killed(shell: str, project: Project) -> None:
    project.stage("wait()")
    with project.popen("exec dvc repro", SHELL=shell) as dvc:
        stage = project.waiting()
        dvc.kill()
    wait(lambda: ended(stage))


def test_dvc_may_be_called_from_another_folder(project: Project) -> None:
    project.stage("Path('result.txt').write_text(os.environ['DVC_STAGE'])")
    assert project.run("dvc repro ../dvc.yaml", folder="stages") == (0, "")
    assert (project.path / "result.txt").read_text() == "../dvc.yaml:probe"
    assert project.lock() is not None


def test_a_number_of_cores_that_is_none_is_one_line(project: Project) -> None:
    project.stage("pass", imports="import joblib; joblib.cpu_count()")
    for cores in ("x", "0", "-1", "1.5", "", "9" * 5000):
        what = f"got {cores[:80]!r}; want a whole number above 0, or unset it"
        assert project.run(LOKY_MAX_CPU_COUNT=cores) == (1, f"error: LOKY_MAX_CPU_COUNT: {what}\n")
    assert project.run(LOKY_MAX_CPU_COUNT="3") == (0, "")


def times(project: Project, root: Path | None = None) -> list[str]:
    return list(stage_times(project.lock() or "", root or project.path))


def test_a_time_is_found_by_the_inputs_that_the_stage_had_wherever_it_ran(project: Project, tmp_path: Path) -> None:
    project.stage("Path('result.txt').write_text(Path('data.txt').read_text())")
    assert project.run("dvc repro --quiet")[0] == 0
    assert times(project) == ["probe"]
    first = project.lock()
    (project.path / "data.txt").write_text("second")
    assert project.run("dvc repro --quiet", DVC_ROOT=str(tmp_path))[0] == 0  # as of an experiment in its own checkout
    assert times(project) == []
    assert times(project, tmp_path) == ["probe"]
    (project.path / "dvc.lock").write_text(str(first))
    assert times(project) == ["probe"]
