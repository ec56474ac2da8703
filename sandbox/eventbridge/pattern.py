"""EventBridge's pattern language: reading a pattern, and matching an event with it.

Sources: EventBridge User Guide, "Amazon EventBridge event patterns" and "Comparison operators"; and AWS's own engine,
github.com/aws/event-ruler: JsonRuleCompiler for what is refused and in which words, Event and ArrayMembership for how
arrays are matched.

A pattern becomes alternatives (one, without `$or`): each maps the path of a leaf to the tests of which one must hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.eventbridge.comparison import ABSENT, InvalidPattern, Number, Test, Value, test_of

_OR = "$or"
# event-ruler, Constants: operators, and words kept for later ones.
_RESERVED_INSIDE_OR = {
    *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr"),
    *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after"),
    *("date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range"),
}
# User Guide, "Using $or in event patterns": more combinations of conditions are refused.
_MOST_ALTERNATIVES = 1000

Alternative = dict[str, list[Test]]


@dataclass(frozen=True)
class Leaf:
    """A scalar of an event. place: for each array above it, which array and which of its elements."""

    value: Value
    place: Mapping[int, int]


def read_json(text: str) -> Any:
    """JSON whose numbers stay as they are written. Raises ValueError."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse)


class Pattern:
    """A pattern that AWS would accept. Raises InvalidPattern with AWS's reason."""

    def __init__(self, text: str) -> None:
        try:
            pattern = read_json(text)
        except ValueError as error:
            raise InvalidPattern(f"Filter is not valid JSON: {error}") from error
        if not isinstance(pattern, dict):
            raise InvalidPattern("Filter is not an object")
        self._alternatives = _object(pattern, (), [{}], inside_or=False)

    def matches(self, event: str) -> bool:
        """event: a JSON object. Raises ValueError."""
        leaves: dict[str, list[Leaf]] = {}
        arrays = iter(range(1 << 62))
        for path, leaf in _leaves(read_json(event), (), {}, arrays):
            leaves.setdefault(path, []).append(leaf)
        return any(_satisfied(sorted(alternative.items()), leaves, {}) for alternative in self._alternatives)


def _object(
    pattern: dict[str, Any], path: tuple[str, ...], rules: list[Alternative], inside_or: bool
) -> list[Alternative]:
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    for name, value in pattern.items():
        if name == _OR:
            rules = _either(value, path, rules)
        elif inside_or and name in _RESERVED_INSIDE_OR:
            raise InvalidPattern(f"{name} is Ruler reserved fieldName which cannot be used inside {_OR}.")
        elif isinstance(value, dict):
            rules = _object(value, (*path, name), rules, inside_or)
        elif isinstance(value, list):
            tests = [test_of(item) for item in value]
            if not tests:
                raise InvalidPattern("Empty arrays are not allowed")
            rules = [{**rule, ".".join((*path, name)): tests} for rule in rules]
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')
    return rules


def _either(branches: Any, path: tuple[str, ...], rules: list[Alternative]) -> list[Alternative]:
    if not isinstance(branches, list):
        raise InvalidPattern(f"It must be an Array followed with {_OR}.")
    if not all(isinstance(branch, dict) for branch in branches):
        raise InvalidPattern(f"Only JSON object is allowed in array of {_OR} relationship.")
    if len(branches) < 2:
        raise InvalidPattern(f"There must have at least 2 Objects in {_OR} relationship.")
    found = [rule for branch in branches for rule in _object(branch, path, rules, inside_or=True)]
    if len(found) > _MOST_ALTERNATIVES:
        raise InvalidPattern(f"{len(found)} combinations of {_OR}: at most {_MOST_ALTERNATIVES} are allowed")
    return found


def _leaves(
    value: Any, path: tuple[str, ...], place: dict[int, int], arrays: Iterator[int]
) -> Iterator[tuple[str, Leaf]]:
    """Objects and arrays are no leaves themselves: an empty one is as if it were not there."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, name), place, arrays)
    elif isinstance(value, list):
        array = next(arrays)
        for index, item in enumerate(value):
            scalar = not isinstance(item, (dict, list))
            yield from _leaves(item, path, place if scalar else {**place, array: index}, arrays)
    else:
        yield ".".join(path), Leaf(value, place)


def _satisfied(wanted: list[tuple[str, list[Test]]], leaves: Mapping[str, list[Leaf]], place: dict[int, int]) -> bool:
    """Whether the rest of an alternative holds, with leaves of one element of each array (event-ruler, README, "Arrays
    and consistency")."""
    if not wanted:
        return True
    (path, tests), rest = wanted[0], wanted[1:]
    found = leaves.get(path, [])
    if not found:
        return any(test is ABSENT for test in tests) and _satisfied(rest, leaves, place)
    return any(
        _satisfied(rest, leaves, {**place, **leaf.place})
        for leaf in found
        if all(place.get(array, index) == index for array, index in leaf.place.items())
        and any(test(leaf.value) for test in tests)
    )
