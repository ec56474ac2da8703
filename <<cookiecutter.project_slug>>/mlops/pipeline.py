"""The pipeline, from raw data to a registered model version.

1. CheckData: is the table what the settings and the current version's training data say?
2. Preprocess: split it into training, validation and test rows (model/preprocess.py).
3. Train: fit the model, and pack it with the code that serves it (model/train.py).
4. EvaluateCurrent: score the current version on the test rows (model/evaluate.py), while the new one trains.
5. Evaluate: score the new one on the same rows, through the code that will serve it.
6. Compare: hold the main metric against the threshold and against the current version, and write down what the model
   was made of.
7. Gate: register the version, or end with the reason.

Account, bucket, role, keys, code and data are parameters: the definition is the same wherever it is built, and building
it asks nobody. Only this module, `definition/parts.py` and `definition/sdk.py` import the SageMaker SDK;
`definition/build.py` starts them as a process when something that shapes the pipeline has changed.
"""

import importlib.util
import json
import logging
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from sagemaker.core.workflow.conditions import ConditionIn
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import Step

from mlops.definition.code import MODEL
from mlops.definition.parameters import Structure
from mlops.definition.parts import PROCESSING, Parts
from mlops.definition.sdk import OfflineSession, offline, with_parameters


def steps(parts: Parts) -> list[Step]:
    """Return the steps, each with what it takes from those before it."""
    structure, parameter = parts.structure, parts.parameter
    result: list[Step] = []

    table = {"data": parameter["DataUri"], "schema": parameter["DataSchemaUri"]}
    # SageMaker's cache knows only where the data lie; so a step that reads them is told what lies there as well.
    version = {"DATASET_VERSION": parameter["DatasetVersion"]}
    if structure.checks_data:
        check_data = parts.job_script_step(
            "CheckData",
            "check_data.py",
            "Is the table what the settings and the current version's training data say?",
            inputs=table | {"current": parameter["CurrentBaselineUri"]},
            outputs=["report"],
            variables=version,
            options={
                "--input-dir": f"{PROCESSING}/input/data",
                "--schema-dir": f"{PROCESSING}/input/schema",
                "--current-dir": f"{PROCESSING}/input/current",
                "--output-dir": f"{PROCESSING}/output/report",
                "--mode": parameter["DataCheckMode"],
                "--duplicates": parameter["DuplicatesLimit"],
                "--missing": parameter["MissingLimit"],
                "--out-of-range": parameter["OutOfRangeLimit"],
                "--new-categories": parameter["NewCategoriesLimit"],
                "--balance": parameter["BalanceLimit"],
                "--shift": parameter["ShiftLimit"],
            },
        )
        result.append(check_data)

    preprocess = parts.script_step(
        "Preprocess",
        "preprocess.py",
        "Split the table into training, validation and test rows.",
        code=parameter["PreprocessCodeUri"],
        inputs=table,
        outputs=["train", "validation", "test"],
        variables=version,
        options={
            "--input-dir": f"{PROCESSING}/input/data",
            "--schema-dir": f"{PROCESSING}/input/schema",
            "--output-dir": f"{PROCESSING}/output",
            "--validation-fraction": parameter["ValidationFraction"],
            "--test-fraction": parameter["TestFraction"],
            "--seed": parameter["Seed"],
        },
    )
    result.append(preprocess)
    test = output(preprocess, "test")

    train = parts.training_step(
        "Train",
        "Fit the model, and pack it with the code that serves it.",
        channels={"train": output(preprocess, "train"), "validation": output(preprocess, "validation")},
        depends_on=result[:-1],
    )
    result.append(train)
    model = train.properties.ModelArtifacts.S3ModelArtifacts

    def evaluation_step(name: str, description: str, model_uri: Any, *flags: str) -> Step:
        return parts.script_step(
            name,
            "evaluate.py",
            description,
            code=parameter["EvaluateCodeUri"],
            inputs={"model": model_uri, "test": test},
            outputs=["evaluation"],
            options={
                "--model-dir": f"{PROCESSING}/input/model",
                "--test-dir": f"{PROCESSING}/input/test",
                "--output-dir": f"{PROCESSING}/output/evaluation",
            },
            flags=flags,
        )

    scored, where = {}, {}
    if structure.compares:
        current = evaluation_step(
            "EvaluateCurrent",
            "Score the current version on the test rows.",
            parameter["CurrentModelUri"],
            "--missing-model-ok",
        )
        result.append(current)
        scored, where = {"current": output(current, "evaluation")}, {"--current-dir": f"{PROCESSING}/input/current"}
    evaluate = evaluation_step("Evaluate", "Score the new model on the test rows.", model)
    result.append(evaluate)

    comparison = PropertyFile(name="Comparison", output_name="comparison", path="comparison.json")
    compare = parts.job_script_step(
        "Compare",
        "compare.py",
        "Hold the main metric against the threshold and against the current version; write the lineage.",
        inputs={"evaluation": output(evaluate, "evaluation"), **scored, "model": model},
        outputs=["comparison", "lineage"],
        options={
            "--evaluation-dir": f"{PROCESSING}/input/evaluation",
            **where,
            "--output-dir": f"{PROCESSING}/output/comparison",
            "--metric": structure.metric,
            "--threshold": parameter["Threshold"],
            "--gate": parameter["ThresholdGate"],
            "--tolerance": parameter["Tolerance"],
            "--comparison-gate": parameter["ComparisonGate"],
            # Nothing of the commit, the place or the time: the step would never be reused.
            "--lineage-dir": f"{PROCESSING}/output/lineage",
            "--model-dir": f"{PROCESSING}/input/model",
            "--dataset-uri": parameter["DataUri"],
            "--dataset-version": parameter["DatasetVersion"],
            "--validation-fraction": parameter["ValidationFraction"],
            "--test-fraction": parameter["TestFraction"],
            "--seed": parameter["Seed"],
            "--image": parts.training_image(),
            "--image-digest": parameter["TrainingImageDigest"],
        },
        flags=parts.hyperparameters(),
        property_files=[comparison],
    )
    result.append(compare)

    def verdict(path: str) -> JsonGet:
        return JsonGet(step_name=compare.name, property_file=comparison, json_path=path)

    lineage = output(compare, "lineage")
    register = parts.register_step(
        "Register",
        "Register the model as a version that can be deployed.",
        model=model,
        statistics=Join(on="/", values=[output(evaluate, "evaluation"), "evaluation.json"]),
        baseline=Join(on="/", values=[lineage, "baseline.json"]),
        lineage=Join(on="/", values=[lineage, verdict("lineage")]),
        metric=verdict("value"),
    )
    refused = FailStep(
        "Refused", error_message=Join(on="", values=[verdict("message")]), description="Say why nothing was registered."
    )
    gate = ConditionStep(
        "Gate",
        conditions=[ConditionIn(value=verdict("verdict"), in_values=["passed", "warned"])],
        if_steps=[register],
        else_steps=[refused],
        description="Register the version, or end with the reason.",
    )
    return [*result, gate]


