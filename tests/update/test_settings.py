"""mlops.yaml is the team's own: new keys arrive with their defaults, and values that people set stay."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.settings import check
from mlops.update.settings_merge import NoSettings, merge_settings, merged_values
from tests.conftest import Bake

BASE = """\
# Every setting
project:
  name: House Prices  # for people

training:
  rounds: 100  # how long
  rate: 0.1

# What decides
evaluation:
  metric: rmse
  threshold: 65.0
"""


def by_line(base: str, ours: str, theirs: str) -> str:
    """Merge as git does; ours wins in conflicts."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
            Path(folder, name).write_text(text, "utf-8")
        merged = ["git", "merge-file", "--stdout", "--ours", "ours", "base", "theirs"]
        return subprocess.run(merged, cwd=folder, capture_output=True, text=True, check=True).stdout


def merge(ours: str, theirs: str, base: str = BASE, **renames: str) -> str:
    dotted = {old.replace("__", "."): new for old, new in renames.items()}
    return merge_settings(base, ours, theirs, by_line, dotted)


def test_a_new_key_arrives_with_its_comment_and_leaves_the_rest_as_it_was_written() -> None:
    ours = BASE.replace("threshold: 65.0", "threshold: 50   # our limit")
    theirs = BASE.replace("  rate: 0.1\n", "  rate: 0.1\n  patience: 10  # new\n")
    assert merge(ours, theirs) == ours.replace("  rate: 0.1\n", "  rate: 0.1\n  patience: 10  # new\n")


def test_a_value_that_people_set_stays_when_the_template_changes_its_default() -> None:
    ours = BASE.replace("rounds: 100", "rounds: 500")
    theirs = BASE.replace("rounds: 100", "rounds: 200").replace("rate: 0.1", "rate: 0.05")
    assert merge(ours, theirs) == ours.replace("rate: 0.1", "rate: 0.05")


def test_a_key_in_the_very_lines_that_people_changed_arrives_too() -> None:
    ours = BASE.replace("  rounds: 100  # how long\n  rate: 0.1\n", "  rounds: 500\n  rate: 0.3\n")
    theirs = BASE.replace("  rounds: 100  # how long\n", "  rounds: 200\n  patience: 10\n")
    data = yaml.safe_load(merge(ours, theirs))
    assert data["training"] == {"rounds": 500, "rate": 0.3, "patience": 10}


def test_a_new_section_arrives_where_people_wrote_the_file_anew() -> None:
    ours = (
        "project: {name: Ours}\ntraining: {rate: 0.5, rounds: 1, own: true}\nevaluation: {metric: mae, threshold: 3}\n"
    )
    theirs = BASE + "\nmonitoring:\n  mode: warn  # off, warn\n  hours: 24\n"
    text = merge(ours, theirs)
    assert yaml.safe_load(text) == yaml.safe_load(ours) | {"monitoring": {"mode": "warn", "hours": 24}}
    assert text.startswith(ours.splitlines()[0])
    assert "mode: warn  # off, warn" in text


def test_what_people_removed_stays_removed_and_what_the_template_removed_goes_unless_somebody_set_it() -> None:
    ours = BASE.replace("  rounds: 100  # how long\n", "").replace("threshold: 65.0", "threshold: 1")
    theirs = BASE.replace("  rate: 0.1\n", "  rounds2: 1\n").replace("  threshold: 65.0\n", "")
    assert yaml.safe_load(merge(ours, theirs)) == {
        "project": {"name": "House Prices"},
        "training": {"rounds2": 1},
        "evaluation": {"metric": "rmse", "threshold": 1},
    }


def test_a_setting_with_another_name_keeps_the_value_that_people_gave_it() -> None:
    ours = BASE.replace("rounds: 100", "rounds: 500")
    theirs = BASE.replace("rounds: 100", "epochs: 100")
    data = yaml.safe_load(merge(ours, theirs, training__rounds="training.epochs"))
    assert data["training"] == {"epochs": 500, "rate": 0.1}
    moved = BASE.replace("  rounds: 100  # how long\n", "") + "limits:\n  rounds: 100\n"
    data = yaml.safe_load(merge(ours, moved, training__rounds="limits.rounds"))
    assert (data["training"], data["limits"]) == ({"rate": 0.1}, {"rounds": 500})


def test_line_ends_of_windows_stay() -> None:
    theirs = BASE.replace("rate: 0.1", "rate: 0.1\n  depth: 3  # new")
    ours = BASE.replace("0.1", "0.2")
    assert merge(ours.replace("\n", "\r\n"), theirs) == merge(ours, theirs).replace("\n", "\r\n")


@pytest.mark.parametrize("ours", ["a: [1", "just a text", "", "a: 1\na: 2\n<<<<<<< HEAD\n", "a: 2024-13-45"])
def test_a_file_that_is_no_settings_is_left_to_git(ours: str) -> None:
    with pytest.raises(NoSettings):
        merge(ours, BASE.replace("0.1", "0.2"))


scalars = st.one_of(
    st.integers(-3, 3), st.booleans(), st.none(), st.text("ab:# '\"-é", max_size=5), st.sampled_from([0.05, -1.5, 65.0])
)
keys = st.sampled_from(["a", "b", "c", "d", "e f"])
data = st.recursive(
    scalars, lambda part: st.one_of(st.lists(part, max_size=2), st.dictionaries(keys, part, max_size=3))
)
sections = st.dictionaries(keys, st.dictionaries(keys, data, max_size=3), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=150)
@given(base=sections, ours=sections, theirs=sections)
def test_whatever_the_files_hold_the_merge_is_that_of_the_keys(base: Any, ours: Any, theirs: Any) -> None:
    wanted = merged_values(base, ours, theirs)
    texts = [yaml.safe_dump(part, sort_keys=False, allow_unicode=True) for part in (base, ours, theirs)]
    text = merge(texts[1], texts[2], texts[0])
    assert yaml.safe_load(text) == wanted


@given(base=sections, ours=sections)
@settings(max_examples=30)
def test_who_alone_changed_something_has_it_all(base: Any, ours: Any) -> None:
    assert merged_values(base, ours, base) == ours
    assert merged_values(base, base, ours) == ours
    assert merged_values(base, ours, ours) == ours


def test_our_own_settings_with_every_line_touched_take_new_keys_and_stay_valid(bake: Bake) -> None:
    """The real file, as it is rendered: values changed everywhere, then a template with a key more in two sections."""
    rendered = (bake().path / "mlops.yaml").read_text("utf-8")
    ours = rendered.replace("seed: 42", "seed: 7").replace("threshold: 0.95", "threshold: 0.9")
    ours = ours.replace("cache_days: 30", "cache_days: 3").replace("max_iter: 200", "max_iter: 20")
    theirs = rendered.replace("  seed: 42\n", "  seed: 43\n  rows_without_target: drop\n")
    theirs = theirs.replace("  cache_days: 30", "  cache_days: 60").replace("max_iter: 200", "max_iter: 100")
    data = check(yaml.safe_load(merge(ours, theirs, rendered)), "mlops.yaml").model_dump()
    assert (data["data"]["seed"], data["data"]["rows_without_target"]) == (7, "drop")
    assert (data["pipeline"]["cache_days"], data["training"]["hyperparameters"]["max_iter"]) == (3, 20)
