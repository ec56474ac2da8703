"""New questions take their defaults or are asked; renamed and removed choices go through the table of migrations."""

import json
from typing import Any

import pytest
from rich.text import Text

from mlops.problem import Problem
from mlops.update.answers import migrate, of_settings
from tests.conftest import Repository
from tests.update.conftest import Update
from tests.update.template_source import TemplateSource, content, git

pytestmark = pytest.mark.slow


def answers(repository: Repository, branch: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(content(repository, branch, ".template.json"))
    answered: dict[str, Any] = record["answers"]
    return answered


@pytest.fixture
def asking(small: TemplateSource, repository: Repository) -> TemplateSource:
    """A release with two questions more."""
    small.questions(
        region="eu-{{ cookiecutter.project_slug }}", monitoring="off", __prompts__={"monitoring": "Watch [green]it[/]?"}
    )
    small.edit(
        small.in_project("README.md"), "Read me.", "Read me. {{ cookiecutter.region }} {{ cookiecutter.monitoring }}"
    )
    small.release("1.1.0")
    return small


def test_new_questions_get_their_defaults(asking: TemplateSource, repository: Repository, update: Update) -> None:
    done = update(repository, asking)
    assert answers(repository, done.branch) == {
        "project_name": "House Prices",
        "project_slug": "house-prices",
        "framework": "scikit-learn",
        "region": "eu-house-prices",
        "monitoring": "off",
    }
    assert "Read me. eu-house-prices off" in content(repository, done.branch, "README.md").decode()


@pytest.mark.slow
def test_new_questions_are_asked_with_their_texts_and_defaults(
    asking: TemplateSource, repository: Repository, update: Update
) -> None:
    asked = []

    def ask(name: str, text: str, default: str) -> str:
        asked.append((name, text, default))
        return "on" if name == "monitoring" else default

    done = update(repository, asking, ask=ask)
    assert asked == [("region", "region", "eu-house-prices"), ("monitoring", "Watch [green]it[/]?", "off")]
    assert "Read me. eu-house-prices on" in content(repository, done.branch, "README.md").decode()


@pytest.mark.slow
def test_an_answer_that_the_template_refuses_is_asked_again(
    template: TemplateSource, update: Update, tmp_path: Any
) -> None:
    """By the check of the real template: its questions refuse at once."""
    repository = template.generate(tmp_path / "made")
    template.edit(
        "cookiecutter.json",
        '  "aws_setup": "later",',
        '  "watch": "off",\n  "__watch_ok": "<< cookiecutter | check(\'watch\') >>",\n  "aws_setup": "later",',
    )
    template.edit(
        "cookiecutter.json",
        '    "aws_setup": ["later", "now"]\n',
        '    "watch": ["off", "on"],\n    "aws_setup": ["later", "now"]\n',
    )
    template.release("9.0.0")
    texts = []

    def ask(name: str, text: str, default: str) -> str:
        texts.append(text)
        return "perhaps[/b]" if len(texts) == 1 else "on"

    done = update(repository, template, ask=ask)
    assert Text.from_markup(texts[1]).plain.startswith(
        "the template 9.0.0 cannot be rendered: watch 'perhaps[/b]' is not a choice; choose off or on\n"
    )
    assert answers(repository, done.branch)["watch"] == "on"
    with pytest.raises(Problem, match="watch 'never' is not a choice; choose off or on"):
        update(repository, template, answers=["watch=never"])


@pytest.mark.slow
def test_questions_are_answered_on_the_command_line_too_old_ones_and_new_ones(
    asking: TemplateSource, repository: Repository, update: Update
) -> None:
    done = update(repository, asking, answers=["monitoring=on", "framework=xgboost"])
    assert "framework: xgboost" in content(repository, done.branch, "mlops.yaml").decode()
    assert answers(repository, done.branch)["monitoring"] == "on"
    for words, reason in (
        ("framework", "write it as NAME=VALUE"),
        ("colour=red", "no question 'colour'; there are: project_name,"),
    ):
        with pytest.raises(Problem, match=reason):
            update(repository, asking, answers=[words])


def test_the_answers_alone_may_change(small: TemplateSource, repository: Repository, update: Update) -> None:
    done = update(repository, small, answers=["framework=xgboost"])
    assert done.branch == "template-update/1.0.0"
    assert sorted(done.result.changed) == [".template.json", "mlops.yaml"]


@pytest.mark.slow
def test_a_removed_choice_a_renamed_question_and_a_renamed_setting_go_through_the_table(
    small: TemplateSource, repository: Repository, update: Update
) -> None:
    settings = (repository.path / "mlops.yaml").read_text().replace("rounds: 100", "rounds: 500")
    (repository.path / "mlops.yaml").write_text(settings)
    git(repository.path, "commit", "--quiet", "--all", "--message", "More rounds")
    small.questions(framework=None, library="sklearn")
    small.questions(
        _migrations=[
            {"version": "0.9.0", "question": "project_name", "choices": {"House Prices": "never: it is older"}},
            {"version": "1.1.0", "question": "framework", "choices": {"scikit-learn": "sklearn"}},
            {"version": "1.1.0", "question": "framework", "renamed_to": "library"},
            {"version": "1.1.0", "setting": "training.rounds", "renamed_to": "training.epochs"},
        ]
    )
    small.edit(small.in_project("mlops.yaml"), "{{ cookiecutter.framework }}", "{{ cookiecutter.library }}")
    small.edit(small.in_project("mlops.yaml"), "rounds: 100", "epochs: 100")
    small.release("1.1.0")
    done = update(repository, small)
    assert answers(repository, done.branch) == {
        "project_name": "House Prices",
        "project_slug": "house-prices",
        "library": "sklearn",
    }
    text = content(repository, done.branch, "mlops.yaml").decode()
    assert "framework: sklearn" in text
    assert "epochs: 500" in text
    assert "rounds" not in text


def test_the_migrations_tell_what_they_did() -> None:
    table: list[dict[str, Any]] = [
        {"version": "1.1.0", "question": "a", "choices": {"x": "y"}},
        {"version": "1.1.0", "question": "b", "choices": {"x": "y"}},
        {"version": "1.2.0", "question": "a", "renamed_to": "c"},
        {"version": "1.2.0", "setting": "d.e", "renamed_to": "f"},
    ]
    migrated = migrate({"a": "x", "b": "z"}, table, "1.0.0")
    assert migrated.answers == {"c": "y", "b": "z"}
    assert migrated.settings == {"d.e": "f"}
    assert migrated.told == ["a x is y now", "a is called c now", "the setting d.e is called f now"]
    assert migrate({"a": "x"}, table, "1.1.0").answers == {"c": "x"}


@pytest.mark.parametrize(
    "entry", [{}, {"version": "1.1.0"}, {"version": "2.0.0", "question": "a", "choices": ["x"]}, "a"]
)
def test_a_migration_that_is_none_is_named(entry: Any) -> None:
    with pytest.raises(Problem, match="the template has a migration that is none"):
        migrate({"a": "x"}, [entry], "1.0.0")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [({"source_control": {}}, "'host' is missing"), (None, "no such sections"), ({"source_control": []}, "no such")],
)
def test_settings_that_do_not_tell_the_answers_are_one_line(content: Any, reason: str) -> None:
    with pytest.raises(Problem, match=f"does not tell the answers: .*{reason}.*; complete it and commit it$"):
        of_settings(content)


