"""`mlops update` as people type it: what it prints, and with which code it ends."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SOURCE, Repository
from tests.update.in_process import update
from tests.update.template_source import TemplateSource, content, git

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "mlops", "update"]


@pytest.fixture
def newer(small: TemplateSource, repository: Repository) -> TemplateSource:
    """A release with a change that the repository has made otherwise, and a commit after it."""
    small.edit(small.in_project("model/train.py"), "line_7 = 7\n", "line_7 = 77\n")
    small.edit(small.in_project("model/evaluate.py"), "'auc'", "'rmse'")
    small.edit(small.in_project("data/sample.csv"), "1,2", "1,3")
    small.release("1.1.0", "- `evaluate` knows regressions.")
    (repository.path / "model/train.py").write_text((repository.path / "model/train.py").read_text() + "mine = 1\n")
    git(repository.path, "commit", "--quiet", "--all", "--message", "Mine")
    return small


def start(repository: Repository, template: TemplateSource, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own."""
    command = [*COMMAND, "--repository", str(repository.path), "--template", str(template.path), *arguments]
    return subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(SOURCE)}, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


def test_an_update_without_conflicts(newer: TemplateSource, repository: Repository) -> None:
    done = start(repository, newer)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "house-prices has the template 1.0.0; 1.1.0 is there (1 commit later)." in lines
    assert "- `evaluate` knows regressions." in lines
    assert "The branch template-update/1.1.0 is made: 4 files changed." in lines
    assert "  git switch template-update/1.1.0   # look, and run: make install test" in lines
    assert "  git switch dev && git merge --squash template-update/1.1.0 && git commit" in lines
    message = repository.git("log", "-1", "--format=%B", "template-update/1.1.0").splitlines()
    assert message[0] == "Update the template from 1.0.0 to 1.1.0"
    assert f"Template-Commit: {newer.git('rev-parse', 'HEAD')}" in message


def test_its_next_lines_do_what_they_say(newer: TemplateSource, repository: Repository) -> None:
    """Squashed, as merges on GitHub and CodeCommit are; then there is nothing to update."""
    lines = [
        line.partition("#")[0].strip() for line in update(repository, newer).stdout.split("Next:\n")[1].splitlines()
    ]
    for line in lines:
        script = line.replace("git commit", "git -c user.name=T -c user.email=t@example.org commit -m Update")
        subprocess.run(["sh", "-euc", script], cwd=repository.path, check=True, capture_output=True)
    assert content(repository, "dev", "model/train.py").endswith(b"line_40 = 40\nmine = 1\n")
    assert update(repository, newer, "--check").returncode == 0
    assert "which is the newest" in update(repository, newer).stdout


def test_conflicts_and_what_was_kept_are_listed(newer: TemplateSource, repository: Repository) -> None:
    (repository.path / "model/evaluate.py").write_text("def evaluate():\n    return 'mae'\n")
    repository.git("rm", "--quiet", "data/sample.csv")
    git(repository.path, "commit", "--quiet", "--all", "--message", "Mine, too")
    done = update(repository, newer)
    assert done.returncode == 0, done.stderr
    assert "decide  model/evaluate.py  both changed the same lines: look for <<<<<<<" in done.stdout
    assert (
        "kept    data/sample.csv    the template changed it, and so did you: your data stay as they are" in done.stdout
    )
    assert "git commit -a   # when the files above are decided" in done.stdout
    assert content(repository, "template-update/1.1.0", "model/evaluate.py").decode() == (
        "def evaluate():\n<<<<<<< dev\n    return 'mae'\n=======\n    return 'rmse'\n>>>>>>> template-1.1.0\n"
    )
    message = repository.git("log", "-1", "--format=%B", "template-update/1.1.0")
    assert "To decide:\n- model/evaluate.py: both changed" in message
    found = json.loads(update(repository, newer, "--json").stdout)
    assert found["conflicts"] == [
        {"path": "model/evaluate.py", "what": "both changed the same lines: look for <<<<<<<"}
    ]


