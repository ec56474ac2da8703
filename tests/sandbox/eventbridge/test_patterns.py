"""The pattern language: AWS's own examples, what is refused in which words, and random patterns against an oracle.

Sources: EventBridge User Guide, "Amazon EventBridge event patterns" and "Comparison operators"; the README and the
compiler of github.com/aws/event-ruler.
"""

from __future__ import annotations

import fnmatch
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.eventbridge.comparison import InvalidPattern
from sandbox.eventbridge.pattern import Pattern

EVENT = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "111122223333",
    "time": "2017-10-02T16:24:49Z",
    "region": "us-west-1",
    "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
    "detail": {
        "instance-id": "i-1234567890abcdef0",
        "state": "running",
        "c-count": 5,
        "d-count": 3,
        "x-limit": 301.8,
        "source-ip": "10.0.0.33",
        "eventVersion": "",
        "responseElements": None,
        "flag": True,
        "file": "dir/sub/picture.png",
        "none": [],
        "tags": ["a", "b"],
        "containers": [{"name": "x", "code": 0}, {"name": "y", "code": 1}],
    },
}


def matches(pattern: Any, event: Any = EVENT) -> bool:
    return Pattern(json.dumps(pattern)).matches(json.dumps(event))


def of(name: str, *values: Any) -> dict[str, Any]:
    return {"detail": {name: list(values)}}


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"], "detail": {"state": ["running"]}},
        {"resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0", "other"]},
        {"time": [{"prefix": "2017-10-02"}]},
        of("state", "initializing", "running"),
        of("state", {"prefix": {"equals-ignore-case": "RUN"}}),
        of("file", {"suffix": ".png"}),
        of("file", {"suffix": {"equals-ignore-case": ".PNG"}}),
        of("state", {"equals-ignore-case": "RUNNING"}),
        of("state", {"anything-but": "initializing"}),
        of("state", {"anything-but": ["stopped", "overloaded"]}),
        of("x-limit", {"anything-but": [100, 200, 300]}),
        of("c-count", {"anything-but": 123}),
        of("state", {"anything-but": {"prefix": "init"}}),
        of("state", {"anything-but": {"prefix": ["init", "error"]}}),
        of("file", {"anything-but": {"suffix": [".txt", ".csv"]}}),
        of("state", {"anything-but": {"equals-ignore-case": ["Stopped", "OverLoaded"]}}),
        of("file", {"anything-but": {"wildcard": "*/lib/*"}}),
        of("responseElements", {"anything-but": "x"}),
        of("c-count", {"anything-but": "5"}),
        of("c-count", {"numeric": [">", 0, "<=", 5]}),
        of("d-count", {"numeric": ["<", 10]}),
        of("x-limit", {"numeric": ["=", 3.018e2]}),
        of("source-ip", {"cidr": "10.0.0.0/24"}),
        of("state", {"exists": True}),
        of("lost", {"exists": False}),
        of("containers", {"exists": False}),  # no leaf: its elements are objects
        of("none", {"exists": False}),
        of("file", {"wildcard": "dir/*.png"}),
        of("file", {"wildcard": "*pic*"}),
        of("eventVersion", ""),
        of("responseElements", None),
        of("flag", True),
        of("c-count", 5.0),  # by value, whatever the guide says: see comparison.py
        of("tags", "b", "z"),
        of("tags", {"anything-but": "a"}),  # one of the elements is not
        of("state", {"numeric": ["<", 1]}, "running"),
        {"detail": {"containers": {"name": ["y"], "code": [1]}}},
        {"$or": [{"source": ["nothing"]}, {"detail": {"state": ["running"]}}]},
        {"source": ["aws.ec2"], "detail": {"$or": [{"c-count": [9]}, {"d-count": [{"numeric": ["<", 10]}]}]}},
        {"detail.state": ["running"]},
    ],
)  # fmt: skip
def test_examples_that_match(pattern):
    assert matches(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["aws.s3"]},
        {"source": ["aws.ec2"], "detail": {"state": ["stopped"]}},
        of("state", {"prefix": "Run"}),
        of("state", {"anything-but": ["running", "stopped"]}),
        of("x-limit", {"anything-but": [301.8]}),
        of("state", {"anything-but": {"prefix": "run"}}),
        of("state", {"anything-but": {"equals-ignore-case": "RUNNING"}}),
        of("file", {"anything-but": {"wildcard": "*/sub/*"}}),
        of("lost", {"anything-but": "x"}),
        of("c-count", {"numeric": [">", 5]}),
        of("c-count", {"numeric": [">=", 1, "<", 5]}),
        of("source-ip", {"numeric": ["=", 10]}),
        of("source-ip", {"cidr": "10.0.1.0/24"}),
        of("state", {"cidr": "10.0.1.0/24"}),
        of("state", {"exists": False}),
        of("lost", {"exists": True}),
        of("containers", {"exists": True}),
        of("c-count", "5"),
        of("eventVersion", None),
        of("responseElements", "null"),
        of("responseElements", ""),
        of("flag", 1),
        of("flag", "true"),
        of("none", None),
        of("file", {"wildcard": "dir/*.jpg"}),
        of("file", {"wildcard": "dir"}),
        {"detail": {"containers": {"name": ["x"], "code": [1]}}},  # not of one element
        {"$or": [{"source": ["nothing"]}, {"detail": {"state": ["stopped"]}}]},
        {"detail": ["running"]},
    ],
)  # fmt: skip
def test_examples_that_do_not_match(pattern):
    assert not matches(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ([], "Filter is not an object"),
        ({}, "Empty objects are not allowed"),
        ({"source": "aws.ec2"}, '"source" must be an object or an array'),
        ({"source": 42}, '"source" must be an object or an array'),
        ({"source": []}, "Empty arrays are not allowed"),
        ({"detail": {}}, "Empty objects are not allowed"),
        ({"a": [["b"]]}, "Match value must be String, number, true, false, or null"),
        ({"a": [{"PREFIX": "x"}]}, "Unrecognized match type PREFIX"),
        ({"a": [{"regex": "x"}]}, "Unrecognized match type regex"),
        ({"a": [{}]}, "Match expression name not found"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{"prefix": ["x"]}]}, "prefix match pattern must be a string"),
        ({"a": [{"suffix": {"prefix": "x"}}]}, "Unsupported suffix pattern: prefix"),
        ({"a": [{"equals-ignore-case": ["x"]}]}, "equals-ignore-case match pattern must be a string"),
        ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
        ({"a": [{"numeric": 5}]}, "Value of numeric must be an array."),
        ({"a": [{"numeric": [">", 0, ">", 0]}]}, "Bad numeric range operator: >"),
        ({"a": [{"numeric": [">", 0, "<"]}]}, "Value of < must be numeric"),
        ({"a": [{"numeric": ["=", "5"]}]}, "Value of equals must be numeric"),
        ({"a": [{"numeric": ["<>", 5]}]}, "Unrecognized numeric range operator: <>"),
        ({"a": [{"numeric": ["<", 5, ">", 1]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">", 5, "<", 1]}]}, "Bottom must be less than top"),
        ({"a": [{"numeric": [">", 6e9]}]}, "Value must be between -5.0E9 and 5.0E9, inclusive"),
        ({"a": [{"anything-but": None}]}, "Value of anything-but must be an array or single string/number value."),
        ({"a": [{"anything-but": []}]}, "Inside anything but list, either all values are number or string, mixed type is not supported"),
        ({"a": [{"anything-but": ["x", 1]}]}, "Inside anything but list, either all values are number or string, mixed type is not supported"),
        ({"a": [{"anything-but": [None]}]}, "Inside anything but list, start|null|boolean is not supported."),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed"),
        ({"a": [{"anything-but": {"numeric": [">", 1]}}]}, "Unsupported anything-but pattern: numeric"),
        ({"a": [{"wildcard": "a**b"}]}, "Consecutive wildcard characters at pos 2"),
        ({"a": [{"wildcard": "a\\b"}]}, "Invalid escape character at pos 2"),
        ({"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}, "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
        ({"a": [{"cidr": "10.0.0.0/33"}]}, "IPv4 mask bits must be < 32"),
        ({"a": [{"cidr": "bad/8"}]}, "Nonstandard IP address: bad"),
        ({"$or": {"a": [1]}}, "It must be an Array followed with $or."),
        ({"$or": [{"a": [1]}]}, "There must have at least 2 Objects in $or relationship."),
        ({"$or": [{"a": [1]}, 2]}, "Only JSON object is allowed in array of $or relationship."),
        ({"$or": [{"prefix": ["x"]}, {"a": [1]}]}, "prefix is Ruler reserved fieldName which cannot be used inside $or."),
        ({"a": {"$or": [{str(n): [1]} for n in range(40)]}, "b": {"$or": [{str(n): [1]} for n in range(40)]}}, "1600 combinations of $or: at most 1000 are allowed"),
    ],
)  # fmt: skip
def test_patterns_that_are_refused(pattern, reason):
    with pytest.raises(InvalidPattern) as caught:
        Pattern(json.dumps(pattern))
    assert str(caught.value) == reason