def test_a_question_that_is_gone_is_forgotten(small: TemplateSource, repository: Repository, update: Update) -> None:
    small.questions(framework=None)
    small.edit(small.in_project("mlops.yaml"), "{{ cookiecutter.framework }}", "scikit-learn")
    small.release("1.1.0")
    assert "framework" not in answers(repository, update(repository, small).branch)


HOSTILE = '<< cookiecutter.owner >> <% if it\'s \\n "fine" {{ x }} # no $(touch owned) `id` ~ 🧬'


@pytest.mark.slow
def test_answers_are_data_when_they_are_rendered_again(template: TemplateSource, update: Update, tmp_path: Any) -> None:
    repository = template.generate(tmp_path / "made", project_name=HOSTILE, owner=HOSTILE, project_slug="strange")
    template.write(template.in_project("NEW.md"), "<< cookiecutter.project_name | markdown >>\n")
    template.release("9.0.0")
    done = update(repository, template)
    assert sorted(done.result.changed) == [".template.json", "NEW.md"]
    assert answers(repository, done.branch)["owner"] == HOSTILE


def test_what_a_newer_template_notes_in_the_record_stays(
    small: TemplateSource, repository: Repository, update: Update
) -> None:
    small.edit(small.in_project(".template.json"), '"answers": {', '"later": 1,\n  "answers": {')
    small.release("1.2.0")
    done = update(repository, small)
    assert json.loads(content(repository, done.branch, ".template.json"))["later"] == 1
    git(repository.path, "merge", "--quiet", done.branch)
    small.release("1.3.0")
    assert update(repository, small).branch == "template-update/1.3.0"
