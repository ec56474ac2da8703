"""`--set`: what is read as what, and what is refused."""

import json
from typing import Any

import pytest
import yaml

from mlops.laptop.overrides import apply, parse, written
from mlops.problem import Problem
from mlops.settings import Settings

SETTINGS = """\
project: {name: "Tumor Diagnosis", slug: tumor-diagnosis, owner: a@b.c}
model: {task: classification, framework: scikit-learn}
serving: realtime
scenario: baseline
source_control: {host: codecommit, repository: tumor-diagnosis}
data: {path: data/x.csv, target: diagnosis}
training: {hyperparameters: {max_depth: 8, learning_rate: 0.1}}
evaluation: {metric: f1, threshold: 0.9}
environments:
  feature: {account: null, region: us-east-1}
  dev: {account: null, region: us-east-1}
  prod: {account: null, region: us-east-1}
"""


@pytest.fixture
def settings() -> Settings:
    """Those of a new repository."""
    return Settings.model_validate(yaml.safe_load(SETTINGS))


def one(settings: Settings, word: str) -> Any:
    (value,) = parse(settings, [word]).values()
    apply(settings, parse(settings, [word]))
    return value


NEW = "training.hyperparameters.new="


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-3", -3), ("0.5", 0.5), ("1e-3", 0.001), ("1E3", 1000.0), ("true", True), ("True", True), ("no", False),
        ("010", "010"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("1_000", "1_000"), ("0x10", "0x10"), (".nan", ".nan"),
        ("a b", "a b"), ("é ü", "é ü"), ("", ""), ('"5"', "5"), ("'5'", "5"), ("a=b", "a=b"), ("NaN", "NaN"),
    ],
)  # fmt: skip
def test_a_value_is_read_as_people_mean_it(settings: Settings, text: str, value: Any) -> None:
    read = one(settings, NEW + text)
    assert read == value
    assert type(read) is type(value)
    json.dumps(read)
    overrides = parse(settings, [NEW + text, "evaluation.threshold=0.5"])
    assert parse(settings, written(overrides)) == overrides


def test_a_key_without_a_dot_is_a_hyperparameter(settings: Settings) -> None:
    name = next(iter(settings.training.hyperparameters))
    assert parse(settings, [f"{name}=7"]) == {f"training.hyperparameters.{name}": 7}
    assert apply(settings, parse(settings, [f" {name} =7"])).training.hyperparameters[name] == 7


def test_settings_are_changed_where_they_stand_and_nowhere_else(settings: Settings) -> None:
    words = [
        "evaluation.threshold=0.25",
        "evaluation.comparison.gate=off",
        "jobs.train.instance_type=ml.m5.xlarge",
        "data.seed=9",
    ]
    changed = apply(settings, parse(settings, words))
    assert changed.evaluation.threshold == 0.25
    assert changed.evaluation.comparison.gate == "off"
    before, after = settings.model_dump(), changed.model_dump()
    for content in (before, after):
        for section, key in (("evaluation", "threshold"), ("evaluation", "comparison"), ("data", "seed")):
            content[section].pop(key)
        content.pop("jobs")
    assert before == after


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["depht=5"], "--set depht: there is no such setting"),
        (["evaluation.treshold=1"], "--set evaluation.treshold: there is no such setting; did you mean evaluation.threshold?"),
        (["jobs.train.nope=1"], "--set jobs.train.nope: there is no such setting"),
        (["x"], "--set x says nothing; write --set KEY=VALUE"),
        (["=3"], "--set =3 says nothing"),
        ([""], "--set  says nothing"),
        (["evaluation.threshold=high"], "--set: evaluation.threshold is 'high'; it must be a valid number"),
        (["evaluation.gate=maybe"], "--set: evaluation.gate is 'maybe'; allowed: warn, enforce"),
        ([NEW + "{a: 1}"], "--set: training.hyperparameters.new is {'a': 1}"),
        ([NEW + "a: b: c"], "is no value; write --set KEY=VALUE"),
        ([NEW + "!!python/object:x"], "is no value"),
        (["training.hyperparameters.a b=1"], "--set: training.hyperparameters.a b"),
        (["evaluation.comparison=3", "evaluation.comparison.gate=off"], "--set evaluation.comparison.gate: another --set gives comparison a value of its own"),
        (["evaluation.comparison.gate=off", "evaluation.comparison=3"], "--set: evaluation.comparison is 3"),
    ],
)  # fmt: skip
def test_what_is_no_setting_or_no_value_is_one_line(settings: Settings, words: list[str], message: str) -> None:
    with pytest.raises(Problem) as caught:
        apply(settings, parse(settings, words))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_last_of_two_wins(settings: Settings) -> None:
    assert parse(settings, [NEW + "1", NEW + "2"]) == {NEW[:-1]: 2}