def test_a_wildcard_escapes():
    assert matches({"a": [{"wildcard": "1\\*2\\\\*"}]}, {"a": "1*2\\anything"})
    assert not matches({"a": [{"wildcard": "1\\*2"}]}, {"a": "1x2"})


# A second opinion, as different from the sandbox's as can be: it looks up each path of the pattern in the event, where
# the sandbox flattens the event; it has no arrays of objects.
def opinion(pattern: dict[str, Any], event: Any) -> bool:
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(opinion(branch, event) for branch in wanted):
                return False
        elif isinstance(wanted, dict):
            if not opinion(wanted, event.get(name, {}) if isinstance(event, dict) else {}):
                return False
        else:
            found = event.get(name) if isinstance(event, dict) and name in event else []
            values = found if isinstance(found, list) else [] if isinstance(found, dict) else [found]
            if not any(holds(item, values) for item in wanted):
                return False
    return True


def holds(item: Any, values: list[Any]) -> bool:
    if not isinstance(item, dict):
        return any(json.dumps(value) == json.dumps(item) for value in values)
    ((operator, operand),) = item.items()
    if operator == "exists":
        return bool(values) is operand
    if operator == "anything-but":
        inner = operand if isinstance(operand, dict) else None
        return any(not holds(inner, [value]) if inner else not holds(operand, [value]) for value in values)
    texts = [value for value in values if isinstance(value, str)]
    if operator == "prefix":
        return any(text[: len(operand)] == operand for text in texts)
    if operator == "suffix":
        return any(text[max(len(text) - len(operand), 0) :] == operand for text in texts)
    if operator == "equals-ignore-case":
        return any(text.upper() == operand.upper() for text in texts)
    if operator == "wildcard":
        return any(fnmatch.fnmatchcase(text, operand) for text in texts)
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    low, high = operand[1], operand[3]
    return any(low < number <= high for number in numbers)


