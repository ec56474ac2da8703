"""`--set max_depth=5`: settings that are others for one run."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from mlops.problem import Problem
from mlops.settings import Settings, merged
from mlops.settings_mistakes import explain

HYPERPARAMETERS = "training.hyperparameters."
EXAMPLE = "write --set KEY=VALUE, such as max_depth=5 or evaluation.threshold=0.9"


def parse(settings: Settings, words: Sequence[str]) -> dict[str, Any]:
    """Return what `--set` says as full keys and values: {"training.hyperparameters.max_depth": 5}.

    A key without a dot is a hyperparameter.

    Raises:
        Problem: there is no such setting, or no value.
    """
    overrides = {}
    known = _keys(settings.model_dump())
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        if not equals or not key:
            raise Problem(f"--set {word} says nothing; {EXAMPLE}")
        full = key if "." in key else HYPERPARAMETERS + key
        if full not in known and not (key.startswith(HYPERPARAMETERS) or _may_hold(full)):
            short = [name.removeprefix(HYPERPARAMETERS) for name in known]
            close = difflib.get_close_matches(key, short, n=1) or difflib.get_close_matches(key, known, n=1)
            raise Problem(f"--set {key}: there is no such setting" + (f"; did you mean {close[0]}?" if close else ""))
        try:
            overrides[full] = _value(text)
        except yaml.YAMLError:
            raise Problem(f"--set {key}: {text!r} is no value; {EXAMPLE}") from None
    return overrides


def written(overrides: dict[str, Any]) -> list[str]:
    """Return what `parse` reads as these overrides."""
    return [f"{key}={json.dumps(value)}" for key, value in overrides.items()]


def apply(settings: Settings, overrides: dict[str, Any]) -> Settings:
    """Return the settings with the overrides in them.

    Raises:
        Problem: a value is not allowed.
    """
    content: dict[str, Any] = {}
    for key, value in overrides.items():
        *path, last = key.split(".")
        place = content
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise Problem(f"--set {key}: another --set gives {part} a value of its own")
        place[last] = value
    try:
        return Settings.model_validate(merged(settings.model_dump(), content))
    except ValidationError as error:
        raise Problem(f"--set: {explain(error, Settings)}") from None


def _value(text: str) -> Any:
    """Return what a value says: numbers as JSON has them (1e-3, but not 010 or 1:30), all else as in mlops.yaml."""
    try:
        return json.loads(text, parse_constant=yaml.safe_load)
    except ValueError:
        value = yaml.safe_load(text) if text.strip() else ""
        return value if isinstance(value, bool | str | list | dict) else text


def _keys(content: dict[str, Any], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for key, value in content.items():
        keys += _keys(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [f"{prefix}{key}"]
    return keys


def _may_hold(key: str) -> bool:
    """Tell whether the settings have a place for a key, though it is not set: `jobs.train.instance_type`."""
    section: Any = Settings
    for part in key.split("."):
        if not (isinstance(section, type) and issubclass(section, BaseModel)) or part not in section.model_fields:
            return False
        section = section.model_fields[part].annotation
    return True
