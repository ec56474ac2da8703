"""Results of steps, found again by all that they depend on.

What counts is what counts on SageMaker ("Default cache key attributes by pipeline step type" in its developer guide):
what runs, its inputs, its arguments, its environment; not the machine, not the place of the outputs. A laptop has no
image, so Python and the installed packages count instead. A model has another name in every run: for a transform counts
what is in it.
"""

import hashlib
import json
import os
import platform
import sysconfig
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlops.runner.job import Result

RELEVANT = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": ("AlgorithmSpecification", "Environment", "HyperParameters", "InputDataConfig"),
    "Transform": ("BatchStrategy", "DataProcessing", "Environment", "MaxPayloadInMB", "TransformInput"),
}
FORMAT = 1  # to be raised where this runner makes something else of the same arguments


class Cache:
    """A folder with a file for each result."""

    def __init__(self, folder: Path, *, enabled: bool = True) -> None:
        """Use a folder; without `enabled` nothing is found, but everything is kept."""
        self.folder = folder
        self.enabled = enabled
        self._environment = _environment()

    def key(self, kind: str, arguments: dict[str, Any], model: dict[str, Any] | None = None) -> str | None:
        """Return the name under which a result is kept, or None for steps that always run.

        `model` is the container that a transform asks.
        """
        if kind not in RELEVANT:
            return None
        relevant: dict[str, Any] = {name: arguments.get(name) for name in RELEVANT[kind]}
        outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
        relevant["outputs"] = [(output["OutputName"], output["S3Output"]["LocalPath"]) for output in outputs]
        answers = {name: arguments.get("TransformOutput", {}).get(name) for name in ("Accept", "AssembleWith")}
        text = json.dumps([FORMAT, kind, relevant, answers, model, self._environment], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]

    def find(self, key: str | None, not_older_than: timedelta | None) -> Result | None:
        """Return the result of an earlier run, if there is one that may still be used."""
        if not self.enabled or key is None or not_older_than is None:
            return None
        try:
            content = json.loads((self.folder / f"{key}.json").read_text("utf-8"))
            age = datetime.now(UTC) - datetime.fromisoformat(content["at"])
            result = Result(**content["result"])
            return result if age <= not_older_than and isinstance(result.outputs, dict) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None  # a broken file is as good as none

    def keep(self, key: str | None, result: Result) -> None:
        """Keep the result of a step that succeeded."""
        if key is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {"at": datetime.now(UTC).isoformat(), "result": asdict(result)}
        handle, part = tempfile.mkstemp(".part", dir=self.folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
            os.replace(part, self.folder / f"{key}.json")
        except BaseException:
            os.unlink(part)
            raise


def _environment() -> list[str]:
    return [platform.python_version(), platform.machine(), *installed()]


def installed() -> list[str]:
    """Return the installed packages, "pandas-3.1.1", by their folders: their metadata take longer."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return sorted({path.stem for folder in folders for path in Path(folder).glob("*.dist-info")})
