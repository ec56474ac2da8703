"""Find a trained model of this machine, and unpack it as SageMaker does before it starts a container."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mlops import model_archive
from mlops.laptop import runs, store, versions
from mlops.model_archive import ARCHIVE
from mlops.problem import Problem

FOLDER = store.HOME / "unpacked"


@dataclass(frozen=True)
class Model:
    """A trained model: what people call it, and its model.tar.gz or the folder that holds that or its content."""

    name: str
    path: Path


def find(version: int | None = None, run: int | None = None, path: Path | None = None) -> Model:
    """Return the model that is asked for; without a wish the current version's, else the newest run's.

    Raises:
        Problem: there is none, or more than one wish.
    """
    if sum(wish is not None for wish in (version, run, path)) > 1:
        raise Problem("--version, --run and --model each name a model; give one of them")
    if path is not None:
        return Model(str(path), path)
    if version is not None:
        known = {known.number: known for known in versions.versions()}
        if version not in known:
            raise Problem(f"there is no version {version}; there are: {', '.join(map(str, known)) or 'none'}")
        return Model(f"version {version}", known[version].model)
    if run is not None:
        model = _trained_in(runs.find(run))
        if not model:
            raise Problem(f"run {run} trained no model; see why with: mlops runs show {run}")
        return model
    current = versions.current()
    if current:
        return Model(f"version {current.number}", current.model)
    newest = next(filter(None, map(_trained_in, reversed(runs.runs()))), None)
    if not newest:
        raise Problem("there is no model on this machine yet; train one with: mlops run")
    return newest


def _trained_in(run: runs.Run) -> Model | None:
    place = ((run.record.get("outputs") or {}).get("Train") or {}).get("model")
    return Model(f"run {run.number}", run.folder.parents[1] / place) if place else None


def unpack(model: Model) -> Path:
    """Return the folder with the model's files. An archive is unpacked once, under its hash.

    Raises:
        Problem: it is not there, is no model.tar.gz, or would write outside of its folder.
    """
    path = model.path
    if path.is_dir():
        if (path / "code").is_dir():
            return path.resolve()
        path /= ARCHIVE
    try:
        with path.open("rb") as file:
            target = FOLDER / hashlib.file_digest(file, "sha256").hexdigest()[:32]
        if target.is_dir():
            return target
        with store.scratch() as scratch:
            model_archive.unpack(path, scratch / "model")
            FOLDER.mkdir(parents=True, exist_ok=True)
            _move(scratch / "model", target)
    except FileNotFoundError:
        raise Problem(f"there is no {path}; train a model with: mlops run") from None
    except (model_archive.Broken, OSError) as error:
        raise Problem(f"{path} is no {ARCHIVE} that can be unpacked: {error}") from None
    return target


def _move(folder: Path, target: Path) -> None:
    """Rename a folder: it is there whole or not at all, whoever else does the same just now."""
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
