"""The versions of this machine."""

import json
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mlops.laptop import store, versions
from mlops.laptop.versions import Version
from mlops.problem import Problem
from tests.runner.conftest import Disk


def register(status: str = "Approved", *, model: str = "m", **details: Any) -> Version:
    given: dict[str, Any] = {
        "run": 1,
        "created": "2026-11-22T22:30:15+00:00",
        "evaluation": None,
        "request": {"A": "ü"},
    }
    return versions.register(status, store.STORE / model, **given | details)


def test_versions_are_numbered_and_read_as_they_were_written(home: Path) -> None:
    assert versions.versions() == []
    assert versions.current() is None
    written = [
        register("Rejected", model="a"),
        register("Approved", model="b", evaluation=store.STORE / "e", recipe="r", compared_with=None),
        register("PendingManualApproval", model="c", run=7),
    ]
    assert [version.number for version in written] == [1, 2, 3]
    assert versions.versions() == written
    assert versions.current() == written[1]
    assert json.loads((home / "versions/2.json").read_text())["model"] == "store/b"


def test_the_same_model_of_the_same_recipe_is_the_same_version(home: Path) -> None:
    first = register(model="a", recipe="r")
    assert register(model="a", recipe="r", run=9) == first
    assert register(model="a", recipe="s").number == 2
    assert register(model="b", recipe="s").number == 3
    assert register("Rejected", model="b", recipe="s").number == 4
    assert register(model="a", recipe="r").number == 5


def test_a_model_is_compared_with_what_it_had_to_beat(home: Path) -> None:
    register(model="a", recipe="r")
    register(model="b", recipe="s", compared_with=1)
    for recipe, number in ((None, 2), ("new", 2), ("r", 2), ("s", 1)):
        current = versions.current(recipe)
        assert current
        assert current.number == number
    versions.set_status(2, "Rejected")
    assert versions.current("r") is None
    current = versions.current("s")
    assert current
    assert current.number == 1
    versions.set_status(1, "Rejected")
    assert versions.current() is None


def test_a_model_is_not_compared_with_one_that_predicts_something_else(home: Path) -> None:
    older = register(model="a", recipe="r")
    assert versions.current("new", "diagnosis") == older
    sample = register(model="b", recipe="s", target="diagnosis")
    assert versions.current("new", "diagnosis") == versions.current() == sample
    versions.set_status(older.number, "Rejected")
    assert versions.current("new", "bought") is None


def test_a_status_is_one_that_sagemaker_knows(home: Path) -> None:
    with pytest.raises(Problem, match="the approval status is 'approved'; allowed: Approved, Rejected"):
        register("approved")
    register()
    with pytest.raises(Problem, match="the approval status is 'Maybe'"):
        versions.set_status(1, "Maybe")
    with pytest.raises(Problem, match="there is no version 2; there are: 1"):
        versions.set_status(2, "Rejected")
    assert versions.set_status(1, "Rejected").status == "Rejected"
    assert [version.status for version in versions.versions()] == ["Rejected"]


def test_many_at_once_get_numbers_of_their_own(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda run: register(model=str(run), run=run).number, range(40)))
    assert sorted(numbers) == list(range(1, 41))
    assert {version.number: version.run for version in versions.versions()} == dict(
        zip(numbers, range(40), strict=True)
    )


def test_the_same_model_registered_many_times_at_once_is_one_version(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = set(pool.map(lambda run: register(model="a", recipe="r", run=run).number, range(40)))
    assert numbers == {1}
    assert len(versions.versions()) == 1


def test_processes_at_once_get_numbers_of_their_own(home: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        numbers = pool.map(_number, range(16))
    assert sorted(numbers) == list(range(1, 17))


def _number(run: int) -> int:
    return register(model=str(run), run=run).number


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"number": 1}'])
def test_a_broken_file_is_one_line_that_says_which(home: Path, text: str) -> None:
    register()
    (home / "versions/1.json").write_text(text)
    with pytest.raises(Problem) as caught:
        versions.versions()
    assert str(caught.value).startswith(".mlops/versions/1.json is broken (")
    assert str(caught.value).endswith("); remove the file")


def test_other_files_are_no_versions(home: Path) -> None:
    register()
    (home / "versions/notes.json").write_text("")
    (home / "versions/README").write_text("")
    assert [version.number for version in versions.versions()] == [1]


def test_a_full_disk_leaves_no_half_version(home: Path, disk: Disk) -> None:
    register(model="a")
    for room in range(5):
        try:
            disk.with_room_for(room, lambda: register(model="b"))
            break
        except (OSError, Problem) as error:
            assert "No space left on device" in str(error)
            assert [version.model.name for version in versions.versions()] == ["a"]
    assert room >= 3
    assert [version.model.name for version in versions.versions()] == ["a", "b"]
    with pytest.raises(Problem, match=r"\.mlops cannot be written: No space left"):
        disk.with_room_for(1, lambda: versions.set_status(2, "Rejected"))
    assert versions.versions()[1].status == "Approved"
    assert not list(home.glob("scratch-*"))


def test_a_stop_in_the_middle_leaves_a_whole_version_or_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for owner, function in ((os, "link"), (Path, "write_text")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, function, stop)
            with pytest.raises(KeyboardInterrupt):
                register()
        assert versions.versions() == []
    assert not list(home.glob("scratch-*"))
    assert register().number == 1