def test_check_ends_with_1_when_behind_also_for_commits_after_a_release(
    newer: TemplateSource, repository: Repository
) -> None:
    done = update(repository, newer, "--check")
    assert (done.returncode, done.stdout) == (
        1,
        "house-prices has the template 1.0.0; 1.1.0 is there (1 commit later).\n",
    )
    commit = newer.commit("After the release")
    found = json.loads(update(repository, newer, "--check", "--json").stdout)
    assert found == {
        "template": str(newer.path),
        "from": "1.0.0",
        "to": f"1.1.0-1-g{commit[:7]}",
        "commits": 2,
        "behind": True,
    }
    repository.git("switch", "--quiet", "dev")
    update(repository, newer)
    git(repository.path, "merge", "--quiet", "--squash", f"template-update/1.1.0-1-g{commit[:7]}")
    git(repository.path, "commit", "--quiet", "--message", "Updated")
    assert update(repository, newer, "--check").returncode == 0
    newer.commit("One more, without another version")
    again = update(repository, newer, "--check")
    assert again.returncode == 1
    assert "(1 commit later)" in again.stdout


def test_diff_shows_what_the_template_changed_and_makes_nothing(newer: TemplateSource, repository: Repository) -> None:
    done = update(repository, newer, "--diff")
    assert done.returncode == 0
    assert "-line_7 = 7\n+line_7 = 77\n" in done.stdout
    assert "mine" not in done.stdout
    record = done.stdout.split("diff --git ")[1].splitlines()  # which differs by what an update writes, not by places
    changed = [line for line in record if line.startswith(("+ ", "- "))]
    assert [line.split('"')[1] for line in changed] == ["version", "commit"] * 2
    assert not repository.git("branch", "--list", "template-update/*")


def test_names_that_are_no_utf_8_and_a_home_that_is_none(newer: TemplateSource, repository: Repository) -> None:
    odd = os.fsencode(repository.path) + b"/model/tr\xe4in.py"
    (repository.path / "model/train.py").rename(os.fsdecode(odd))
    git(repository.path, "add", "--all")
    git(repository.path, "commit", "--quiet", "--message", "Renamed")
    assert r"model/tr\xe4in.py" in json.loads(start(repository, newer, "--json").stdout)["changed"]
    for words in (["--template", "~nobody-at-all/x"], ["--repository", "~nobody-at-all/x"]):
        assert "there is no" in start(repository, newer, *words).stderr.splitlines()[0]


def test_to_a_release_before_the_newest_and_back(newer: TemplateSource, repository: Repository) -> None:
    newer.edit(newer.in_project("README.md"), "Read me.", "Read me first.")
    newer.release("1.2.0")
    assert "The branch template-update/1.1.0 is made" in update(repository, newer, "--to", "1.1.0").stdout
    git(repository.path, "merge", "--quiet", "--squash", "template-update/1.1.0")
    git(repository.path, "commit", "--quiet", "--message", "Updated")
    repository.git("branch", "--quiet", "-D", "template-update/1.1.0")
    assert "which is what you ask for." in update(repository, newer, "--to", "1.1.0").stdout
    assert not repository.git("branch", "--list", "template-update/*")
    back = update(repository, newer, "--to", "1.0.0")
    assert "1.0.0 is not newer." in back.stdout
    assert content(repository, "template-update/1.0.0", "model/train.py").count(b"line_7 = 7\n") == 1
    assert content(repository, "template-update/1.0.0", "model/train.py").endswith(b"mine = 1\n")
    failed = update(repository, newer, "--to", "7.0.0")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].endswith("has no release '7.0.0'; there are: 1.2.0, 1.1.0, 1.0.0")


