"""params.yaml: what DVC tracks is what loads, and all else is refused in one line that says what was meant."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import parse_yaml as dvc_parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from convae.check import Params, check_params
from convae.errors import ConvaeError
from convae.params import Section, load_section, parse_yaml

ROOT = Path(__file__).parents[1]

# Written out anew, not read from params.yaml: what the documentation promises.
DEFAULTS = {
    "data": {
        "dataset": "MNIST",
        "train_images": None,
        "test_images": None,
        "folder": "examples/shapes",
        "image_size": [32, 32],
        "colour": "rgb",
        "background": [255, 255, 255],
        "test_fraction": 0.1,
    },
    "model": {"architecture": "conv", "channels": [32, 64], "latent_size": 64},
    "train": {
        "seed": 0,
        "epochs": 20,
        "batch_size": 256,
        "learning_rate": 0.001,
        "weight_decay": 0.00001,
        "schedule": "constant",
        "noise": 0,
        "arithmetic": "exact",
    },
    "extract": {"split": "test"},
    "tsne": {"backend": "opentsne", "perplexity": 30, "seed": 0},
    "generate": {"samples": 1000, "components": 50, "interpolations": 5, "seed": 0},
    "plot": {"reconstructions": 5, "seed": 0, "format": "png", "dpi": 100},
}
SCHEMAS: dict[str, type[Section]] = {name: field.annotation for name, field in Params.model_fields.items()}
KEYS = [(section, key) for section, keys in DEFAULTS.items() for key in keys]

# The lowest and the highest value allowed, then values just outside.
RANGES = {
    "data.train_images": [1, 10**9, 0, -1],
    "data.test_images": [1, 10**9, 0, -1],
    "data.image_size": [[8, 256], [256, 8], [7, 8], [8, 257]],
    "data.background": [[0, 0, 0], [255, 255, 255], [-1, 0, 0], [0, 0, 256]],
    "data.test_fraction": [math.ulp(0.0), math.nextafter(1, 0), 0, 1],
    "model.channels": [[2, 2], [4096, 4096], [1, 2], [2, 4097]],
    "model.latent_size": [1, 4096, 0, 4097],
    "train.seed": [0, 2**32 - 1, -1, 2**32],
    "train.epochs": [1, 10_000, 0, 10_001],
    "train.batch_size": [1, 60_000, 0, 60_001],
    "train.learning_rate": [math.ulp(0.0), 10, 0, math.nextafter(10, 11)],
    "train.noise": [0, 2, -math.ulp(0.0), math.nextafter(2, 3)],
    "train.weight_decay": [0, 10, -math.ulp(0.0), math.nextafter(10, 11)],
    "tsne.perplexity": [1, 1000, math.nextafter(1, 0), math.nextafter(1000, 1001)],
    "tsne.seed": [0, 2**32 - 1, -1, 2**32],
    "generate.samples": [2, 10_000, 1, 10_001],
    "generate.components": [1, 500, 0, 501],
    "generate.interpolations": [1, 20, 0, 21],
    "generate.seed": [0, 2**32 - 1, -1, 2**32],
    "plot.reconstructions": [1, 50, 0, 51],
    "plot.seed": [0, 2**32 - 1, -1, 2**32],
    "plot.dpi": [30, 600, 29, 601],
}
NAMES = {
    "data.dataset": ["MNIST", "FashionMNIST", "KMNIST", "folder"],
    "data.train_images": [None],
    "data.folder": ["examples/shapes", "/data/my photos", "../2024-photos", "2024-photos", "./010", "日本"],
    "data.colour": ["rgb", "grey"],
    "data.test_images": [None],
    "model.architecture": ["conv", "conv_linear", "dense"],
    "train.schedule": ["constant", "one_cycle"],
    "train.arithmetic": ["exact", "native"],
    "extract.split": ["test", "train", "all"],
    "tsne.backend": ["opentsne", "sklearn"],
    "plot.format": ["png", "svg"],
}

INVALID = sorted((ROOT / "tests/invalid_params").iterdir())
# Of the files that cannot hold a comment.
EXPECTED = {
    "empty.yaml": "is empty; restore it with `git checkout`",
    "utf16.yaml": "is not UTF-8 text; save it as UTF-8",
}

# DVC reads these as numbers or dates; the loader leaves them text, which no field accepts: refused, not another value.
# Better so: to many YAML parsers 010 is eight.
REFUSED_SCALARS = ["010", "00", "08", "0o10", "0x1F", "0b11", "1_000", "1_0.5", ".5_0", "10_", "2001-01-01"]
SCALARS = """
1e-05 1E5 1e5 1.e5 1.5e+3 .5 5. -.5 +.5 .5e3 .5e-3 +3 -0 -0.0 0e0 1e400 .inf -.Inf .nan -.nan . 1e 0o8 12:30 1.2.3
yes no on off y n true False tRUE ~ null NULL nULL '' '3' "true" _1 ٣
"""
TAGGED_SCALARS = ["", "!!int 010", "!!int 1_000", "!!int '3'", "!!float 3", "!!str 3", "!!null x", "&a 3", "|-\n  3"]

# Nine times nine times nine ... when written out.
LAUGHS = ["&a0 [ha]", *(f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))]
MERGES = ["&a0 {ha: 1}", *(f"&a{n} {{!!merge <<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30))]


def document(section: str = "", key: str = "", scalar: str = "") -> str:
    """The default parameters as YAML, with another scalar for one key."""
    lines = []
    for name, values in DEFAULTS.items():
        lines.append(f"{name}:")
        for each, value in values.items():
            lines.append(f"  {each}: {scalar if (name, each) == (section, key) else json.dumps(value)}")
    return "\n".join(lines) + "\n"


def load(path: Path, content: str | bytes, section: str = "") -> Section | str:
    """The parameters, all or a section's, in a file of this content, or the one short line that refuses it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        return load_section(section, SCHEMAS[section], path) if section else check_params(path)
    except ConvaeError as error:
        message = str(error).replace(str(path), "params.yaml")
    assert message.startswith("params.yaml: ")
    assert message.splitlines() == [message]
    assert len(message) < 200
    return message


