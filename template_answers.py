"""The answers of `cookiecutter.json`: checked at once, and written as data wherever they land.

Cookiecutter loads this Jinja extension (`_extensions`) before the first question. It runs in whatever
environment Cookiecutter lives in, so it needs nothing but Cookiecutter's own dependencies.
"""

import json
import re
import tempfile
import unicodedata
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension

TEMPLATE = Path(__file__).resolve().parent
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
SLUG_LENGTH = 32  # a SageMaker project name (CreateProject) is at most 32 characters long
RESERVED_SEGMENTS = ("feature", "dev", "prod", "champion", "challenger")
GITHUB_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9._-]{1,100}")

Answers_ = MutableMapping[str, object]


class Refused(FailedHookException):
    """An answer that cannot be used. Cookiecutter prints it as one line and exits with 1."""

    def __init__(self, question: str, answer: object, reason: str) -> None:
        # ascii(): what was refused may hold line breaks or characters a terminal would obey.
        super().__init__(f"{question} {ascii(answer)[:120]} {reason}")


class Plain:
    """A template without our delimiters, which is its own rendering."""

    def __init__(self, text: str) -> None:
        self._text = text

    def render(self, *_: object, **__: object) -> str:
        """Return the text."""
        return self._text


class Answers(Extension):
    """Adds the filters `check`, `slug`, `quoted`, `markdown`, `source` and `commit`, and keeps answers literal."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        start = Path.cwd()  # Cookiecutter goes elsewhere while it renders
        environment.filters.update(
            check=check,
            slug=default_slug,
            quoted=quoted,
            markdown=markdown,
            source=lambda given: template_source(given, start),
            commit=lambda folder: template_commit(start / folder),
        )
        self._own_texts: frozenset[str] | None = None
        self._skip_what_is_plain(environment)

    @staticmethod
    def _skip_what_is_plain(environment: Environment) -> None:
        """Spare Jinja the texts and files without our delimiters: `make bench` shows what compiling them would cost."""
        from_string, get_template = environment.from_string, environment.get_template

        def text(source: str) -> Any:
            return from_string(source) if _is_marked(source) else Plain(source)

        def file(name: str) -> Any:
            source = environment.loader.get_source(environment, name)[0]  # type: ignore[union-attr]
            return get_template(name) if _is_marked(source) else Plain(source)

        environment.from_string, environment.get_template = text, file  # type: ignore[method-assign, assignment]

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the template text to compile, with an answer turned into a string literal.

        Cookiecutter renders an answer from the command line or a user configuration as if it were a
        template of ours: `<< x >>` in a project name would be evaluated, `<%` would end in a traceback.
        Before the environment has a loader, it compiles only texts of this template and such answers.
        """
        if name is not None or self.environment.loader is not None:
            return source
        if source in self._texts():
            return source
        return f"<< {source!a} >>"

    def _texts(self) -> frozenset[str]:
        if self._own_texts is None:
            questions = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
            hooks = (hook.read_text("utf-8") for hook in (TEMPLATE / "hooks").glob("*.py"))
            folders = (folder.name for folder in TEMPLATE.glob("<<*"))
            self._own_texts = frozenset(
                [text for text in questions.values() if isinstance(text, str)] + [*hooks, *folders]
            )
        return self._own_texts


def _is_marked(text: str) -> bool:
    return "<<" in text or "<%" in text or "<#" in text


def check(answers: Answers_, question: str) -> str:
    """Return the answer to `question`, or refuse it. A choice given by its number becomes its name.

    Raises:
        Refused: with one line that holds the question, the answer and what would be accepted.
    """
    choices = answers["_choices"].get(question)  # type: ignore[attr-defined]
    answer = str(answers[question])
    if choices is None:
        RULES.get(question, _line(question, 200))(answers, answer)
    elif answer in choices:
        pass
    elif answer in map(str, range(1, len(choices) + 1)):
        answers[question] = answer = choices[int(answer) - 1]
    else:
        raise Refused(question, answer, f"is not a choice; choose {' or '.join(choices)}")
    if question == "source_control":
        _codecommit_in_region(answers)
    return answer


def _line(question: str, length: int) -> Callable[[Answers_, str], None]:
    """A rule for free text: one visible line that YAML, TOML, JSON, git and AWS tags can all carry."""

    def rule(_: Answers_, answer: str) -> None:
        if not answer.strip():
            raise Refused(question, answer, "is empty; give some text")
        if answer != answer.strip():
            raise Refused(question, answer, "starts or ends with white space; remove it")
        if len(answer) > length:
            raise Refused(question, answer, f"has {len(answer)} characters; use at most {length}")
        for character in answer:
            if _unprintable(character):
                raise Refused(question, answer, f"holds {character!a}, which cannot be printed; remove it")

    return rule


def _unprintable(character: str) -> bool:
    """Whether YAML 1.1 or TOML 1.0 would not carry the character as it is (both define their sets).

    That is every control, surrogate, line and paragraph separator, and Unicode's noncharacters.
    """
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or ord(character) & 0xFFFE == 0xFFFE


