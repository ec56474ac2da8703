"""AWS's patterns are Java's: the whole value, ASCII classes, Unicode properties, surrogate pairs."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.patterns import UnreadablePattern, java_pattern, matches
from sandbox.service_names import model_of

OURS = [
    "application-autoscaling",
    "cloudformation",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "codepipeline",
    "dynamodb",
    "ecr",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "resourcegroupstaggingapi",
    "s3",
    "sagemaker",
    "sagemaker-runtime",
    "scheduler",
    "secretsmanager",
    "service-quotas",
    "servicecatalog",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sts",
]


@pytest.mark.parametrize("service", OURS)
def test_every_pattern_of_the_services_in_use_can_be_run(service):
    shapes = model_of(service)._service_description["shapes"].values()
    for pattern in {shape["pattern"] for shape in shapes if "pattern" in shape}:
        java_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc\n", False),
        ("[a-z]+$", "abc\n", False),
        (r"\w+", "é", False),
        (r"[\w\.-]+", "a_b.c-1", True),
        (r"\d+", "٣", False),
        (r"\s", "\u00a0", False),
        (r"[\S\s]*", "any\nthing", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Größe 大", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "a,b", False),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}", "a=b", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,256}", "[50, 100]", False),
        ("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", "plain \U0001f600", True),
        ("[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*", "bell \x07", False),
        ("[a--]+", "a", True),
        ("a|b", "b", True),
        ("a||b", "", True),
    ],
)
def test_a_value_matches_as_java_has_it(pattern, value, expected):
    assert matches(pattern, value) is expected


def test_a_pattern_that_cannot_be_run_says_so():
    with pytest.raises(UnreadablePattern):
        java_pattern("[")


@given(st.text(alphabet=string.ascii_letters + string.digits + "-._ é\n", max_size=70))
def test_names_of_model_package_groups_match_as_a_plain_reading_has_it(text):
    plain = 0 < len(text.replace("-", "")) <= 63 and re.fullmatch("[a-zA-Z0-9-]*", text) and text[0] != "-" != text[-1]
    assert matches("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", text) is bool(plain)


@given(st.text(max_size=30))
def test_tag_values_match_by_unicode_category(text):
    import unicodedata

    legal = all(unicodedata.category(character)[0] in "LZN" or character in "_.:/=+-@" for character in text)
    assert matches(r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", text) is legal or _too_new(text)


def _too_new(text):
    """Characters that only the newer of the two Unicode tables knows."""
    import unicodedata

    return any(unicodedata.category(character) == "Cn" for character in text)
