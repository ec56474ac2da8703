"""`mlops.yaml`: every setting of this repository, read and checked once.

`python -m mlops.settings` prints the JSON schema that editors use (kept in `settings.schema.json`).
"""

import importlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from mlops.own_repository import ROOT, SETTINGS
from mlops.problem import Problem
from mlops.settings_mistakes import explain

FILE = ROOT / SETTINGS

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
EnvironmentName = Literal["feature", "dev", "prod"]
Share = Annotated[float, Field(ge=0, le=1)]
# A container of ours or anybody's: registry/name with a tag or digest (CreateTrainingJob, TrainingImage).
ImageUri = Annotated[str, StringConstraints(pattern=r"^\S+/\S+[:@]\S+$", max_length=255)]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
# YAML 1.1 reads a bare `off` as false.
Mode = Annotated[Literal["off", "warn", "enforce"], BeforeValidator(lambda mode: "off" if mode is False else mode)]
# What an environment says otherwise: the keys of the section of that name.
Overrides = dict[str, Any]
# SageMaker's training driver puts each value between single quotes into a shell file.
HyperParameter = bool | int | float | Annotated[str, StringConstraints(pattern=r"^[^'\r\n]*$", max_length=2500)]


class _Section(BaseModel):
    """A part of the file: unknown keys are mistakes, and nothing is turned into another type silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Project(_Section):
    """Who and what this is."""

    name: Text = Field(description="What people read.")
    slug: Slug = Field(description="What AWS resources are named after. Keep it: other names are other resources.")
    owner: Text = Field(description="Who answers for the model: goes into tags and notices.")


class Model(_Section):
    """What kind of model it is."""

    task: Literal["classification", "regression"]
    framework: Literal["scikit-learn", "xgboost"]
    framework_version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+-[0-9]+$")] | None = Field(
        default=None, description="Tag of SageMaker's image, such as 1.9-0; null: the newest that this template knows."
    )
    image_uri: ImageUri | None = Field(default=None, description="A container that serves, instead of SageMaker's own.")


class SourceControl(_Section):
    """Where the repository is hosted."""

    host: Literal["codecommit", "github"]
    repository: Text = Field(description="A CodeCommit repository, or owner/name on GitHub.")


class Column(_Section):
    """What one column holds."""

    type: Literal["number", "boolean", "category"]
    missing: Share = Field(default=0.0, description="Largest share of rows that may be without a value.")
    minimum: float | None = Field(default=None, description="Smallest value that is plausible (numbers).")
    maximum: float | None = Field(default=None, description="Largest value that is plausible (numbers).")
    values: list[str] | None = Field(default=None, description="All values there are (categories).")


class Data(_Section):
    """What the model learns from."""

    path: Annotated[Path, Field(strict=False)] = Field(description="A CSV or Parquet file, from the repository's root.")
    source: Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9.-]{3,63}/.+$")] | None = Field(
        default=None, description="Where the file comes from, if it is not in git: fetched when it is not there."
    )
    target: Text = Field(description="The column to predict.")
    id_columns: list[Text] = Field(default=[], description="Columns that name a row: never features.")
    validation_fraction: float = Field(default=0.2, gt=0, lt=0.5)
    test_fraction: float = Field(default=0.2, gt=0, lt=0.5)
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    rows_without_target: Literal["refuse", "drop"] = Field(
        default="refuse", description="What becomes of rows whose target is missing."
    )
    columns: dict[str, Column] = Field(
        default={}, description="The features; written by `mlops data use`. Empty: whatever the file holds."
    )


class DataCheck(_Section):
    """What is looked at before training, against `data.columns` and the current version's training data."""

    mode: Mode = Field(default="warn", description="off: no such step; warn: say it; enforce: stop the run.")
    duplicates: Share = Field(default=0.05, description="Largest share of rows that repeat another row.")
    missing: Share = Field(default=0.1, description="Largest rise of a column's share of missing values.")
    out_of_range: Share = Field(default=0.05, description="Largest share of numbers outside the range of before.")
    new_categories: Share = Field(default=0.05, description="Largest share of categories that were not there before.")
    balance: Share = Field(default=0.1, description="Largest change of a class's share (classification).")
    shift: float = Field(
        default=0.5, ge=0, description="Largest shift of the target's mean, in standard deviations (regression)."
    )


class Training(_Section):
    """How the model is trained."""

    hyperparameters: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,256}$")], HyperParameter] = Field(
        default={}, description="Handed to model/train.py as `--name value`."
    )


class Comparison(_Section):
    """What the current version, scored on the same test rows, has to say."""

    gate: Mode = Field(default="enforce", description="off: not compared; warn: say it; enforce: refuse the model.")
    tolerance: float = Field(
        default=0.01, ge=0, description="How much worse than the current version it may be, in units of the metric."
    )


class Evaluation(_Section):
    """What a good model is."""

    metric: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,64}$")] = Field(
        description="The main metric, as model/evaluate.py names it."
    )
    threshold: float = Field(description="What the metric must reach (for an error metric: must not exceed).")
    gate: Literal["warn", "enforce"] = Field(
        default="enforce", description="enforce: a model that misses the threshold is refused; warn: say it."
    )
    comparison: Comparison = Comparison()


