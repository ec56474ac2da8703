"""After rendering: a git repository, AWS where it was asked for, and never a lost project."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.conftest import TEMPLATE, Bake, Repository

pytestmark = pytest.mark.slow


def generate(folder: Path, *answers: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Cookiecutter's own command line, as people do."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", "--default-config", "-o", str(folder)]
    return subprocess.run(
        [*command, *answers],
        env={**os.environ, "PWD": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_root_commit_is_the_untouched_render_on_main_and_dev_with_dev_checked_out(bake: Bake) -> None:
    repository = bake()
    assert repository.git("branch", "--show-current") == "dev"
    assert repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split() == ["dev", "main"]
    assert repository.git("rev-parse", "main") == repository.git("rev-parse", "dev") == repository.root_commit
    assert repository.git("rev-list", "--count", "--all") == "1"
    assert repository.git("status", "--porcelain", "--ignored") == ""
    committed = set(repository.git("ls-tree", "-r", "--name-only", "-z", "HEAD").strip("\0").split("\0"))
    rendered = {
        file.relative_to(repository.path).as_posix()
        for file in repository.path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(repository.path).parts
    }
    assert committed == rendered


def test_nothing_but_files_is_left_of_the_other_source_control(bake: Bake) -> None:
    """Cookiecutter cannot leave out a folder; an empty .github in a CodeCommit project would puzzle people."""
    assert not (bake().path / ".github").exists()
    github = bake(source_control="github").path
    assert (github / ".github/workflows/checks.yml").is_file()
    assert not (github / "buildspec.yml").exists()


def test_without_a_git_identity_the_template_is_the_author_and_with_one_its_owner(bake: Bake) -> None:
    author = "%an <%ae>|%cn <%ce>"
    nobody = "cookiecutter-sagemaker-mlops <cookiecutter-sagemaker-mlops@localhost>"
    assert bake().git("log", f"--format={author}") == f"{nobody}|{nobody}"
    Path(os.environ["HOME"], ".gitconfig").write_text("[user]\n\tname = Ada Lovelace\n\temail = ada@example.org\n")
    try:
        ada = "Ada Lovelace <ada@example.org>"
        assert bake().git("log", f"--format={author}") == f"{ada}|{ada}"
    finally:
        Path(os.environ["HOME"], ".gitconfig").unlink()


def test_peculiar_git_settings_of_the_user_do_not_change_the_root_commit(bake: Bake, tmp_path: Path) -> None:
    """Signing asks for a passphrase, hooks refuse, ignore files hide files: none may spoil the first commit."""
    plain = bake().git("rev-parse", "HEAD^{tree}")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (tmp_path / "ignore").write_text("*.csv\n*.yaml\nmodel/\n")
    Path(os.environ["HOME"], ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hooks}\n\texcludesFile = {tmp_path / 'ignore'}\n\tautocrlf = true\n"
        "[commit]\n\tgpgSign = true\n[user]\n\tsigningKey = none\n[init]\n\tdefaultBranch = trunk\n"
    )
    try:
        repository = bake()
    finally:
        Path(os.environ["HOME"], ".gitconfig").unlink()
    assert repository.git("rev-parse", "HEAD^{tree}") == plain
    assert repository.git("branch", "--show-current") == "dev"


def test_variables_of_an_outer_git_do_not_reach_another_repository(tmp_path: Path) -> None:
    """Cookiecutter started from a git hook or a rebase inherits GIT_DIR and GIT_INDEX_FILE."""
    outer = tmp_path / "outer"
    subprocess.run(["git", "init", "-q", outer], check=True)
    done = generate(tmp_path / "out", GIT_DIR=str(outer / ".git"), GIT_INDEX_FILE=str(outer / ".git" / "index"))
    assert done.returncode == 0
    assert Repository(tmp_path / "out" / "tumor-diagnosis").git("rev-list", "--count", "--all") == "1"
    assert subprocess.run(["git", "-C", outer, "rev-parse", "-q", "HEAD"], capture_output=True).returncode != 0


def test_without_git_the_files_stay_and_one_line_says_so(tmp_path: Path) -> None:
    done = generate(tmp_path, PATH=str(tmp_path / "nothing"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "git could not make the repository" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert (tmp_path / "tumor-diagnosis" / "mlops.yaml").is_file()
    assert not (tmp_path / "tumor-diagnosis" / ".git").exists()


def test_rendering_over_a_repository_commits_nothing(bake: Bake) -> None:
    """`cookiecutter -f` onto a project with history is for people who look at the difference themselves."""
    repository = bake()
    (repository.path / "mlops.yaml").write_text("changed: true\n")
    repository.git("-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "Mine")
    before = repository.git("for-each-ref")
    done = generate(repository.path.parent, "-f")
    assert done.returncode == 0, done.stdout + done.stderr
    assert repository.git("for-each-ref") == before
    assert "mlops.yaml" in repository.git("status", "--porcelain")


def test_an_existing_folder_is_refused_in_one_line_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "tumor-diagnosis").mkdir()
    (tmp_path / "tumor-diagnosis" / "thesis.txt").write_text("years of work")
    done = generate(tmp_path)
    assert done.returncode == 1
    assert "directory already exists" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert [file.name for file in (tmp_path / "tumor-diagnosis").iterdir()] == ["thesis.txt"]


def test_with_later_no_call_is_made_and_the_next_commands_are_said(aws: Sandbox, tmp_path: Path) -> None:
    done = generate(tmp_path, **aws.environment())
    assert done.returncode == 0
    assert aws.calls == []
    assert done.stdout.splitlines()[-4:-1] == [
        "Next:",
        "  cd tumor-diagnosis",
        "  make run      # the whole pipeline on real data, on this machine",
    ]
    assert "make setup" in done.stdout.splitlines()[-1]
    assert done.stderr == ""


def test_the_folder_is_named_from_where_the_command_was_typed(tmp_path: Path) -> None:
    inside, outside = generate(tmp_path / "a/build", PWD=str(tmp_path)), generate(tmp_path / "b", PWD="/nowhere")
    assert "\n  cd a/build/tumor-diagnosis\n" in inside.stdout
    assert "\n  cd tumor-diagnosis\n" in outside.stdout


@pytest.mark.slow
def test_with_now_the_repository_and_the_groups_exist_when_it_ends(aws: Sandbox, tmp_path: Path) -> None:
    done = generate(tmp_path, "aws_setup=now", "scenario=champion-challenger", **aws.environment())
    assert done.returncode == 0, done.stdout + done.stderr
    made = [call["operation"] for call in aws.calls if call["operation"].startswith("Create")]
    assert made == ["CreateRepository", "CreateBranch", *["CreateModelPackageGroup"] * 5]
    assert "git push" in done.stdout.splitlines()[-1]
    assert Repository(tmp_path / "tumor-diagnosis").git("status", "-sb").startswith("## dev...origin/dev")


CREDENTIALS = {
    "none": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials were found"),
    "of nobody": ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "AWS does not know these credentials"),
    "with a wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "AWS does not know these credentials"),
    "of a profile that is not there": ({"AWS_PROFILE": "nobody"}, "The config profile (nobody) could not be found"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "reason"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_with_now_and_bad_credentials_the_repository_stays_and_one_line_says_what_to_do(
    variables: dict[str, str], reason: str, aws: Sandbox, tmp_path: Path
) -> None:
    done = generate(tmp_path, "aws_setup=now", **{**aws.environment(), **variables})
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if line.startswith("AWS is not set up")]
    assert len(lines) == 1
    assert reason in lines[0]
    assert lines[0].endswith("cd tumor-diagnosis && make setup")
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
    repository = Repository(tmp_path / "tumor-diagnosis")
    assert repository.git("rev-list", "--count", "--all") == "1"
    assert repository.git("remote") == ""


@pytest.mark.slow
def test_with_now_and_a_failing_call_aws_is_as_before_and_the_repository_stays(aws: Sandbox, tmp_path: Path) -> None:
    refused = {"service": "sagemaker", "operation": "CreateModelPackageGroup", "fault": "access-denied"}
    aws.set_faults([{**refused, "call": 2, "times": None}])
    done = generate(tmp_path, "aws_setup=now", **aws.environment())
    assert done.returncode == 0
    said = [line for line in done.stdout.splitlines() if line.startswith("AWS is not set up")]
    assert len(said) == 1
    assert "CreateModelPackageGroup is not allowed" in said[0]
    deleted = [call["operation"] for call in aws.calls if call["operation"].startswith("Delete")]
    assert deleted == ["DeleteModelPackageGroup", "DeleteRepository"]
    assert (tmp_path / "tumor-diagnosis" / "mlops.yaml").is_file()


@pytest.mark.slow
def test_without_the_setup_packages_uv_brings_them(aws: Sandbox, tmp_path: Path) -> None:
    """Cookiecutter often lives in an environment of its own (pipx, uv tool), without boto3."""
    environment = {**aws.environment(), "PYTHONPATH": str(_hidden(tmp_path, "boto3"))}
    done = generate(tmp_path / "out", "aws_setup=now", **environment)
    assert done.returncode == 0
    assert "CreateRepository" in [call["operation"] for call in aws.calls], done.stdout + done.stderr


@pytest.mark.slow
def test_ctrl_c_during_setup_lets_it_clear_up_and_the_repository_stays(aws: Sandbox, tmp_path: Path) -> None:
    """A terminal sends Ctrl-C to everyone at once; a hook that then kills setup would leave half an AWS side."""
    hang = {"service": "sagemaker", "operation": "CreateModelPackageGroup", "call": 2, "fault": "hang-after"}
    aws.set_faults([hang])
    command = [
        sys.executable,
        "-m",
        "cookiecutter",
        str(TEMPLATE),
        "--no-input",
        "--default-config",
        "-o",
        str(tmp_path),
    ]
    with subprocess.Popen(
        [*command, "aws_setup=now"], env=aws.environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        while [call["operation"] for call in aws.calls].count("CreateModelPackageGroup") < 2:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        printed = process.communicate(timeout=60)[0]  # until the hook, which holds the pipe too, has ended
    assert "AWS is not set up: interrupted; nothing was left behind. Next: cd tumor-diagnosis && make setup" in printed
    left = [call["operation"] for call in aws.calls if call["operation"].startswith("Delete")]
    assert left == ["DeleteModelPackageGroup", "DeleteModelPackageGroup", "DeleteRepository"]
    assert Repository(tmp_path / "tumor-diagnosis").git("remote") == ""


def test_two_renders_of_the_same_answers_have_different_root_commits(bake: Bake) -> None:
    """The root commit tells whose a remote repository is; in one second two people may render the same."""
    first, second = bake(), bake()
    assert first.root_commit != second.root_commit
    assert first.git("rev-parse", "HEAD^{tree}") == second.git("rev-parse", "HEAD^{tree}")


def test_without_the_setup_packages_and_without_uv_it_says_how(aws: Sandbox, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    environment = {**aws.environment(), "PYTHONPATH": str(_hidden(tmp_path, "boto3")), "PATH": str(programs)}
    done = generate(tmp_path / "out", "aws_setup=now", **environment)
    assert done.returncode == 0
    said = [line for line in done.stdout.splitlines() if line.startswith("AWS is not set up")]
    assert said == [
        "AWS is not set up: it needs uv, or boto3, pydantic, PyYAML, rich, typer beside Cookiecutter. "
        "Next: cd tumor-diagnosis && make setup"
    ]
    assert aws.calls == []


def _hidden(folder: Path, distribution: str) -> Path:
    """Return a folder for PYTHONPATH in which a distribution seems not to be installed."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "real = m.version\n"
        "def version(name):\n"
        f"    if name == {distribution!r}:\n"
        "        raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.version = version\n"
    )
    return folder / "site"


