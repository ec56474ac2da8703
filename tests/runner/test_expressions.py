"""Parameters, references and functions."""

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterFloat, ParameterInteger, ParameterString

from mlops.problem import Problem
from mlops.runner.expressions import Values, look_up, parameter_values

DONE = {
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://x/1"}}]},
    "Metrics": [{"MetricName": "auc", "Value": 0.5}, {"MetricName": "acc", "Value": 1}],
}


def values(**parameters: Any) -> Values:
    return Values(parameters, {"PipelineExecutionId": "laptop-1"}, {"Train": DONE})


def test_what_the_sdk_writes_is_resolved() -> None:
    known = values(Text="t", Number=3, Share=0.25, Flag=True)
    parameters = ParameterString("Text"), ParameterInteger("Number"), ParameterFloat("Share"), ParameterBoolean("Flag")
    assert [known.resolve(parameter.expr) for parameter in parameters] == ["t", 3, 0.25, True]
    join = Join(on="/", values=["s3:/", *parameters, ExecutionVariables.PIPELINE_EXECUTION_ID, Join("-", ["a", 1])])
    assert known.resolve(join.expr) == "s3://t/3/0.25/true/laptop-1/a-1"
    uri = {"Get": "Steps.Train.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"}
    assert known.resolve({"A": [uri, {"B": uri}], "C": None}) == {"A": ["s3://x/1", {"B": "s3://x/1"}], "C": None}
    assert known.resolve({"Get": "Steps.Train.Metrics['acc'].Value"}) == 1
    assert known.resolve({"Get": "Steps.Train.Metrics[0].Value"}) == 0.5


@pytest.mark.parametrize(
    "path",
    [
        "Parameters.Nope",
        "Execution.Nope",
        "Steps.Nope.X",
        "Steps.Train.Nope",
        "Steps.Train.ProcessingOutputConfig.Outputs['test'].S3Output",
        "Steps.Train.ProcessingOutputConfig.Outputs[1]",
        "Steps.Train.Metrics['acc'].Value.deeper",
        "Steps.Train.Metrics[*]",
        "Nope",
    ],
)
def test_what_is_not_there_is_one_line(path: str) -> None:
    with pytest.raises(Problem) as caught:
        values().resolve({"Get": path})
    assert "\n" not in str(caught.value)


def property_file(tmp_path: Path, content: str) -> Values:
    (tmp_path / "evaluation.json").write_text(content, "utf-8")
    known = values(Metric="auc")
    known.property_files["Evaluate", "Evaluation"] = tmp_path / "evaluation.json"
    return known


def json_get(path: Any) -> Any:
    return JsonGet("Evaluate", "Evaluation", path).expr


