"""`mlops runs prune` makes room, and everything that stays still works."""

import pytest

from tests.conftest import Repository
from tests.run.conftest import Again, ran, versions

pytestmark = pytest.mark.slow


def test_old_runs_go_and_the_current_version_stays(again: Again, overridden: Repository) -> None:
    repository = again(overridden)
    with_40 = ["run", "--set", "max_iter=40", "--set", "evaluation.comparison.tolerance=1"]
    repository.mlops(*with_40)
    assert versions(repository) == [1, 2, 3, 4]
    stored = repository.path / ".mlops/store"
    before = len(list(stored.iterdir()))
    planned = repository.mlops("runs", "prune", "--keep", "1", "--plan").stdout
    assert planned.startswith("This would go: 2 runs")
    assert len(list(stored.iterdir())) == before
    assert repository.mlops("runs", "prune", "--keep", "1").stdout.startswith("Removed 2 runs")
    assert sorted(path.name for path in (repository.path / ".mlops/runs").iterdir()) == ["3", "4"]
    assert versions(repository) == [3, 4], "the current version, and the one that it beat"
    assert len(list(stored.iterdir())) < before
    assert "Nothing is new: this is version 4" in repository.mlops(*with_40).stdout
    assert ran(repository, 5) == set()
    repository.mlops("run", "--set", "evaluation.comparison.tolerance=1")
    assert "Train" in ran(repository, 6), "its result went"
    assert versions(repository) == [3, 4, 5]
