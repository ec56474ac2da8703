"""Eight named repositories, which together hold every pair of choices: each passes its own tests and checks."""

import itertools
import json
import sys
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.conftest import CACHE, TEMPLATE, Repository
from tests.definitions import shared_definitions
from tests.sweeps import THOROUGH
from tests.template.test_questions import QUESTIONS

NAMES = ("task", "framework", "serving", "scenario", "source_control")
COMBINATIONS = {
    "the defaults": ("classification", "scikit-learn", "realtime", "baseline", "codecommit"),
    "nightly scores of a regression": ("regression", "scikit-learn", "batch", "baseline", "codecommit"),
    "challenged trees on GitHub": ("classification", "xgboost", "realtime", "champion-challenger", "github"),
    "batch trees, challenged": ("regression", "xgboost", "batch", "champion-challenger", "codecommit"),
    "a regression endpoint on GitHub": ("regression", "scikit-learn", "realtime", "champion-challenger", "github"),
    "classes by batch on GitHub": ("classification", "xgboost", "batch", "baseline", "github"),
    "a regression endpoint of trees": ("regression", "xgboost", "realtime", "baseline", "codecommit"),
    "challenged classes by batch": ("classification", "scikit-learn", "batch", "champion-challenger", "codecommit"),
}


def answers_of(name: str) -> dict[str, str]:
    """Return the answers of a named combination."""
    return dict(zip(NAMES, COMBINATIONS[name], strict=True))


def test_the_combinations_hold_every_pair_of_choices() -> None:
    choices: dict[str, Any] = {name: QUESTIONS["_choices"][name] for name in NAMES}
    for first, second in itertools.combinations(NAMES, 2):
        wanted = set(itertools.product(choices[first], choices[second]))
        here = {(answers_of(name)[first], answers_of(name)[second]) for name in COMBINATIONS}
        assert here == wanted, (first, second)


# The first four hold each model once, and these two of them each task and framework.
WITH_PIPELINE = ("the defaults", "batch trees, challenged")


def own_tests(name: str) -> list[str] | None:
    """The command for the tests of a repository. By day, no model is tested twice, and half of the pipelines are run."""
    if name in WITH_PIPELINE or THOROUGH:
        return ["make", "test", f"PYTHON={sys.executable}"]
    if name == next(other for other in COMBINATIONS if COMBINATIONS[other][:2] == COMBINATIONS[name][:2]):
        return [sys.executable, "-m", "pytest", "--ignore=tests/test_pipeline.py"]
    return None


@pytest.mark.slow
@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_fresh_repository_passes_its_own_tests_and_checks(name: str, cookies: Cookies) -> None:
    """Baked once, asked much: its tests train a real model, its checks are those of every commit."""
    answers = answers_of(name)
    result = cookies.bake(extra_context={"project_name": name.title(), **answers}, template=str(TEMPLATE))
    assert result.exception is None
    repository = Repository(result.project_path)
    github = answers["source_control"] == "github"

    assert (repository.path / "buildspec.yml").exists() is not github
    assert (repository.path / ".github/workflows/checks.yml").exists() is github
    readme = (repository.path / "README.md").read_text("utf-8")
    assert ("-challenger`" in readme) is (answers["scenario"] == "champion-challenger")
    assert json.loads((repository.path / ".template.json").read_text("utf-8"))["answers"].items() >= answers.items()

    if command := own_tests(name):
        with shared_definitions(repository.path):
            tested = repository.run(*command).stdout
        assert repository.settings()["evaluation"]["metric"] in tested
        assert " passed" in tested
        assert " failed" not in tested

    checked = repository.run("pre-commit", "run", "--all-files", PRE_COMMIT_HOME=str(CACHE / "pre-commit"))
    assert "Failed" not in checked.stdout
    assert repository.git("status", "--porcelain") == ""