class Job(_Section):
    """The machine of a step on SageMaker, and what it may take; null: as `default` says."""

    instance_type: InstanceType | None = None
    volume_gb: int | None = Field(default=None, ge=1, le=16384)
    max_minutes: int | None = Field(default=None, ge=1, le=7200, description="At most five days, as in SageMaker.")
    image_uri: ImageUri | None = Field(default=None, description="A container instead of SageMaker's own.")

    def or_else(self, other: "Job") -> "Job":
        """Return the job with what the other one says where this one says nothing."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


USUAL_JOB = Job(instance_type="ml.m5.large", volume_gb=30, max_minutes=60)


class Jobs(_Section):
    """The machines of the pipeline's steps: `default`, and where a step differs."""

    default: Job = USUAL_JOB
    check_data: Job = Job()
    preprocess: Job = Job()
    train: Job = Job()
    evaluate: Job = Job()
    compare: Job = Job()

    def of(self, step: str) -> Job:
        """Return the job of a step: "check_data", "preprocess", "train", "evaluate" or "compare"."""
        job: Job = getattr(self, step)
        return job.or_else(self.default).or_else(USUAL_JOB)


class Pipeline(_Section):
    """How the pipeline treats its steps."""

    cache_days: int = Field(default=30, ge=0, le=365, description="How long an unchanged step is reused; 0: never.")
    retries: int = Field(default=2, ge=0, le=19, description="How often a step is tried again when AWS has trouble.")


class Environment(_Section):
    """Where one environment runs, and which settings are others there."""

    account: Account | None = Field(description="Its AWS account, in quotes; null: whichever the credentials are for.")
    region: Region
    data: Overrides = {}
    data_check: Overrides = {}
    training: Overrides = {}
    evaluation: Overrides = {}
    jobs: Overrides = {}
    pipeline: Overrides = {}


OVERRIDABLE = ("data", "data_check", "training", "evaluation", "jobs", "pipeline")
ENVIRONMENTS: tuple[EnvironmentName, ...] = ("feature", "dev", "prod")


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
    data_check: DataCheck = DataCheck()
    training: Training = Training()
    evaluation: Evaluation
    jobs: Jobs = Jobs()
    pipeline: Pipeline = Pipeline()
    company: dict[str, JsonValue] = Field(
        default={}, description="What the company's fork of the template keeps here, for steps and rules of its own."
    )
    environments: Environments

    @model_validator(mode="after")
    def _one_place(self) -> "Settings":
        places = {(place.account, place.region) for _, place in self.environments}
        if len(places) > 1:
            raise ValueError("environments must be in one account and region: several are not supported yet")
        return self

    def of_environment(self, name: EnvironmentName) -> "Settings":
        """Return the settings as they are in one environment: its own keys win.

        Raises:
            ValidationError: a key of the environment is wrong.
        """
        place = getattr(self.environments, name)
        own = {section: keys for section in OVERRIDABLE if (keys := getattr(place, section))}
        if not own:
            return self
        return Settings.model_validate(merged(self.model_dump(), own))

    @property
    def region(self) -> str:
        """The region that all environments share."""
        return self.environments.prod.region

    @property
    def account(self) -> str | None:
        """The account that all environments share, if the settings name one."""
        return self.environments.prod.account


def merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with the keys of `own` put over those of `base`, within mappings too."""
    result = dict(base)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def load_settings(file: Path = FILE) -> Settings:
    """Read and check the settings, those of each environment too.

    Raises:
        Problem: the file is missing, is no YAML, or a setting is wrong; it names key, value and what is allowed.
    """
    return check(read_yaml(file), file.name)


def read_yaml(file: Path) -> Any:
    """Read a YAML file of a person: one in which no key stands twice.

    Raises:
        Problem: the file is missing or is no YAML.
    """
    try:
        return yaml.load(file.read_text("utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 (a safe loader)
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
    except ValueError as error:  # PyYAML's, of a date such as 2024-13-45
        raise Problem(f"{file.name}: {error}") from None


def check(content: Any, source: str) -> Settings:
    """Return what was read as settings; `source` says in messages where it came from.

    Raises:
        Problem: a setting is wrong, or against the company's policy.
    """
    prefix: tuple[str, ...] = ()
    try:
        settings = Settings.model_validate(content)
        for name in ENVIRONMENTS:
            prefix = ("environments", name)
            _hold_against_policy(settings.of_environment(name))
    except ValidationError as error:
        raise Problem(f"{source}: {explain(error, Settings, prefix)}") from None
    return settings


def _hold_against_policy(settings: Settings) -> None:
    """Hand settings to `check` in company.py, which a company's fork of the template may have beside this file.

    Raises:
        Problem: they are against it.
    """
    if Path(__file__).with_name("company.py").exists():
        importlib.import_module("mlops.company").check(settings)


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


def schema() -> str:
    """Return the JSON schema of the file, for editors."""
    content = Settings.model_json_schema()
    sections = content["$defs"]
    for name in OVERRIDABLE:
        reference = content["properties"][name].get("$ref") or content["properties"][name]["allOf"][0]["$ref"]
        section = sections[reference.rpartition("/")[2]]
        partial = {key: value for key, value in section.items() if key != "required"}
        sections["Environment"]["properties"][name] = partial
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
