"""`mlops.yaml`: every setting of this repository, read and checked once.

`python -m mlops.settings` prints the JSON schema that editors use (kept in `settings.schema.json`).
"""

import difflib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from mlops.problem import Problem

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "mlops.yaml"

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
EnvironmentName = Literal["feature", "dev", "prod"]
HyperParameter = bool | int | float | str


class _Section(BaseModel):
    """A part of the file: unknown keys are mistakes, and nothing is turned into another type silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Project(_Section):
    """Who and what this is."""

    name: Text = Field(description="What people read.")
    slug: Slug = Field(description="What AWS resources are named after. Keep it: other names are other resources.")
    owner: Text = Field(description="Who answers for the model: goes into tags and notices.")


class Model(_Section):
    """What kind of model it is."""

    task: Literal["classification", "regression"]
    framework: Literal["scikit-learn", "xgboost"]


class SourceControl(_Section):
    """Where the repository is hosted."""

    host: Literal["codecommit", "github"]
    repository: Text = Field(description="A CodeCommit repository, or owner/name on GitHub.")


class Data(_Section):
    """What the model learns from."""

    path: Annotated[Path, Field(strict=False)] = Field(description="A CSV or Parquet file, from the repository's root.")
    target: Text = Field(description="The column to predict.")
    id_columns: list[Text] = Field(default=[], description="Columns that name a row: never features.")
    validation_fraction: float = Field(default=0.2, gt=0, lt=0.5)
    test_fraction: float = Field(default=0.2, gt=0, lt=0.5)
    seed: int = Field(default=42, ge=0, le=2**32 - 1)


class Training(_Section):
    """How the model is trained."""

    hyperparameters: dict[str, HyperParameter] = Field(
        default={}, description="Handed to model/train.py as `--name value`."
    )


class Evaluation(_Section):
    """What a good model is."""

    metric: Text = Field(description="The main metric, as model/evaluate.py names it.")
    threshold: float = Field(description="What the metric must reach (for an error metric: must not exceed).")


class Environment(_Section):
    """Where one environment runs."""

    account: Account | None = Field(description="Its AWS account, in quotes; null: whichever the credentials are for.")
    region: Region


class Environments(_Section):
    """One entry for each kind of branch: feature-* and feature/*, dev, main."""

    feature: Environment
    dev: Environment
    prod: Environment


class Settings(_Section):
    """The whole file."""

    project: Project
    model: Model
    serving: Literal["realtime", "batch"] = Field(description="An endpoint, or scoring jobs.")
    scenario: Literal["baseline", "champion-challenger"] = Field(description="One model in production, or two.")
    source_control: SourceControl
    data: Data
    training: Training = Training()
    evaluation: Evaluation
    environments: Environments

    @model_validator(mode="after")
    def _one_place(self) -> "Settings":
        places = {(place.account, place.region) for _, place in self.environments}
        if len(places) > 1:
            raise ValueError("environments must be in one account and region: several are not supported yet")
        return self

    @property
    def region(self) -> str:
        """The region that all environments share."""
        return self.environments.prod.region

    @property
    def account(self) -> str | None:
        """The account that all environments share, if the settings name one."""
        return self.environments.prod.account


def load_settings(file: Path = FILE) -> Settings:
    """Read and check the settings.

    Raises:
        Problem: the file is missing, is no YAML, or a setting is wrong; it names key, value and what is allowed.
    """
    try:
        content = yaml.load(file.read_text("utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 (a safe loader)
    except FileNotFoundError:
        raise Problem(f"{file.name} is missing; restore it with: git checkout -- {file.name}") from None
    except UnicodeDecodeError as error:
        raise Problem(f"{file.name}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Problem(f"{file.name}{where}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise Problem(f"{file.name}: {' '.join(str(error).split())}") from None
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise Problem(f"{file.name}: {_explain(error, content)}") from None


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML lets a repeated key win silently; YAML 1.2 (3.2.1.3) forbids it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands here a second time", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _explain(error: ValidationError, content: object) -> str:
    """Put the first mistake in one line: key, value, what is allowed."""
    # A misspelt key also leaves the right one missing: the misspelling is the thing to mend.
    mistakes = sorted(error.errors(include_url=False), key=lambda mistake: mistake["type"] != "extra_forbidden")
    first = mistakes[0]
    # A union reports each member's view of one value: `hyperparameters.depth.bool`, `….int`, and so on.
    location = [part for part in first["loc"] if part not in {"bool", "int", "float", "str"}]
    key = ".".join(map(str, location)) or "the file"
    value = first["input"]
    match first["type"]:
        case "extra_forbidden":
            text = f"{key} is not a setting{_suggestion(location, content)}"
        case "missing":
            text = f"{key} is missing; {_allowed(first)}"
        case "value_error":
            text = str(first["ctx"]["error"])
        case _:
            text = f"{key} is {value!r}; {_allowed(first)}"
    others = len({tuple(p for p in m["loc"] if p not in {"bool", "int", "float", "str"}) for m in mistakes}) - 1
    return text + (f" (and {others} more)" if others else "")


def _allowed(mistake: Any) -> str:
    context = mistake.get("ctx", {})
    if mistake["type"] == "literal_error":
        return f"allowed: {context['expected'].replace(chr(39), '').replace(' or ', ', ')}"
    if mistake["type"] == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"it must match {context['pattern']}")
    if mistake["type"] == "missing":
        return "write it as the other settings are written, or restore the file from git"
    if mistake["type"] in {"model_type", "dict_type"}:
        return "it must be settings, one `key: value` a line"
    if mistake["type"] == "string_type":
        return "it must be text: put it in quotes"
    message = mistake["msg"].replace("Input should be", "it must be").replace("String should", "it must")
    return str(message[0].lower() + message[1:])


PATTERNS = {
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "allowed: lower-case words of a-z and 0-9 joined by single hyphens",
    r"^[a-z]{2}(-[a-z]+)+-[0-9]$": "allowed: an AWS region such as us-east-1",
    r"^[0-9]{12}$": "allowed: the 12 digits of an AWS account, in quotes, or null",
}


def _suggestion(location: list[Any], content: Any) -> str:
    section: Any = Settings
    for part in location[:-1]:
        section = section.model_fields[part].annotation
    known = list(section.model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; allowed: {', '.join(known)}"


def schema() -> str:
    """Return the JSON schema of the file, for editors."""
    return json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
