"""Started in a generated repository: its definition, and what travels beside it, as `mlops run` has them.

Standard output: {"definition": ..., "files": {parameter: {name: path}}, "texts": {parameter: {name: text}}}.
"""

import json
import sys
from pathlib import Path

from mlops.definition.build import definition
from mlops.definition.code import JOBS, everything, needed_by
from mlops.laptop.content import data_schema
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
texts = {
    "DataSchemaUri": {"data.json": data_schema(settings).decode()},
    "SettingsUri": {"settings.json": settings.model_dump_json()},
    "CurrentModelUri": {"none": "no version is approved yet\n"},
    "CurrentBaselineUri": {"none": "no version is approved yet\n"},
}
plain = {parameter: {name: str(path) for name, path in group.items()} for parameter, group in files.items()}
json.dump({"definition": built.content, "files": plain, "texts": texts}, sys.stdout)
