"""Read ``params.yaml``, as DVC does, into frozen, typed sections that refuse what cannot be meant."""

import difflib
import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from convae.errors import ConvaeError

PARAMS = Path("params.yaml")

Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Section(BaseModel):
    """A mapping with these keys and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Schema = TypeVar("Schema", bound=Section)


class _Resolver(VersionedResolver):
    """DVC's own, except for what people and programs read differently, such as ``010``: that stays text."""

    # Decimal numbers without underscores. Dates, `<<` and `=` are text.
    plain: ClassVar = {"null": ".*", "bool": ".*", "int": "[-+]?(0|[1-9][0-9]*)", "float": "[^_]*"}

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of a node that has none."""
        tag = super().resolve(kind, value, implicit)
        if kind is ScalarNode and not re.fullmatch(self.plain.get(str(tag).rpartition(":")[2], ""), value):
            return self.DEFAULT_SCALAR_TAG
        return tag


def parse_yaml(text: str) -> Any:
    """Parse YAML safely, with the parser that DVC uses: YAML 1.2, in which ``1e-05`` is a number; no key twice."""
    parser = YAML(typ="safe", pure=True)
    parser.Resolver = _Resolver
    return parser.load(text)


def read_params(path: Path = PARAMS) -> Any:
    """Parse the whole parameter file, without a look at what it says.

    Raises
    ------
    ConvaeError
        If the file is missing, is empty, is not YAML, or has a key twice.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConvaeError(path, f"cannot be read ({error.strerror})", "restore it with `git checkout`") from None
    except UnicodeDecodeError:
        raise ConvaeError(path, "is not UTF-8 text", "save it as UTF-8") from None
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        what = f"{line}{_short(str(error.problem).partition(' with ')[0], 120)}"
        raise ConvaeError(path, what, "correct the YAML there") from None
    except Exception as error:  # what else the parser raises, as of control characters or endless numbers
        what = f"is not valid YAML ({type(error).__name__})"
        raise ConvaeError(path, what, "correct it, or restore it with `git checkout`") from None
    if content is None:
        raise ConvaeError(path, "is empty", "restore it with `git checkout`")
    return content


def lookup(params: Any, name: str) -> Any:
    """Find a parameter or a section by its name, such as ``model.conv.channels``; None if there is none."""
    for key in name.split("."):
        params = params.get(key) if isinstance(params, dict) else None
    return params


def interpolated(text: str, params: Any) -> str:
    """Put parameters into a text of dvc.yaml, for each ``${SECTION.KEY}``, as DVC does."""
    return re.sub(r"\$\{([\w.]+)\}", lambda match: str(lookup(params, match[1])), text)


def load_section(name: str, schema: type[Schema], path: Path = PARAMS) -> Schema:
    """Read and check one section of the parameter file; the stage `check` has checked the others.

    Parameters
    ----------
    name : str
        The section, such as ``train`` or ``model.conv``.
    schema : type of Section
        Its keys.
    path : Path
        A file like the repository's ``params.yaml``.

    Returns
    -------
    Section
        Frozen, one attribute per key.

    Raises
    ------
    ConvaeError
        If the file cannot be parsed (see `read_params`), or the section is missing or holds an unknown, missing or
        out-of-range key.
    """
    return validated(lookup(read_params(path), name), schema, path, name)


def validated(content: Any, schema: type[Schema], path: Path, *section: str) -> Schema:
    """Make a schema's model of parsed content; an error names the file, the section and the key."""
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise _explained(error, schema, path, section) from None


def wanted(field: FieldInfo) -> str:
    """Say in words what a field takes: its description if it has one, else what follows from its type and bounds."""
    if field.description:
        return field.description
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    if type(None) in get_args(field.annotation):
        return f"null or {_words(kinds[0], field)}"
    return _words(field.annotation, field)


def _words(kind: Any, field: FieldInfo) -> str:
    names = ("ge", "gt", "le", "lt", "min_length", "max_length")
    limits = {name: getattr(each, name) for each in field.metadata for name in names if hasattr(each, name)}
    if get_origin(kind) is Literal:
        *others, last = map(str, get_args(kind))
        return f"{', '.join(others)} or {last}"
    if get_origin(kind) is tuple:
        items = wanted(FieldInfo.from_annotation(get_args(kind)[0])).removeprefix("a ").replace("number", "numbers", 1)
        return f"a list of {limits['min_length']} to {limits['max_length']} {items}"
    if isinstance(kind, type) and issubclass(kind, Section):
        return f"the keys {', '.join(kind.model_fields)}"
    what = {int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "text")
    if not limits:
        return what
    most = limits["lt"] - 1 if kind is int and "lt" in limits else limits.get("le")
    if "ge" in limits and most is None:
        return f"{what}, {limits['ge']} or more"
    if "ge" in limits:
        return f"{what} from {limits['ge']} to {most}"
    return f"{what} above {limits['gt']} and " + (f"up to {most}" if most is not None else f"below {limits['lt']}")


def _explained(invalid: ValidationError, schema: type[BaseModel], path: Path, section: tuple[str, ...]) -> ConvaeError:
    # An unknown key comes first: a misspelt name makes two errors, of which "missing" is the less helpful.
    unknown = ("extra_forbidden", "invalid_key")
    error = min(invalid.errors(), key=lambda error: error["type"] not in unknown)
    keys = [_short(str(key)) for key in error["loc"]]
    want = f"the keys {', '.join(schema.model_fields)}"
    for key in keys:
        field = schema.model_fields.get(key)
        if field is None:  # a number in a list, or a name in a mapping
            continue
        want = wanted(field)
        kinds = [field.annotation, *get_args(field.annotation)]
        schema = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), schema)
    short_list = error["type"] == "missing" and isinstance(error["loc"][-1], int)
    if short_list:
        keys.pop()
    where = f"{path}: {'.'.join([*section, *keys])}".removesuffix(": ")
    if error["type"] in unknown:
        nearest = difflib.get_close_matches(keys[-1], schema.model_fields, n=1)
        fix = f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(schema.model_fields)}"
        return ConvaeError(where, "unknown key", fix)
    if error["type"] == "missing" and not short_list:
        return ConvaeError(where, "missing key", f"want {want}")
    return ConvaeError(where, f"got {_short(reprlib.repr(error['input']))}", f"want {want}")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
