"""`mlops update` in a repository with 200 commits, beside `cruft update` on a template of the same size."""

import functools
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import timing
from benchmarks.timing import Contender, measure, report
from benchmarks.two_releases import IMPROVED, NEW, SLUG, TEMPLATE, git, put_above, two_releases

CRUFT = TEMPLATE / ".cache" / "cruft"  # an environment of its own: nothing else here needs cruft
RUNS = 9
SECONDS = 1.5
COMMITS = 200
EDITED = ("model/train.py", "model/preprocess.py", "tests/test_model.py", "README.md", "mlops.yaml")
BRANCH = f"template-update/{NEW}"
RENAMED = "model/scores.py"  # what the team calls a module of the template


def main() -> None:
    """Print the comparison, and what each of the two leaves behind."""
    with tempfile.TemporaryDirectory(dir=timing.memory()) as name:
        folder = Path(name)
        own_folders = {"HOME": name, "XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder / "scratch")}
        environment = {**timing.environment(), **own_folders}
        (folder / "scratch").mkdir()
        call = functools.partial(timing.call, environment=environment)
        _make_environment_of_cruft()
        (folder / "templates").mkdir()
        ours, twin = two_releases(folder / "templates", call)
        cruft, options = str(CRUFT / "bin" / "cruft"), ["--no-input", "--default-config", "--checkout"]
        bake = [sys.executable, "-m", "cookiecutter", ours.url, *options, ours.git("rev-parse", "HEAD^")]
        call([*bake, "--output-dir", str(folder / "ours")], folder)
        create = [cruft, "create", twin.url, *options, twin.git("rev-parse", "HEAD^")]
        call([*create, "--output-dir", str(folder / "cruft")], folder)
        repository, peer = folder / "ours" / SLUG, folder / "cruft" / SLUG
        git(peer, "init", "--quiet", "--initial-branch=dev")
        _work(repository)
        _work(peer)

        def without_branch() -> None:
            git(repository, "update-ref", "-d", f"refs/heads/{BRANCH}")

        def as_committed() -> None:
            git(peer, "reset", "--quiet", "--hard")
            git(peer, "clean", "--quiet", "--force", "-d")

        update = [sys.executable, "-m", "mlops", "update", "--no-pull-request"]
        contenders = [
            Contender("mlops update", update, repository, environment, without_branch),
            Contender("cruft update", [cruft, "update", "--skip-apply-ask"], peer, environment, as_committed),
        ]
        seconds = measure(contenders, RUNS)
        touched = git(repository, "status", "--porcelain").splitlines()
        notes = [
            _verdict(seconds[0], folder),
            f"mlops makes a branch: {_left_behind(repository, BRANCH)}. Files of the team touched: {len(touched)}.",
            f"cruft edits the working tree: {_left_behind(peer)}.",
        ]
    report(f"an update in a repository with {COMMITS} commits", contenders, seconds, None, notes)


def _make_environment_of_cruft() -> None:
    uv, python = str(Path(sys.executable).with_name("uv")), str(CRUFT / "bin" / "python")
    timing.call([uv, "venv", "--allow-existing", "--python", sys.executable, str(CRUFT)], TEMPLATE)
    packages = ["--constraint", "constraints.txt", "--group", "bench-peers"]
    timing.call([uv, "pip", "install", "--compile-bytecode", "--python", python, *packages], TEMPLATE)


def _work(repository: Path) -> None:
    """Commit as a team does: edits, one in a line that the template changes, a renamed and a removed file."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "Start")
    put_above(repository / "model" / "schema.py", "# What the team says.")
    git(repository, "mv", "model/scoring.py", RENAMED)
    git(repository, "rm", "--quiet", "tests/test_endpoint_cases.py")
    for number in range(1, COMMITS + 1):
        with (repository / EDITED[number % len(EDITED)]).open("a", encoding="utf-8") as file:
            file.write(f"# edit {number}\n")
        git(repository, "commit", "--quiet", "--all", "--message", f"Edit {number}")


def _verdict(seconds: list[float], folder: Path) -> str:
    middle, spread = statistics.median(seconds), max(seconds) - min(seconds)
    reached = "reached" if middle < SECONDS else "missed"
    return (
        f"Goal: mlops update, warm, in a median of less than {SECONDS} s: {reached}, with {middle:.2f} s; "
        f"the runs differ by {spread:.2f} s, which is this machine's noise. "
        f"All files are below {folder.parent}; both tools fetch the template from a file:// URL."
    )


def _left_behind(repository: Path, *branch: str) -> str:
    """Say what the last update made of a branch or, without one, of the working tree."""
    changed = git(repository, "diff", "--name-only", "dev", *branch).splitlines()
    undecided = _files_with("^<<<<<<< ", repository, *branch)
    rejected = git(repository, "ls-files", "--others", "*.rej").splitlines()
    carried = "arrives" if _files_with(IMPROVED, repository, *branch, "--", RENAMED) else "is lost without a word"
    return (
        f"{len(changed)} files changed, {len(undecided)} of them with conflict markers, {len(rejected)} .rej; "
        f"what the template changed in the module that the team renamed {carried}"
    )


def _files_with(text: str, repository: Path, *where: str) -> list[str]:
    found = subprocess.run(["git", "grep", "-l", text, *where], cwd=repository, capture_output=True, text=True)
    return found.stdout.splitlines()


if __name__ == "__main__":
    main()
