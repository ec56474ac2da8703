"""After rendering: make the folder a git repository and, where the answers ask for it, set up AWS.

The standard library alone. Nothing here adds, changes or removes a project file, and the exit code is
always 0 once the files are there: Cookiecutter would delete the project otherwise.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

TEMPLATE = "cookiecutter-sagemaker-mlops"
ANSWERS = json.loads(Path(".template.json").read_text("utf-8"))["answers"]
SLUG = ANSWERS["project_slug"]
SETUP = ["-m", "mlops", "setup", "--yes"]
PYTHON = (3, 11)
# Cookiecutter can leave out a file but not its folder. Git, and so an update, never sees these.
EMPTY_UNLESS_GITHUB = (".github/workflows", ".github")
# What `mlops setup` imports, with the oldest version it runs on: `dependencies` of the project.
SETUP_NEEDS = {"boto3": (1, 40), "pydantic": (2, 9), "PyYAML": (6, 0), "rich": (13,), "typer": (0, 15)}


def main() -> None:
    """Act, then say what exists now and what comes next."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # in order with the lines of git and setup
    for folder in EMPTY_UNLESS_GITHUB:
        if ANSWERS["source_control"] != "github" and Path(folder).is_dir():
            Path(folder).rmdir()
    try:
        committed = make_repository()
    except (OSError, subprocess.CalledProcessError) as error:
        reason = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1]
        print(f"git could not make the repository ({reason}); the files are in {from_where_people_are()}/.")
        return
    print(f"\n{SLUG}/ is ready" + (", on branch dev (main and dev hold the untouched render)." if committed else "."))
    done = set_up_aws() if ANSWERS["aws_setup"] == "now" else False
    print("Next:")
    print(f"  cd {from_where_people_are()}")
    print("  make run      # the whole pipeline on real data, on this machine")
    if done:
        print("  git push      # dev goes to CodeCommit" if ANSWERS["source_control"] == "codecommit" else "  git push")
    else:
        print("  make setup    # shows what it would create on AWS, and asks")


def make_repository() -> bool:
    """Commit the render as the root commit of `main` and `dev` and stay on `dev`.

    Returns False, having done nothing, where a repository was there before (`cookiecutter -f`).

    Raises:
        OSError: git is not installed.
        subprocess.CalledProcessError: git refused; its reason is in `stderr`.
    """
    if Path(".git").exists():
        return False
    # Variables of an outer git (a hook, a rebase) would send these commands to another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {name: os.environ[name] for name in os.environ if name.startswith("GIT_CONFIG_")}
    identity = subprocess.run(
        ["git", "config", "--get-regexp", r"^user\.(name|email)$"],
        env=environment,
        capture_output=True,
        text=True,
    ).stdout
    for key, fallback in (("name", TEMPLATE), ("email", f"{TEMPLATE}@localhost")):
        if f"user.{key} " not in identity:
            environment |= {f"GIT_AUTHOR_{key.upper()}": fallback, f"GIT_COMMITTER_{key.upper()}": fallback}
    # The root commit tells whose a remote repository is: two renders of one second must not share it.
    message = f"Generate {SLUG} from {TEMPLATE}\n\nRender: {os.urandom(16).hex()}"
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        # --force: a global ignore file must not keep a rendered file out of the root commit. Compressing would take a
        # third of the time, and git does it anyway when it packs.
        ["-c", "core.looseCompression=0", "add", "--all", "--force"],
        [
            "-c",
            "commit.gpgSign=false",
            "-c",
            "core.hooksPath=/dev/null",
            "commit",
            "--quiet",
            "--message",
            message,
        ],
        ["switch", "--quiet", "--create", "dev"],
    ):
        subprocess.run(["git", *command], env=environment, check=True, capture_output=True, text=True)
    return True


def from_where_people_are() -> str:
    """Return this folder as they reach it: with `--output-dir build` it is no neighbour.

    Cookiecutter has gone elsewhere, so the shell's PWD (POSIX) tells where they typed.
    """
    here, start = Path.cwd(), Path(os.environ.get("PWD") or SLUG).resolve()
    return str(here.relative_to(start)) if start in here.parents else SLUG


def set_up_aws() -> bool:
    """Run the repository's own `mlops setup`; report a failure in one line, and never raise.

    Returns whether the AWS side is complete.
    """
    command = setup_command()
    again = f"cd {from_where_people_are()} && make setup"
    if command is None:
        needs = ", ".join(SETUP_NEEDS)
        print(f"AWS is not set up: it needs uv, or {needs} beside Cookiecutter. Next: {again}")
        return False
    try:
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as setup:
            # Ctrl-C reaches setup too, which then clears up; the hook must wait for that and not kill it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            said = setup.communicate()[1]
    except OSError as error:
        print(f"AWS is not set up: {command[0]} did not start ({error}). Next: {again}")
        return False
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if setup.returncode == 0:
        sys.stdout.write(said)
        return True
    lines = [line.strip() for line in said.splitlines() if line.strip()] or [f"setup ended with {setup.returncode}"]
    # The last line is setup's reason; but uv, if it cannot even start setup, says its reason first and then advises.
    reason = next((line for line in lines if line.startswith("error: ")), lines[-1])
    print(f"AWS is not set up: {reason.removesuffix(' Next: mlops setup').rstrip('.')}. Next: {again}")
    return False


def setup_command() -> list[str] | None:
    """Return the command line of `mlops setup`: by this interpreter, else by uv, else None."""
    if sys.version_info >= PYTHON and all(map(installed, SETUP_NEEDS)):
        return [sys.executable, *SETUP]
    import shutil  # here, as above

    uv = shutil.which("uv")
    if uv is None:
        return None
    needs = [f"--with={name}>={'.'.join(map(str, version))}" for name, version in SETUP_NEEDS.items()]
    python = f"--python=>={'.'.join(map(str, PYTHON))}"
    return [uv, "run", "--quiet", "--no-project", "--isolated", python, *needs, "python", *SETUP]


def installed(name: str) -> bool:
    """Whether the distribution `name` is here in the version that setup needs."""
    import importlib.metadata  # here: it would slow down every rendering

    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) >= SETUP_NEEDS[name]


main()