def _slug(_: Answers_, answer: str) -> None:
    if not SLUG.fullmatch(answer):
        raise Refused(
            "project_slug",
            answer,
            "must be lower-case words of a-z and 0-9 joined by single hyphens, such as tumor-diagnosis",
        )
    if len(answer) > SLUG_LENGTH:
        raise Refused("project_slug", answer, f"has {len(answer)} characters; use at most {SLUG_LENGTH}")
    for word in answer.split("-"):
        if word in RESERVED_SEGMENTS:
            raise Refused("project_slug", answer, f"holds the word {word}, which names an environment; leave it out")


def _region(answers: Answers_, answer: str) -> None:
    regions = [region for group in answers["_regions"].values() for region in group]  # type: ignore[attr-defined]
    if answer not in regions:
        import difflib  # here: every other rendering does without it

        near = difflib.get_close_matches(answer, regions, n=3) or ["us-east-1", "eu-west-1"]
        raise Refused(
            "aws_region", answer, f"has no SageMaker with CodeBuild; choose a region such as {', '.join(near)}"
        )


def _codecommit_in_region(answers: Answers_) -> None:
    region = answers["aws_region"]
    if answers["source_control"] == "codecommit" and region in answers["_regions"]["without_codecommit"]:  # type: ignore[index]
        raise Refused(
            "source_control", "codecommit", f"is not offered in {region}; choose github or another aws_region"
        )


def _github_repository(_: Answers_, answer: str) -> None:
    name = answer.rpartition("/")[2]
    if not GITHUB_REPOSITORY.fullmatch(answer) or name in {".", ".."} or name.endswith(".git"):
        raise Refused("github_repository", answer, "must be owner/name, such as my-org/tumor-diagnosis")


RULES: dict[str, Callable[[Answers_, str], None]] = {
    "project_name": _line("project_name", 100),
    "project_slug": _slug,
    "owner": _line("owner", 200),
    "aws_region": _region,
    "github_repository": _github_repository,
}


def default_slug(project_name: str) -> str:
    """Return the short name proposed for `project_name`: always one that `check` accepts."""
    name = str(project_name)
    if not name.isascii():
        from slugify import slugify  # here: its tables of the world's letters take long to load

        name = slugify(name)
    words = [word for word in re.findall(r"[a-z0-9]+", name.lower()) if word not in RESERVED_SEGMENTS]
    slug = "-".join(words).lstrip("0123456789-")
    if len(slug) > SLUG_LENGTH:
        slug = slug[: SLUG_LENGTH + 1].rpartition("-")[0] or slug[:SLUG_LENGTH]  # whole words, if there are several
    return slug if SLUG.fullmatch(slug) and not set(slug.split("-")) & set(RESERVED_SEGMENTS) else "model"


def quoted(value: object) -> str:
    """Return a string that YAML, TOML and JSON all read back as `value`, an answer that `check` let pass."""
    return json.dumps(value, ensure_ascii=False)


def markdown(text: str) -> str:
    """Return `text` so that Markdown shows it as it is (CommonMark: any ASCII punctuation may be escaped)."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&$()+]|(?<=^\d)\.|^[-=])", r"\\\1", str(text))


def template_source(given: str, start: Path) -> str | None:
    """Return where the template came from, to be found again by another person on another day.

    A URL or an abbreviation stays, without any password in it; a folder becomes its `origin`, or else its full path; a
    temporary folder is nowhere (None). `start` is where a relative path begins.
    """
    folder = start / given
    if not folder.exists():
        return _without_password(given)
    origin = _origin(folder)
    if origin and not Path(origin).is_absolute():
        return _without_password(origin)
    for place in [Path(origin), folder] if origin else [folder]:
        full = place.resolve()
        if full.exists() and not full.is_relative_to(Path(tempfile.gettempdir()).resolve()):
            return str(full)
    return None


def _without_password(address: str) -> str:
    url = urlsplit(address)
    if url.scheme not in {"http", "https"}:
        return address
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))


def _origin(folder: Path) -> str | None:
    """Read the address of `origin` from git's configuration file: asking git costs a process each time."""
    try:
        config = (folder / ".git" / "config").read_text("utf-8")
    except OSError:
        return None
    match = re.search(r'^\[remote "origin"\]\n(?:[^\[\n]*\n)*?\s*url = (\S+)$', config, re.MULTILINE)
    return match[1] if match and (":" in match[1] or match[1].startswith("/")) else None


def template_commit(folder: Path) -> str | None:
    """Return the commit that is checked out in a template's folder; None where it is no git repository.

    Read from git's files (gitrepository-layout): asking git costs a process each time.
    """
    place = folder / ".git"
    try:
        if place.is_file():  # a worktree or a submodule
            place = folder / place.read_text("utf-8").strip().removeprefix("gitdir: ")
        shared = place / (place / "commondir").read_text("utf-8").strip() if (place / "commondir").exists() else place
        head = (place / "HEAD").read_text("utf-8").strip()
        name = head.removeprefix("ref: ")
        if name != head:
            head = _reference(shared, name)
    except OSError:
        return None
    return head if re.fullmatch(r"[0-9a-f]{40,64}", head) else None


def _reference(folder: Path, name: str) -> str:
    if (folder / name).is_file():
        return (folder / name).read_text("utf-8").strip()
    packed = (folder / "packed-refs").read_text("utf-8")
    return next((line.partition(" ")[0] for line in packed.splitlines() if line.endswith(f" {name}")), "")
