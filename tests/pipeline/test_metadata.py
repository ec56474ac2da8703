"""What AWS takes as the metadata of a version, decided before a run: as botocore's model of its API decides."""

import json
import unicodedata
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape
from hypothesis import example, given
from hypothesis import strategies as st

from mlops.checkout import branch_text, commit_text
from mlops.definition.metadata import check_metadata, known_metadata
from mlops.definition.parameters import METADATA
from mlops.problem import Problem
from sandbox.shapes import violations

SHAPE = botocore.session.get_session().get_service_model("sagemaker").operation_model("CreateModelPackage").input_shape
PARAMETERS = dict.fromkeys(METADATA.values(), "x") | {"ArtifactsUri": "s3://bucket/slug/nonprod/executions"}


def taken_by_aws(metadata: dict[str, str]) -> bool:
    assert isinstance(SHAPE, StructureShape)
    return not violations(SHAPE, {"CustomerMetadataProperties": metadata})


# What Python's Unicode does not know yet is refused; `regex` may know more.
CHARACTERS = st.characters(exclude_categories=["Cs", "Cn"])
TEXTS = st.text(CHARACTERS, max_size=300) | st.text("abc /-", min_size=250, max_size=260)


@given(key=TEXTS, value=TEXTS)
@example("commit", "x" * 256)
@example("commit", "x" * 257)
@example("k" * 128, "x")
@example("k" * 129, "x")
@example("commit", "")
@example("branch", "feature/a#b")
@example("branch", "e\u0301")  # a letter and a mark
@example("branch", "\u2028")
@example("branch", "\U00020000" * 128)
def test_it_takes_what_aws_takes_and_no_more(key: str, value: str) -> None:
    if taken_by_aws({key: value}):
        check_metadata({key: value})
    else:
        with pytest.raises(Problem):
            check_metadata({key: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "DataUri",
            "s3://bucket/My data, v2.csv",
            "a version of the model cannot say dataset_uri: 's3://bucket/My data, v2.csv': the value holds ',', and AWS "
            "allows letters, numbers, spaces and _.:/=+-@; move the data to a place that can be named so",
        ),
        (
            "TemplateVersion",
            "0.4.0~1",
            "a version of the model cannot say template_version: '0.4.0~1': the value holds '~', and AWS allows letters, "
            "numbers, spaces and _.:/=+-@; correct `version` in .template.json",
        ),
    ],
)
def test_a_refusal_names_key_value_and_what_to_do(name: str, value: str, message: str) -> None:
    with pytest.raises(Problem) as refused:
        check_metadata(known_metadata(PARAMETERS | {name: value}, "auc"))
    assert str(refused.value) == message


def test_a_lineage_uri_that_would_become_too_long_is_known_before_the_run() -> None:
    bucket, slug = "b" * 63, "s" * 32
    longest = PARAMETERS | {"ArtifactsUri": f"s3://{bucket}/{slug}/nonprod/executions"}
    check_metadata(known_metadata(longest, "m" * 64))
    with pytest.raises(Problem, match=r"cannot say lineage_uri: .* has 271 characters, and AWS allows 1 to 256"):
        check_metadata(known_metadata(PARAMETERS | {"ArtifactsUri": "s3://bucket/" + "x" * 160}, "auc"))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
@example(1e-05)
@example(-1.7976931348623157e308)
def test_every_metric_is_legal_as_it_is_written(value: float) -> None:
    text = json.dumps(value)
    if len(text) <= 256:
        assert taken_by_aws({"metric_auc": text})
        check_metadata({"metric_auc": text})


@given(st.text(CHARACTERS))
@example("feature/a#b")
@example("#")
@example("功能/模型")
def test_every_branch_can_be_told(name: str) -> None:
    told = branch_text({"commit": None, "branch": name, "dirty": False})
    assert taken_by_aws({"branch": told})
    check_metadata({"branch": told})
    normal = unicodedata.normalize("NFC", name)
    if normal.strip() == normal and taken_by_aws({"branch": normal}):
        assert told == normal


@pytest.mark.parametrize(
    ("state", "commit", "branch"),
    [
        ({"commit": "ab12", "branch": "dev", "dirty": False}, "ab12", "dev"),
        ({"commit": "ab12", "branch": "feature/a#b", "dirty": True}, "ab12-dirty", "feature/a-b"),
        ({"commit": None, "branch": None, "dirty": False}, "none", "none"),
        ({"commit": None, "branch": "main", "dirty": True}, "none-dirty", "main"),
    ],
)
def test_where_the_repository_stands(state: dict[str, Any], commit: str, branch: str) -> None:
    assert (commit_text(state), branch_text(state)) == (commit, branch)