def test_a_copied_repository_without_a_record_is_linked(template: TemplateSource, tmp_path: Path) -> None:
    made = template.generate(tmp_path / "made", project_name="House Prices", task="regression")
    made.git("rm", "--quiet", ".template.json")
    git(made.path, "commit", "--quiet", "--amend", "--message", "A copy by hand")
    template.edit(template.in_project("mlops/tags.py"), '"""The tags that', '"""All tags that')
    template.release("9.0.0")
    failed = update(made, template)
    assert failed.returncode == 1
    assert "mlops update --link VERSION --template ADDRESS" in failed.stderr
    version = json.loads((template.path / "cookiecutter.json").read_text())["_version"]
    assert version == "9.0.0"
    before = template.git("rev-parse", "HEAD~1")
    done = update(made, template, "--link", before)
    assert done.returncode == 0, done.stderr
    record = json.loads(content(made, "template-update/9.0.0", ".template.json"))
    assert record["version"] == "9.0.0"
    assert "## 0.2.0" not in done.stdout  # the notes since the commit that was named
    assert record["answers"]["project_name"] == "House Prices"
    assert record["answers"]["task"] == "regression"
    assert content(made, "template-update/9.0.0", "mlops/tags.py").startswith(b'"""All tags that')
    changed = made.git("diff", "--name-only", "dev", "template-update/9.0.0").split()
    assert changed == [".template.json", "mlops/tags.py"]


def test_a_copy_whose_record_speaks_of_the_original_is_linked_by_its_settings(
    template: TemplateSource, tmp_path: Path
) -> None:
    made = template.generate(tmp_path / "made", project_name="House Prices")
    settings = (made.path / "mlops.yaml").read_text("utf-8")
    settings = settings.replace("house-prices", "flat-prices").replace('"House Prices"', '"Flat Prices"')
    (made.path / "mlops.yaml").write_text(settings, "utf-8")
    git(made.path, "commit", "--quiet", "--all", "--message", "A copy for flats")
    here = template.git("rev-parse", "HEAD")
    template.write(template.in_project("NEW.md"), "<< cookiecutter.project_slug >>: << cookiecutter.project_name >>\n")
    template.release("9.0.0")
    done = update(made, template, "--link", here)
    assert done.returncode == 0, done.stderr
    assert content(made, "template-update/9.0.0", "NEW.md") == b"flat-prices: Flat Prices\n"
    record = json.loads(content(made, "template-update/9.0.0", ".template.json"))
    assert (record["answers"]["project_slug"], record["answers"]["aws_setup"]) == ("flat-prices", "later")


def on_terminal(template: TemplateSource, repository: Repository, typed: bytes) -> tuple[int, str]:
    """Update on a terminal, type something at the question, and return the exit code and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "--repository", str(repository.path), "--template", str(template.path)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "dumb", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"watch [off]" not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, typed)
    try:
        while part := os.read(ours, 1000):
            shown += part
    except OSError:
        pass  # the terminal is closed when the process ends
    return process.wait(timeout=60), shown.decode()


def test_a_new_question_is_asked_on_a_terminal(newer: TemplateSource, repository: Repository) -> None:
    newer.questions(watch="off", __prompts__={"watch": "Watch the [green]model[/]?"})
    newer.edit(newer.in_project("README.md"), "Read me.", "Watch: {{ cookiecutter.watch }}")
    newer.release("1.2.0")
    end_of_file = b"\x04"
    code, text = on_terminal(newer, repository, end_of_file)
    assert (code, text.splitlines()[-1]) == (1, "watch [off] interrupted; nothing was changed. Next: mlops update")
    code, text = on_terminal(newer, repository, b"on\n")
    assert code == 0
    assert "Watch the model?" in text
    assert "watch is answered with on" in text
    assert b"Watch: on" in content(repository, "template-update/1.2.0", "README.md")


def test_started_in_another_repository_it_says_so(repository: Repository) -> None:
    done = subprocess.run(
        COMMAND, cwd=repository.path, env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("this mlops belongs to ")
