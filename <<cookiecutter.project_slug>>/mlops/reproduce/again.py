"""Runs a version's pipeline again: its commit in a worktree, with its settings and its data, by its own machinery.

All of it lies in a folder of its own in `.mlops`, removed at the end: files, index, branches and history of this
repository are not touched.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops.definition.code import everything
from mlops.git import git, run_git
from mlops.laptop import store
from mlops.laptop.runs import metrics_of
from mlops.own_repository import ROOT, SETTINGS
from mlops.problem import Problem
from mlops.reproduce.original import Original
from mlops.terminal import step

PATIENCE = 30  # seconds for a run to end its jobs when it is stopped
PLACE = ("account", "region")  # what of `environments` is no setting of the model


@dataclass(frozen=True)
class Outcome:
    """What came out now."""

    metrics: dict[str, float]
    packages: dict[str, str]
    python: str
    reason: str | None  # why the run ended without a version, if it did


def make_again(original: Original) -> Outcome:
    """Run the pipeline of a version again.

    Raises:
        Problem: its data are gone, its code is not what it was, or the run failed before it had metrics.
    """
    with _worktree(original.commit) as place:
        with step("Laying in what it was made of", "laid in commit, settings and data", stderr=True):
            _lay_in_code(original, place)
            _lay_in_settings(original, place)
            _lay_in_data(original, place)
        return _run(original, place)


@contextmanager
def _worktree(commit: str) -> Iterator[Path]:
    with store.scratch() as folder:
        place = folder / ROOT.name
        try:
            # Without hooks: what a team has run after a checkout is for its own files.
            hooks = f"core.hooksPath={os.devnull}"
            git("-c", hooks, "worktree", "add", "--quiet", "--detach", str(place), commit)
            yield place
        finally:
            # Twice --force: one that was interrupted while it was made is locked.
            run_git(["worktree", "remove", "--force", "--force", str(place)])


def _lay_in_code(original: Original, place: Path) -> None:
    """Put model/ back as it was, where it was not committed; definitions that are built need not be built again."""
    lost = f"{original.what} cannot be made again: what was changed after commit {original.commit[:10]} is gone"
    if original.model_uri:
        for file in everything(place / "model").values():
            file.unlink()
        try:
            store.Laptop().fetch(original.model_uri, place / "model")
        except FileNotFoundError:
            raise Problem(f"{lost}: model/ is not in {store.HOME.name} any more") from None
    if original.jobs_uri and _tree(original.jobs_uri) != store.tree_of(everything(place / "mlops" / "jobs")):
        raise Problem(f"{lost}: mlops/jobs was other, and is in no commit")
    built = store.HOME / "definitions"
    if built.is_dir():
        shutil.copytree(built, place / ".mlops" / "definitions")


def _lay_in_settings(original: Original, place: Path) -> None:
    """Write the settings that were in force, those of `--set` too, as the file that the run reads (JSON is YAML)."""
    content = dict(original.settings)
    environments = content.get("environments")
    if not isinstance(environments, dict):
        raise Problem(f"{original.what} cannot be made again: its settings are not on record as a whole")
    content["environments"] = {
        name: {key: keys.get(key) for key in PLACE} for name, keys in environments.items() if isinstance(keys, dict)
    }
    (place / SETTINGS).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _lay_in_data(original: Original, place: Path) -> None:
    """Put the table there whose content was recorded: that of the commit, of the store, or of S3."""
    data = original.settings.get("data")
    name = Path(str(data.get("path") if isinstance(data, dict) else ""))
    if not name.name or name.is_absolute() or ".." in name.parts:
        raise Problem(f"{original.what} cannot be made again: {str(name)!r} is no path in the repository")
    file, tree = place / name, _tree(original.data_uri)
    if _is(file, tree):
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = store.STORE / tree / name.name
    if kept.is_file():
        shutil.copyfile(kept, file)
    elif original.data_uri.startswith(store.BUCKET):
        raise Problem(f"{original.what} cannot be made again: its data are neither in git nor in {store.HOME.name}")
    else:
        from mlops.own_data.data_source import download

        environments: dict[str, Any] = original.settings["environments"]
        download(f"{original.data_uri.rstrip('/')}/{name.name}", file, environments[original.environment]["region"])
    if not _is(file, tree):
        raise Problem(f"{original.what} cannot be made again: the data at {original.data_uri} are not those of then")


def _is(file: Path, tree: str) -> bool:
    return file.is_file() and store.tree_of({file.name: file}) == tree


def _tree(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2]


def _run(original: Original, place: Path) -> Outcome:
    # `-m` takes the package of the current folder first: that of the commit, whatever is installed.
    command = [sys.executable, "-m", "mlops", "run", "--fresh", "--json", "--env", original.environment]
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONSAFEPATH", "PYTHONPATH"}}
    with subprocess.Popen(
        command,
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches us alone: the run is stopped once, and waited for
    ) as process:
        try:
            printed, _ = process.communicate()
        except BaseException:
            _stop(process)
            raise
    return _outcome(original, place, printed)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Have a run end its jobs, which are processes in groups of their own."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _outcome(original: Original, place: Path, printed: bytes) -> Outcome:
    try:
        record = json.loads(printed)
        file = place / ".mlops" / record["outputs"]["Evaluate"]["evaluation"] / "evaluation.json"
        metrics = metrics_of(json.loads(file.read_text("utf-8")))
        return Outcome(
            {name: float(metric["value"]) for name, metric in metrics.items()},
            record["packages"],
            record["python"],
            record["reason"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(
            f"{original.what} could not be made again: its pipeline failed here before it had metrics; see above"
        ) from None
