"""What the tests of setup, teardown and doctor share."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

from sandbox.server import Sandbox
from tests.setup.account import OWNER, Account
from tests.setup.stage import Clone, Quick, Zygote

TEMPLATE = Path(__file__).resolve().parents[2]
Render = Callable[..., Quick]


@pytest.fixture(scope="session")
def same_account(running_sandbox: Sandbox) -> Account:
    """The sandbox's account: making its clients takes as long as a command."""
    return Account(running_sandbox)


@pytest.fixture
def account(aws: Sandbox, same_account: Account) -> Account:
    """The sandbox's account, empty."""
    return same_account


@pytest.fixture(scope="session")
def zygote(running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """The process that starts commands."""
    process = Zygote(tmp_path_factory.mktemp("zygote"))
    yield process
    process.close()


@pytest.fixture(scope="session")
def bake_once(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Render the template, hooks included, once for each set of answers."""
    baked: dict[tuple[tuple[str, str], ...], Path] = {}

    def _bake(**answers: str) -> Path:
        key = tuple(sorted(answers.items()))
        if key not in baked:
            folder = str(tmp_path_factory.mktemp("baked"))
            path = cookiecutter(
                str(TEMPLATE), no_input=True, default_config=True, output_dir=folder, extra_context=answers
            )
            # As clones are; a fifth of the files is quicker to copy.
            subprocess.run(["git", "repack", "-adq"], cwd=path, check=True)
            baked[key] = Path(path)
        return baked[key]

    return _bake


@pytest.fixture
def repository(account: Account, zygote: Zygote, bake_once: Callable[..., Path]) -> Render:
    """Return a generated repository whose commands talk to the sandbox.

    Each test finds a fresh copy in the same folder, so that the zygote imports its mlops once for all of them.
    """

    def _repository(**answers: str) -> Quick:
        rendered = bake_once(**{"owner": OWNER, **answers})
        folder = rendered.parent / "here"
        shutil.rmtree(folder, ignore_errors=True)
        path = folder / rendered.name
        shutil.copytree(rendered, path, symlinks=True)
        zygote.preload(path, account.environment)
        return Quick(path, {**account.environment, **zygote.bytecode}, zygote)

    return _repository


@pytest.fixture(scope="module")
def stage(
    same_account: Account,
    zygote: Zygote,
    bake_once: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Clone:
    """One champion-challenger repository for many commands."""
    folder = tmp_path_factory.mktemp("stage")
    rendered = bake_once(scenario="champion-challenger", owner=OWNER)
    path = folder / rendered.name
    shutil.copytree(rendered, path, symlinks=True)
    return Clone(path, same_account, zygote, folder)


@pytest.fixture
def clone(stage: Clone, zygote: Zygote, account: Account) -> Clone:
    """The repository of the stage as it was generated, and an empty account."""
    stage.restore()
    zygote.preload(stage.path, account.environment)
    return stage