def test_json_is_read_by_a_path(tmp_path: Path) -> None:
    content = {
        "a": {"f1-score": 0.5, "weighted avg": {"x.y": 1}, "wörter": "ä"},
        "rows": [1, {"Name": "n"}],
        "no": None,
    }
    known = property_file(tmp_path, json.dumps(content))
    assert known.resolve(json_get("a.f1-score")) == 0.5
    assert known.resolve(json_get("a['weighted avg']['x.y']")) == 1
    assert known.resolve(json_get('a["f1-score"]')) == 0.5
    assert known.resolve(json_get("a.wörter")) == "ä"
    assert known.resolve(json_get("rows[0]")) == 1
    assert known.resolve(json_get("no")) is None
    computed = Join(on=".", values=["a", "f1-score"]).expr
    assert known.resolve(json_get(computed)) == 0.5
    assert known.resolve(Join(on="", values=["at ", JsonGet("Evaluate", "Evaluation", "a.f1-score")]).expr) == "at 0.5"


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        ('{"a": 1}', "b", "evaluation.json of step Evaluate has no b"),
        ('{"a": 1}', "a.b", "has no a.b"),
        ('{"a": [1, 2]}', "a[2]", "has no a[2]"),
        ('{"a": [1, 2]}', "a['x']", "has no a['x']"),
        ('{"a": [{"Name": "y"}]}', "a['x']", "has no a['x']"),
        ('{"a": 1}', "$.a", "'$.a' is no path"),
        ('{"a": 1}', "a..b", "'a..b' is no path"),
        ('{"a": 1}', "a.", "'a.' is no path"),
        ("{", "a", "evaluation.json of step Evaluate is no JSON"),
        ("", "a", "is no JSON"),
        ('{"a": NaN}', "a", "NaN is no number in JSON"),
        ('{"a": -Infinity}', "a", "is no JSON"),
    ],
)
def test_a_property_file_that_does_not_answer_is_one_line(
    tmp_path: Path, content: str, path: str, message: str
) -> None:
    with pytest.raises(Problem) as caught:
        property_file(tmp_path, content).resolve(json_get(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_property_file_that_was_not_written_is_one_line(tmp_path: Path) -> None:
    known = property_file(tmp_path, "{}")
    (tmp_path / "evaluation.json").unlink()
    with pytest.raises(Problem, match=r"step Evaluate did not write evaluation\.json"):
        known.resolve(json_get("a"))
    known.property_files.clear()
    with pytest.raises(Problem, match="the property file 'Evaluation' of step Evaluate"):
        known.resolve(json_get("a"))


keys = st.text(string.ascii_letters + string.digits + "_- äß", min_size=1, max_size=6)
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(
    st.recursive(
        leaves,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(keys, inner, min_size=1),
        max_leaves=8,
    ),
    st.data(),
)
def test_any_place_in_any_document_is_found(document: Any, data: st.DataObject) -> None:
    path, here = "", document
    while isinstance(here, list | dict) and here:
        if isinstance(here, list):
            place = data.draw(st.integers(0, len(here) - 1))
            path, here = f"{path}[{place}]", here[place]
        else:
            key = data.draw(st.sampled_from(sorted(here)))
            path, here = f"{path}['{key}']" if " " in key or data.draw(st.booleans()) else f"{path}.{key}", here[key]
    assert look_up(document, path, "the document") == here


def reference(value: Any, parameters: dict[str, Any]) -> Any:
    """What the functions are documented to mean, in a few lines of its own."""
    match value:
        case {"Get": str(path)}:
            return parameters[path.removeprefix("Parameters.")]
        case {"Std:Join": {"On": on, "Values": parts}}:
            texts = [reference(part, parameters) for part in parts]
            return on.join(text if isinstance(text, str) else json.dumps(text) for text in texts)
        case dict():
            return {key: reference(part, parameters) for key, part in value.items()}
        case list():
            return [reference(part, parameters) for part in value]
    return value


PARAMETERS = {"P": "text", "Q": 7, "R": -1.5, "S": False}
expressions = st.recursive(
    leaves | st.sampled_from(sorted(PARAMETERS)).map(lambda name: {"Get": f"Parameters.{name}"}),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
        | st.builds(
            lambda on, parts: {"Std:Join": {"On": on, "Values": parts}},
            st.text(max_size=2),
            st.lists(
                inner.filter(
                    lambda part: (
                        not isinstance(part, list)
                        and (not isinstance(part, dict) or "Get" in part or "Std:Join" in part)
                    )
                ),
                max_size=3,
            ),
        )
    ),
    max_leaves=12,
)


@given(expressions)
def test_any_nested_expression_means_what_it_says(expression: Any) -> None:
    assert values(**PARAMETERS).resolve(expression) == reference(expression, PARAMETERS)


def test_parameters_have_their_defaults_and_what_is_given() -> None:
    declared = [
        ParameterString("Text", default_value="a").to_request(),
        ParameterInteger("Number", default_value=3).to_request(),
        ParameterFloat("Share", default_value=0.5).to_request(),
        ParameterBoolean("Flag", default_value=False).to_request(),
        ParameterString("Mode", default_value="on", enum_values=["on", "off"]).to_request(),
        ParameterString("Must").to_request(),
    ]
    assert parameter_values(declared, {"Must": "", "Share": 1, "Mode": "off"}) == {
        "Text": "a",
        "Number": 3,
        "Share": 1,
        "Flag": False,
        "Mode": "off",
        "Must": "",
    }


@pytest.mark.parametrize(
    ("declared", "given", "message"),
    [
        (ParameterString("P"), {}, "the parameter P has no value"),
        (ParameterString("P", default_value="a"), {"Q": 1}, "'Q' is no parameter of the pipeline"),
        (ParameterString("P", default_value="a"), {"P": 1}, "the parameter P is 1; it must be a String"),
        (ParameterInteger("P", default_value=1), {"P": True}, "the parameter P is True; it must be a Integer"),
        (ParameterInteger("P", default_value=1), {"P": 1.0}, "it must be a Integer"),
        (ParameterFloat("P", default_value=1.0), {"P": "1"}, "it must be a Float"),
        (ParameterBoolean("P", default_value=True), {"P": "true"}, "it must be a Boolean"),
        (ParameterString("P", default_value="a", enum_values=["a", "b"]), {"P": "c"}, "it must be one of a, b"),
    ],
)
def test_a_parameter_of_another_type_is_refused(declared: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem) as caught:
        parameter_values([declared.to_request()], given)
    assert message in str(caught.value)


def test_a_type_that_no_parameter_has_is_refused() -> None:
    with pytest.raises(Problem, match="the parameter P is of the type List"):
        parameter_values([{"Name": "P", "Type": "List"}], {})
