"""What one person has computed and pushed, another restores from each kind of remote, and computes nothing again."""

import contextlib
import functools
import hashlib
import re
from collections.abc import Callable, Iterator

import pytest
from conftest import CHECKS, Repository

from team.conftest import PASSWORD, SERVERS, Remote, Team, free_ports, stages_with_times

pytestmark = pytest.mark.slow

LATENTS = "artifacts/latents/latents.npy"
DAMAGE = """\
import io, sys
from dvc.repo import Repo
remote = Repo().cloud.get_remote_odb()
remote.fs.upload_fobj(io.BytesIO(b"damaged"), remote.oid_to_path(sys.argv[1]))
"""


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


@pytest.fixture(params=SERVERS)
def team(request: pytest.FixtureRequest, teams: Callable[[str], Team]) -> Team:
    return teams(request.param)


def artifacts(person: Repository) -> dict[str, bytes]:
    folder = person.path / "artifacts"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_clone_restores_all_that_the_lock_file_names_and_runs_no_stage(team: Team) -> None:
    second = team.join("second")
    second.run("dvc repro --pull")
    assert stages_with_times(second) == set()
    assert artifacts(second) == artifacts(team.first)
    assert second.run("git status --porcelain") == ""


@pytest.mark.parametrize("team", ["folder"], indirect=True)
def test_without_a_lock_file_a_clone_runs_only_the_three_stages_whose_metrics_git_holds(team: Team) -> None:
    third = team.join("third")
    (third.path / "dvc.lock").unlink()
    third.run("dvc repro --pull")
    assert stages_with_times(third) == {"evaluate", "quality", "assess"}
    assert artifacts(third) == artifacts(team.first)
    assert third.run("git status --porcelain") == ""


@pytest.mark.parametrize("team", ["ssh", "s3", "webdav"], indirect=True)
def test_servers_too_carry_what_a_clone_without_a_lock_file_needs_to_run_nothing(team: Team) -> None:
    third = team.join("third")
    (third.path / "dvc.lock").unlink()
    third.run("dvc repro --pull tsne")
    assert stages_with_times(third) == set()
    assert artifacts(third).items() <= artifacts(team.first).items()
    assert {LATENTS.removeprefix("artifacts/"), "tsne/embedding.npy"} <= artifacts(third).keys()


@pytest.mark.parametrize("team", ["http"], indirect=True)
def test_plain_http_carries_no_run_cache_so_there_the_lock_file_is_needed(team: Team) -> None:
    third = team.join("third")
    (third.path / "dvc.lock").unlink()
    third.run("dvc repro --pull download")
    assert stages_with_times(third) == {"check", "download"}


@pytest.mark.parametrize("team", ["ssh"], indirect=True)
def test_another_perplexity_reruns_only_the_map_and_what_follows_and_can_be_pushed(team: Team) -> None:
    fourth = team.join("fourth")
    fourth.run("dvc pull")
    fourth.set_params(**{"tsne.perplexity": 15})
    fourth.run("dvc repro --pull")
    assert stages_with_times(fourth) == {*CHECKS, "tsne", "quality", "plot", "explorer"}
    fourth.run("git commit --quiet --all --message 'Try another perplexity'")
    fourth.run("git push --quiet origin HEAD:another")
    fourth.run("make push")
    fifth = team.join("fifth")
    fifth.run("git checkout --quiet another")
    fifth.run("dvc repro --pull")
    assert stages_with_times(fifth) == set()
    assert artifacts(fifth) == artifacts(fourth)


def test_no_committed_file_holds_a_credential(team: Team) -> None:
    config = team.first.run("git show HEAD:.dvc/config")
    assert not re.search(rf"{PASSWORD}|user|key|password", config), config


@pytest.mark.parametrize(
    ("team", "wrong", "answer"),
    [
        ("ssh", "keyfile stranger", "Permission denied"),
        ("s3", "secret_access_key guess", "signature we calculated does not match"),
        ("webdav", "password guess", "401"),
    ],
    indirect=["team"],
)
def test_wrong_credentials_are_named_in_one_line_and_the_right_ones_then_do(
    team: Team, wrong: str, answer: str
) -> None:
    person = team.join("stranger")
    person.run("ssh-keygen -q -t ed25519 -N '' -f stranger")
    right = (person.path / ".dvc/config.local").read_text() if team.remote.private else ""
    if team.remote.environment:
        person.run(f"dvc remote modify --local team access_key_id {team.remote.environment['AWS_ACCESS_KEY_ID']}")
    person.run(f"dvc remote modify --local team {wrong}")
    line, _, _ = person.run("make push", code=2).partition("\n")
    assert line.startswith("error: "), line
    assert answer in line
    (person.path / ".dvc/config.local").write_text(right)
    person.run(f"dvc pull {LATENTS}")
    assert (person.path / LATENTS).read_bytes() == (team.first.path / LATENTS).read_bytes()


@pytest.mark.parametrize("team", ["ssh", "s3", "webdav"], indirect=True)
def test_a_damaged_object_on_a_remote_is_refused_and_whoever_has_it_replaces_it(team: Team) -> None:
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