def test_the_hook_needs_nothing_but_the_standard_library() -> None:
    import ast

    tree = ast.parse((TEMPLATE / "hooks" / "post_gen_project.py").read_text("utf-8"))
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def test_the_hook_asks_for_what_the_repository_declares(bake: Bake) -> None:
    """The hook is rendered alone and cannot import: its list of needs is a second copy, held to the first here."""
    import tomllib

    from packaging.requirements import Requirement

    declared = tomllib.loads((bake().path / "pyproject.toml").read_text())["project"]["dependencies"]
    oldest = {
        Requirement(line).name: next(s.version for s in Requirement(line).specifier if s.operator == ">=")
        for line in declared
    }
    source = (TEMPLATE / "hooks" / "post_gen_project.py").read_text("utf-8")
    namespace: dict[str, dict[str, tuple[int, ...]]] = {}
    exec(source[source.index("SETUP_NEEDS") : source.index("\n\n\ndef main")], namespace)  # noqa: S102
    needs = {name: ".".join(map(str, version)) for name, version in namespace["SETUP_NEEDS"].items()}
    declares = {
        name: version if "." in version or name == "rich" else f"{version}.0" for name, version in oldest.items()
    }
    assert needs.items() <= declares.items()
    # Setup runs without them: they serve models and edit settings.
    assert declares.keys() - needs.keys() == {"Flask", "packaging", "ruamel.yaml"}
