"""Folders by content, which never change."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.laptop import store
from mlops.problem import Problem
from tests.conftest import SOURCE
from tests.runner.conftest import Disk

name = st.from_regex(r"[a-zäü0-9 _-]{1,6}", fullmatch=True).filter(lambda text: text.strip())
trees = st.dictionaries(
    st.lists(name, min_size=1, max_size=3).map("/".join), st.binary(max_size=40), max_size=6
).filter(lambda files: not any(other.startswith(f"{file}/") for file in files for other in files))


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {file: path.read_bytes() for file, path in store.files_in(folder).items()}


@settings(max_examples=40)
@given(trees, trees)
def test_a_hash_is_a_function_of_names_and_contents_alone(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], two: dict[str, bytes]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setattr(store, "HOME", home)
        patch.setattr(store, "STORE", home / "store")
        tree = store.add(one)
        assert (tree == store.add(two)) == (one == two)
        assert store.add(dict(reversed(one.items()))) == tree
        source = write(home / "source", one)
        assert store.add(store.files_in(source)) == tree
        assert store.take(source) == tree
        assert not source.exists()
        assert read(store.STORE / tree) == one
        if one:
            (home / "laid").mkdir()
            store.Laptop().fetch(store.uri(tree), home / "laid")
            assert read(home / "laid") == one
            assert store.Laptop().keep(home / "laid", "s3://anywhere") == store.uri(tree)
        assert not list(home.glob("scratch-*"))


def test_moved_bytes_are_other_contents(home: Path) -> None:
    trees = [{"a": b"xy", "b": b""}, {"a": b"x", "b": b"y"}, {"ab": b"xy"}, {"a/b": b"xy"}, {"b": b"xy", "a": b""}]
    assert len({store.add(tree) for tree in trees}) == len(trees)


def test_what_is_kept_cannot_be_written_and_what_is_laid_in_can(home: Path, tmp_path: Path) -> None:
    tree = store.add({"a": b"1"})
    assert (store.STORE / tree / "a").stat().st_mode & 0o222 == 0
    store.Laptop().fetch(store.uri(tree), tmp_path)
    (tmp_path / "a").write_bytes(b"2")
    assert (store.STORE / tree / "a").read_bytes() == b"1"


def test_what_is_nowhere_is_not_found(home: Path, tmp_path: Path) -> None:
    target = write(tmp_path / "target", {})
    store.add({"a": b"1"})
    for uri in ("s3://laptop/none", "s3://other/none", "/etc", ""):
        with pytest.raises(FileNotFoundError, match="nothing lies at"):
            store.find(uri)
        with pytest.raises(FileNotFoundError):
            store.Laptop().fetch(uri, target)
    assert not list(target.iterdir())


def test_a_large_file_is_read_once_until_it_is_touched(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Path | bytes] = []
    real = store._digest

    def digest(content: Path | bytes) -> str:
        reads.append(content)
        return real(content)

    monkeypatch.setattr(store, "_digest", digest)
    data = tmp_path / "data.csv"
    data.write_bytes(b"1")
    tree = store.add_large({"data.csv": data})
    store.add_large({"data.csv": data})
    assert data in reads[2:]  # written this moment: it may be written again unseen
    os.utime(data, (1, 1))
    assert store.add_large({"data.csv": data}) == tree
    reads.clear()
    assert store.add_large({"data.csv": data}) == tree
    assert not reads
    for touch in (
        lambda: data.write_bytes(b"2"),
        lambda: os.utime(data, (2, 2)),
        lambda: (home / "added.json").write_text("{"),
        lambda: (home / "added.json").write_text("[1]"),
    ):
        touch()
        assert (store.STORE / store.add_large({"data.csv": data}) / "data.csv").read_bytes() == data.read_bytes()
        assert reads
        reads.clear()
    os.utime(data, (3, 3))
    tree = store.add_large({"data.csv": data})
    (store.STORE / tree).rename(tmp_path / "gone")
    assert store.add_large({"data.csv": data}) == tree
    assert (store.STORE / tree).is_dir()


def test_the_memory_of_large_files_does_not_grow(home: Path, tmp_path: Path) -> None:
    for number in range(store.REMEMBERED + 5):
        (tmp_path / "data").write_text(str(number))
        os.utime(tmp_path / "data", (number, number))
        store.add_large({"data": tmp_path / "data"})
    assert len(json.loads((home / "added.json").read_text())) == store.REMEMBERED + 1


def test_a_file_that_changes_while_it_is_read_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.copyfile

    def copyfile(source: Path, target: Path) -> None:
        real(source, target)
        Path(target).write_bytes(b"half")

    (tmp_path / "data.csv").write_bytes(b"1")
    monkeypatch.setattr(shutil, "copyfile", copyfile)
    with pytest.raises(Problem, match=r"data\.csv changed while it was read; run again"):
        store.add({"data.csv": tmp_path / "data.csv"})
    assert not list(home.glob("scratch-*"))
    assert not store.STORE.exists()


def test_many_at_once_store_the_same_and_others(home: Path, tmp_path: Path) -> None:
    contents = [{f"{number}/{file}": bytes([number]) * 1000 for file in range(20)} for number in range(4)]

    def work(number: int) -> str:
        if number % 2:
            return store.add(contents[number % 4])
        return store.take(write(tmp_path / f"source{number}", contents[number % 4]))

    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(work, range(32)))
    assert len(set(trees)) == 4
    assert sorted(path.name for path in store.STORE.iterdir()) == sorted(set(trees))
    assert all(store.add(contents[number % 4]) == tree for number, tree in enumerate(trees))
    assert not list(home.glob("scratch-*"))


def test_a_full_disk_leaves_the_store_as_it_was(home: Path, disk: Disk) -> None:
    files = {"a/b": b"1", "c": b"2"}
    for room in range(20):
        try:
            tree = disk.with_room_for(room, lambda: store.add(files))
            break
        except Problem as problem:
            assert str(problem).startswith(".mlops cannot be written: No space left on device (")
            assert not list(home.glob("scratch-*"))
            assert not store.STORE.exists() or not list(store.STORE.iterdir())
    assert room > 3
    assert read(store.STORE / tree) == files


CUT = """
import resource, sys
sys.path[:0] = [{source!r}]
from pathlib import Path
from mlops.laptop import store
from mlops.problem import Problem
store.HOME = Path({home!r}); store.STORE = store.HOME / "store"
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    store.add({{"small": b"1", "z": b"1" * 1_000_000}})
except Problem as problem:
    print(problem)
"""


def test_a_file_that_finds_only_half_its_place_is_not_kept(home: Path) -> None:
    code = CUT.format(source=str(SOURCE), home=str(home))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(".mlops cannot be written: File too large (")
    assert done.stdout.endswith("; make room, or write access, and run again\n")
    assert not list(home.iterdir())


def test_a_stop_in_the_middle_leaves_the_store_as_it_was(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", stop)
        with pytest.raises(KeyboardInterrupt):
            store.add({"a": b"1"})
    assert not list(home.glob("scratch-*"))
    assert not list(store.STORE.iterdir())
    assert store.add({"a": b"1"})


def test_thousands_of_files_take_no_time(home: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "source", {f"{number % 50}/{number}": str(number).encode() for number in range(1000)})
    start = time.process_time()
    tree = store.take(source)
    (tmp_path / "laid").mkdir()
    store.Laptop().fetch(store.uri(tree), tmp_path / "laid")
    assert time.process_time() - start < 1.5
    assert len(store.files_in(tmp_path / "laid")) == 1000