HOSTILE = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "question marks": "? " * 100_000,
    "laughs": f"[{', '.join(LAUGHS)}]",
    "laughs for a number": document("train", "seed", f"[{', '.join(LAUGHS)}]"),
    "merges": document("train", "seed", f"[{', '.join(MERGES)}]"),
    "list that holds itself": document("train", "seed", "&a [*a, *a]"),
    "map that holds itself": document("train", "seed", "&a {seed: *a}"),
    "long number": document("train", "seed", "9" * 100_000),
    "long hexadecimal number": document("train", "seed", "!!int 0x" + "f" * 100_000),
    "laughs under a key that comes twice": f"? {{a: [{', '.join(LAUGHS)}], a: *a29}}\n: 1\n",
    "laughs as a key": f"? [{', '.join(LAUGHS)}]\n: 1\n",
    "list in a list as a key": "? [[1]]\n: 1\n",
    "list that is called a number": document("train", "seed", "!!int [1]"),
    "map that is called a number": document("train", "seed", "!!float {a: 1}"),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("params") / "params.yaml"


@pytest.fixture(scope="module")
def committed() -> str:
    # Not the working copy's: whoever tries other values may run the tests too.
    return subprocess.run(
        ["git", "show", "HEAD:./params.yaml"], cwd=ROOT, capture_output=True, check=True, encoding="utf-8"
    ).stdout


def test_committed_file_holds_the_defaults(path, committed):
    params = load(path, committed)
    assert isinstance(params, Params), params
    assert params.model_dump(mode="json") == DEFAULTS


def test_committed_file_explains_every_key(committed):
    lines = committed.splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"  \w+:", line)]
    assert len(keys) == len(KEYS)
    bare = [lines[number] for number in keys if "# " not in lines[number] and "# " not in lines[number - 1]]
    assert bare == []


def test_committed_file_means_the_same_to_dvc(committed):
    # repr tells 1 from 1.0 and True.
    assert repr(parse_yaml(committed)) == repr(dvc_parse_yaml(committed, "params.yaml"))


@pytest.mark.parametrize("scalar", [*SCALARS.split(), *TAGGED_SCALARS])
def test_scalar_means_the_same_to_dvc(scalar):
    text = f"key: {scalar}\n"
    assert repr(parse_yaml(text)) == repr(dvc_parse_yaml(text, "params.yaml"))


@pytest.mark.parametrize("scalar", ["yes", "1:30.5", "!!int 010", "!!int -010", "!!int 3", "12", "1.5"])
def test_scalar_means_the_same_to_dvc_in_an_older_yaml(scalar):
    text = f"%YAML 1.1\n---\nkey: {scalar}\n"
    assert repr(parse_yaml(text)) == repr(dvc_parse_yaml(text, "params.yaml"))


