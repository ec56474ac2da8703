"""Whatever people answer: a repository that holds the answers unchanged, or one line that says why not."""

import ast
import functools
import json
import os
import tempfile
import tomllib
import unicodedata
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mlops.settings import load_settings
from mlops.tags import legal
from template_answers import RESERVED_SEGMENTS, default_slug
from tests.conftest import TEMPLATE
from tests.sweeps import THOROUGH
from tests.template.test_questions import ASKED, QUESTIONS

CONTROLS = {"Cc", "Cs", "Cn", "Zl", "Zp"}
RUNS = settings().max_examples if THOROUGH else 60
TROUBLE = st.sampled_from(
    ["'", '"', "\\", "{{", "}}", "${{", "<%", "%>", "<<", ">>", "<#", "$(id)", "`", "\n", "\t", "\x00", "\x7f", "#",
     ": ", "---", "|", "\u202e", "😀", "\u05d0", "\ufeff", "\u2028", "e\u0301", " ", "<% raw %>", "<< 1/0 >>"]
)  # fmt: skip
FREE = st.one_of(st.text(max_size=60), st.lists(st.one_of(TROUBLE, st.text(max_size=5)), max_size=8).map("".join))
LINE = FREE.map(lambda text: "".join(c for c in text if unicodedata.category(c) not in CONTROLS).strip() or "x")
WORD = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True).filter(lambda word: word not in RESERVED_SEGMENTS)
SLUG = st.lists(WORD, min_size=1, max_size=4).map("-".join)
REGION = st.sampled_from(QUESTIONS["_regions"]["with_codecommit"])
CHOICES = {name: choices for name, choices in QUESTIONS["_choices"].items() if name != "aws_setup"}
GOOD = st.fixed_dictionaries(
    {"project_slug": SLUG},
    optional={
        "project_name": LINE,
        "owner": LINE,
        "aws_region": REGION,
        "github_repository": st.just("acme/tumor.diagnosis_1"),
        **{name: st.sampled_from([*choices, "1", "2"]) for name, choices in CHOICES.items()},
    },
)
ANYTHING = st.fixed_dictionaries(
    {"project_slug": st.one_of(SLUG, FREE)},
    optional={
        "project_name": FREE,
        "owner": FREE,
        "aws_region": st.one_of(st.sampled_from(QUESTIONS["_regions"]["without_codecommit"]), FREE),
        "github_repository": FREE,
        **{name: st.one_of(st.sampled_from(choices), st.text(max_size=3)) for name, choices in CHOICES.items()},
    },
)
ANSWERS = st.one_of(GOOD, GOOD, GOOD, ANYTHING)


@pytest.mark.slow
@settings(max_examples=RUNS)
@given(answers=ANSWERS)
def test_random_answers_give_a_whole_repository_or_one_line(answers: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            project = Path(
                cookiecutter(
                    str(TEMPLATE),
                    no_input=True,
                    default_config=True,
                    extra_context=answers,
                    output_dir=folder,
                    accept_hooks=False,
                )
            )
        except FailedHookException as refusal:
            event("refused")
            assert len(str(refusal).splitlines()) == 1
            # CodeCommit, the default, is refused where only a region without it was given.
            assert str(refusal).split()[0] in answers.keys() | {"source_control"}
            assert os.listdir(folder) == []
            return
        event("rendered")
        _holds(project, answers)


def _holds(project: Path, answers: dict[str, str]) -> None:
    record = json.loads((project / ".template.json").read_text("utf-8"))
    assert list(record["answers"]) == ASKED
    for name, answer in answers.items():
        choices = QUESTIONS["_choices"].get(name, [])
        meant = choices[int(answer) - 1] if choices and answer not in choices else answer
        assert record["answers"][name] == meant
    given_answers = record["answers"]
    files = [file for file in project.rglob("*") if file.is_file()]
    for file in files:
        assert "<%" not in file.name
        assert file.stat().st_size > 0, file
        _parses(file.suffix, file.read_bytes())
    loaded = load_settings(project / "mlops.yaml")
    assert loaded.project.name == given_answers["project_name"]
    assert loaded.project.slug == given_answers["project_slug"] == project.name
    assert loaded.project.owner == given_answers["owner"]
    assert (loaded.model.task, loaded.model.framework) == (given_answers["task"], given_answers["framework"])
    assert (loaded.serving, loaded.scenario) == (given_answers["serving"], given_answers["scenario"])
    assert loaded.source_control.host == given_answers["source_control"]
    assert {place.region for _, place in loaded.environments} == {given_answers["aws_region"]}
    assert (project / loaded.data.path).is_file()
    names = {file.relative_to(project).as_posix() for file in files}
    assert ("buildspec.yml" in names) == (loaded.source_control.host == "codecommit")
    assert (".github/workflows/checks.yml" in names) == (loaded.source_control.host == "github")
    wanted = {f"model/{name}.py" for name in ("preprocess", "train", "evaluate", "inference")}
    assert wanted | {"model/requirements.txt"} <= names


@functools.cache  # most files are the same in every repository
def _parses(suffix: str, content: bytes) -> None:
    match suffix:
        case ".py":
            ast.parse(content.decode("utf-8"))
        case ".yml" | ".yaml":
            yaml.safe_load(content.decode("utf-8"))
        case ".json":
            json.loads(content.decode("utf-8"))
        case ".toml":
            tomllib.loads(content.decode("utf-8"))


@given(name=FREE)
def test_the_proposed_slug_is_legal_for_any_name(name: str) -> None:
    slug = default_slug(name)
    assert slug.isascii()
    assert 1 <= len(slug) <= 32
    assert not {"feature", "dev", "prod", "champion", "challenger"} & set(slug.split("-"))
    assert all(word.isalnum() and word == word.lower() for word in slug.split("-"))
    assert slug[0].isalpha()


@given(text=st.text(max_size=400))
def test_a_tag_value_is_legal_for_any_text_and_keeps_what_is_legal_already(text: str) -> None:
    """The pattern is SageMaker's `TagValue`; lengths are counted in UTF-16 units."""
    import regex

    value = legal(text)
    assert regex.fullmatch(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", value)
    assert len(value.encode("utf-16-le")) <= 2 * 256
    assert legal(value) == value
