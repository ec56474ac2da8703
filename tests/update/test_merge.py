"""By content: an edit that only one side made comes out as it is, and a conflict is where both changed the same lines."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.template_record import NAME
from mlops.update.merge import File, Scratch
from mlops.update.result import Result, merge
from tests.sweeps import THOROUGH
from tests.update.template_source import git

pytestmark = pytest.mark.slow

Files = Mapping[str, bytes]
RECORD = {NAME: b"{}\n"}
LINES = [f"line {number}\n" for number in range(1, 31)]
text_files = st.lists(st.text("abc =\n\t#é", max_size=12), max_size=8).map(lambda lines: "\n".join(lines).encode())
contents = st.one_of(text_files, st.binary(max_size=60))
names = st.sampled_from(["a.py", "b.py", "model/a.py", "model/b.py", "model/deep/c.yaml", "data/d.bin", "ümlaut ä.md"])
trees = st.dictionaries(names, contents, max_size=7)


class Merger:
    """Merges files given as mappings of names to contents."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        home.mkdir()
        git(home, "init", "--quiet")
        self.scratch = Scratch(folder / "scratch.git", home)
        self._blobs: dict[bytes, str] = {}  # a process of git for each content once, not for each file
        self._contents: dict[str, bytes] = {}

    def tree(self, files: Files) -> str:
        empty = self.scratch.git("mktree").decode().strip()
        kept: dict[str, File | None] = {
            name: File("100644", self._keep(content)) for name, content in {**RECORD, **files}.items()
        }
        return self.scratch.with_files(empty, kept)

    def merge(self, base: Files, ours: Files, theirs: Files) -> tuple[Result, dict[str, bytes]]:
        result = merge(self.scratch, self.tree(base), self.tree(ours), self.tree(theirs), ("dev", "template-2.0.0"), {})
        found = {name: self._content(file.blob) for name, file in self.scratch.files(result.tree).items()}
        del found[NAME]
        return result, found

    def _keep(self, content: bytes) -> str:
        if content not in self._blobs:
            self._blobs[content] = blob = self.scratch.keep(content)
            self._contents[blob] = content
        return self._blobs[content]

    def _content(self, blob: str) -> bytes:
        if blob not in self._contents:
            self._contents[blob] = self.scratch.content(blob)
        return self._contents[blob]


@pytest.fixture(scope="module")
def merger(tmp_path_factory: pytest.TempPathFactory) -> Merger:
    return Merger(tmp_path_factory.mktemp("merger"))


@settings(max_examples=100 if THOROUGH else 12)
@given(base=trees, edited=trees)
def test_edits_of_what_the_template_did_not_change_come_out_as_the_edits(
    merger: Merger, base: Files, edited: Files
) -> None:
    result, found = merger.merge(base, edited, base)
    assert found == edited
    assert not result.conflicts


@settings(max_examples=100 if THOROUGH else 12)
@given(base=trees, changed=trees)
def test_changes_of_what_nobody_edited_come_out_as_the_new_render(merger: Merger, base: Files, changed: Files) -> None:
    result, found = merger.merge(base, base, changed)
    assert found == changed
    assert not result.conflicts


@settings(max_examples=100 if THOROUGH else 12)
@given(base=trees, edited=trees, changed=trees)
def test_a_file_that_one_side_left_alone_is_that_of_the_other(
    merger: Merger, base: Files, edited: Files, changed: Files
) -> None:
    """Also when other files are changed by both; names are kept apart, so that nothing can be taken for a rename."""
    mine = {f"mine/{name}": content for name, content in edited.items()}
    template = {f"template/{name}": content for name, content in changed.items()}
    both = {f"both/{name}": content for name, content in base.items()}
    result, found = merger.merge(both, {**mine, **both}, {**template, **both})
    assert found == {**mine, **template, **both}
    assert not result.conflicts


@settings(max_examples=250 if THOROUGH else 30)
@given(mine=st.sets(st.integers(0, 29), max_size=4), template=st.sets(st.integers(0, 29), max_size=4))
def test_lines_that_both_changed_are_the_only_ones_between_markers(
    merger: Merger, mine: set[int], template: set[int]
) -> None:
    ours = _changed(mine, "mine")
    theirs = _changed(template, "template")
    result, found = merger.merge({"a.py": _text(LINES)}, {"a.py": _text(ours)}, {"a.py": _text(theirs)})
    outside, inside = _split(found["a.py"].decode().splitlines(keepends=True))
    blocks = _blocks(mine | template)
    both = [block for block in blocks if set(block) & mine and set(block) & template]
    alone = [block for block in blocks if block not in both]
    assert bool(result.conflicts) == bool(both)
    assert {ours[line] for block in both for line in block} <= inside
    assert {theirs[line] for block in both for line in block} <= inside
    assert {(ours if line in mine else theirs)[line] for block in alone for line in block} <= outside
    # git makes one conflict of two that up to three lines are between.
    close = [(one[-1] + 1, other[0]) for one, other in itertools.pairwise(blocks) if one in both and other in both]
    between = {LINES[line] for start, end in close if end - start <= 3 for line in range(start, end)}
    changed = {side[line] for block in both for line in block for side in (ours, theirs)}
    assert inside - changed <= between


