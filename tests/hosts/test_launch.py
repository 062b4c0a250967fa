"""A worker waits for the stages that another host shares."""

import pytest

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
