"""A worker waits for the stages that another host shares."""

import argparse
import re

import pytest
from conftest import REPOSITORY

from convae.commands import worker
from convae.errors import ConvaeError
from convae.hosts import launch


@pytest.mark.slow
def test_a_worker_takes_each_stage_once_and_ends_when_no_other_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    port = launch._free_port()
    monkeypatch.setenv("CONVAE_MASTER", f"127.0.0.1:{port}")
    monkeypatch.setenv("CONVAE_MEET_SECONDS", "0.5")
    with pytest.raises(ConvaeError, match=rf"^CONVAE_MASTER: no stage to share began at 127.0.0.1:{port} within 0.5 s"):
        launch.next_stage("")
    store = launch._store("127.0.0.1", port, True, 60)
    store.set(launch.STAGE, "train 1")
    assert launch.next_stage("") == "train 1"
    assert launch.next_stage("train 1") == ""
    store.set(launch.STAGE, "train 2")
    assert launch.next_stage("train 1") == "train 2"


@pytest.mark.slow
def test_a_worker_runs_nothing_but_the_stages_that_hosts_share(monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = {path.stem: path.read_text() for path in (REPOSITORY / "stages").glob("*.py")}
    assert {name for name, script in scripts.items() if "launch.shared" in script} == {*worker.SHARED}
    port = launch._free_port()
    monkeypatch.setenv("CONVAE_MASTER", f"127.0.0.1:{port}")
    monkeypatch.setenv("CONVAE_HOSTS", "2")
    monkeypatch.setattr(worker.startup, "prepare", lambda: None)  # of a program's own process
    store = launch._store("127.0.0.1", port, True, 60)
    store.set(launch.STAGE, "../download 1")
    expected = (
        "CONVAE_MASTER: the host there shares '../download', and this one train, evaluate, extract, neighbours; "
        "give all hosts"
    )
    with pytest.raises(ConvaeError, match="^" + re.escape(expected)):
        worker.run(argparse.Namespace(number=1))
