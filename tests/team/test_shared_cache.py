"""Two Unix users share DVC's cache on a machine: each reuses what the other has computed, and can damage none of it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import REPOSITORY, Repository, program, require

pytestmark = pytest.mark.slow

GROUP = 70000  # a number needs no entry in the machine's lists of users and groups


def root() -> list[str]:
    """Give what a command for root begins with."""
    return [] if os.geteuid() == 0 else [program("sudo", "it, or run the tests as root"), "-n"]


def as_root(command: str) -> None:
    result = subprocess.run([*root(), *command.split()], capture_output=True, text=True, check=False)
    require(result.returncode == 0, f"this needs root, or sudo without a password: {result.stderr}")


class Person(Repository):
    """A working copy of a Unix user, who runs all commands in it."""

    def __init__(self, path: Path, environment: dict[str, str], uid: int) -> None:
        super().__init__(path, environment)
        self.uid = uid

    def popen(self, command: str, **environment: str) -> subprocess.Popen[str]:
        # Python and its packages may lie in somebody's home: the right to read, and only to read, all reaches them.
        rights = "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search"
        identity = f"setpriv --reuid={self.uid} --regid={self.uid} --groups={GROUP} {rights} env -i".split()
        variables = {**self.environment, **environment, "HOME": str(self.path.parent), "USER": f"person{self.uid}"}
        assignments = [f"{name}={value}" for name, value in variables.items()]
        return subprocess.Popen(
            [*root(), *identity, *assignments, "bash", "-c", f"umask 002 && cd {self.path} && exec {command}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Provide a folder that every user of this machine can reach."""
    path = Path(tempfile.mkdtemp(prefix="convae-shared-"))
    path.chmod(0o755)
    yield path
    as_root(f"rm -rf {path}")


@pytest.fixture(scope="module")
def people(finished: Repository, folder: Path) -> list[Person]:
    """Provide two users, set up as docs/sharing.md says; the first has brought in the team's results."""
    program("setpriv", "util-linux")
    as_root(f"make --directory={finished.path} shared-folder DIR={folder}/cache GROUP={GROUP}")
    finished.run(f"git bundle create --quiet {folder}/origin main")
    shutil.copytree(finished.path / ".dvc/cache", folder / "elsewhere")
    people = []
    for uid in (70001, 70002):
        home = folder / str(uid)
        home.mkdir()
        as_root(f"chown {uid} {home}")
        person = Person(home, {**finished.environment, "CONVAE_CHECKPOINTS": f"{home}/checkpoints"}, uid)
        person.run(f"git clone --quiet --branch main {folder}/origin {home}/convae")
        person.path = home / "convae"
        person.run("install -D /dev/null .venv/installed")
        person.run(f"make shared-cache DIR={folder}/cache")
        people.append(person)
    for person in people:
        person.run(f"dvc remote add --local --default elsewhere {folder}/elsewhere")
        assert "ERROR" not in person.run("dvc pull --run-cache")  # which writes the same entries again
    return people


def use(person: Person, perplexity: int) -> str:
    person.run(f"sed -i 's/perplexity: .*/perplexity: {perplexity}/' params.yaml")
    return person.run("dvc repro tsne")


def embedding(person: Person) -> str:
    return person.run("md5sum artifacts/tsne/embedding.npy")


def test_what_either_has_computed_the_other_takes_from_the_run_cache(people: list[Person]) -> None:
    for one, other, perplexity in ((*people, 12), (*reversed(people), 15)):
        assert "Running stage 'tsne'" in use(one, perplexity)
        assert "Running stage" not in use(other, perplexity)
        assert embedding(other) == embedding(one)


def test_both_can_push_to_a_folder_that_is_shared_in_the_same_way(people: list[Person], folder: Path) -> None:
    as_root(f"make --directory={REPOSITORY} shared-folder DIR={folder}/remote GROUP={GROUP}")
    use(people[0], 12)  # two maps, one of each
    for person in people:
        person.run(f"dvc remote add --local --default team {folder}/remote")
        assert "ERROR" not in person.run("make push")
    stored = people[0].run(f"find {folder}/remote/files -type f -printf '%U %m\\n'").split()
    assert set(zip(stored[::2], stored[1::2], strict=True)) == {("70001", "444"), ("70002", "444")}


def test_neither_can_change_replace_or_remove_what_the_other_has_added(people: list[Person], folder: Path) -> None:
    for one, other in (people, people[::-1]):
        added = one.run(f"find {folder}/cache/files -type f -user {one.uid}").split()
        assert added
        assert one.run(f"find {folder}/cache/files -type f -not -perm 444") == ""
        object_, clone = added[0], one.path / "params.yaml"
        attempts = [f"{attempt} {file}" for file in (object_, clone) for attempt in ("echo >>", "chmod u+w", "rm -f")]
        attempts += [f"mv {object_} {object_}.moved", f"cp --remove-destination /dev/null {object_}"]
        for attempt in attempts:
            assert "denied" in (said := other.run(f"bash -c '{attempt}'", code=1)) or "not permitted" in said


@pytest.mark.nightly
def test_a_damaged_entry_of_the_run_cache_costs_a_rerun_and_no_more(people: list[Person], folder: Path) -> None:
    first, second = people
    use(first, 18)
    before = embedding(first)
    use(first, 10)
    # DVC lets the whole group write these small files, which say what a stage made of its inputs.
    second.run(f"find {folder}/cache/runs -type f -user {first.uid} -writable -exec cp /dev/null {{}} ';'")
    output = use(first, 18)
    assert "corrupted cache file" in output
    assert "Running stage 'tsne'" in output
    assert embedding(first) == before
