"""What of the settings shapes a definition, and what its parameters take."""

import pytest

from mlops.definition.parameters import Structure, defaults
from mlops.problem import Problem
from tests.pipeline.cases import BASE, CASES, USUAL, in_region, settings


def test_a_value_changes_no_structure_but_a_structural_setting_does() -> None:
    usual = Structure.of(CASES[USUAL])
    values = settings(
        data={"target": "z", "seed": 7, "test_fraction": 0.3, "path": "data/y.parquet"},
        training={"hyperparameters": BASE["training"]["hyperparameters"] | {"max_depth": 3}},
        evaluation={"threshold": 0.1, "gate": "warn"},
        jobs={"train": {"instance_type": "ml.m5.4xlarge"}},
    )
    assert Structure.of(values) == usual
    for change in (
        {"training": {"hyperparameters": {"other": 1}}},
        {"data_check": {"mode": "off"}},
        {"evaluation": {"metric": "f1"}},
        {"jobs": {"train": {"image_uri": "registry.example/x:1"}}},
        {"environments": in_region("eu-west-1")},
        {"pipeline": {"retries": 5}},
    ):
        assert Structure.of(settings(**change)) != usual


def test_a_hyperparameter_cannot_take_the_name_of_a_parameter() -> None:
    with pytest.raises(Problem, match="the hyperparameter 'Seed' has the name of a parameter of the pipeline"):
        defaults(settings(training={"hyperparameters": {"Seed": 1}}))


def test_hyperparameters_that_do_not_fit_into_the_lineage_are_refused_before_the_run() -> None:
    # One argument each: "--hyperparameter=layers=" takes 24 of its 256 characters.
    defaults(settings(training={"hyperparameters": {"layers": "x" * 232}}))
    too_long = r"^the hyperparameter 'layers' is 1 characters too long for the lineage of a version, name and value"
    for text in ("x" * 233, "x" * 231 + "🧪"):
        with pytest.raises(Problem, match=too_long):
            defaults(settings(training={"hyperparameters": {"layers": text}}))
    defaults(settings(training={"hyperparameters": {f"p{number}": number for number in range(60)}}))
    with pytest.raises(Problem, match=r"^there are 61 hyperparameters; the lineage of a version holds 60: keep"):
        defaults(settings(training={"hyperparameters": {f"p{number}": number for number in range(61)}}))
