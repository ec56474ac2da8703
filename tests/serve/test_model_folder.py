"""Which model is served, and how it is unpacked."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.laptop import runs, store, versions
from mlops.problem import Problem
from mlops.serving import model_folder
from mlops.serving.model_folder import Model, find, unpack


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty local history."""
    folder = tmp_path / ".mlops"
    monkeypatch.setattr(store, "HOME", folder)
    monkeypatch.setattr(model_folder, "FOLDER", folder / "unpacked")
    monkeypatch.setattr(versions, "FOLDER", folder / "versions")
    monkeypatch.setattr(runs, "HOME", folder)
    return folder


def add_run(home: Path, number: int, tree: str | None) -> None:
    folder = home / "runs" / str(number)
    folder.mkdir(parents=True)
    outputs = {"Train": {"model": f"store/{tree}"}} if tree else {}
    (folder / "run.json").write_text(json.dumps({"number": number, "outputs": outputs}))


def add_version(home: Path, status: str, run: int, tree: str) -> None:
    model = home / "store" / tree
    versions.register(status, model=model, run=run, created="now", evaluation=None, request={})


def test_without_a_wish_it_is_the_current_version_and_before_there_is_one_the_newest_trained_model(home: Path) -> None:
    with pytest.raises(Problem, match="no model on this machine yet; train one with: mlops run"):
        find()
    add_run(home, 2, "b")
    add_run(home, 10, "c")
    add_run(home, 11, None)  # it failed before it had trained
    assert find() == Model("run 10", home / "store" / "c")
    add_version(home, "Approved", 2, "b")
    add_version(home, "Rejected", 10, "c")
    assert find() == Model("version 1", home / "store" / "b")


def test_a_wish_is_fulfilled_or_refused_with_what_there_is(home: Path) -> None:
    add_run(home, 1, "a")
    add_run(home, 2, None)
    add_version(home, "Rejected", 1, "a")
    assert find(version=1) == Model("version 1", home / "store" / "a")
    assert find(run=1) == Model("run 1", home / "store" / "a")
    assert find(path=Path("x")) == Model("x", Path("x"))
    for wish, reason in [
        ({"version": 2}, "there is no version 2; there are: 1"),
        ({"run": 2}, "run 2 trained no model"),
        ({"run": 3}, "no run 3"),
        ({"run": 1, "version": 1}, "give one of them"),
    ]:
        with pytest.raises(Problem, match=reason):
            find(**wish)  # type: ignore[arg-type]


def test_an_older_python_unpacks_the_same(
    home: Path, pack: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12 has 3.11.2, whose tarfile has no filters."""
    monkeypatch.delattr(tarfile, "data_filter", raising=False)
    folder = unpack(Model("m", pack("x = 1", {"model/parts/a.txt": "of it"})))
    assert (folder / "code" / "inference.py").read_text() == "x = 1"
    assert (folder / "model" / "parts" / "a.txt").read_text() == "of it"


def test_an_archive_is_unpacked_once(home: Path, pack: Callable[..., Path]) -> None:
    archive = pack("x = 1")
    folder = unpack(Model("m", archive))
    assert folder.parent == home / "unpacked"
    assert (folder / "code" / "inference.py").read_text() == "x = 1"
    (folder / "kept").touch()
    assert unpack(Model("the folder of it", archive.parent)) == folder
    assert (folder / "kept").exists()
    assert unpack(Model("m", pack("x = 2"))) != folder
    assert [path.name for path in home.iterdir()] == ["unpacked"]


def write_tar(path: Path, *entries: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO(b"x" * entry.size))
    return path


def entry(name: str, link: str = "", kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.linkname, info.type, info.size = link, kind, 0 if link else 1
    return info


@pytest.mark.parametrize(
    "entries",
    [
        [entry("../escaped")],
        [entry("code/../../escaped")],
        [entry("link", "..", tarfile.SYMTYPE), entry("link/escaped")],
        [entry("link", "/etc/passwd", tarfile.SYMTYPE)],
        [entry("link", "../../escaped", tarfile.LNKTYPE)],
        [entry("device", "x", tarfile.CHRTYPE)],
    ],
    ids=lambda entries: entries[0].name,
)
@pytest.mark.parametrize("python", ["of today", "before 3.11.4"])
def test_an_archive_that_leaves_its_folder_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entries: list[tarfile.TarInfo], python: str
) -> None:
    if python == "before 3.11.4":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    archive = write_tar(tmp_path / "model.tar.gz", *entries)
    with pytest.raises(Problem, match=r"is no model\.tar\.gz that can be unpacked: ") as refused:
        unpack(Model("m", archive))
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.rglob("escaped"))
    assert list(home.iterdir()) == []


def test_an_absolute_name_stays_in_the_folder(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "absolute"
    folder = unpack(Model("m", write_tar(tmp_path / "model.tar.gz", entry(str(target)))))
    assert not target.exists()
    assert (folder / str(target).lstrip("/")).exists()


def test_a_broken_archive_is_refused_wherever_it_breaks(home: Path, pack: Callable[..., Path]) -> None:
    archive = pack("x = 1\n" * 1000)
    whole = archive.read_bytes()
    turned = [
        whole[:n] + bytes([whole[n] ^ 0xFF]) + whole[n + 1 :] for n in range(24, len(whole), 7)
    ]  # behind the name
    for content in [b"", b"no archive", *(whole[:length] for length in range(1, len(whole), 11)), *turned]:
        archive.write_bytes(content)
        with pytest.raises(Problem, match=r"that can be unpacked: ."):
            unpack(Model("m", archive))
    assert list(home.iterdir()) == []


def test_what_is_not_there_is_refused(home: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"there is no .*/none\.tar\.gz"):
        unpack(Model("m", tmp_path / "none.tar.gz"))
    with pytest.raises(Problem, match=r"there is no .*/model\.tar\.gz"):
        unpack(Model("m", tmp_path))
