"""What of the settings shapes the pipeline, and what is a parameter of it: differs without it being built again.

A value that people set in `mlops.yaml` is the default of a parameter. What only the place of a run knows (bucket, role,
code, data) has no default: `mlops run` and `mlops submit` give it.
"""

import json
from dataclasses import dataclass
from typing import Any

from mlops.problem import Problem
from mlops.settings import Settings

STEPS = {  # the steps that are jobs, and their keys in `jobs` of mlops.yaml
    "CheckData": "check_data",
    "Preprocess": "preprocess",
    "Train": "train",
    "EvaluateCurrent": "evaluate",
    "Evaluate": "evaluate",
    "Compare": "compare",
}

GIVEN = (
    "JobRole",
    "ArtifactsUri",  # outputs go below it, into a folder for each execution
    "DataUri",
    "DataSchemaUri",  # data.json: what the settings say about the table
    "ModelCodeUri",  # model/, whole: for steps of the team's own
    "TrainCodeUri",  # what train.py and the inference.py that it packs need of model/
    "PreprocessCodeUri",
    "EvaluateCodeUri",
    "JobScriptsUri",  # mlops/jobs/
    "TrainingDriverUri",  # what the SDK starts in a training job
    "CurrentModelUri",  # model.tar.gz of the current version, or a file `none`
    "CurrentBaselineUri",  # its baseline.json alone: a new model of the same data has the same
    "SamplePayloadUri",  # sample_payload.tar.gz: requests that every model of this repository can answer
    "ModelPackageGroup",
    "Commit",
    "Branch",
    "DatasetVersion",
    "TemplateVersion",
    "SettingsUri",
)

METADATA = {  # of a version, as far as it is known before the run
    "commit": "Commit",
    "branch": "Branch",
    "dataset_uri": "DataUri",
    "dataset_version": "DatasetVersion",
    "template_version": "TemplateVersion",
    "settings_uri": "SettingsUri",
}

# The step Compare is told each hyperparameter, in one argument (CreateProcessingJob, ContainerArguments: 100 of 256
# characters at most); it needs the others itself.
HYPERPARAMETER = "--hyperparameter="
LONGEST_ARGUMENT = 256
MOST_HYPERPARAMETERS = 60


def defaults(settings: Settings) -> dict[str, str]:
    """Return the parameters that have a default: all are texts, as container arguments and hyperparameters are.

    Raises:
        Problem: a hyperparameter has the name of another parameter, or there are too many, or one is too long.
    """
    data, check, evaluation = settings.data, settings.data_check, settings.evaluation
    own: dict[str, object] = {
        "ModelApprovalStatus": "PendingManualApproval",
        "KmsKey": "",  # SageMaker encrypts with its own key then (S3 output, KmsKeyId)
        "TrainingImageDigest": "unknown",  # sha256:…, for the lineage; or no-image
        "ValidationFraction": data.validation_fraction,
        "TestFraction": data.test_fraction,
        "Seed": data.seed,
        "DataCheckMode": check.mode,
        "DuplicatesLimit": check.duplicates,
        "MissingLimit": check.missing,
        "OutOfRangeLimit": check.out_of_range,
        "NewCategoriesLimit": check.new_categories,
        "BalanceLimit": check.balance,
        "ShiftLimit": check.shift,
        "Threshold": evaluation.threshold,
        "ThresholdGate": evaluation.gate,
        "Tolerance": evaluation.comparison.tolerance,
        "ComparisonGate": evaluation.comparison.gate,
    }
    own |= {f"{step}InstanceType": settings.jobs.of(key).instance_type for step, key in STEPS.items()}
    hyperparameters = settings.training.hyperparameters
    clash = next((name for name in hyperparameters if name in own or name in GIVEN), None)
    if clash:
        raise Problem(f"the hyperparameter {clash!r} has the name of a parameter of the pipeline; call it otherwise")
    # As the SDK's driver takes them apart again: texts as they are, all else as JSON.
    values = (own | hyperparameters).items()
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values}
    _check_arguments({name: texts[name] for name in hyperparameters})
    return texts


def _check_arguments(hyperparameters: dict[str, str]) -> None:
    """See to it that the lineage can hold them: it would fail after training."""
    if len(hyperparameters) > MOST_HYPERPARAMETERS:
        raise Problem(
            f"there are {len(hyperparameters)} hyperparameters; the lineage of a version holds {MOST_HYPERPARAMETERS}: "
            "keep the others in a file of model/"
        )
    for name, text in hyperparameters.items():
        beyond = len(f"{HYPERPARAMETER}{name}={text}".encode("utf-16-le")) // 2 - LONGEST_ARGUMENT
        if beyond > 0:
            raise Problem(
                f"the hyperparameter {name!r} is {beyond} characters too long for the lineage of a version, name and "
                "value together: keep what is longer in a file of model/"
            )


@dataclass(frozen=True)
class Machine:
    """The machine of a step, but for its type, which is a parameter."""

    volume_gb: int
    max_minutes: int
    image_uri: str | None


@dataclass(frozen=True)
class Structure:
    """All that the definition may depend on. What is not here is a parameter, so changing it builds nothing."""

    region: str
    task: str
    framework: str
    framework_version: str | None
    serving_image_uri: str | None
    metric: str
    checks_data: bool
    compares: bool
    machines: dict[str, Machine]
    cache_days: int
    retries: int
    company: dict[str, Any]
    hyperparameters: list[str]
    parameters: list[str]

    @classmethod
    def of(cls, settings: Settings) -> "Structure":
        """Take from the settings of an environment what shapes its pipeline."""
        jobs = {step: settings.jobs.of(key) for step, key in STEPS.items()}
        return cls(
            region=settings.region,
            task=settings.model.task,
            framework=settings.model.framework,
            framework_version=settings.model.framework_version,
            serving_image_uri=settings.model.image_uri,
            metric=settings.evaluation.metric,
            checks_data=settings.data_check.mode != "off",
            compares=settings.evaluation.comparison.gate != "off",
            machines={
                step: Machine(job.volume_gb or 0, job.max_minutes or 0, job.image_uri) for step, job in jobs.items()
            },
            cache_days=settings.pipeline.cache_days,
            retries=settings.pipeline.retries,
            company=settings.company,
            hyperparameters=list(settings.training.hyperparameters),
            parameters=[*GIVEN, *defaults(settings)],
        )

    @classmethod
    def from_json(cls, text: str) -> "Structure":
        """Read what `json.dumps(asdict(structure))` wrote."""
        content: dict[str, Any] = json.loads(text)
        machines = {step: Machine(**machine) for step, machine in content.pop("machines").items()}
        return cls(machines=machines, **content)
