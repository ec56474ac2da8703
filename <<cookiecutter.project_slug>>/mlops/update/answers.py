"""The answers of a repository, as a newer template asks for them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops.problem import Problem
from mlops.update.template import later


@dataclass
class Migrated:
    """What a template's table of migrations makes of a repository's answers and settings."""

    answers: dict[str, Any]
    settings: dict[str, str] = field(default_factory=dict)  # the earlier name of a setting: its name now
    told: list[str] = field(default_factory=list)


def questions(template: Path) -> dict[str, Any]:
    """Return cookiecutter.json of a template.

    Raises:
        Problem: it cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads((template / "cookiecutter.json").read_text("utf-8"))
        return content
    except (OSError, ValueError) as error:
        raise Problem(f"cookiecutter.json of the template cannot be read: {error}") from None


def migrate(answers: Mapping[str, Any], table: Sequence[Mapping[str, Any]], since: str) -> Migrated:
    """Return answers with the names that a newer template has for them.

    Args:
        table: `_migrations` of the newer template's cookiecutter.json. Each entry has the `version` that brought the
            change, and one of these:
            `question` and `renamed_to`; `question` and `choices`, which maps choices that are gone to those to take;
            `setting` and `renamed_to`, with dots between the keys of mlops.yaml.
        since: the version that the answers were given to; later migrations count.

    Raises:
        Problem: an entry of the table is none of these.
    """
    migrated = Migrated(dict(answers))
    for entry in table:
        match entry:
            case {"version": str(version)} if not later(version, since):
                pass
            case {"question": str(old), "renamed_to": str(new)}:
                if old in migrated.answers:
                    migrated.answers[new] = migrated.answers.pop(old)
                    migrated.told.append(f"{old} is called {new} now")
            case {"question": str(question), "choices": dict(choices)}:
                answer = migrated.answers.get(question)
                if answer in choices:
                    migrated.answers[question] = choices[answer]
                    migrated.told.append(f"{question} {answer} is {choices[answer]} now")
            case {"setting": str(old), "renamed_to": str(new)}:
                migrated.settings[old] = new
                migrated.told.append(f"the setting {old} is called {new} now")
            case _:
                raise Problem(f"the template has a migration that is none: {json.dumps(entry)}")
    return migrated


def new_questions(asked: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    """Return the questions that a repository has not answered yet."""
    return [name for name in asked if not name.startswith("_") and name not in answers]


def given(words: Sequence[str], asked: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers of the command line, each NAME=VALUE.

    Raises:
        Problem: one is no such pair, or the template does not ask for it.
    """
    result = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Problem(f"--answer {word}: write it as NAME=VALUE")
        if name not in asked or name.startswith("_"):
            names = ", ".join(question for question in asked if not question.startswith("_"))
            raise Problem(f"--answer {word}: the template has no question {name!r}; there are: {names}")
        result[name] = value
    return result


def of_settings(content: Any) -> dict[str, Any]:
    """Return the answers that mlops.yaml holds: all but `aws_setup`.

    Raises:
        Problem: the settings are too damaged to tell.
    """
    try:
        host = content["source_control"]["host"]
        github = {"github_repository": content["source_control"]["repository"]} if host == "github" else {}
        return {
            "project_name": content["project"]["name"],
            "project_slug": content["project"]["slug"],
            "owner": content["project"]["owner"],
            "aws_region": content["environments"]["prod"]["region"],
            "task": content["model"]["task"],
            "framework": content["model"]["framework"],
            "serving": content["serving"],
            "scenario": content["scenario"],
            "source_control": host,
            **github,
        }
    except KeyError as error:
        raise Problem(f"mlops.yaml does not tell the answers: {error} is missing; complete it and commit it") from None
    except TypeError:
        raise Problem(
            "mlops.yaml does not tell the answers: it has no such sections; complete it and commit it"
        ) from None
