"""What the tests of setup, teardown and doctor share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter

from sandbox.server import Sandbox
from tests.setup.account import OWNER, Account
from tests.setup.stage import Clone, Quick, Zygote

TEMPLATE = Path(__file__).resolve().parents[2]
Render = Callable[..., Quick]


@pytest.fixture
def account(aws: Sandbox) -> Account:
    """The sandbox's account, empty."""
    aws.set_faults([])
    return Account(aws)


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
            baked[key] = Path(path)
        return baked[key]

    return _bake


@pytest.fixture
def repository(account: Account, zygote: Zygote, bake_once: Callable[..., Path], tmp_path: Path) -> Render:
    """Return a generated repository whose commands talk to the sandbox; `folder` is where it lands."""

    def _repository(folder: str = "here", **answers: str) -> Quick:
        rendered = bake_once(**{"owner": OWNER, **answers})
        path = tmp_path / folder / rendered.name
        shutil.copytree(rendered, path, symlinks=True)
        return Quick(path, account.environment, zygote)

    return _repository


@pytest.fixture(scope="module")
def stage(
    running_sandbox: Sandbox,
    zygote: Zygote,
    bake_once: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Clone:
    """One champion-challenger repository for many commands."""
    folder = tmp_path_factory.mktemp("stage")
    rendered = bake_once(scenario="champion-challenger", owner=OWNER)
    path = folder / rendered.name
    shutil.copytree(rendered, path, symlinks=True)
    return Clone(path, Account(running_sandbox), zygote, folder)


@pytest.fixture
def clone(stage: Clone, account: Account) -> Clone:
    """The repository of the stage as it was generated, and an empty account."""
    stage.restore()
    return stage
