"""What travels to the jobs, in the store of this machine: table, code, settings; for runs here and on SageMaker."""

import json

from mlops.definition.build import Definition, definition, is_built
from mlops.definition.code import JOBS, everything, needed_by
from mlops.definition.sample_payload import NAME as SAMPLE_PAYLOAD
from mlops.definition.sample_payload import sample_payload
from mlops.laptop import store
from mlops.own_repository import ROOT
from mlops.settings import Settings
from mlops.terminal import step as shown_step

# Parameters that want a file, not a folder: where in their tree it lies.
FILES = {"SamplePayloadUri": SAMPLE_PAYLOAD, "SettingsUri": "settings.json"}
NO_VERSION = {"none": b"no version is approved yet\n"}  # in the place of a current model


def built_definition(settings: Settings, *, stderr: bool = False) -> Definition:
    """Return the definition; where it has to be built, show that: it takes seconds.

    Raises:
        Problem: it cannot be built.
    """
    if is_built(settings):
        return definition(settings)
    doing, done = "Building the pipeline's definition (once)", "built the pipeline's definition"
    with shown_step(doing, done, stderr=stderr):
        return definition(settings)


def look_at_data(settings: Settings, *, stderr: bool = False) -> None:
    """See to it that the table is there and can be read; fetch it from its source where it is not.

    Raises:
        Problem: it is not there, or is none.
    """
    from mlops.own_data.data_file import look_at

    if settings.data.source and not (ROOT / settings.data.path).exists():
        from mlops.own_data.data_source import fetch_source

        doing, done = f"Fetching {settings.data.source}", f"fetched {settings.data.path}"
        with shown_step(doing, done, stderr=stderr):
            fetch_source(settings)
    look_at(ROOT / settings.data.path)


def uri(folder: str, parameter: str) -> str:
    """Return what a parameter is given for the place of its tree: that place, or the one file in it that is meant."""
    return f"{folder}/{FILES[parameter]}" if parameter in FILES else folder


def trees(settings: Settings, built: Definition) -> dict[str, str]:
    """Put into the store what travels to the jobs, and return the hash of each tree, by parameter.

    Raises:
        Problem: a file is missing, or somebody writes to one.
    """
    table = {settings.data.path.name: ROOT / settings.data.path}
    return {
        "DataUri": store.add_large(table),
        "DataSchemaUri": store.add({"data.json": data_schema(settings)}),
        "ModelCodeUri": store.add(everything()),
        "TrainCodeUri": store.add(needed_by("train.py") | needed_by("inference.py")),
        "PreprocessCodeUri": store.add(needed_by("preprocess.py")),
        "EvaluateCodeUri": store.add(needed_by("evaluate.py")),
        "JobScriptsUri": store.add(everything(JOBS)),
        "TrainingDriverUri": store.add(everything(built.training_driver)),
        "SamplePayloadUri": store.add({SAMPLE_PAYLOAD: sample_payload()}),
        "SettingsUri": store.add({"settings.json": settings.model_dump_json(indent=1).encode("utf-8")}),
    }


def data_schema(settings: Settings) -> bytes:
    """Return what the settings say about the table, as the job scripts read it (data.json)."""
    data = settings.data
    columns = {name: column.model_dump(exclude_none=True) for name, column in data.columns.items()}
    content = {
        "target": data.target,
        "task": settings.model.task,
        "id_columns": data.id_columns,
        "rows_without_target": data.rows_without_target,
        "columns": columns,
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
