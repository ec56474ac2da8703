"""Conditions, as the SDK writes them."""

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagemaker.core.workflow import conditions as sdk

from mlops.problem import Problem
from mlops.runner import conditions

COMPARISONS = {
    sdk.ConditionEquals: operator.eq,
    sdk.ConditionGreaterThan: operator.gt,
    sdk.ConditionGreaterThanOrEqualTo: operator.ge,
    sdk.ConditionLessThan: operator.lt,
    sdk.ConditionLessThanOrEqualTo: operator.le,
}


def holds(condition: sdk.Condition) -> bool:
    request = condition.to_request()
    conditions.check("Gate", request)
    return conditions.holds(request)


def test_every_type_of_the_sdk_is_known() -> None:
    assert set(conditions.MEMBERS) == {kind.value for kind in sdk.ConditionTypeEnum}


@given(st.sampled_from(list(COMPARISONS)), st.integers(-3, 3) | st.floats(-3, 3), st.integers(-3, 3) | st.floats(-3, 3))
def test_numbers_compare_as_numbers(kind: Any, left: float, right: float) -> None:
    assert holds(kind(left, right)) == COMPARISONS[kind](left, right)


@given(st.sampled_from(list(COMPARISONS)), st.text(max_size=3), st.text(max_size=3))
def test_texts_compare_as_texts(kind: Any, left: str, right: str) -> None:
    assert holds(kind(left, right)) == COMPARISONS[kind](left, right)


def random_conditions() -> st.SearchStrategy[tuple[sdk.Condition, bool]]:
    """Conditions, each with what it is by a reckoning of its own."""
    leaf = st.booleans().map(
        lambda truth: (sdk.ConditionEquals("a", "a" if truth else "b"), truth)
    ) | st.booleans().map(lambda truth: (sdk.ConditionIn("passed", ["passed" if truth else "failed", "warned"]), truth))
    return st.recursive(
        leaf,
        lambda inner: (
            inner.map(lambda pair: (sdk.ConditionNot(pair[0]), not pair[1]))
            | st.lists(inner, max_size=3).map(
                lambda pairs: (sdk.ConditionOr([pair[0] for pair in pairs]), any(pair[1] for pair in pairs))
            )
        ),
    )


@given(random_conditions())
def test_any_nested_condition_is_what_it_says(pair: tuple[sdk.Condition, bool]) -> None:
    assert holds(pair[0]) is pair[1]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (True, True, True),
        (True, 1, False),
        (0, False, False),
        (1, 1.0, True),
        ("1", 1, False),
        (None, None, True),
        (None, 0, False),
    ],
)
def test_values_of_different_sorts_are_not_the_same(left: Any, right: Any, same: bool) -> None:
    assert holds(sdk.ConditionEquals(left, right)) is same
    assert holds(sdk.ConditionIn(left, [right])) is same


@pytest.mark.parametrize(("left", "right"), [("1", 1), (None, 1), (True, 1), (True, False), ([1], [2]), ({}, 1)])
def test_what_has_no_order_is_one_line(left: Any, right: Any) -> None:
    with pytest.raises(Problem) as caught:
        holds(sdk.ConditionGreaterThan(left, right))
    assert str(caught.value) == f"a condition compares {left!r} with {right!r}, which cannot be compared"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Type": "And", "Conditions": []}, "step Gate has a condition of the type And"),
        ({"LeftValue": 1, "RightValue": 1}, "of the type None"),
        ({"Type": "Not", "Expression": {}}, "a condition Not with Type, Expression; it must have Type and Condition"),
        ({"Type": "Equals", "LeftValue": 1}, "it must have Type and LeftValue and RightValue"),
        ({"Type": "Not", "Condition": {"Type": "Or", "Conditions": [{"Type": "Maybe"}]}}, "of the type Maybe"),
    ],
)
def test_a_condition_that_nobody_knows_is_refused(request_: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem) as caught:
        conditions.check("Gate", request_)
    assert message in str(caught.value)