def _blocks(lines: set[int]) -> list[list[int]]:
    """Return runs of neighbours: git cannot tell where in them one change ends."""
    blocks: list[list[int]] = []
    for line in sorted(lines):
        if blocks and blocks[-1][-1] == line - 1:
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _changed(lines: set[int], who: str) -> list[str]:
    return [f"{who} {number}\n" if number in lines else line for number, line in enumerate(LINES)]


def _text(lines: list[str]) -> bytes:
    return "".join(lines).encode()


def _split(lines: list[str]) -> tuple[set[str], set[str]]:
    outside: set[str] = set()
    inside: set[str] = set()
    within = False
    for line in lines:
        if line.startswith("<<<<<<< "):
            assert line == "<<<<<<< dev\n"
            within = True
        elif line.startswith(">>>>>>> "):
            assert line == ">>>>>>> template-2.0.0\n"
            within = False
        elif not line.startswith("======="):
            (inside if within else outside).add(line)
    return outside, inside


BODY = "".join(f"value_{number} = {number}\n" for number in range(40)).encode()
BETTER = BODY.replace(b"value_7 = 7", b"value_7 = 77")
EDITED = BODY.replace(b"value_30 = 30", b"value_30 = 3000")


def test_a_change_of_the_template_follows_a_file_that_the_team_renamed(merger: Merger) -> None:
    result, found = merger.merge({"model/a.py": BODY}, {"model/ours.py": EDITED}, {"model/a.py": BETTER})
    assert found == {"model/ours.py": EDITED.replace(b"value_7 = 7", b"value_7 = 77")}
    assert not result.conflicts


def test_an_edit_follows_a_file_that_the_template_moved(merger: Merger) -> None:
    result, found = merger.merge({"mlops/a.py": BODY}, {"mlops/a.py": EDITED}, {"mlops/deep/b.py": BETTER})
    assert found == {"mlops/deep/b.py": EDITED.replace(b"value_7 = 7", b"value_7 = 77")}
    assert not result.conflicts


def test_a_new_file_goes_where_the_team_moved_its_neighbours(merger: Merger) -> None:
    files = {f"tests/{name}.py": BODY + name.encode() for name in "abc"}
    moved = {name.replace("tests/", "checks/"): content for name, content in files.items()}
    result, found = merger.merge(files, moved, {**files, "tests/new.py": b"new\n"})
    assert found == {**moved, "checks/new.py": b"new\n"}
    assert not result.conflicts


def test_what_the_team_removed_stays_removed_and_is_told_when_the_template_changed_it(merger: Merger) -> None:
    result, found = merger.merge({"model/a.py": BODY, "b": b"b"}, {"b": b"b"}, {"model/a.py": BETTER, "b": b"b"})
    assert found == {"b": b"b"}
    assert not result.conflicts
    assert [(left.path, "stays removed" in left.what) for left in result.kept] == [("model/a.py", True)]


@pytest.mark.parametrize(
    "ours", [{}, {"data/own.csv": EDITED}, {"data/a.csv": EDITED}, {"data/a.csv": EDITED, "b": b"b"}]
)
def test_data_that_the_team_touched_are_never_written_into(merger: Merger, ours: Files) -> None:
    """Neither by line, nor as a sample with another name, nor are they brought back; people are told."""
    result, found = merger.merge({"data/a.csv": BODY}, ours, {"data/a.csv": BETTER, "data/new.csv": b"1\n"})
    assert found == {**ours, "data/new.csv": b"1\n"}
    assert not result.conflicts
    assert [(left.path, "your data stay" in left.what) for left in result.kept] == [("data/a.csv", True)]


def test_data_that_nobody_touched_come_with_the_template(merger: Merger) -> None:
    result, found = merger.merge({"data/a.csv": BODY}, {"data/a.csv": BODY, "b": b"b"}, {"data/a.csv": BETTER})
    assert found == {"data/a.csv": BETTER, "b": b"b"}
    assert not result.kept


def test_what_the_team_edited_stays_and_is_told_when_the_template_removed_it(merger: Merger) -> None:
    result, found = merger.merge({"mlops/a.py": BODY}, {"mlops/a.py": EDITED}, {})
    assert found == {"mlops/a.py": EDITED}
    assert not result.conflicts
    assert [(left.path, "it stays" in left.what) for left in result.kept] == [("mlops/a.py", True)]


