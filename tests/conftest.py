"""What the tests share: a clean environment, baked repositories, the sandbox."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings
from pytest_cookies.plugin import Cookies

from sandbox.server import Sandbox

TEMPLATE = Path(__file__).resolve().parents[1]
SOURCE = TEMPLATE / "<<cookiecutter.project_slug>>"
CACHE = TEMPLATE / ".cache"

settings.register_profile("default", deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session", autouse=True)
def clean_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The machine of somebody who has configured nothing: no git identity, no AWS profile, no answers of their own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        # Under `make test`, MAKE… would have the make of a test say which folder it enters.
        unwanted = ("AWS_", "GIT_", "MLOPS_", "COOKIECUTTER_", "MAKE", "MFLAGS")
        for name in [name for name in os.environ if name.startswith(unwanted)]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
        patch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        patch.setenv("PRE_COMMIT_HOME", str(CACHE / "pre-commit"))
        patch.setenv("UV_CACHE_DIR", str(CACHE / "uv"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr(sys, "dont_write_bytecode", True)
        # Started in the background of a script, these tests would inherit, and pass on, a deaf ear for Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        yield


@dataclass(frozen=True)
class Repository:
    """A generated model repository, and the environment in which its commands run."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository. With `check`, a code other than 0 fails the test with what was printed."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if check and done.returncode:
            pytest.fail(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def mlops(self, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m mlops …`."""
        return self.run(sys.executable, "-m", "mlops", *arguments, check=check, **environment)

    def git(self, *arguments: str) -> str:
        """Run git and return what it printed."""
        return self.run("git", *arguments).stdout.rstrip("\n")

    @property
    def root_commit(self) -> str:
        """The id of the untouched render."""
        return self.git("rev-list", "--max-parents=0", "HEAD")

    def settings(self) -> dict[str, Any]:
        """The content of mlops.yaml."""
        content: dict[str, Any] = yaml.safe_load((self.path / "mlops.yaml").read_text("utf-8"))
        return content


Bake = Callable[..., Repository]


@pytest.fixture
def bake(cookies: Cookies) -> Bake:
    """Render the template with some answers, hooks included, in this process."""

    def _bake(**answers: str) -> Repository:
        result = cookies.bake(extra_context=answers, template=str(TEMPLATE))
        assert result.exception is None, result.exception
        return Repository(result.project_path)

    return _bake


@pytest.fixture(scope="session")
def running_sandbox(clean_machine: None) -> Iterator[Sandbox]:
    """The one sandbox of this test process."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def aws(running_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, empty and without faults."""
    running_sandbox.set_faults([])
    running_sandbox.reset()
    yield running_sandbox
    running_sandbox.set_faults([])
    running_sandbox.reset()


@pytest.fixture
def in_sandbox(aws: Sandbox, bake: Bake) -> Bake:
    """Render the template; the repository's commands then talk to the sandbox."""

    def _bake(**answers: str) -> Repository:
        return Repository(bake(**answers).path, {**aws.environment(), "PYTHONDONTWRITEBYTECODE": "1"})

    return _bake
