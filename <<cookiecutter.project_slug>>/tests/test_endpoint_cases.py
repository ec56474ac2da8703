"""What will be asked of each endpoint after deployment (endpoint_tests.yaml) is asked here first."""

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from conftest import Answer

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE / "endpoint_tests.yaml").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_model_answers_or_refuses_as_the_case_says(case: dict[str, Any], answer: Answer) -> None:
    if case["status"] == 200:
        predictions = answer(case["payload"], case["content_type"])
        jsonschema.validate({"predictions": predictions}, case["answer"], jsonschema.Draft202012Validator)
    else:
        assert case["status"] == 400
        with pytest.raises(ValueError) as error:  # noqa: PT011 (the reason is looked at below)
            answer(case["payload"], case["content_type"])
        assert case["reason"] in str(error.value)


def test_the_sample_payload_is_answered_row_by_row(answer: Answer) -> None:
    rows = list(csv.reader((HERE / "sample_payload.csv").read_text("utf-8").splitlines()))
    answers = answer((HERE / "sample_payload.csv").read_bytes(), "text/csv")
    assert len(answers) == len(rows) > 0


def test_the_names_of_the_cases_are_unique() -> None:
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)


def test_the_schemas_are_schemas() -> None:
    for case in CASES:
        if case["status"] == 200:
            jsonschema.Draft202012Validator.check_schema(case["answer"])
            json.dumps(case["answer"])