def test_what_nobody_edited_goes_when_the_template_removed_it(merger: Merger) -> None:
    assert merger.merge({"mlops/a.py": BODY, "b": b"b"}, {"mlops/a.py": BODY, "b": b"b"}, {"b": b"b"})[1] == {"b": b"b"}


def test_of_binary_files_changed_by_both_the_teams_is_kept_whole(merger: Merger) -> None:
    blob = bytes(range(256))
    result, found = merger.merge({"d.bin": blob}, {"d.bin": blob + b"mine"}, {"d.bin": blob + b"new"})
    assert found == {"d.bin": blob + b"mine"}
    assert [(left.path, "no text" in left.what) for left in result.conflicts] == [("d.bin", True)]


def test_a_file_that_both_added_with_other_contents_is_a_conflict_with_both_in_it(merger: Merger) -> None:
    result, found = merger.merge({}, {"new.py": b"mine\n"}, {"new.py": b"template\n"})
    assert found["new.py"] == b"<<<<<<< dev\nmine\n=======\ntemplate\n>>>>>>> template-2.0.0\n"
    assert [left.path for left in result.conflicts] == ["new.py"]


@pytest.mark.parametrize("style", ["diff3", "zdiff3"])
def test_markers_are_the_same_whatever_a_person_has_configured(
    merger: Merger, style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text(f"[merge]\n\tconflictStyle = {style}\n[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'merge.conflictstyle'='{style}'")  # as under `git -c … rebase --exec`
    found = merger.merge({"a": b"x\n"}, {"a": b"mine\n"}, {"a": b"template\n"})[1]
    assert found["a"] == b"<<<<<<< dev\nmine\n=======\ntemplate\n>>>>>>> template-2.0.0\n"


def test_data_that_both_added_are_the_teams_and_told_unless_they_are_the_same(merger: Merger) -> None:
    result, found = merger.merge({}, {"data/a": b"mine\n", "data/b": b"b"}, {"data/a": b"new\n", "data/b": b"b"})
    assert found == {"data/a": b"mine\n", "data/b": b"b"}
    assert not result.conflicts
    assert [(left.path, "your data stay" in left.what) for left in result.kept] == [("data/a", True)]


def test_a_file_where_the_template_has_a_folder_keeps_its_name_if_nothing_of_the_folder_is_left(
    merger: Merger,
) -> None:
    base, theirs = {"cfg/a.py": BODY}, {"cfg/a.py": BETTER}
    result, found = merger.merge(base, {"cfg": b"mine\n"}, theirs)
    assert (found, result.conflicts) == ({"cfg": b"mine\n"}, [])
    assert [left.path for left in result.kept] == ["cfg/a.py"]
    result, found = merger.merge(base, {"cfg": b"mine\n"}, {**theirs, "cfg/new.py": b"new\n"})
    assert found == {"cfg~dev": b"mine\n", "cfg/new.py": b"new\n"}
    assert [(left.path, left.what.split()[0]) for left in result.conflicts] == [("cfg~dev", "yours")]


@pytest.mark.parametrize(("mine", "markers"), [(BODY, False), (BODY.replace(b"value_7 = 7", b"value_7 = 0"), True)])
def test_of_a_file_to_which_both_gave_other_names_is_told_what_stands_there(
    merger: Merger, mine: bytes, markers: bool
) -> None:
    result, found = merger.merge({"a.py": BODY}, {"mine.py": mine}, {"new.py": BETTER})
    assert found.keys() == {"mine.py", "new.py"}
    told = {left.path: left.what for left in result.conflicts}
    assert "different names" in told["a.py"]
    for name, whose in (("mine.py", "yours"), ("new.py", "the template's")):
        assert (b"<<<<<<< dev" in found[name]) is markers
        assert told[name].startswith("both changed the same lines" if markers else whose)


def test_a_link_that_the_team_made_of_a_file_stays_and_is_told_once(merger: Merger) -> None:
    scratch, record = merger.scratch, merger.tree({})
    link = File("120000", scratch.keep(b"elsewhere.py"))
    trees = merger.tree({"a.py": BODY}), scratch.with_files(record, {"a.py": link}), merger.tree({"a.py": BETTER})
    result = merge(scratch, *trees, ("dev", "template-2.0.0"), {})
    assert scratch.files(result.tree, "a.py", "a.py~template-2.0.0") == {"a.py": link}
    assert [(left.path, left.what.split()[0]) for left in result.conflicts + result.kept] == [("a.py", "yours")]


def test_names_that_are_no_utf_8_can_be_printed(merger: Merger) -> None:
    name = "tr\udce4in\n.py"
    result, found = merger.merge({name: b"a\n"}, {name: b"b\n"}, {name: b"c\n"})
    assert name in found
    assert [left.path for left in result.conflicts] == [r"tr\xe4in\n.py"]
