"""params.yaml: what DVC tracks is what loads, and all else is refused in one line that says what was meant."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import parse_yaml as dvc_parse_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from convae.check import Params, check_params
from convae.errors import ConvaeError
from convae.network.params import ARCHITECTURES
from convae.params import Section, load_section, lookup, parse_yaml, wanted

# Not the working copy's: whoever tries other values may run the tests too.
COMMITTED = subprocess.check_output(["git", "show", "HEAD:./params.yaml"], cwd=REPOSITORY, text=True)


def fields(schema: type[Section], prefix: str = "") -> dict[str, FieldInfo]:
    """All keys by their full names."""
    found = {}
    for name, field in schema.model_fields.items():
        inner = isinstance(field.annotation, type) and issubclass(field.annotation, Section)
        found |= fields(field.annotation, f"{prefix}{name}.") if inner else {f"{prefix}{name}": field}
    return found


KEYS = fields(Params)
SECTIONS = [*Params.model_fields, *(f"model.{each}" for each in ARCHITECTURES)]


def schema_of(section: str) -> type[Section]:
    schema: Any = Params
    for name in section.split("."):
        schema = schema.model_fields[name].annotation
    return schema


def document(key: str = "", scalar: str = "") -> str:
    """The committed parameters, as YAML without comments, with another scalar for one key."""
    params = parse_yaml(COMMITTED)
    section, _, name = key.rpartition(".")
    if key:
        lookup(params, section)[name] = "PUT IT HERE"
    return json.dumps(params, indent=1).replace('"PUT IT HERE"', f"\n  {scalar}\n")


def load(path: Path, content: str | bytes, section: str = "") -> Section | str:
    """The parameters, all or a section's, in a file of this content, or the one short line that refuses it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        return load_section(section, schema_of(section), path) if section else check_params(path)
    except ConvaeError as error:
        message = str(error).replace(str(path), "params.yaml")
    assert message.startswith("params.yaml: ")
    assert message.splitlines() == [message]
    assert len(message) < 200
    return message


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("params") / "params.yaml"


def comments() -> dict[str, str]:
    """What the committed file says above and beside each key; above that of a section, also of what is in it."""
    found: dict[str, str] = {}
    said, indents = "", {-1: ""}
    for line in COMMITTED.splitlines():
        match = re.match(r"( *)(?:(\w+):)?[^#]*(?:# (.*))?", line)
        assert match
        said += f" {match[3] or ''}"
        if match[2]:
            indents = {indent: name for indent, name in indents.items() if indent < len(match[1])}
            indents[len(match[1])] = match[2]
            found[".".join(list(indents.values())[1:])] = said
            said = ""
    return found


@pytest.mark.parametrize("key", KEYS)
def test_the_committed_file_explains_each_key_and_gives_its_range_as_it_is(key: str) -> None:
    said = comments()[key]
    assert said.strip()
    if key.startswith("data."):  # whose ranges depend on what there is
        return
    for words in re.findall(r"above .*|\d+ to \d+$", wanted(KEYS[key])):
        assert words in said
    if "number" not in wanted(KEYS[key]):
        assert set(re.findall(r"\w{3,}", wanted(KEYS[key]))) <= {*re.findall(r"\w+", " ".join(comments().values()))}


def test_the_committed_file_loads_and_means_the_same_to_dvc(path: Path) -> None:
    params = load(path, COMMITTED)
    assert isinstance(params, Params), params
    # repr tells 1 from 1.0 and True.
    assert repr(parse_yaml(COMMITTED)) == repr(dvc_parse_yaml(COMMITTED, "params.yaml"))
    assert params.model_dump(mode="json") == parse_yaml(COMMITTED)


# DVC reads the last eleven as numbers or dates; the loader leaves them text, which no field of a number accepts. Better
# refused than another value: to many YAML parsers, 010 is eight.
SCALARS = """
1e-05 1E5 1.e5 1.5e+3 .5 5. -.5 +.5 .5e-3 +3 -0 -0.0 0e0 1e400 .inf -.Inf .nan -.nan . 1e 0o8 12:30 1.2.3
yes no on off y n true False tRUE ~ null NULL nULL '' '3' "true" _1 ٣
"""
TAGGED_SCALARS = ["", "!!int '3'", "!!float 3", "!!str 3", "&a 3", "|-\n  3"]
REFUSED_SCALARS = ["010", "00", "08", "0o10", "0x1F", "0b11", "1_000", "1_0.5", ".5_0", "10_", "2001-01-01"]


