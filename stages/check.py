"""Check params.yaml before anything runs. The output is always the same, so that later stages are not rerun."""

from pathlib import Path

from convae import artifacts
from convae.check import check_params, check_source
from convae.stage import run


def main() -> None:
    check_source(check_params().data.source)
    artifacts.write_json(Path("artifacts/check/passed.json"), {"passed": True})


if __name__ == "__main__":
    run(main)
