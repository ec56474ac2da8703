"""Started in a generated repository: its definition, and what travels beside it, as `mlops run` has them.

Standard output: {"definition": ..., "files": {parameter: {name: path}}, "contents": {parameter: {name: in Base64}},
"within": {parameter: name}}, of the parameters that want a file, not a folder.
"""

import json
import sys
from base64 import b64encode
from pathlib import Path

from mlops.definition.build import definition
from mlops.definition.code import JOBS, everything, needed_by
from mlops.definition.sample_payload import NAME, sample_payload
from mlops.laptop.content import FILES, data_schema
from mlops.own_repository import ROOT
from mlops.settings import load_settings

settings = load_settings().of_environment("feature")
built = definition(settings)
files: dict[str, dict[str, Path]] = {
    "DataUri": {settings.data.path.name: ROOT / settings.data.path},
    "ModelCodeUri": everything(),
    "TrainCodeUri": needed_by("train.py") | needed_by("inference.py"),
    "PreprocessCodeUri": needed_by("preprocess.py"),
    "EvaluateCodeUri": needed_by("evaluate.py"),
    "JobScriptsUri": everything(JOBS),
    "TrainingDriverUri": everything(built.training_driver),
}
contents = {
    "DataSchemaUri": {"data.json": data_schema(settings)},
    "SettingsUri": {"settings.json": settings.model_dump_json().encode()},
    "SamplePayloadUri": {NAME: sample_payload()},
    "CurrentModelUri": {"none": b"no version is approved yet\n"},
    "CurrentBaselineUri": {"none": b"no version is approved yet\n"},
}
plain = {parameter: {name: str(path) for name, path in group.items()} for parameter, group in files.items()}
encoded = {
    parameter: {name: b64encode(content).decode() for name, content in group.items()}
    for parameter, group in contents.items()
}
json.dump({"definition": built.content, "files": plain, "contents": encoded, "within": FILES}, sys.stdout)
