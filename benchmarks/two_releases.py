"""This template with two more releases on top, and its twin with default braces, which other tools can read."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[1]
PROJECT, TWINS_PROJECT = "<<cookiecutter.project_slug>>", "{{cookiecutter.project_slug}}"
SLUG, NAME = "tumor-diagnosis", "Tumor Diagnosis"
OLD, NEW = "90.0.0", "90.1.0"  # later than any release of ours
IMPROVED = "# What the newer release says."
QUESTIONS = "cookiecutter.json"

Call = Callable[[list[str], Path], object]


@dataclass(frozen=True)
class Releases:
    """A clone of a template, the older of two releases at HEAD^, the newer at HEAD."""

    folder: Path

    @property
    def url(self) -> str:
        """An address through which git transfers, as it does over a network."""
        return self.folder.as_uri()

    def make(self, release: str) -> str:
        """Commit all that lies there as a release, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"Release {release}")
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        """Run git in the clone, and return what it printed."""
        return git(self.folder, *arguments)


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, and return what it printed without the last line break."""
    nobody = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgSign=false"]
    done = subprocess.run(["git", *nobody, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def two_releases(folder: Path, call: Call) -> tuple[Releases, Releases]:
    """Make both in an empty folder: ours and its twin, with equal history, files and changes.

    The twin's project folder is our render, so it has no hooks, no extension and nothing that depends on an answer.
    """
    ours, twin = Releases(folder / "ours.git"), Releases(folder / "twin.git")
    git(folder, "clone", "--quiet", "--shared", str(TEMPLATE), str(ours.folder))
    ours.git(f"--work-tree={TEMPLATE}", "add", "--all")  # what is not committed yet is measured, too
    ours.git("commit", "--quiet", "--allow-empty", "--message", "As it lies here")
    ours.git("reset", "--quiet", "--hard")
    git(folder, "clone", "--quiet", "--shared", str(ours.folder), str(twin.folder))
    for release in (OLD, NEW):
        _name(ours.folder, release)
        if release == NEW:
            _improve(ours.folder)
        ours.make(release)
        _rebuild(twin, ours, folder / f"render-{release}", call)
        twin.make(release)
    return ours, twin


def _name(template: Path, release: str) -> None:
    _change_questions(template, _version=release)
    changelog = template / "CHANGELOG.md"
    head, _, rest = changelog.read_text("utf-8").partition("\n## ")
    changelog.write_text(f"{head}\n## {release} - 2030-01-01\n\n- Something better.\n\n## {rest}", "utf-8")


def _improve(template: Path) -> None:
    """Change what releases change: machinery, scripts that people edit too, a setting, a question, a new file."""
    project = template / PROJECT
    for name in ("mlops/names.py", "mlops/terminal.py", "mlops/cli.py", "tests/test_endpoint_cases.py"):
        with (project / name).open("a", encoding="utf-8") as file:
            file.write(f"{IMPROVED}\n")
    for name in ("model/schema.py", "model/scoring.py"):
        put_above(project / name, IMPROVED)
    settings = (project / "mlops.yaml").read_text("utf-8")
    (project / "mlops.yaml").write_text(settings.replace("  retries: 2", "  retries: 3"), "utf-8")
    (project / "mlops" / "news.py").write_text('"""A module of the newer release."""\n', "utf-8")
    _change_questions(template, team="ml")


def put_above(file: Path, line: str) -> None:
    """Add a first line to a file."""
    file.write_text(f"{line}\n{file.read_text('utf-8')}", "utf-8")


def _change_questions(template: Path, **changes: object) -> None:
    file = template / QUESTIONS
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes, indent=2), "utf-8")


def _rebuild(twin: Releases, ours: Releases, render: Path, call: Call) -> None:
    """Fill the twin with our files anew."""
    bake = [sys.executable, "-m", "cookiecutter", str(ours.folder), "--accept-hooks", "no", "--no-input"]
    call([*bake, "--default-config", "--output-dir", str(render)], ours.folder)
    twin.git("rm", "--quiet", "-r", ".")
    twin.git("clean", "--quiet", "--force", "-d", "-x")
    others = shutil.ignore_patterns(".git", "hooks", "__pycache__", PROJECT)
    shutil.copytree(ours.folder, twin.folder, symlinks=True, ignore=others, dirs_exist_ok=True)
    project = twin.folder / TWINS_PROJECT
    shutil.move(render / SLUG, project)
    asked = json.loads((ours.folder / QUESTIONS).read_text("utf-8"))
    answers = json.loads((project / ".template.json").read_text("utf-8"))["answers"]
    questions = {name: asked[name] for name in ("_version", "_copy_without_render")} | answers
    (twin.folder / QUESTIONS).write_text(json.dumps(questions, indent=2), "utf-8")
    for file in filter(Path.is_file, project.iterdir()):
        text = file.read_text("utf-8").replace(SLUG, TWINS_PROJECT).replace(NAME, "{{cookiecutter.project_name}}")
        file.write_text(text, "utf-8")
