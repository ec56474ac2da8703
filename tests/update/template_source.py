"""A template in git, in which tests make newer releases."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import TEMPLATE, Repository

PROJECT = "<<cookiecutter.project_slug>>"
IDENTITY = ["-c", "user.name=Tess Template", "-c", "user.email=tess@example.org", "-c", "commit.gpgSign=false"]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it printed."""
    done = subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.rstrip("\n")


@dataclass(frozen=True)
class TemplateSource:
    """A clone of a template that a test may change. `project` is the name of its project folder."""

    path: Path
    project: str = PROJECT

    def git(self, *arguments: str) -> str:
        """Run git in it."""
        return git(self.path, *arguments)

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file of the template."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a text of the template that is there once."""
        text = (self.path / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old!r}"
        self.write(name, text.replace(old, new))

    def in_project(self, name: str) -> str:
        """Return the place of a file of the project in the template."""
        return f"{self.project}/{name}"

    def questions(self, **changes: Any) -> None:
        """Change cookiecutter.json: new or other entries; None removes one."""
        content = json.loads((self.path / "cookiecutter.json").read_text("utf-8"))
        for name, value in changes.items():
            if value is None:
                content.pop(name)
            else:
                content[name] = value
        self.write("cookiecutter.json", json.dumps(content, indent=2) + "\n")

    def commit(self, message: str = "A change") -> str:
        """Commit everything and return the commit."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def release(self, version: str, notes: str = "- Something better.") -> str:
        """Make a release: the version and its notes in one commit."""
        self.questions(_version=version)
        changelog = (self.path / "CHANGELOG.md").read_text("utf-8")
        head, _, rest = changelog.partition("\n## ")
        self.write("CHANGELOG.md", f"{head}\n## {version} - 2030-01-01\n\n{notes}\n\n## {rest}")
        return self.commit(f"Release {version}")

    def copy(self, folder: Path) -> "TemplateSource":
        """Return another clone of it."""
        git(self.path, "clone", "--quiet", "--shared", "--no-tags", str(self.path), str(folder))
        git(folder, "remote", "remove", "origin")
        return TemplateSource(folder, self.project)

    def checked_out(self, commit: str, folder: Path) -> Path:
        """Return a folder with the files of a commit, and no git."""
        folder.mkdir(parents=True)
        self.git("archive", f"--output={folder}.tar", commit)
        shutil.unpack_archive(f"{folder}.tar", folder, "tar")
        return folder

    def zip(self, file: Path, commit: str = "HEAD") -> Path:
        """Return a zip of a commit, as GitHub makes them: in a folder of its own."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.git("archive", "--format=zip", f"--prefix={self.path.name}/", f"--output={file}", commit)
        return file

    def generate(self, folder: Path, **answers: str) -> Repository:
        """Render it as people do, hooks included."""
        return generate(self.path, folder, **answers)


def generate(template: Path, folder: Path, **answers: str) -> Repository:
    """Render a template's folder by the command line, hooks included, and return the repository."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [f"{name}={value}" for name, value in answers.items()]
    command = [sys.executable, "-m", "cookiecutter", str(template), "--no-input", "--default-config"]
    done = subprocess.run([*command, "--output-dir", str(folder), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [made] = [path for path in folder.iterdir() if path.is_dir()]
    return Repository(made)


def as_it_lies(folder: Path) -> TemplateSource:
    """Return this repository's template in a clone with its whole history, and what is not committed yet on top."""
    git(TEMPLATE, "clone", "--quiet", "--shared", "--no-tags", str(TEMPLATE), str(folder))
    source = TemplateSource(folder)
    source.git("remote", "remove", "origin")
    source.git("rm", "--quiet", "-r", "--ignore-unmatch", ".")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=TEMPLATE, capture_output=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (TEMPLATE / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TEMPLATE / name, folder / name)
    source.git("add", "--all", "--force")
    if source.git("status", "--porcelain"):
        source.commit("As it lies here")
    return source


def content(repository: Repository, revision: str, name: str) -> bytes:
    """Return what a file holds in a commit."""
    shown = subprocess.run(["git", "show", f"{revision}:{name}"], cwd=repository.path, capture_output=True, check=True)
    return shown.stdout


def tree(repository: Repository, revision: str) -> dict[str, str]:
    """Return the mode and the blob of every file of a commit, by its name: the same where the file is the same."""
    lines = git(repository.path, "ls-tree", "-r", "-z", revision).split("\0")
    return {name: facts for facts, _, name in (line.partition("\t") for line in lines if line)}
