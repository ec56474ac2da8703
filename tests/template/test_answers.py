"""A bad answer is one clear line; a strange one arrives as it is."""

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter
from markdown_it import MarkdownIt

from mlops.settings import load_settings
from template_answers import default_slug, template_commit, template_source
from tests.conftest import TEMPLATE, Bake
from tests.update.template_source import as_it_lies

BAD = {
    "slug with capitals": ({"project_slug": "Tumor-Diagnosis"}, "project_slug 'Tumor-Diagnosis' must be lower-case"),
    "slug with underscore": ({"project_slug": "tumor_diagnosis"}, "must be lower-case words"),
    "slug that starts with a digit": ({"project_slug": "2nd-model"}, "must be lower-case words"),
    "slug with two hyphens": ({"project_slug": "tumor--diagnosis"}, "must be lower-case words"),
    "slug that ends with a hyphen": ({"project_slug": "tumor-"}, "must be lower-case words"),
    "slug with a trailing newline": ({"project_slug": "tumor\n"}, "must be lower-case words"),
    "slug of 33 characters": ({"project_slug": "a" * 33}, "has 33 characters; use at most 32"),
    "slug that climbs out of the folder": ({"project_slug": "../elsewhere"}, "must be lower-case words"),
    "empty slug": ({"project_slug": ""}, "must be lower-case words"),
    **{
        f"slug with the word {word}": ({"project_slug": f"tumor-{word}"}, f"holds the word {word}")
        for word in ("feature", "dev", "prod", "champion", "challenger")
    },
    "empty name": ({"project_name": ""}, "project_name '' is empty"),
    "name of white space": ({"project_name": "   "}, "is empty"),
    "name with white space around it": ({"project_name": " Tumor "}, "starts or ends with white space"),
    "name of two lines": ({"project_name": "Tumor\nDiagnosis"}, r"holds '\n'"),
    "name with an escape sequence": ({"project_name": "\x1b[31mred"}, r"holds '\x1b'"),
    "name with a line separator": ({"project_name": "a\u2028b"}, r"holds '\u2028'"),
    "name with a C1 control": ({"project_name": "a\x85b"}, r"holds '\x85'"),
    "name that is not UTF-8": ({"project_name": "a\udcffb"}, r"holds '\udcff'"),
    "name with a noncharacter": ({"project_name": "a\ufffeb"}, r"holds '\ufffe'"),
    "name of 101 characters": ({"project_name": "a" * 101}, "has 101 characters; use at most 100"),
    "empty owner": ({"owner": ""}, "owner '' is empty"),
    "region that does not exist": ({"aws_region": "us-east-9"}, "choose a region such as us-east-2"),
    "region without CodeBuild": ({"aws_region": "ca-west-1"}, "has no SageMaker with CodeBuild"),
    "CodeCommit where there is none": ({"aws_region": "eu-south-2"}, "is not offered in eu-south-2"),
    "choice that is none": ({"framework": "pytorch"}, "is not a choice; choose scikit-learn or xgboost"),
    "number that is no choice": ({"task": "3"}, "choose classification or regression"),
    "empty choice": ({"scenario": ""}, "choose baseline or champion-challenger"),
    "choice in capitals": ({"serving": "Batch"}, "choose realtime or batch"),
    "GitHub repository without an owner": ({"github_repository": "tumor"}, "must be owner/name"),
    "GitHub repository as a URL": ({"github_repository": "https://github.com/a/b"}, "must be owner/name"),
    "GitHub repository named ..": ({"github_repository": "a/.."}, "must be owner/name"),
    "GitHub repository with .git": ({"github_repository": "a/b.git"}, "must be owner/name"),
    "GitHub repository with a command": ({"github_repository": "a/$(id)"}, "must be owner/name"),
    "template code as a choice": ({"task": "<% endif %>"}, "is not a choice"),
}


