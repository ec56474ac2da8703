"""One value of a pattern as a test: equality, or one of EventBridge's comparison operators.

Sources: EventBridge User Guide, "Comparison operators for use in event patterns"; github.com/aws/event-ruler,
JsonRuleCompiler (what is refused, in which words), ByteMachine and README (what matches).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any


class InvalidPattern(Exception):
    """AWS's reason for refusing a pattern."""


@dataclass(frozen=True)
class Number:
    """A JSON number as it is written."""

    text: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.text)


Value = str | Number | bool | None
Test = Callable[[Value], bool]

# User Guide, "Numeric matching": numbers in a pattern are limited to this, with 15 digits of precision.
_LARGEST = Decimal("5.0e9")
# More wildcards in one value are refused as too complex. AWS measures the complexity of all rules together and does not
# document its bound; six wildcards that are followed by the same character are known to be refused.
_MOST_WILDCARDS = 4


def ABSENT(value: Value) -> bool:  # noqa: N802 - compared by identity, as a constant
    """`{"exists": false}`: no leaf satisfies it, only the lack of one."""
    return False


def test_of(wanted: Any) -> Test:
    """What an element of a pattern's array asks of a leaf. Raises InvalidPattern."""
    if isinstance(wanted, dict):
        return _operator(wanted)
    if isinstance(wanted, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    return lambda value: _equal(value, wanted)


def _equal(value: Value, wanted: Value) -> bool:
    """Numbers are equal by value: AWS's documentation says by their characters, its engine matches 300.0 with 300."""
    if isinstance(value, Number) and isinstance(wanted, Number):
        return value.value == wanted.value
    return type(value) is type(wanted) and value == wanted


def _operator(expression: dict[str, Any]) -> Test:
    name, operand = _only(expression, "Match expression name not found")
    reader = _OPERATORS.get(name)
    if reader is None:
        raise InvalidPattern(f"Unrecognized match type {name}")
    return reader(operand)


def _only(expression: dict[str, Any], if_none: str) -> tuple[str, Any]:
    if not expression:
        raise InvalidPattern(if_none)
    if len(expression) > 1:
        raise InvalidPattern("Only one key allowed in match expression")
    return next(iter(expression.items()))


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InvalidPattern(f"{what} match pattern must be a string")
    return value


def _on_text(test: Callable[[str], bool]) -> Test:
    return lambda value: isinstance(value, str) and test(value)


def _edge(name: str, test: Callable[[str, str], bool]) -> Callable[[Any], Test]:
    """prefix and suffix, and both with equals-ignore-case inside."""

    def read(operand: Any) -> Test:
        if isinstance(operand, dict):
            inner, operand = _only(operand, f"{name.capitalize()} expression name not found")
            if inner != "equals-ignore-case":
                raise InvalidPattern(f"Unsupported {name} pattern: {inner}")
            wanted = _text(operand, "equals-ignore-case").lower()
            return _on_text(lambda value: test(value.lower(), wanted))
        exact = _text(operand, name)
        return _on_text(lambda value: test(value, exact))

    return read


def _equals_ignore_case(operand: Any) -> Test:
    wanted = _text(operand, "equals-ignore-case").lower()
    return _on_text(lambda value: value.lower() == wanted)


def _wildcard(operand: Any) -> Test:
    """A backslash makes the next asterisk or backslash an ordinary character (event-ruler, WildcardParser)."""
    text, expression, position, wildcards = _text(operand, "wildcard"), "", 0, 0
    while position < len(text):
        pair, position = text[position : position + 2], position + 1
        if pair == "**":
            raise InvalidPattern(f"Consecutive wildcard characters at pos {position}")
        if pair in ("\\*", "\\\\"):
            expression, position = expression + re.escape(pair[1]), position + 1
        elif pair[0] == "\\":
            raise InvalidPattern(f"Invalid escape character at pos {position}")
        else:
            wildcards += pair[0] == "*"
            expression += ".*" if pair[0] == "*" else re.escape(pair[0])
    if wildcards > _MOST_WILDCARDS:
        raise InvalidPattern(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a "
            "wildcard character"
        )
    compiled = re.compile(expression, re.DOTALL)
    return _on_text(lambda value: compiled.fullmatch(value) is not None)


def _exists(operand: Any) -> Test:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return (lambda value: True) if operand else ABSENT


def _cidr(operand: Any) -> Test:
    text = _text(operand, "prefix")  # AWS's word, for cidr too
    address, slash, bits = text.partition("/")
    if not slash or "/" in bits:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[0-9]+", bits):
        raise InvalidPattern("Malformed CIDR, mask bits must be an integer")
    try:
        version = ip_address(address).version
    except ValueError as error:
        raise InvalidPattern(f"Nonstandard IP address: {address}") from error
    longest = 32 if version == 4 else 128
    if int(bits) >= longest:
        raise InvalidPattern(f"IPv{version} mask bits must be < {longest}")
    network = ip_network(text, strict=False)

    def inside(value: str) -> bool:
        try:
            return ip_address(value) in network
        except ValueError:
            return False

    return _on_text(inside)


_COMPARE: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}


