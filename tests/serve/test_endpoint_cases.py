"""What the endpoint is asked after each deployment is asked of `mlops serve` over HTTP."""

from collections.abc import Callable

import jsonschema
import pytest

from tests.serve.server import COMBINATIONS, Trained, predictions


@pytest.mark.slow
@pytest.mark.parametrize(("task", "framework"), COMBINATIONS)
def test_each_case_gets_its_status_and_its_reason(
    trained: Callable[[str, str], Trained], task: str, framework: str
) -> None:
    model = trained(task, framework)
    assert len(model.cases) >= 34
    with model.repository.serving("--model", model.archive) as server:
        for case in model.cases:
            answer = server.invoke(case["payload"], case["content_type"])
            assert answer.status == case["status"], (case["name"], answer)
            if case["status"] == 200:
                jsonschema.validate(
                    {"predictions": predictions(answer)}, case["answer"], jsonschema.Draft202012Validator
                )
            else:
                assert case["reason"] in answer.text, case["name"]
                assert answer.content_type == "text/plain; charset=utf-8"
                assert "\n" not in answer.text
    assert server.process.returncode == 0
    refused = [line for line in server.log if "  400  " in line]
    assert len(refused) == sum(case["status"] == 400 for case in model.cases)
    assert len(server.log) == len(model.cases), "one line a request, and no traceback for a refusal"