@pytest.mark.parametrize(("answers", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_answer_is_refused_with_its_reason_before_any_folder_is_made(
    answers: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """FailedHookException is what Cookiecutter's command line prints as one line (see the test below)."""
    with pytest.raises(FailedHookException) as refusal:
        cookiecutter(
            str(TEMPLATE), no_input=True, default_config=True, extra_context=answers, output_dir=str(tmp_path / "out")
        )
    assert reason in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    assert str(refusal.value).isascii()
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize("case", ["choice that is none", "name that is not UTF-8", "name with an escape sequence"])
def test_on_the_command_line_a_refusal_is_one_line_and_code_1(case: str, tmp_path: Path) -> None:
    answers, reason = BAD[case]
    done = _cookiecutter(tmp_path, "--no-input", *(f"{name}={value}" for name, value in answers.items()))
    assert done.returncode == 1
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert reason in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_a_bad_answer_ends_it_right_after_its_question(tmp_path: Path) -> None:
    """Nobody answers ten more questions to learn that the second answer was wrong."""
    done = _cookiecutter(tmp_path, typed="My Model\nNot A Slug\n")
    assert done.returncode == 1
    assert "[2/" in done.stdout
    assert "[3/" not in done.stdout
    assert done.stdout.rstrip().endswith("such as tumor-diagnosis")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_on_a_terminal_a_choice_may_be_typed_by_name_or_number_and_enter_takes_the_default(tmp_path: Path) -> None:
    asked = [name for name in json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8")) if name[0] != "_"]
    typed = {"task": "2", "framework": "xgboost"}
    done = _cookiecutter(tmp_path, typed="".join(f"{typed.get(name, '')}\n" for name in asked))
    assert done.returncode == 0, done.stdout
    answers = json.loads((tmp_path / "tumor-diagnosis" / ".template.json").read_text())["answers"]
    assert (answers["task"], answers["framework"], answers["serving"]) == ("regression", "xgboost", "realtime")


def _cookiecutter(folder: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--default-config", "--output-dir", str(folder)]
    return subprocess.run([*command, *arguments], input=typed, capture_output=True, text=True, errors="surrogateescape")


def test_a_temporary_clone_comes_from_the_folder_that_was_cloned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting, temporary = tmp_path / "lasting", tmp_path / "temporary"
    for command in (["init", "-q", str(lasting)], ["clone", "-q", str(lasting), str(temporary / "clone")]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert template_source(str(temporary / "clone"), Path.cwd()) == str(lasting)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert template_source(str(temporary / "clone"), Path.cwd()) is None


@pytest.mark.slow
def test_a_folder_named_from_where_people_are_is_recorded_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cookiecutter goes elsewhere while it renders: what is relative must be settled before."""
    template = as_it_lies(tmp_path / "here" / "template")
    (tmp_path / "here" / "out").mkdir()
    elsewhere = {**os.environ, "TMPDIR": str(tmp_path / "here" / "out")}
    for folder, given in (
        (template.path, "."),
        (template.path.parent, "template"),
        (template.path.parent, "./template/"),
    ):
        command = [
            sys.executable,
            "-m",
            "cookiecutter",
            given,
            "--no-input",
            "--default-config",
            "--overwrite-if-exists",
        ]
        subprocess.run([*command, "--output-dir", str(tmp_path / "out")], cwd=folder, env=elsewhere, check=True)
        record = json.loads((tmp_path / "out/tumor-diagnosis/.template.json").read_text("utf-8"))
        assert record["source"] == str(template.path.resolve()), given
        assert record["commit"] == template.git("rev-parse", "HEAD"), given


def test_the_commit_of_the_template_is_read_from_clones_worktrees_and_packed_references(tmp_path: Path) -> None:
    clone, worktree = tmp_path / "clone", tmp_path / "worktree"

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        done = subprocess.run(["git", *identity, *arguments], cwd=clone, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    clone.mkdir()
    assert template_commit(clone) is None
    git("init", "-q")
    assert template_commit(clone) is None
    git("commit", "-q", "--allow-empty", "-m", "One")
    assert template_commit(clone) == git("rev-parse", "HEAD")
    git("worktree", "add", "-q", "-b", "other", str(worktree))
    git("commit", "-q", "--allow-empty", "-m", "Two")
    git("pack-refs", "--all")
    assert template_commit(clone) == git("rev-parse", "HEAD")
    assert template_commit(worktree) == git("rev-parse", "other") != git("rev-parse", "HEAD")
    git("checkout", "-q", "--detach")
    assert template_commit(clone) == git("rev-parse", "HEAD")


STRANGE = {
    "quotes and backslashes": r"""He said "it's \n fine" \\ \" ''' """.strip(),
    "other template languages": "{{ x }} ${{ github.token }} {{resolve:ssm:x}} {% raw %} %(x)s {0}",
    "our own delimiters": "<< cookiecutter.owner >> <% if x %> <# gone? #> <% raw %>",
    "an unfinished block": "<% if",
    "an unfinished string": "<< 'abc",
    "shell": "$(touch /tmp/owned) `id` ; rm -rf ~ && echo $HOME | cat > x",
    "YAML": "key: [value, {a: b}] # no comment & *anchor !tag | > - ? % @",
    "TOML and INI": '"""x""" = [y] ; z',
    "HTML and Markdown": "<script>alert(1)</script> [x](y) ![z](w) **b** _i_ # h ~~s~~ `c` &amp; | a |",
    "emoji and combining marks": "🧬 tumör e\u0301 👩‍🔬 क्षि",
    "right to left": "אבחון גידולים ورم",
    "a Markdown list": "- 1. item",
    "a number": "007",
    "a truth value": "no",
    "a null": "~",
}


@pytest.mark.slow
@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_free_text_arrives_unchanged_in_every_file(text: str, bake: Bake) -> None:
    repository = bake(project_name=text, owner=text, project_slug="strange")

    settings = repository.settings()
    assert (settings["project"]["name"], settings["project"]["owner"]) == (text, text)
    record = json.loads((repository.path / ".template.json").read_text("utf-8"))
    assert (record["answers"]["project_name"], record["answers"]["owner"]) == (text, text)
    assert tomllib.loads((repository.path / "pyproject.toml").read_text("utf-8"))["project"]["name"] == "strange"
    heading, paragraph = _shown((repository.path / "README.md").read_text("utf-8"))
    assert heading == text
    assert paragraph.endswith(f"Answers for it: {text}")
    assert load_settings(repository.path / "mlops.yaml").project.name == text
    assert repository.git("log", "--format=%s", "--all") == "Generate strange from cookiecutter-sagemaker-mlops"


def _shown(markdown: str) -> tuple[str, str]:
    """Return the text of the first heading and paragraph as a reader of the rendered page sees them."""
    inline = [token for token in MarkdownIt().parse(markdown) if token.type == "inline"][:2]
    texts = ["".join(child.content for child in token.children or []) for token in inline]
    assert all(child.type == "text" for token in inline for child in token.children or [])
    return texts[0], texts[1]


def test_an_answer_reaches_yaml_as_text_even_if_it_looks_like_something_else(bake: Bake) -> None:
    repository = bake(owner="123456789012")
    assert yaml.safe_load((repository.path / "mlops.yaml").read_text())["project"]["owner"] == "123456789012"


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Tumor Diagnosis", "tumor-diagnosis"),
        ("2nd Churn Model!", "nd-churn-model"),
        ("Prod Line Speed", "line-speed"),
        ("dev", "model"),
        ("🧬", "model"),
        ("Größe & Gewicht", "grosse-gewicht"),
        ("a" * 50, "a" * 32),
        ("a" * 28 + " device", "a" * 28),
        ("7dev Dev 9x", "model"),
    ],
)
def test_the_proposed_slug_is_always_a_legal_one(name: str, slug: str) -> None:
    assert default_slug(name) == slug


def test_the_source_of_the_template_can_be_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password must not land in a repository, and a folder that will be gone is no source."""
    assert template_source("gh:acme/template", Path.cwd()) == "gh:acme/template"
    assert template_source("https://user:secret@example.com/t.git", Path.cwd()) == "https://example.com/t.git"
    assert template_source("git@example.com:acme/t.git", Path.cwd()) == "git@example.com:acme/t.git"
    assert template_source(str(tmp_path), Path.cwd()) is None
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", "https://me:pw@example.com/t"], check=True)
    assert template_source(str(tmp_path), Path.cwd()) == "https://example.com/t"
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "elsewhere"))
    subprocess.run(["git", "-C", tmp_path, "remote", "remove", "origin"], check=True)
    assert template_source(str(tmp_path), Path.cwd()) == str(tmp_path.resolve())