@pytest.mark.parametrize("scalar", REFUSED_SCALARS)
def test_scalar_that_dvc_reads_otherwise_is_refused_everywhere(path, scalar):
    for section, key in KEYS:
        assert str(load(path, document(section, key, scalar))).startswith(
            f"params.yaml: {section}.{key}: got '{scalar}';"
        )


@settings(deadline=None)
@given(key=st.sampled_from(KEYS), scalar=st.text(alphabet="0123456789+-._eE~ nulxobai'", max_size=8))
def test_what_loads_is_what_dvc_tracks(path, key, scalar):
    text = document(*key, scalar)
    params = load(path, text)
    if isinstance(params, Params):
        assert params.model_dump(mode="json") == dvc_parse_yaml(text, "params.yaml")


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("train.learning_rate=1e-05", "train", "learning_rate", 1e-05),
        ("train.weight_decay=0.0000001", "train", "weight_decay", 1e-07),
        ("model.channels=[16,8]", "model", "channels", (16, 8)),
        ("model.channels=[16, 8]", "model", "channels", (16, 8)),
        ("data.train_images=2000", "data", "train_images", 2000),
        ("data.train_images=null", "data", "train_images", None),
        ("train.epochs=1_000", "train", "epochs", 1000),
        ("tsne.perplexity=12.5", "tsne", "perplexity", 12.5),
        ("train.schedule=one_cycle", "train", "schedule", "one_cycle"),
    ],
)
def test_what_dvc_writes_for_an_override(path, committed, override, section, key, value):
    path.write_text(committed, encoding="utf-8")
    apply_overrides(path, [override])
    assert getattr(load_section(section, SCHEMAS[section], path), key) == value
    assert isinstance(check_params(path), Params)


@pytest.mark.parametrize("name", RANGES)
def test_range(path, name):
    section, key = name.split(".")
    lowest, highest, *outside = (document(section, key, json.dumps(value)) for value in RANGES[name])
    for text in (lowest, highest):
        # The section alone: what does not go together with the defaults of others is test_check's.
        params = load(path, text, section)
        assert isinstance(params, SCHEMAS[section]), params
        assert params.model_dump(mode="json") == dvc_parse_yaml(text, "params.yaml")[section]
    for text in outside:
        assert str(load(path, text, section)).startswith(f"params.yaml: {name}")
        assert str(load(path, text)).startswith(f"params.yaml: {name}")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NAMES.items() for value in values])
def test_name_is_accepted(path, name, value):
    section, key = name.split(".")
    text = document(section, key, json.dumps(value))
    assert getattr(load(path, text, section), key) == value
    assert getattr(getattr(load(path, text), section), key) == value


def test_every_key_is_among_the_ranges_or_names():
    assert {f"{section}.{key}" for section, key in KEYS} == {*RANGES, *NAMES}


def test_models_are_frozen(path):
    params = load(path, document())
    assert params.model.channels == (32, 64)
    hash(params)
    for section, key in KEYS:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(getattr(params, section), key, 1)
        with pytest.raises(ValidationError, match="frozen"):
            setattr(params, section, getattr(params, section))


def test_there_are_many_invalid_files():
    assert len(INVALID) >= 30


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid_file(tmp_path, monkeypatch, file):
    monkeypatch.chdir(tmp_path)
    content = file.read_bytes()
    expected = EXPECTED.get(file.name) or content.splitlines()[0].decode().removeprefix("# expects: ")
    path = tmp_path / "params.yaml"
    assert load(path, content) == f"params.yaml: {expected}"
    # Nothing was written, and what python_object.yaml asks for has not run.
    assert list(tmp_path.iterdir()) == [path]


def test_missing_file(tmp_path):
    with pytest.raises(ConvaeError, match=r"params.yaml: cannot be read \(No such file or directory\); restore it"):
        check_params(tmp_path / "params.yaml")