@pytest.mark.parametrize("scalar", [*SCALARS.split(), *TAGGED_SCALARS])
def test_scalar_means_the_same_to_dvc(scalar: str) -> None:
    text = f"key: {scalar}\n"
    assert repr(parse_yaml(text)) == repr(dvc_parse_yaml(text, "params.yaml"))


@pytest.mark.parametrize("scalar", REFUSED_SCALARS)
def test_scalar_that_dvc_reads_otherwise_is_refused(path: Path, scalar: str) -> None:
    for key in ("train.epochs", "train.noise", "model.dense.latent_size", "extract.split", "data.train_images"):
        assert str(load(path, document(key, scalar))).startswith(f"params.yaml: {key}: got '{scalar}'; want ")


@pytest.mark.slow
@settings(deadline=None)
@given(key=st.sampled_from([*KEYS]), scalar=st.text(alphabet="0123456789+-._eE~ nulxobai'", max_size=8))
def test_what_loads_is_what_dvc_tracks(path: Path, key: str, scalar: str) -> None:
    text = document(key, scalar)
    params = load(path, text)
    if isinstance(params, Params):
        assert params.model_dump(mode="json") == dvc_parse_yaml(text, "params.yaml")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("train.learning_rate=1e-05", 1e-05),
        ("train.weight_decay=0.0000001", 1e-07),
        ("model.conv.channels=[16,8]", [16, 8]),
        ("model.dense.latent_size=3", 3),
        ("data.train_images=null", None),
        ("train.epochs=1_000", 1000),
        ("train.schedule=one_cycle", "one_cycle"),
    ],
)
def test_what_dvc_writes_for_an_override_loads(path: Path, override: str, value: object) -> None:
    path.write_text(COMMITTED)
    apply_overrides(path, [override])
    assert lookup(check_params(path).model_dump(mode="json"), override.partition("=")[0]) == value


def test_sections_are_frozen_and_have_hashes(path: Path) -> None:
    params = load(path, COMMITTED)
    hash(params)
    with pytest.raises(ValidationError, match="frozen"):
        params.train.seed = 1


