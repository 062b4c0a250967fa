"""Read ``params.yaml``, as DVC does, into frozen, typed sections that refuse whatever is not meant."""

import difflib
import re
import reprlib
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from convae.errors import ConvaeError

PARAMS = Path("params.yaml")


class Section(BaseModel):
    """A mapping with these keys and no others; a field's description is what its error asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Schema = TypeVar("Schema", bound=Section)


class _Resolver(VersionedResolver):
    """DVC's own, but for what people and programs read differently, such as ``010``: that stays text."""

    # Numbers are plain, too. Dates, `<<` and `=` are text.
    plain: ClassVar = {"null": ".*", "bool": ".*", "int": "[-+]?(0|[1-9][0-9]*)", "float": "[^_]*"}

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Tell the tag of a node that has none."""
        tag = super().resolve(kind, value, implicit)
        if kind is ScalarNode and not re.fullmatch(self.plain.get(str(tag).rpartition(":")[2], ""), value):
            return self.DEFAULT_SCALAR_TAG
        return tag


class _Constructor(SafeConstructor):
    """DVC's own, but only of what JSON has, too."""

    def construct_int(self, node: Node) -> Any:
        int(self.construct_scalar(node))  # which refuses what is not decimal, or long enough to take minutes
        return super().construct_yaml_int(node)

    def flatten_mapping(self, node: MappingNode) -> None:
        """Leave merge keys (``!!merge <<``) alone: where aliases multiply, expanding them would not end."""

    def check_mapping_key(
        self, node: MappingNode, key_node: Node, mapping: dict[Any, Any], key: Any, value: Any
    ) -> bool:
        """Refuse a key that comes twice, without its values, which may be endless, or that is a list."""
        if not isinstance(key_node, ScalarNode):
            raise ConstructorError(problem="found unhashable key", problem_mark=key_node.start_mark)
        if key in mapping:
            raise ConstructorError(problem=f"duplicate key {key_node.value!r}", problem_mark=key_node.start_mark)
        return True


# ruamel's table, inherited, knows too much: `!!set` passes for a list.
_Constructor.yaml_constructors = {
    tag: constructor
    for tag, constructor in SafeConstructor.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in ("null", "bool", "float", "str", "seq", "map")
}
_Constructor.add_constructor("tag:yaml.org,2002:int", _Constructor.construct_int)


def parse_yaml(text: str) -> Any:
    """Parse YAML safely, by the parser that DVC uses: YAML 1.2, in which ``1e-05`` is a number; no key twice."""
    parser = YAML(typ="safe", pure=True)
    parser.Resolver, parser.Constructor = _Resolver, _Constructor
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
        raise ConvaeError(path, f"{line}{_short(str(error.problem), 120)}", "mend the YAML there") from None
    # What else the constructors raise on hostile scalars (`!!float x`, `!!bool x`), characters and nesting.
    except (YAMLError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ConvaeError(path, f"is not valid YAML ({type(error).__name__})", "mend it or `git checkout` it") from None
    if content is None:
        raise ConvaeError(path, "is empty", "restore it with `git checkout`")
    return content


def interpolated(text: str, params: Any) -> str:
    """Put parameters into a text of dvc.yaml, for each ``${SECTION.KEY}``, as DVC does; "missing" if there is none."""

    def value(match: re.Match[str]) -> str:
        found = params
        for key in match[1].split("."):
            found = found.get(key, "missing") if isinstance(found, dict) else "missing"
        return str(found)

    return re.sub(r"\$\{([\w.]+)\}", value, text)


def load_section(name: str, schema: type[Schema], path: Path = PARAMS) -> Schema:
    """Read and check one section of the parameter file; the stage `check` has seen to the others.

    Parameters
    ----------
    name : str
        The section.
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
    content = read_params(path)
    return validated(content.get(name) if isinstance(content, dict) else None, schema, path, name)


def validated(content: Any, schema: type[Schema], path: Path, *section: str) -> Schema:
    """Make a schema's model of parsed content; an error names the file, the section and the key."""
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        raise _explained(error, schema, path, section) from None


def _explained(invalid: ValidationError, schema: type[BaseModel], path: Path, section: tuple[str, ...]) -> ConvaeError:
    # An unknown key comes first: a misspelt name makes two errors, of which "missing" is the less helpful.
    unknown = ("extra_forbidden", "invalid_key")
    error = min(invalid.errors(), key=lambda error: error["type"] not in unknown)
    keys = [_short(str(key)) for key in error["loc"]]
    wanted = ""
    for key in keys:
        field = schema.model_fields.get(key)
        if field is None:
            break
        wanted = field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            schema = field.annotation
    wanted = wanted or f"the keys {', '.join(schema.model_fields)}"
    short_list = error["type"] == "missing" and isinstance(error["loc"][-1], int)
    if short_list:
        keys.pop()
    where = f"{path}: {'.'.join([*section, *keys])}".removesuffix(": ")
    if error["type"] in unknown:
        nearest = difflib.get_close_matches(keys[-1], schema.model_fields, n=1)
        fix = f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(schema.model_fields)}"
        return ConvaeError(where, "unknown key", fix)
    if error["type"] == "missing" and not short_list:
        return ConvaeError(where, "missing key", f"want {wanted}")
    # Not repr, which would write out what YAML aliases multiply.
    return ConvaeError(where, f"got {_short(reprlib.repr(error['input']))}", f"want {wanted}")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
