"""The command line: help, errors in one line, exit codes, and what it takes to say so little."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY, python

from convae.commands.main import main
from convae.commands.parser import PROGRAMS
from convae.version import __version__

# Output is buffered, as is usual.
KEPT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
ENVIRONMENT = {**KEPT, "PYTHONPATH": str(REPOSITORY / "src")}


def ended(*arguments: str) -> str | int | None:
    """Run the command in this process, and give what it exits with."""
    with pytest.raises(SystemExit) as exit_of:
        main(arguments)
    return exit_of.value.code


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


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_alone_or_asked_for_help_it_names_every_program(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert not ended(*arguments)
    out, err = capsys.readouterr()
    assert all(f"\n    {program}" in out for program in PROGRAMS)
    assert (err, out.splitlines()[-1]) == ("", "Example: convae report")


def test_each_program_is_a_module_and_its_help_gives_an_example_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    for program in PROGRAMS:
        module = "try_folder" if program == "try" else program.replace("-", "_")  # `try` is a word of Python's own
        assert (REPOSITORY / f"src/convae/commands/{module}.py").is_file()
        assert not ended(program, "--help")
        out, err = capsys.readouterr()
        assert (err, out.partition(" [")[0]) == ("", f"usage: convae {program}")
        (example,) = [line for line in out.splitlines() if line.startswith("Example: ")]
        assert f"convae {program}" in example


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["verfy"], "no program 'verfy'; did you mean verify?"),
        (["sumary", "model"], "no program 'sumary'; did you mean summary?"),
        (["chek-lock"], "no program 'chek-lock'; did you mean check-lock?"),
        (["xyz"], "no program 'xyz'; convae --help lists them"),
        (["--quiet"], "unrecognized arguments: --quiet"),
        (["report", "--quiet"], "unrecognized arguments: --quiet"),
        (["report", "more"], "unrecognized arguments: more"),
        (["encode", "model", "a.png"], "the following arguments are required: -o"),
        (["encode", "model", "-o", "a.npy"], "the following arguments are required: IMAGES"),
        (["encode", "model", "a.png", "-o", "latents.txt"], "want a name that ends in .npy or .csv, got 'latents.txt'"),
        (["encode", "model", "a.png", "-o", "out"], "want a name that ends in .npy or .csv, got 'out'"),
        (["score", "model", "a.png", "-o", "a.png"], "want a name that ends in .csv, got 'a.png'"),
        (["score", "model", "a.png", "-o", "a.csv", "--json"], "not allowed with argument -o"),
        (["similar", "model", "a.png"], "the following arguments are required: --among"),
        (["similar", "model", "a.png", "--among", "b", "-k", "0"], "want a whole number from 1 on, got '0'"),
        (["generate", "model"], "the following arguments are required: -o"),
        (["generate", "model", "-o", "new.png"], "got 'new.png'; or a name that ends in .npy (--figure draws one"),
        (["generate", "model", "-o", "new", "-n", "100001"], "want a whole number from 1 to 100000, got '100001'"),
        (["generate", "model", "-o", "new", "--seed", "-1"], "want a whole number from 0 to 4294967295, got '-1'"),
        (["reconstruct", "model", "a.png", "-o", "out.npy"], "want a folder, got 'out.npy'"),
        (["reconstruct", "model", "a.png", "-o", __file__], f"want a folder, and {__file__!r} is a file"),
        (["export", "model", "-o", "encoder.onnx"], "want a folder, got 'encoder.onnx'"),
        (["export", "model", "a.png", "-o", "onnx"], "unrecognized arguments: a.png"),
        (["score", "model", "a.png", "--background", "white"], "want a colour such as #ffffff, got 'white'"),
    ],
)
def test_wrong_usage_is_told_on_stderr_with_exit_code_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.startswith("usage: convae")) == ("", True)
    assert says in err.splitlines()[-1]


def write_project(folder: Path, stages: int) -> None:
    """Write a pipeline and a lock file that knows none of its stages."""
    declared = {f"stage-{number:0100}": {"cmd": "x", "deps": ["a", "b", "c"]} for number in range(stages)}
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").touch()
    (folder / "params.yaml").write_bytes((REPOSITORY / "params.yaml").read_bytes())
    (folder / "dvc.yaml").write_text(json.dumps({"stages": declared}))
    (folder / "dvc.lock").write_text("stages: {}")


def test_an_error_is_one_line_on_stderr_exit_code_1_and_true_inside_and_outside_a_project(tmp_path: Path) -> None:
    done = convae("report", folder=tmp_path)
    outside = "is in no project: neither it nor a folder above has .dvc/config; change to a clone"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: {tmp_path}: {outside}\n")
    write_project(tmp_path, stages=0)
    done = convae("report", folder=tmp_path, TERM="xterm-256color")
    missing = "artifacts/evaluate/losses.json: is missing; bring it back with `dvc checkout`, or make it again with"
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"error: {missing}")
    assert "\x1b" not in done.stderr  # no escape codes go into a pipe


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


@pytest.mark.parametrize("environment", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_a_reader_that_leaves_is_no_error(environment: dict[str, str], tmp_path: Path) -> None:
    assert closed_early("--help", folder=tmp_path, lines=0, **environment) == (0, b"")


def test_an_error_is_still_told_when_nobody_reads_what_is_printed(tmp_path: Path) -> None:
    write_project(tmp_path, stages=2)
    code, errors = closed_early("check-lock", folder=tmp_path, lines=0)
    assert code == 1
    assert errors.startswith(b"error: dvc.lock: is stale where it is said above;")
    assert errors.count(b"\n") == 1


def test_a_reader_that_leaves_a_command_that_prints_more_than_a_pipe_holds_is_no_error(tmp_path: Path) -> None:
    write_project(tmp_path, stages=500)  # of which a reader takes some ahead
    assert closed_early("check-lock", folder=tmp_path, lines=1) == (0, b"")


LOADED = """
import sys
from convae.commands.main import main

try:
    main(sys.argv[1:])
except SystemExit as done:
    assert not done.code
found = {name.partition(".")[0] for name in sys.modules}
print(sorted(found & {"torch", "numpy", "dvc", "pydantic", "ruamel", "yaml", "matplotlib", "sklearn"}))
"""


def test_help_and_version_import_none_of_the_large_libraries(tmp_path: Path) -> None:
    for arguments in (["--version"], ["encode", "--help"]):
        first, *_, last = python(LOADED, *arguments, cwd=tmp_path)
        assert last == "[]"
        assert first in (f"convae {__version__}", "usage: convae encode [-h] [--background COLOUR] -o FILE")
