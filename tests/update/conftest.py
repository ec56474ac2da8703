"""What the tests of `mlops update` share: templates with releases, and repositories that come from them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.update import update as work
from mlops.update.outlook import Wish, look
from mlops.update.rendered import Ask, ask_again, render_both
from tests.conftest import Repository
from tests.update import small_template
from tests.update.template_source import TemplateSource, as_it_lies, git

Update = Callable[..., work.Done]


@pytest.fixture(scope="session")
def template_now(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> TemplateSource:
    """This repository's template with its history. Tests change copies of it."""
    return as_it_lies(tmp_path_factory.mktemp("template") / "cookiecutter-sagemaker-mlops")


@pytest.fixture
def template(template_now: TemplateSource, tmp_path: Path) -> TemplateSource:
    """A copy of this repository's template."""
    return template_now.copy(tmp_path / "template")


@pytest.fixture(scope="session")
def small_now(clean_machine: None, tmp_path_factory: pytest.TempPathFactory) -> TemplateSource:
    """The smallest template, at its release 1.0.0. Tests change copies of it."""
    return small_template.make(tmp_path_factory.mktemp("small") / "small")


@pytest.fixture(scope="session")
def repository_now(small_now: TemplateSource, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository of the smallest template, on dev. Tests change copies of it."""
    made = small_now.generate(tmp_path_factory.mktemp("made"))
    git(made.path, "init", "--quiet", "--initial-branch=main")
    git(made.path, "add", "--all")
    git(made.path, "commit", "--quiet", "--message", "Start")
    git(made.path, "switch", "--quiet", "--create", "dev")
    return made


@pytest.fixture
def small(small_now: TemplateSource, tmp_path: Path) -> TemplateSource:
    """A copy of the smallest template."""
    return TemplateSource(shutil.copytree(small_now.path, tmp_path / "small"), small_now.project)


@pytest.fixture
def repository(repository_now: Repository, tmp_path: Path) -> Repository:
    """A copy of the repository of the smallest template."""
    return Repository(shutil.copytree(repository_now.path, tmp_path / "made" / repository_now.path.name))


@pytest.fixture
def update(tmp_path: Path) -> Update:
    """Update a repository, from the template at another place than the recorded one (which is temporary)."""

    def _update(
        repository: Repository, template: TemplateSource | str, ask: Ask | None = None, **wish: Any
    ) -> work.Done:
        address = str(template.path) if isinstance(template, TemplateSource) else template
        with_pull_request = wish.pop("with_pull_request", False)
        wanted = Wish(template=address, **wish)
        with work.scratch_folder() as folder:
            outlook = look(repository.path, wanted)
            rendered = render_both(outlook, wanted.answers, folder)
            if ask:
                rendered = ask_again(rendered, outlook, ask, folder)
            return work.carry_out(work.prepare(outlook, rendered, folder), with_pull_request=with_pull_request)

    return _update
