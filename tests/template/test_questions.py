"""`cookiecutter.json` against the world it speaks of."""

import json
import subprocess
from typing import Any

import botocore.session
import pytest

from template_answers import RULES
from tests.conftest import TEMPLATE

QUESTIONS: dict[str, Any] = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
ASKED = [name for name in QUESTIONS if not name.startswith("_")]


def test_the_questions_are_those_of_the_design_in_its_order() -> None:
    """A company's fork may have more between them: docs/customise.md."""
    ours = [
        "project_name", "project_slug", "owner", "aws_region", "task", "framework", "serving", "scenario",
        "source_control", "github_repository", "aws_setup",
    ]  # fmt: skip
    assert [name for name in ASKED if name in ours or not QUESTIONS["_company_version"]] == ours


def test_every_question_is_a_sentence_and_its_answer_is_checked_right_after_it() -> None:
    names = list(QUESTIONS)
    for question in ASKED:
        assert QUESTIONS["__prompts__"][question], question
        assert names[names.index(question) + 1] == f"__{question}_ok"
        assert QUESTIONS[f"__{question}_ok"] == f"<< cookiecutter | check('{question}') >>"
    checked = set(QUESTIONS["_choices"]) | set(RULES)
    assert checked <= set(ASKED)
    assert checked == set(ASKED) or QUESTIONS["_company_version"]  # a fork's free text needs no rule


def test_the_first_choice_is_the_default_and_the_prompt_names_every_choice_with_its_number() -> None:
    for question, choices in QUESTIONS["_choices"].items():
        assert QUESTIONS[question] == choices[0]
        for number, choice in enumerate(choices, start=1):
            assert f" {number}  {choice} " in QUESTIONS["__prompts__"][question]


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
def test_the_regions_are_those_with_sagemaker_and_codebuild_by_whether_they_have_codecommit(partition: str) -> None:
    """A region that botocore learns of, or loses, must reach the list: otherwise people are refused for no reason."""
    session = botocore.session.get_session()
    wanted, codecommit = (
        set.intersection(*(set(session.get_available_regions(service, partition)) for service in services))
        for services in (("sagemaker", "codebuild"), ("sagemaker", "codebuild", "codecommit"))
    )
    here = set(session.get_available_regions("sts", partition)) | wanted
    assert {region for region in QUESTIONS["_regions"]["with_codecommit"] if region in here} == codecommit
    assert {region for region in QUESTIONS["_regions"]["without_codecommit"] if region in here} == wanted - codecommit


def test_the_release_is_in_the_changelog() -> None:
    """Tags do not travel everywhere: a release must be findable by its version file and changelog alone."""
    assert f"\n## {QUESTIONS['_version']} " in (TEMPLATE / "CHANGELOG.md").read_text("utf-8")


def test_the_project_folder_holds_nothing_that_is_not_committed() -> None:
    """Cookiecutter copies whatever lies there: a cache left by a tool would land in every generated repository."""
    folder = "<<cookiecutter.project_slug>>"
    listed = subprocess.run(
        ["git", "ls-files", "--others", "-z", "--", folder], cwd=TEMPLATE, capture_output=True, text=True, check=True
    )
    new = [file for file in listed.stdout.split("\0") if file and not file.endswith((".py", ".yaml", ".md", ".toml"))]
    assert new == []
