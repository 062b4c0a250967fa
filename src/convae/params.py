"""Load ``params.yaml`` into frozen, typed models that refuse whatever is not meant."""

import difflib
import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from convae import paths
from convae.errors import ConvaeError


class Section(BaseModel):
    """A mapping with these keys and no others; a field's description is what its error asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataParams(Section):
    """What the download stage writes."""

    dataset: Literal["MNIST", "FashionMNIST", "KMNIST"] = Field(description="MNIST, FashionMNIST or KMNIST")
    train_images: int | None = Field(ge=1, le=60_000, description="null or a whole number from 1 to 60000")
    test_images: int | None = Field(ge=1, le=10_000, description="null or a whole number from 1 to 10000")


class ModelParams(Section):
    """Which network is trained."""

    architecture: Literal["conv", "dense"] = Field(description="conv or dense")
    # YAML has lists only; the tuple keeps the model frozen.
    channels: tuple[Annotated[int, Field(ge=2, le=4096)], Annotated[int, Field(ge=2, le=4096)]] = Field(
        strict=False, description="a list of two whole numbers from 2 to 4096, such as [32, 64]"
    )
    latent_size: int = Field(ge=1, le=4096, description="a whole number from 1 to 4096")


class TrainParams(Section):
    """How it is trained."""

    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
    epochs: int = Field(ge=1, le=10_000, description="a whole number from 1 to 10000")
    batch_size: int = Field(ge=1, le=60_000, description="a whole number from 1 to 60000")
    shards: int = Field(ge=1, le=256, description="a whole number from 1 to 256")
    learning_rate: float = Field(gt=0, le=10, description="a number above 0 and up to 10")
    weight_decay: float = Field(ge=0, le=10, description="a number from 0 to 10")
    schedule: Literal["constant", "one_cycle"] = Field(description="constant or one_cycle")


class ExtractParams(Section):
    """Which images get latents."""

    split: Literal["test", "train", "all"] = Field(description="test, train or all")


class TsneParams(Section):
    """How the latents are embedded in the plane."""

    backend: Literal["opentsne", "sklearn"] = Field(description="opentsne or sklearn")
    perplexity: float = Field(ge=1, le=1000, description="a number from 1 to 1000")
    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")


class PlotParams(Section):
    """What the figures show."""

    reconstructions: int = Field(ge=1, le=50, description="a whole number from 1 to 50")
    seed: int = Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295")
    dpi: int = Field(ge=30, le=600, description="a whole number from 30 to 600")


class Params(Section):
    """All of ``params.yaml``."""

    data: DataParams
    model: ModelParams
    train: TrainParams
    extract: ExtractParams
    tsne: TsneParams
    plot: PlotParams


class _Loader(yaml.SafeLoader):
    """YAML 1.2's scalars, as in DVC's own parser, and no key twice.

    PyYAML follows YAML 1.1, in which ``1e-05`` (how DVC writes a small float) is a string, ``no`` is false and
    ``010`` is eight: a stage would compute with other values than the ones DVC tracks.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # Not SafeLoader's, which first expands merge keys (`!!merge <<`): without bound where aliases multiply.
        mapping = yaml.constructor.BaseConstructor.construct_mapping(self, node, deep)
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"duplicate key {key.value!r}", problem_mark=key.start_mark)
            seen.add(key.value)
        return mapping

    def construct_int(self, node: yaml.ScalarNode) -> int:
        return int(self.construct_scalar(node))


# PyYAML's tables, inherited, know too much: `!!set` passes for a list, and `!!int 010` is eight.
_Loader.yaml_constructors = {
    tag: constructor
    for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in ("null", "bool", "float", "str", "seq", "map")
}
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_int)
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+(?:\.[0-9]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", list("-+0123456789")),
    ("float", r"[-+]?\.[0-9]+(?:[eE][-+][0-9]+)?", list("-+.")),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def parse_yaml(text: str) -> Any:
    """Parse YAML safely and as DVC writes it, which is YAML 1.2: ``1e-05`` is a number, a repeated key an error."""
    return yaml.load(text, Loader=_Loader)


def load_params(path: Path = paths.PARAMS) -> Params:
    """Read and check the whole parameter file.

    Every section is checked, whichever stage asks, so that a slip in a late stage's section is found before the early
    stages have run.

    Parameters
    ----------
    path : Path
        A file like the repository's ``params.yaml``.

    Returns
    -------
    Params
        Frozen models, one attribute per section.

    Raises
    ------
    ConvaeError
        If the file is missing, is not YAML, or holds an unknown, missing, repeated or out-of-range key.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConvaeError(path, f"cannot be read ({error.strerror})", "restore it with `git checkout`") from None
    except UnicodeDecodeError:
        raise ConvaeError(path, "is not UTF-8 text", "save it as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConvaeError(path, f"{line}{_short(str(error.problem), 120)}", "mend the YAML there") from None
    # What else PyYAML's constructors raise on hostile scalars (`!!int x`, `!!bool x`), characters and nesting.
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ConvaeError(path, f"is not valid YAML ({type(error).__name__})", "mend it or `git checkout` it") from None
    if content is None:
        raise ConvaeError(path, "is empty", "restore it with `git checkout`")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise _explained(path, error) from None


def _explained(path: Path, invalid: ValidationError) -> ConvaeError:
    # An unknown key comes first: a misspelt name makes two errors, of which "missing" is the less helpful.
    unknown = ("extra_forbidden", "invalid_key")
    error = min(invalid.errors(), key=lambda error: error["type"] not in unknown)
    keys = [_short(str(key)) for key in error["loc"]]
    section: type[BaseModel] = Params
    wanted = ""
    for key in keys:
        field = section.model_fields.get(key)
        if field is None:
            break
        wanted = field.description or ""
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            section = field.annotation
    wanted = wanted or f"the keys {', '.join(section.model_fields)}"
    short_list = error["type"] == "missing" and isinstance(error["loc"][-1], int)
    if short_list:
        keys.pop()
    where = f"{path}: {'.'.join(keys)}" if keys else str(path)
    if error["type"] in unknown:
        nearest = difflib.get_close_matches(keys[-1], section.model_fields, n=1)
        fix = f"did you mean {nearest[0]}?" if nearest else f"known here: {', '.join(section.model_fields)}"
        return ConvaeError(where, "unknown key", fix)
    if error["type"] == "missing" and not short_list:
        return ConvaeError(where, "missing key", f"want {wanted}")
    # Not repr, which would write out what YAML aliases multiply.
    return ConvaeError(where, f"got {_short(reprlib.repr(error['input']))}", f"want {wanted}")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