def run_in(folder: Path, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("stages", "src"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_stage_fails_with_one_line_and_writes_nothing(project):
    (project / "params.yaml").write_text(document().replace("epochs:", "epoch:"), encoding="utf-8")
    before = {file: file.is_file() and file.read_bytes() for file in project.rglob("*")}
    result = run_in(project, "-m", "stages.check", timeout=60)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == "error: params.yaml: train.epoch: unknown key; did you mean epochs?\n"
    assert {file: file.is_file() and file.read_bytes() for file in project.rglob("*")} == before


# In each section: an unknown key, an unknown name or a value out of range.
SLIPS = {
    "data": ("dataset: ", "datasets: "),
    "model": ('"conv"', '"convolutional"'),
    "train": ("epochs: 20", "epochs: 0"),
    "extract": ('"test"', '"rest"'),
    "tsne": ("perplexity: 30", "perplexity: thirty"),
    "generate": ("components: 50", "component: 50"),
    "plot": ("dpi: 100", "dpi: null"),
}


@pytest.mark.parametrize("wrong", DEFAULTS)
def test_a_section_loads_whatever_is_wrong_in_another_and_the_whole_does_not(path, wrong):
    text = document()
    assert text.count(SLIPS[wrong][0]) == 1
    text = text.replace(*SLIPS[wrong])
    assert str(load(path, text)).startswith(f"params.yaml: {wrong}.")
    assert load(path, text, wrong) == load(path, text)
    for section in DEFAULTS.keys() - {wrong}:
        assert load(path, text, section).model_dump(mode="json") == DEFAULTS[section]


@pytest.mark.parametrize("section", DEFAULTS)
def test_a_section_loads_where_others_are_missing_or_unknown_and_is_refused_where_it_is_missing(path, section):
    text = json.dumps({section: DEFAULTS[section], "more": 1})
    assert load(path, text, section).model_dump(mode="json") == DEFAULTS[section]
    keys = ", ".join(DEFAULTS[section])
    for text in ("{}", "more: 1", "[]", "3", f"[{section}]", f"{section}:", json.dumps({"more": DEFAULTS[section]})):
        assert load(path, text, section) == f"params.yaml: {section}: got None; want the keys {keys}"
    assert load(path, f"{section}: []", section) == f"params.yaml: {section}: got []; want the keys {keys}"


@pytest.mark.parametrize("section", DEFAULTS)
@pytest.mark.parametrize("file", ["conflict_markers.yaml", "duplicate_section.yaml", "empty.yaml", "not_utf8.yaml"])
def test_a_file_that_cannot_be_parsed_is_refused_whichever_section_is_asked_for(path, section, file):
    content = (ROOT / "tests/invalid_params" / file).read_bytes()
    assert load(path, content, section) == load(path, content)


# Imported once; each file is read in a fork, which ends as the program would, or by the alarm should it hang.
REFUSE = """
import os, signal, sys
from convae import check, stage
for folder in sys.argv[1:]:
    child = os.fork()
    if not child:
        signal.alarm(20)
        os.chdir(folder)
        os.dup2(os.open("stderr", os.O_WRONLY | os.O_CREAT), 2)
        stage.run(check.check_params)
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def refusals(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Give for each hostile file the exit code and what is said."""
    folders = {name: tmp_path_factory.mktemp("hostile") for name in HOSTILE}
    for name, folder in folders.items():
        (folder / "params.yaml").write_text(HOSTILE[name], encoding="utf-8")
    result = run_in(project, "-c", REFUSE, *map(str, folders.values()), timeout=400)
    codes = map(int, result.stdout.split())
    return {
        name: (code, (folder / "stderr").read_text())
        for (name, folder), code in zip(folders.items(), codes, strict=True)
    }


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_at_once(refusals, name):
    code, said = refusals[name]
    assert code == 1
    assert re.fullmatch(r"error: params\.yaml: .{1,180}\n", said)


@settings(deadline=None)
@given(
    content=st.binary()
    | st.text().map(str.encode)
    | st.text(alphabet="ab1 \n\t-?:,[]{}#&*!|>'\"%@`~<=.\\").map(str.encode)
    | st.text(alphabet="a1 \n-?:,[]{}&*!|'\"<=~").map(lambda text: f"{document()}{text}".encode())
)
def test_any_content_loads_or_is_refused(path, content):
    load(path, content)


# Short keys: YAML allows those of flow maps only 1024 characters, escapes included. No infinity: JSON has none, and the
# word that Python writes for it, Infinity, is a text in YAML, and the good name of a folder.
finite = st.floats(allow_nan=False, allow_infinity=False)
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(0, 100) | finite | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=20), children, max_size=4),
    max_leaves=8,
)


@settings(deadline=None)
@given(key=st.sampled_from(KEYS), value=json_like)
def test_any_value_is_held_as_it_is_or_refused_by_its_key(path, key, value):
    section, name = key
    params = load(path, document(section, name, json.dumps(value)), section)
    if isinstance(params, Section):
        held = getattr(params, name)
        assert held == (tuple(value) if isinstance(value, list) else value)
        assert not isinstance(value, bool)
    else:
        assert params.startswith(f"params.yaml: {section}.{name}")
