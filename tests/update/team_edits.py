"""A year of a team's work on a repository: what people do to files that came from a template."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import Repository
from tests.update.template_source import git

OWN_FILES = {
    "model/features.py": '"""What the team knows about the columns."""\n\n\ndef ratio(a: float, b: float) -> float:\n    return a / b\n',
    "tests/test_features.py": "from pathlib import Path\n\n\ndef test_ratio() -> None:\n    assert Path('model/features.py').exists()\n",
    "notebooks/first look.ipynb": json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}) + "\n",
    "docs/übersicht.md": "# Übersicht\n",
}
CI_STEP = {
    "buildspec.yml": ("      - make test\n", "      - make test\n      - echo our own step\n"),
    ".github/workflows/checks.yml": (
        "      - run: make test\n",
        "      - run: make test\n      - run: echo our own step\n",
    ),
}


def edit(repository: Repository, name: str, old: str, new: str) -> None:
    """Replace a text that stands in a file once."""
    file = repository.path / name
    text = file.read_text("utf-8")
    assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old!r}"
    file.write_text(text.replace(old, new), "utf-8")


def work_for_a_year(repository: Repository) -> None:
    """Make the edits, each in a commit, on dev."""
    for message in _edits(repository):
        repository.git("add", "--all")
        git(repository.path, "commit", "--quiet", "--message", message)


def _edits(repository: Repository) -> Iterator[str]:
    root, settings = repository.path, repository.settings()
    data = settings["data"]["path"]

    for name, text in OWN_FILES.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, "utf-8")
    yield "Files of our own"

    repository.git("mv", "model/baseline.py", "model/reference_statistics.py")
    edit(repository, "model/train.py", "from baseline import", "from reference_statistics import")
    yield "A module with a name that we like better"

    edit(repository, "mlops.yaml", "validation_fraction: 0.2", "validation_fraction: 0.15")
    edit(repository, "mlops.yaml", "  seed: 42\n", "  seed: 7  # our lucky number\n")
    if settings["model"]["task"] == "classification":
        edit(repository, "mlops.yaml", "threshold: 0.95", "threshold: 0.9")
    else:
        edit(repository, "mlops.yaml", "metric: rmse  # the metric", "metric: mae  # the metric")
        edit(repository, "mlops.yaml", "threshold: 65.0", "threshold: 60.0")
    yield "Our metric, our limits"

    rows = (root / data).read_text("utf-8").splitlines()
    (root / "data/ours.csv").write_text("\n".join([rows[0], *rows[:0:-1]]) + "\n", "utf-8")
    (root / data).unlink()
    edit(repository, "mlops.yaml", data, "data/ours.csv")
    yield "Our data; the sample goes"

    for name, (old, new) in CI_STEP.items():
        if (root / name).exists():
            edit(repository, name, old, new)
    yield "A step of our own in CI"

    edit(repository, "README.md", "## Run it", "## Who we are\n\nThe team on the third floor.\n\n## Run it")
    edit(repository, "pyproject.toml", 'version = "0"', 'version = "12"')
    edit(repository, "pyproject.toml", '  "pytest>=8",\n', '  "pytest>=8",\n  "pytest-randomly>=3",\n')
    yield "Who we are"

    first_line = (root / "model/train.py").read_text("utf-8").splitlines()[0]
    edit(repository, "model/train.py", first_line, '"""Train our model.')
    reformatted = re.sub(
        r"^( +)", r"\1\1", (root / "tests/test_endpoint_cases.py").read_text("utf-8"), flags=re.MULTILINE
    )
    (root / "tests/test_endpoint_cases.py").write_text(reformatted, "utf-8")
    yield "Indented by eight"


def still_there(repository: Repository) -> None:
    """Assert that every edit is in the working tree, by content."""
    root = repository.path
    for name, text in OWN_FILES.items():
        assert (root / name).read_text("utf-8") == text, name
    assert not (root / "model/baseline.py").exists()
    assert "from reference_statistics import write_baseline" in (root / "model/train.py").read_text("utf-8")
    assert (root / "model/train.py").read_text("utf-8").startswith('"""Train our model.\n')
    settings, text = repository.settings(), (root / "mlops.yaml").read_text("utf-8")
    assert (settings["data"]["seed"], settings["data"]["validation_fraction"]) == (7, 0.15)
    assert "  seed: 7  # our lucky number\n" in text
    classifies = settings["model"]["task"] == "classification"
    wanted = ("auc", 0.9) if classifies else ("mae", 60.0)
    assert (settings["evaluation"]["metric"], settings["evaluation"]["threshold"]) == wanted
    assert settings["data"]["path"] == "data/ours.csv"
    assert [path.name for path in (root / "data").glob("*.csv")] == ["ours.csv"]
    ci = next(name for name in CI_STEP if (root / name).exists())
    assert "our own step" in (root / ci).read_text("utf-8")
    assert "The team on the third floor." in (root / "README.md").read_text("utf-8")
    assert '"pytest-randomly>=3"' in (root / "pyproject.toml").read_text("utf-8")
    assert 'version = "12"' in (root / "pyproject.toml").read_text("utf-8")
    indented = (root / "tests/test_endpoint_cases.py").read_text("utf-8")
    assert not re.search(r"^ {4}\S", indented, re.MULTILINE)


def squash_merge(repository: Repository, branch: str, message: str = "Update the template") -> None:
    """Take a branch into dev as pull requests do: as one commit with nothing of its history; the branch goes."""
    repository.git("switch", "--quiet", "dev")
    git(repository.path, "merge", "--quiet", "--squash", branch)
    git(repository.path, "commit", "--quiet", "--message", message)
    repository.git("branch", "--quiet", "-D", branch)


def tidy_history(repository: Repository) -> None:
    """Rewrite the whole history of dev into two commits without the render that it began with."""
    tree = repository.git("rev-parse", "dev^{tree}")
    first = git(repository.path, "commit-tree", repository.git("rev-parse", "dev~1^{tree}"), "-m", "Everything so far")
    second = git(repository.path, "commit-tree", tree, "-p", first, "-m", "And the rest")
    repository.git("update-ref", "refs/heads/dev", second)


def markers(file: Path) -> list[str]:
    """Return the lines between conflict markers."""
    lines, within = [], False
    for line in file.read_text("utf-8").splitlines():
        if line.startswith(("<<<<<<<", ">>>>>>>")):
            within = not within
        elif within and line != "=======":
            lines.append(line)
    return lines
