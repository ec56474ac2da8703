"""The two renders that an update compares: the template as this repository took it, and as it is now."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.markup import escape

from mlops.template_record import NAME, TemplateRecord, parse
from mlops.update import answers
from mlops.update.outlook import Outlook
from mlops.update.release_notes import release_notes
from mlops.update.render import AnswerRefused, Renderer, Rendering

# A question, what the template says about it (in Rich's markup, as Cookiecutter has it), its default -> the answer.
Ask = Callable[[str, str, str], str]


@dataclass(frozen=True)
class Rendered:
    """Both renders, and what people are told about the way from one to the other."""

    old: Path
    new: Path
    rendering: Rendering  # of the new one
    record: TemplateRecord  # of the new one, with all answers
    unanswered: dict[str, str]  # questions that nobody has answered, with what the template says about them
    renamed_settings: dict[str, str]
    told: list[str]  # what the migrations changed
    notes: str  # of the releases in between

    @property
    def new_answers(self) -> dict[str, str]:
        """What the new questions are answered with."""
        return {name: str(self.record.answers[name]) for name in self.unanswered}


def render_both(outlook: Outlook, words: Sequence[str], scratch: Path) -> Rendered:
    """Render both releases with this repository's answers, each in the names that the release has for them.

    New questions get their defaults.

    Args:
        words: answers of the command line, NAME=VALUE; they count for the new render alone.

    Raises:
        Problem: a template cannot be rendered, or does not take an answer.
    """
    with Renderer(scratch) as old_renderer, Renderer(scratch) as new_renderer:
        old_template = outlook.template.unpack(outlook.old, scratch / "old")
        old_renderer.start(Rendering(outlook.old.name, old_template, outlook.record.answers))
        new_template = outlook.template.unpack(outlook.new, scratch / "new")
        asked = answers.questions(new_template)
        migrated = answers.migrate(outlook.record.answers, asked.get("_migrations", []), outlook.old.version)
        wanted = migrated.answers | answers.given(words, asked)
        rendering = Rendering(outlook.new.name, new_template, wanted)
        new_renderer.start(rendering)
        old, new = old_renderer.result(), new_renderer.result()
    (old / NAME).write_text(outlook.record.text(), "utf-8")
    prompts: Mapping[str, Any] = asked.get("__prompts__", {})
    return Rendered(
        old,
        new,
        rendering,
        _recorded(new, outlook),
        {name: str(prompts.get(name, name)) for name in answers.new_questions(asked, wanted)},
        migrated.settings,
        migrated.told,
        release_notes(new_template, outlook.old.version, outlook.new.version),
    )


def ask_again(rendered: Rendered, outlook: Outlook, ask: Ask, scratch: Path) -> Rendered:
    """Ask the new questions until the template takes the answers; render again where they are not the defaults."""
    defaults, refusal = rendered.new_answers, ""
    while True:
        replies = {name: ask(name, refusal + rendered.unanswered[name], default) for name, default in defaults.items()}
        if replies == defaults:
            return rendered
        try:
            wish = replace(rendered.rendering, answers={**rendered.rendering.answers, **replies})
            with Renderer(scratch) as renderer:
                renderer.start(wish)
                new = renderer.result()
            return replace(rendered, new=new, record=_recorded(new, outlook))
        except AnswerRefused as reason:
            refusal = f"{escape(str(reason))}\n"


def _recorded(project: Path, outlook: Outlook) -> TemplateRecord:
    """Write down where the project comes from, for it was rendered from a copy of the template; return that."""
    written = (project / NAME).read_bytes()
    record = replace(
        outlook.record, version=outlook.new.version, commit=outlook.new.commit, answers=parse(written).answers
    )
    # What a newer template notes beside these four stays.
    content = json.loads(record.text()) | {
        name: value for name, value in json.loads(written).items() if name not in vars(record)
    }
    (project / NAME).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return record
