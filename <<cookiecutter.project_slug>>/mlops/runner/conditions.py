"""Which way a condition step goes: all its conditions must hold."""

from collections.abc import Callable
from typing import Any

from mlops.problem import Problem

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}
PAIR = {"LeftValue", "RightValue"}
MEMBERS = {
    "Equals": PAIR,
    **dict.fromkeys(ORDER, PAIR),
    "In": {"QueryValue", "Values"},
    "Not": {"Condition"},  # the service refuses "Expression", which SDKs once sent (sagemaker-python-sdk, issue 2746)
    "Or": {"Conditions"},
}


def check(step: str, condition: dict[str, Any]) -> None:
    """Look at a condition before anything runs.

    Raises:
        Problem: it is of a type that cannot be followed here, or does not have what its type has.
    """
    kind = condition.get("Type")
    if kind not in MEMBERS:
        raise Problem(
            f"step {step} has a condition of the type {kind}, which cannot be followed here; "
            f"there are: {', '.join(MEMBERS)}"
        )
    if set(condition) != MEMBERS[kind] | {"Type"}:
        raise Problem(f"step {step} has a condition {kind} with {', '.join(condition)}; it must have {_listed(kind)}")
    for part in [condition["Condition"]] if kind == "Not" else condition["Conditions"] if kind == "Or" else []:
        check(step, part)


def holds(condition: dict[str, Any]) -> bool:
    """Tell whether a condition, its values resolved, is true.

    Raises:
        Problem: it compares what has no order.
    """
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"])
    if kind == "Or":
        return any(holds(part) for part in condition["Conditions"])
    if kind == "In":
        return any(_same(condition["QueryValue"], value) for value in condition["Values"])
    left, right = condition["LeftValue"], condition["RightValue"]
    if kind == "Equals":
        return _same(left, right)
    if _sort(left) != _sort(right) or _sort(left) not in {"text", "number"}:
        raise Problem(f"a condition compares {left!r} with {right!r}, which cannot be compared")
    return ORDER[kind](left, right)


def _same(left: Any, right: Any) -> bool:
    return _sort(left) == _sort(right) and bool(left == right)


def _sort(value: Any) -> str:
    """Return the sort of a value as JSON has it: to Python, True is 1."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def _listed(kind: str) -> str:
    return " and ".join(["Type", *sorted(MEMBERS[kind])])
