"""When a server, a disk, a password or a file fails: an error says what, nothing is lost, the next try succeeds."""

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from team.conftest import SERVERS, Remote, Team, free_ports

pytestmark = pytest.mark.slow

MEBIBYTE = 1 << 20
LATENTS = "artifacts/latents/latents.npy"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """Provide an empty folder for a server's data."""
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def team(make_team: Callable[[Remote], Team], served: Path) -> Team:
    """Provide a team that shares a folder, to which nobody has pushed yet."""
    return make_team(Remote([f"dvc remote add --default team {served}"], [], {}, []))


def size(folder: Path) -> int:
    # `find` bears with files that go while it looks.
    found = subprocess.run(["find", folder, "-type", "f", "-printf", "%s "], capture_output=True, check=False)
    return sum(map(int, found.stdout.split()))


def add_large_file(team: Team) -> bytes:
    content = os.urandom(100 * MEBIBYTE)
    (team.first.path / "large.bin").write_bytes(content)
    team.first.run("dvc add --quiet large.bin")
    team.first.run("git commit --quiet --all --message 'Add a large file'")
    team.first.run(f"git push --quiet {team.folder / 'origin'} main")
    return content


@pytest.mark.parametrize("name", ["ssh", "s3", "webdav"])
def test_a_push_that_the_servers_death_cut_off_says_so_and_the_next_one_completes_it(
    name: str, make_team: Callable[[Remote], Team], served: Path
) -> None:
    ports = free_ports(10)
    with SERVERS[name](served, ports) as remote:
        team = make_team(remote)
        content = add_large_file(team)
        enough = size(served) + 5 * MEBIBYTE
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
        second.run("dvc pull")
    assert (second.path / "large.bin").read_bytes() == content


def test_a_full_remote_is_named_and_once_there_is_room_the_push_completes(team: Team, served: Path) -> None:
    content = add_large_file(team)
    # A limit on the size of files, here 50 MB, stands for a full disk: it needs no rights.
    output = team.first.run("bash -c 'ulimit -f 50000; make push'", code=2)
    assert re.search(rf"File too large: .*{served}", output), output
    team.first.run("make push")
    second = team.join("second")
    second.run("dvc pull")
    assert (second.path / "large.bin").read_bytes() == content


def test_a_damaged_object_in_the_cache_is_found_and_replaced(team: Team) -> None:
    team.first.run("make push")
    content = (team.first.path / LATENTS).read_bytes()
    name = hashlib.md5(content).hexdigest()
    stored = team.first.path / ".dvc/cache/files/md5" / name[:2] / name[2:]
    stored.chmod(0o644)
    stored.write_bytes(bytes(len(content)))
    stored.chmod(0o444)  # as after a fault of the disk
    (team.first.path / LATENTS).unlink()
    team.first.run("dvc checkout")
    assert (team.first.path / LATENTS).read_bytes() != content  # DVC trusts what is read-only
    assert team.first.run("make doctor").count("removed from") == 1
    assert (team.first.path / LATENTS).read_bytes() == content


def test_two_people_push_the_same_at_once(make_team: Callable[[Remote], Team], served: Path) -> None:
    with SERVERS["webdav"](served, free_ports(1)) as remote:
        team = make_team(remote)
        content = add_large_file(team)
        second = team.join("second")
        shutil.copytree(team.first.path / ".dvc/cache", second.path / ".dvc/cache")
        for push in [person.popen("make push") for person in (team.first, second)]:
            output, _ = push.communicate(timeout=120)
            assert push.returncode == 0, output
        third = team.join("third")
        third.run("dvc pull")
        assert "up to date" in third.run("dvc status")
        assert (third.path / "large.bin").read_bytes() == content


def test_a_second_repro_in_a_workspace_says_which_process_it_would_disturb(team: Team) -> None:
    first = team.first.popen("dvc repro --force --single-item tsne")
    dvc = psutil.Process(first.pid)
    while not (stages := [each for each in dvc.children() if "stages.tsne" in each.cmdline()]):
        assert first.poll() is None, first.communicate()
        time.sleep(0.01)
    stages[0].suspend()
    try:
        output = team.first.run("dvc repro", code=255)
    finally:
        stages[0].resume()
    assert re.search(rf"is busy, it is being blocked by:\n +\(PID {first.pid}\): .*dvc repro --force", output), output
    output, _ = first.communicate(timeout=120)
    assert first.returncode == 0, output
    assert "up to date" in team.first.run("dvc repro")