NUMBERS = "a list of 2 to 8 whole numbers from 2 to 4096"
EPOCHS, RATE = "train.epochs: got {}; want a whole number from 1 to 10000", "want a number above 0 and up to 10"
LONG = "extract.split: got 'testtesttest...ttesttesttest'; want test, train or all"
KNOWN, TAG = "known here: split", "line N: could not determine a constructor for the tag"
RESTORE = "correct it, or restore it with `git checkout`"
CHANNELS = "    - 32\n    - 64\n"
ANOTHER = "correct the YAML there"
# By what is wrong: the text of the committed file, what stands there instead, and what is said.
INVALID = {
    "true for a number": ("noise: 0", "noise: true", "train.noise: got True; want a number from 0 to 2"),
    "fraction for a whole number": ("epochs: 20", "epochs: 20.0", EPOCHS.format("20.0")),
    "text for a number": ("epochs: 20", "epochs: twenty", EPOCHS.format("'twenty'")),
    "nothing": ("epochs: 20", "epochs:", EPOCHS.format("None")),
    "map for a number": ("epochs: 20", "epochs: {first: 10}", EPOCHS.format("{'first': 10}")),
    "too few": ("epochs: 20", "epochs: 0", EPOCHS.format("0")),
    "too many": ("epochs: 20", "epochs: 10001", EPOCHS.format("10001")),
    "not above the bound": ("_rate: 0.001", "_rate: 0", f"train.learning_rate: got 0; {RATE}"),
    "not a number": ("_rate: 0.001", "_rate: .nan", f"train.learning_rate: got nan; {RATE}"),
    "unknown name": ("format: png", "format: gif", "plot.format: got 'gif'; want png or svg"),
    "null for a name": ("split: test", "split: null", "extract.split: got None; want test, train or all"),
    "long value": ("split: test", f"split: {'test' * 999}", LONG),
    "too few channels": (CHANNELS, "    - 32\n", f"model.conv.channels: got [32]; want {NUMBERS}"),
    "channels out of range": ("- 64\n  conv_", "- 1\n  conv_", f"model.conv.channels.1: got 1; want {NUMBERS}"),
    "one latent value, of a network that is not used": (
        "  dense:\n    latent_size: 64",
        "  dense:\n    latent_size: 1",
        "model.dense.latent_size: got 1; want a whole number from 2 to 4096",
    ),
    "misspelt key": ("epochs: 20", "epoch: 20", "train.epoch: unknown key; did you mean epochs?"),
    "key in another section": ("split: test", "split: test\n  dpi: 1", f"extract.dpi: unknown key; {KNOWN}"),
    "number as a key": ("split: test", "split: test\n  20: 1", f"extract.20: unknown key; {KNOWN}"),
    "long key": ("split: test", f"split: test\n  {'x' * 99}: 1", f"extract.{'x' * 57}...: unknown key; {KNOWN}"),
    "side beyond the range": (
        "image_size:\n",
        "image_size: [7, 28]\n",
        "data.image_size.0: got 7; want null or [height, width], whole numbers from 8 to 256, such as [64, 64]",
    ),
    "missing key": ("  epochs: 20\n", "", "train.epochs: missing key; want a whole number from 1 to 10000"),
    "misspelt section": ("extract:", "extracts:", "extracts: unknown key; did you mean extract?"),
    "empty section": ("  split: test", "", "extract: got None; want the keys split"),
    "list for a section": ("  split: test", "  - split: test", "extract: got [{'split': 'test'}]; want the keys split"),
    "repeated key": ("epochs: 20", "epochs: 20\n  epochs: 5", f'line N: found duplicate key "epochs"; {ANOTHER}'),
    "merge conflict": ("extract:", "<<<<<<< HEAD\nextract:", f"line N: could not find expected ':'; {ANOTHER}"),
    "tab": ("  split:", "\tsplit:", rf"line N: found character '\t' that cannot start any token; {ANOTHER}"),
    "no space after the colon": ("split: test", "split:test", "extract: got 'split:test'; want the keys split"),
    "two documents": ("extract:", "---\nextract:", f"line N: but found another document; {ANOTHER}"),
    "unknown tag": ("split: test", "split: !env X", f"{TAG} '!env'; {ANOTHER}"),
    "control character": ("split: test", "split: \a", f"is not valid YAML (ReaderError); {RESTORE}"),
    "5000 digits": ("epochs: 20", f"epochs: {'9' * 5000}", f"is not valid YAML (ValueError); {RESTORE}"),
}  # fmt: skip
FILES = {
    "empty": (b"", "is empty; restore it with `git checkout`"),
    "only comments": (b"# a\n", "is empty; restore it with `git checkout`"),
    "UTF-16": (COMMITTED.encode("utf-16"), "is not UTF-8 text; save it as UTF-8"),
    "Latin-1": ("# caf\xe9\n".encode("latin1") + COMMITTED.encode(), "is not UTF-8 text; save it as UTF-8"),
    "list": (b"- data\n", f"got ['data']; want the keys {', '.join(Params.model_fields)}"),
    "scalar": (b"data\n", f"got 'data'; want the keys {', '.join(Params.model_fields)}"),
}


@pytest.mark.parametrize("what", INVALID)
def test_a_wrong_value_is_refused_by_its_name(what: str, path: Path) -> None:
    old, new, says = INVALID[what]
    assert old in COMMITTED
    said = load(path, COMMITTED.replace(old, new, 1))
    assert re.sub(r"line \d+", "line N", str(said)) == f"params.yaml: {says}"


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_holds_no_parameters_is_refused(what: str, path: Path) -> None:
    content, says = FILES[what]
    assert load(path, content) == f"params.yaml: {says}"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConvaeError, match=r"params.yaml: cannot be read \(No such file or directory\); restore it"):
        check_params(tmp_path / "params.yaml")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_loads_whatever_is_wrong_in_others_and_is_refused_where_it_is_missing(
    section: str, path: Path
) -> None:
    own: Any = lookup(parse_yaml(COMMITTED), section)
    text = json.dumps({"more": 1, section: own} if "." not in section else {"model": {section.split(".")[1]: own}})
    found = load(path, text, section)
    assert isinstance(found, Section)
    assert found.model_dump(mode="json") == own
    for missing in ("{}", "[]", "3", f"{section.split('.')[0]}:"):
        assert str(load(path, missing, section)).startswith(f"params.yaml: {section}: got None; want the keys ")


@settings(deadline=None)
@given(
    content=st.binary()
    | st.text(alphabet="ab1 \n\t-?:,[]{}#&*!|>'\"%@`~<=.\\").map(str.encode)
    | st.text(alphabet="a1 \n-?:,[]{}&*!|'\"<=~").map(lambda text: f"{document()}{text}".encode())
)
def test_any_content_loads_or_is_refused(path: Path, content: bytes) -> None:
    load(path, content)