NAMES = st.sampled_from("abc")
TEXTS = st.text("xyZ", max_size=3)
SCALARS = st.one_of(TEXTS, st.integers(-3, 3), st.booleans(), st.none())
EVENTS = st.recursive(
    st.dictionaries(NAMES, st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=3),
    lambda inner: st.dictionaries(NAMES, st.one_of(SCALARS, inner), max_size=3),
    max_leaves=4,
)
OPERATORS = st.one_of(
    SCALARS,
    st.builds(lambda value: {"exists": value}, st.booleans()),
    st.builds(lambda name, value: {name: value}, st.sampled_from(["prefix", "suffix", "equals-ignore-case"]), TEXTS),
    st.builds(lambda left, right: {"wildcard": f"{left}*{right}"}, TEXTS, TEXTS),
    st.builds(lambda low, size: {"numeric": [">", low, "<=", low + size]}, st.integers(-3, 2), st.integers(1, 3)),
    st.builds(lambda value: {"anything-but": value}, st.one_of(TEXTS, st.integers(-3, 3))),
    st.builds(lambda value: {"anything-but": {"prefix": value}}, st.text("xyZ", min_size=1, max_size=2)),
)
LEAVES = st.lists(OPERATORS, min_size=1, max_size=3)
PATTERNS = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=2),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, st.one_of(LEAVES, inner), min_size=1, max_size=2),
        st.builds(lambda first, second: {"$or": [first, second]}, inner, inner),
    ),
    max_leaves=5,
)


@given(PATTERNS, EVENTS)
def test_random_patterns_against_a_second_opinion(pattern, event):
    assert matches(pattern, event) == opinion(pattern, event)
