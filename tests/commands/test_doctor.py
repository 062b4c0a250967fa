"""What `convae doctor` repairs without a remote; tests/team has remotes, tests/pipeline/test_reproducible kills."""

import os
from pathlib import Path

import pytest
from conftest import REPOSITORY, Repository

pytestmark = pytest.mark.slow


def test_a_damaged_object_is_removed_from_the_cache_even_without_a_remote(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "DVC_NO_ANALYTICS": "1"})
    repository.run("dvc init --quiet --no-scm")
    (tmp_path / "data.txt").write_text("whole")
    repository.run("dvc add --quiet data.txt")
    (stored,) = (path for path in (tmp_path / ".dvc/cache/files").rglob("*") if path.is_file())
    name = stored.parent.name + stored.name
    stored.chmod(0o644)
    stored.write_text("false")
    stored.chmod(0o444)  # as after a fault of the disk
    output = repository.run("python -m convae doctor")
    assert f"{name}, damaged or left by a transfer that was cut off\n" in output
    assert "note: there is no default remote to fetch what was removed from; `dvc repro` makes" in output
    assert not stored.exists()
    assert repository.run("python -m convae doctor --quick") == ""