def output(step: Step, name: str) -> Any:
    """Return where a processing step puts one of its outputs."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def build(structure: Structure, driver: Path) -> dict[str, Any]:
    """Return the definition, its parameters without defaults, and put the SDK's training driver into a new folder."""
    parameters = {name: ParameterString(name) for name in structure.parameters}
    parts = Parts(structure, OfflineSession(driver), parameters)
    pipeline = Pipeline(
        name="pipeline",  # is not in the definition: CreatePipeline names it
        parameters=list(parts.parameter.values()),
        steps=changed_by_the_team(steps(parts), parts),
        sagemaker_session=parts.session,
        pipeline_experiment_config=None,
    )
    definition: dict[str, Any] = with_parameters(json.loads(pipeline.definition()))
    return definition


def changed_by_the_team(result: list[Step], parts: Parts) -> list[Step]:
    """Hand the steps to `change(steps, parts)` of model/steps.py, where the team has written one.

    Raises:
        SystemExit: it has no such function, or does not return a list of steps.
    """
    file = MODEL / "steps.py"
    if not file.exists():
        return result
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location("steps", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"model/{file.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "change"):
        raise SystemExit("model/steps.py has no function `change`: write def change(steps, parts): … return steps")
    changed = module.change(result, parts)
    if not isinstance(changed, list) or not all(isinstance(step, Step) for step in changed):
        raise SystemExit("model/steps.py: change(steps, parts) must return the list of steps")
    return changed


def _one_line(error: Exception) -> str:
    """Return what went wrong, and where in the team's own code if it was there."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == MODEL]
    where = f"model/{Path(frames[-1].filename).name}, line {frames[-1].lineno}: " if frames else ""
    return f"{where}{type(error).__name__}: {' '.join(str(error).split())}"


def main() -> None:
    """Write definition.json and the training driver into a folder that holds structure.json."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    offline()
    folder = Path(sys.argv[1])
    structure = Structure.from_json((folder / "structure.json").read_text("utf-8"))
    try:
        definition = build(structure, folder / "training_driver")
    except Exception as error:
        raise SystemExit(_one_line(error)) from None
    (folder / "definition.json").write_text(json.dumps(definition, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
