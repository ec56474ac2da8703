"""The pipeline's definition, built once for everything that shapes it and then read from disk.

Building imports the SageMaker SDK and takes seconds. So it happens in a process of its own, only when the pipeline's
code, the team's `model/steps.py`, what shapes the pipeline in the settings, or the SDK is another than before.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlops.definition.code import needed_by
from mlops.definition.parameters import Structure, defaults
from mlops.laptop import store
from mlops.own_repository import ROOT
from mlops.problem import Problem
from mlops.settings import Settings

FOLDER = store.HOME / "definitions"
BUILDERS = ("pipeline.py", "definition/parts.py", "definition/sdk.py", "definition/parameters.py")
TIMEOUT = 300  # seconds; a slow laptop takes 20

# The SDK asks the machine who it is and what its defaults are: neither may reach a definition.
SDK_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "PYTHONHASHSEED": "0",
    "SAGEMAKER_VALIDATE_ROLE": "false",
}


@dataclass(frozen=True)
class Definition:
    """What SageMaker gets, and what travels beside it."""

    content: dict[str, Any]
    training_driver: Path

    @property
    def text(self) -> str:
        """The definition as CreatePipeline takes it."""
        return json.dumps(self.content)


def definition(settings: Settings) -> Definition:
    """Return the definition for the settings of an environment; `is_built` tells whether that will be quick.

    Raises:
        Problem: it has to be built, and the SDK is missing or refuses.
    """
    structure = Structure.of(settings)
    folder = _folder(structure)
    if not (folder / "definition.json").exists():
        _build(structure, folder)
    content = json.loads((folder / "definition.json").read_text("utf-8"))
    values = defaults(settings)
    for parameter in content["Parameters"]:
        if parameter["Name"] in values:
            parameter["DefaultValue"] = values[parameter["Name"]]
    return Definition(content, folder / "training_driver")


def is_built(settings: Settings) -> bool:
    """Tell whether the definition lies on disk."""
    return (_folder(Structure.of(settings)) / "definition.json").exists()


def _folder(structure: Structure) -> Path:
    """Return the folder of a definition, named after all that it depends on."""
    machinery = ROOT / "mlops"
    sources = {name: (machinery / name).read_bytes() for name in BUILDERS}
    if (ROOT / "model" / "steps.py").exists():
        sources |= {name: path.read_bytes() for name, path in needed_by("steps.py").items()}
    digest = hashlib.sha256(json.dumps(asdict(structure), sort_keys=True).encode("utf-8"))
    digest.update(_sdk_version().encode("utf-8"))
    for name, content in sorted(sources.items()):
        digest.update(f"{name} {len(content)} ".encode() + content)
    return FOLDER / digest.hexdigest()[:32]


def _sdk_version() -> str:
    try:
        return version("sagemaker")
    except PackageNotFoundError:
        return "none"


def _build(structure: Structure, folder: Path) -> None:
    if _sdk_version() == "none":
        raise Problem(
            "the pipeline's definition has to be built, which needs the SageMaker SDK; "
            f"install it with: {sys.executable} -m pip install -c constraints.txt -e '.[pipeline]'"
        )
    with store.scratch() as scratch:
        (scratch / "structure.json").write_text(json.dumps(asdict(structure)), "utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
        place = {"AWS_REGION": structure.region, "AWS_DEFAULT_REGION": structure.region}
        # Where the SDK looks for defaults of the user and of the organisation (Studio has some): there are none.
        place |= dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"), str(scratch))
        done = subprocess.run(
            [sys.executable, "-m", "mlops.pipeline", str(scratch)],
            cwd=ROOT,
            env=kept | SDK_ENVIRONMENT | place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
        )
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise Problem(f"the pipeline cannot be built: {lines[-1] if lines else 'the SDK gave no reason'}")
        FOLDER.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(scratch, folder)
        except OSError:
            if not folder.exists():  # another run has built it meanwhile
                raise
