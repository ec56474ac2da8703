"""The model versions of this machine: what the registry's model package group is on AWS."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from mlops.laptop import store
from mlops.problem import Problem

FOLDER = store.HOME / "versions"
Status = Literal["Approved", "Rejected", "PendingManualApproval"]


@dataclass(frozen=True)
class Version:
    """A registered model.

    `model` is the folder that holds model.tar.gz; `request` is what CreateModelPackage got; `recipe` stands for all
    that the model was made of, `target` is what it predicts, and `compared_with` is the version that it had to beat.
    """

    number: int
    status: Status
    run: int
    created: str
    model: Path
    evaluation: Path | None
    request: dict[str, Any]
    recipe: str = ""
    compared_with: int | None = None
    target: str | None = None  # None: registered before 0.3.0


def versions() -> list[Version]:
    """Return all versions, the oldest first."""
    numbers = sorted(int(file.stem) for file in FOLDER.glob("*.json") if file.stem.isdigit())
    return [_read(number) for number in numbers]


def current(recipe: str | None = None, target: str | None = None) -> Version | None:
    """Return the version that new models are compared with: the last approved one.

    A model made of the same as that version is that version: it is compared with the one that came before. One that
    predicts another column than `target` says nothing about a new model: `mlops data use` starts anew.
    """
    known = [version for version in versions() if None in {target, version.target} or version.target == target]
    last = _last_approved(known)
    if last and recipe and last.recipe == recipe:
        return _last_approved([version for version in known if version.number == last.compared_with])
    return last


def _last_approved(known: list[Version]) -> Version | None:
    return next((version for version in reversed(known) if version.status == "Approved"), None)


def register(status: str, model: Path, **details: Any) -> Version:
    """Add a version, whole or not at all; the last approved one, if it is the same model of the same recipe.

    Raises:
        Problem: the status is none that SageMaker knows (CreateModelPackage, ModelApprovalStatus).
    """
    _check(status)
    FOLDER.mkdir(parents=True, exist_ok=True)
    while True:
        known = versions()
        last = _last_approved(known)
        if last and (last.model, last.recipe, last.status) == (model, details.get("recipe"), status):
            return last
        number = known[-1].number + 1 if known else 1
        version = Version(number=number, status=status, model=model, **details)  # type: ignore[arg-type]
        with store.scratch() as scratch:
            (scratch / "version.json").write_text(_write(version), "utf-8")
            try:
                (FOLDER / f"{number}.json").hardlink_to(scratch / "version.json")
            except FileExistsError:  # another run registered meanwhile
                continue
        return version


def set_status(number: int, status: str) -> Version:
    """Approve or reject a version.

    Raises:
        Problem: there is no such version, or the status is none.
    """
    _check(status)
    known = {version.number: version for version in versions()}
    if number not in known:
        raise Problem(f"there is no version {number}; there are: {', '.join(map(str, known)) or 'none'}")
    changed = Version(**{**vars(known[number]), "status": status})
    with store.scratch() as scratch:
        (scratch / "version.json").write_text(_write(changed), "utf-8")
        (scratch / "version.json").replace(FOLDER / f"{number}.json")
    return changed


def _check(status: str) -> None:
    if status not in get_args(Status):
        raise Problem(f"the approval status is {status!r}; allowed: {', '.join(get_args(Status))}")


def _write(version: Version) -> str:
    places = {name: path and path.relative_to(store.HOME).as_posix() for name, path in _places(version).items()}
    return json.dumps(asdict(version) | places, indent=1) + "\n"


def _places(version: Version) -> dict[str, Path | None]:
    return {"model": version.model, "evaluation": version.evaluation}


def _read(number: int) -> Version:
    try:
        content = json.loads((FOLDER / f"{number}.json").read_text("utf-8"))
        content["model"] = store.HOME / content["model"]
        content["evaluation"] = content["evaluation"] and store.HOME / content["evaluation"]
        return Version(**content)
    except (ValueError, TypeError, KeyError) as error:
        raise Problem(f".mlops/versions/{number}.json is broken ({error}); remove the file") from None
