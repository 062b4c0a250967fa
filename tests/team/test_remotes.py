"""What one person has pushed, another restores from a real server; after a failure the next try succeeds.

Of each kind of server, CI runs what is particular to it; the rest runs at night.
"""

import contextlib
import functools
import hashlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import REPOSITORY, Repository

from team.conftest import PASSWORD, SERVERS, Remote, Team, free_ports, stages_with_times

pytestmark = pytest.mark.slow

LATENTS = "artifacts/latents/latents.npy"
DAMAGE = """\
import io, sys
from dvc.repo import Repo
remote = Repo().cloud.get_remote_odb()
remote.fs.upload_fobj(io.BytesIO(b"damaged"), remote.oid_to_path(sys.argv[1]))
"""


def at_night(*names: str) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.nightly) for name in names]


@pytest.fixture(scope="module")
def teams(
    make_team: Callable[[Remote], Team], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Team]]:
    """Provide a function that starts a server, once for all tests, and gives a team whose first member has pushed."""
    with contextlib.ExitStack() as servers:

        @functools.cache
        def team(name: str) -> Team:
            folder = tmp_path_factory.mktemp(name) / "served"
            folder.mkdir()
            team = make_team(servers.enter_context(SERVERS[name](folder, free_ports(10))))
            team.first.run("make push")
            return team

        yield team


def artifacts(person: Repository) -> dict[str, bytes]:
    folder = person.path / "artifacts"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["ssh", *at_night("s3", "webdav", "folder", "http")])
def test_a_clone_restores_all_that_the_lock_file_names_and_runs_no_stage(
    name: str, teams: Callable[[str], Team]
) -> None:
    team = teams(name)
    second = team.join("second")
    second.run("dvc repro --pull")
    assert stages_with_times(second) == set()
    assert artifacts(second) == artifacts(team.first)
    assert second.run("git status --porcelain") == ""
    assert not re.search(rf"{PASSWORD}|user|key|password", second.run("git show HEAD:.dvc/config"))


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["folder", "ssh", "s3", "webdav"])
def test_without_a_lock_file_a_clone_runs_only_the_stages_whose_metrics_git_holds(
    name: str, teams: Callable[[str], Team]
) -> None:
    team = teams(name)
    third = team.join("third")
    (third.path / "dvc.lock").unlink()
    third.run("dvc repro --pull")
    stages = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
    assert stages_with_times(third) == {name for name, stage in stages.items() if "metrics" in stage}
    assert artifacts(third) == artifacts(team.first)
    assert third.run("git status --porcelain") == ""


def test_wrong_credentials_are_named_in_one_line_and_the_right_ones_then_do(teams: Callable[[str], Team]) -> None:
    person = teams("ssh").join("stranger")
    person.run("ssh-keygen -q -t ed25519 -N '' -f stranger")
    right = (person.path / ".dvc/config.local").read_text()
    person.run("dvc remote modify --local team keyfile stranger")
    line, _, _ = person.run("make push", code=2).partition("\n")
    assert line.startswith("error: "), line
    assert "Permission denied" in line
    (person.path / ".dvc/config.local").write_text(right)
    person.run(f"dvc pull {LATENTS}")
    assert (person.path / LATENTS).exists()


@pytest.mark.parametrize("name", ["s3", *at_night("ssh", "webdav")])
def test_a_damaged_object_on_a_remote_is_refused_and_whoever_has_it_replaces_it(
    name: str, teams: Callable[[str], Team]
) -> None:
    team = teams(name)
    content = (team.first.path / LATENTS).read_bytes()
    team.first.run(f"python -c '{DAMAGE}' {hashlib.md5(content).hexdigest()}")
    reader = team.join("reader")
    assert LATENTS in reader.run(f"dvc pull {LATENTS}", code=1)
    assert not (reader.path / LATENTS).exists()
    output = team.first.run("python -m convae doctor", PYTHONPATH="src")
    assert output.count("removed from") == 1
    assert re.search(r"\d files? pushed", output)
    reader.run(f"dvc pull {LATENTS}")
    assert (reader.path / LATENTS).read_bytes() == content


def size(folder: Path) -> int:
    # `find` bears with files that go while it looks.
    found = subprocess.run(["find", folder, "-type", "f", "-printf", "%s "], capture_output=True, check=False)
    return sum(map(int, found.stdout.split()))


@pytest.mark.parametrize("name", ["webdav", *at_night("ssh", "s3")])
def test_a_push_that_the_servers_death_cut_off_says_so_and_the_next_one_completes_it(
    name: str, make_team: Callable[[Remote], Team], tmp_path: Path
) -> None:
    served, ports, content = tmp_path / "served", free_ports(10), os.urandom(100 << 20)
    served.mkdir()
    with SERVERS[name](served, ports) as remote:
        team = make_team(remote)
        (team.first.path / "large.bin").write_bytes(content)
        team.first.run("dvc add --quiet large.bin")
        team.first.run("git commit --quiet --all --message 'Add a large file'")
        team.first.run(f"git push --quiet {team.folder / 'origin'} main")
        enough = size(served) + (5 << 20)
        push = team.first.popen("make push", AWS_MAX_ATTEMPTS="1")  # rather than five, ten seconds long
        while size(served) < enough:
            assert push.poll() is None, push.communicate()
            time.sleep(0.01)
    output, _ = push.communicate(timeout=120)
    assert push.returncode == 2, output
    assert "failed to push data to the cloud" in output
    assert "Traceback" not in output
    with SERVERS[name](served, ports):
        team.first.run("make push")
        second = team.join("second")
        second.run("dvc pull large.bin")
    assert (second.path / "large.bin").read_bytes() == content
