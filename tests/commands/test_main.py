"""The command line: help, errors in one line, exit codes, and what it takes to say so little."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

NETWORK = ["encode", "reconstruct", "similar", "place", "score", "generate", "export"]
COMMANDS = ["report", "compare", "verify", "check-lock", "recover", "heal", "push", *NETWORK, "explore", "completion"]
# Output is buffered, as is usual.
KEPT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
ENVIRONMENT = {**KEPT, "PYTHONPATH": str(REPOSITORY / "src")}


def convae(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convae", *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_version_is_the_package_s(tmp_path: Path) -> None:
    done = convae("--version", folder=tmp_path)
    source = (REPOSITORY / "src/convae/version.py").read_text()
    name, version = done.stdout.split()
    assert (done.returncode, done.stderr, name) == (0, "", "convae")
    assert f'"{version}"' in source


def test_help_names_every_subcommand_and_gives_an_example(tmp_path: Path) -> None:
    done = convae("--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n    {command}" in done.stdout
    assert "\nExample: convae report" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_subcommand_gives_an_example_of_it(command: str, tmp_path: Path) -> None:
    done = convae(command, "--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: convae {command} ")
    (example,) = [line for line in done.stdout.splitlines() if line.startswith("Example: ")]
    assert f"convae {command}" in example


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["verfy"], "invalid choice: 'verfy'"),
        (["--quiet"], "COMMAND"),
        (["report", "--quiet"], "unrecognized arguments: --quiet"),
        (["report", "more"], "unrecognized arguments: more"),
        (["completion"], "shell"),
        (["completion", "powershell"], "invalid choice: 'powershell'"),
        (["check"], "invalid choice: 'check'"),  # not short for check-lock
        (["encode", "model", "a.png"], "the following arguments are required: -o"),
        (["encode", "model", "-o", "a.npy"], "the following arguments are required: IMAGES"),
        (["encode", "model", "a.png", "-o", "latents.txt"], "want a name that ends in .npy or .csv, got 'latents.txt'"),
        (["score", "model", "a.png", "-o", "a.png"], "want a name that ends in .csv, got 'a.png'"),
        (["score", "model", "a.png", "-o", "a.csv", "--json"], "not allowed with argument -o"),
        (["similar", "model", "a.png"], "the following arguments are required: --among"),
        (["similar", "model", "a.png", "--among", "b", "-k", "0"], "want a whole number from 1 on, got '0'"),
        (["generate", "model"], "the following arguments are required: -o"),
        (["generate", "model", "-o", "new", "-n", "100001"], "want a whole number from 1 to 100000, got '100001'"),
        (["generate", "model", "-o", "new", "--seed", "-1"], "want a whole number from 0 to 4294967295, got '-1'"),
        (["export", "model", "a.png", "-o", "onnx"], "unrecognized arguments: a.png"),
        (["score", "model", "a.png", "--background", "white"], "want a colour such as #ffffff, got 'white'"),
    ],
)
def test_wrong_usage_is_told_on_stderr_with_exit_code_2(arguments: list[str], says: str, tmp_path: Path) -> None:
    done = convae(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: convae")
    assert says in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("check-lock", "params.yaml: cannot be read (No such file or directory); restore it"),
        ("report", "metrics/losses.json: is missing; bring it back with `dvc checkout`, or make it again"),
        ("recover", "recover: "),
    ],
)
def test_an_error_is_one_line_on_stderr_and_exit_code_1(command: str, says: str, tmp_path: Path) -> None:
    done = convae(command, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {says}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def write_project(folder: Path, stages: int) -> None:
    """Write a pipeline and a lock file that knows none of its stages."""
    declared = {f"stage-{number:0100}": {"cmd": "x", "deps": ["a", "b", "c"]} for number in range(stages)}
    (folder / "params.yaml").write_bytes((REPOSITORY / "params.yaml").read_bytes())
    (folder / "dvc.yaml").write_text(json.dumps({"stages": declared}))
    (folder / "dvc.lock").write_text("stages: {}")


def closed_early(*arguments: str, folder: Path, lines: int, **environment: str) -> tuple[int, bytes]:
    """Read some lines of what a command prints, and close the pipe; give its exit code and what it says of that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "convae", *arguments],
        cwd=folder,
        env={**ENVIRONMENT, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        for _ in range(lines):
            process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    return process.returncode, errors


@pytest.mark.parametrize("lines", [0, 1])
@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["report", "--help"], ["completion", "bash"]])
def test_a_reader_that_leaves_is_no_error(
    arguments: list[str], environment: dict[str, str], lines: int, tmp_path: Path
) -> None:
    assert closed_early(*arguments, folder=tmp_path, lines=lines, **environment) == (0, b"")


def test_an_error_is_still_told_when_nobody_reads_what_is_printed(tmp_path: Path) -> None:
    write_project(tmp_path, stages=2)
    code, errors = closed_early("check-lock", folder=tmp_path, lines=0)
    assert code == 1
    assert errors.startswith(b"error: dvc.lock: is stale where it is said above;")
    assert errors.count(b"\n") == 1


def test_a_reader_that_leaves_a_command_that_prints_more_than_a_pipe_holds_is_no_error(tmp_path: Path) -> None:
    write_project(tmp_path, stages=500)
    done = convae("check-lock", folder=tmp_path)
    assert done.returncode == 1
    assert len(done.stdout) > 3 * 65_536  # of which a reader takes some ahead
    assert done.stderr.startswith("error: dvc.lock: is stale where it is said above;")
    assert closed_early("check-lock", folder=tmp_path, lines=1) == (0, b"")


LOADED = """
import sys
from convae.commands.main import main

try:
    main(sys.argv[1:])
except SystemExit as done:
    assert not done.code
found = {name.partition(".")[0] for name in sys.modules}
print(sorted(found & {"torch", "numpy", "dvc", "pydantic", "ruamel", "yaml", "matplotlib", "sklearn", "shtab"}))
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["verify", "--help"], ["encode", "--help"]])
def test_help_and_version_import_none_of_the_large_libraries(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_what_completes_bash_is_a_script_that_bash_takes_and_that_completes(tmp_path: Path) -> None:
    done = convae("completion", "bash", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "script").write_text(done.stdout)
    subprocess.run(["bash", "-n", "script"], cwd=tmp_path, check=True)
    # As bash asks when Tab is pressed after `convae re`.
    ask = (
        "set -e; . ./script; COMP_WORDS=(convae re); COMP_CWORD=1; COMP_LINE='convae re'; COMP_POINT=9; "
        "name=$(complete -p convae | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \"$name\" convae re convae; "
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    completed = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert completed.stdout.split() == ["report", "recover", "reconstruct"]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_a_script_that_names_every_subcommand(shell: str, tmp_path: Path) -> None:
    done = convae("completion", shell, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(command in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"], ["verfy"], ["check-lock"]])
def test_no_escape_codes_go_into_a_pipe(arguments: list[str], tmp_path: Path) -> None:
    done = convae(*arguments, folder=tmp_path, TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr
