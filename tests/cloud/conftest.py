"""What the tests of commands on AWS share: generated repositories, and a registry as pipelines fill it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.server import Sandbox
from tests.cloud.registry import FilledRegistry
from tests.definitions import shared_definitions
from tests.setup.account import OWNER, Account
from tests.setup.conftest import bake_once, zygote
from tests.setup.stage import Quick, Zygote

__all__ = ["bake_once", "zygote"]


@pytest.fixture(scope="session")
def generated(
    running_sandbox: Sandbox,
    zygote: Zygote,
    bake_once: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Quick:
    """A champion-challenger repository, as it was generated. Its commands talk to the sandbox; nobody changes it."""
    rendered = bake_once(scenario="champion-challenger", owner=OWNER)
    path = tmp_path_factory.mktemp("generated") / rendered.name
    shutil.copytree(rendered, path, symlinks=True)
    environment = running_sandbox.environment()
    zygote.preload(path, environment)
    return Quick(path, environment, zygote)


@pytest.fixture(scope="session")
def built(bake_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A baseline repository as it was generated, with its pipeline's definition: that takes seconds, and no AWS.

    Nobody changes it; tests work in copies.
    """
    rendered = bake_once(owner=OWNER)
    path = tmp_path_factory.mktemp("built") / rendered.name
    shutil.copytree(rendered, path, symlinks=True)
    build = (
        "from mlops.definition.build import definition; from mlops.settings import load_settings as s; definition(s())"
    )
    with shared_definitions(path):
        subprocess.run([sys.executable, "-c", build], cwd=path, check=True)
    return path


@pytest.fixture(scope="session")
def filled(running_sandbox: Sandbox) -> FilledRegistry:
    """Clients are made once: each reads a model of megabytes."""
    return FilledRegistry(Account(running_sandbox))


@pytest.fixture
def registry(aws: Sandbox, filled: FilledRegistry, generated: Quick) -> FilledRegistry:
    """The registry of the account, with the project's groups and no version."""
    filled.start()
    filled.make_groups(generated.slug)
    return filled
