"""Refuse what is wrong in params.yaml, before anything runs; what it writes is the same whatever the values."""

from pathlib import Path

from convae import artifacts
from convae.check import check_params, check_source
from convae.stage import run


def main() -> None:
    check_source(check_params().data.source)
    artifacts.write_json(Path("artifacts/check/passed.json"), {"passed": True})


if __name__ == "__main__":
    run(main)