def _numeric(operand: Any) -> Test:
    """One comparison, or a range: first > or >=, then < or <=."""
    if not isinstance(operand, list):
        raise InvalidPattern("Value of numeric must be an array.")
    if not operand or not isinstance(operand[0], str):
        raise InvalidPattern(f"Invalid member in numeric match: {operand[0] if operand else ']'}")
    if operand[0] not in _COMPARE:
        raise InvalidPattern(f"Unrecognized numeric range operator: {operand[0]}")
    terms = [(operand[0], _bound(operand, 0))]
    if len(operand) > 2:
        if operand[0] not in (">", ">="):
            raise InvalidPattern("Too many elements in numeric expression")
        if not isinstance(operand[2], str):
            raise InvalidPattern(f"Bad value in numeric range: {operand[2]}")
        if operand[2] not in ("<", "<="):
            raise InvalidPattern(f"Bad numeric range operator: {operand[2]}")
        terms.append((operand[2], _bound(operand, 2)))
        if len(operand) > 4:
            raise InvalidPattern("Too many terms in numeric range expression")
        if terms[0][1] >= terms[1][1]:
            raise InvalidPattern("Bottom must be less than top")
    return lambda value: isinstance(value, Number) and all(_COMPARE[sign](value.value, bound) for sign, bound in terms)


def _bound(operand: list[Any], at: int) -> Decimal:
    bound = operand[at + 1] if len(operand) > at + 1 else None
    if not isinstance(bound, Number):
        raise InvalidPattern(f"Value of {'equals' if operand[at] == '=' else operand[at]} must be numeric")
    if abs(bound.value) > _LARGEST:
        raise InvalidPattern("Value must be between -5.0E9 and 5.0E9, inclusive")
    return bound.value


def _anything_but(operand: Any) -> Test:
    """Every value that is not one of those; of whatever type, but there must be one."""
    if isinstance(operand, dict):
        name, inner = _only(operand, "Anything-But expression name not found")
        if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise InvalidPattern(f"Unsupported anything-but pattern: {name}")
        if not isinstance(inner, (list, str, Number)):
            raise InvalidPattern(_NO_VALUES)
        values = inner if isinstance(inner, list) else [inner]
        if name in ("prefix", "suffix") and (not values or "" in values):
            raise InvalidPattern("Null prefix/suffix not allowed")
        if not values or not all(isinstance(value, str) for value in values):
            raise InvalidPattern(_NOT_TEXT.get(name, "prefix/suffix match pattern must be a string"))
        tests = [_OPERATORS[name](value) for value in values]
        return lambda value: not any(test(value) for test in tests)
    values = operand if isinstance(operand, list) else [operand]
    if not isinstance(operand, (list, str, Number)):
        raise InvalidPattern(_NO_VALUES)
    if not all(isinstance(value, (str, Number)) for value in values):
        raise InvalidPattern("Inside anything but list, start|null|boolean is not supported.")
    if len({type(value) for value in values}) != 1:
        raise InvalidPattern(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    return lambda value: not any(_equal(value, unwanted) for unwanted in values)


_NO_VALUES = "Value of anything-but must be an array or single string/number value."
_NOT_TEXT = {
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    "wildcard": "wildcard match pattern must be a string",
}
_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _edge("prefix", str.startswith),
    "suffix": _edge("suffix", str.endswith),
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "exists": _exists,
    "cidr": _cidr,
    "numeric": _numeric,
    "anything-but": _anything_but,
}
