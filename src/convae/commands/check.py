"""Check params.yaml, or what it would be with other values, before DVC runs anything."""

import argparse
from typing import Any

from ruamel.yaml.error import YAMLError

from convae.check import check_params, check_source
from convae.errors import ConvaeError
from convae.params import PARAMS, parse_yaml, read_params


def set_param(params: Any, setting: str) -> None:
    """Set a value as ``dvc exp run -S`` does.

    Parameters
    ----------
    params : dict
        The sections of params.yaml, changed in place. A key that is not there is added: the check refuses it by name.
    setting : str
        ``SECTION.KEY=VALUE``; the value is YAML.

    Raises
    ------
    ConvaeError
        If the setting is not of this form, or the value is not YAML.
    """
    name, equals, value = setting.partition("=")
    *sections, key = name.split(".")
    for section in sections:
        params = params.setdefault(section, {}) if isinstance(params, dict) else None
    if not equals or not isinstance(params, dict):
        raise ConvaeError(f"-S {setting}", "sets no value", "want SECTION.KEY=VALUE, such as train.epochs=5")
    try:
        params[key] = parse_yaml(value)
    except (YAMLError, ValueError):
        raise ConvaeError(f"-S {setting}", "its value is not YAML", "want one such as 5, text or [16,32]") from None


def run(arguments: argparse.Namespace) -> None:
    """Print that the parameters can be used.

    Raises
    ------
    ConvaeError
        If they cannot, as the stage ``check`` does.
    """
    params = read_params()
    for setting in arguments.set_param:
        set_param(params, setting)
    check_source(check_params(content=params).data.source)
    print(f"{PARAMS}: every value is allowed, and they go together")
