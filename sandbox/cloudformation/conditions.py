"""Conditions and rules: what is true of the parameters.

Source: User Guide, "Condition functions", "Rule-specific intrinsic functions", "Rules section".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloudformation.errors import invalid, lacking
from sandbox.cloudformation.functions import Functions
from sandbox.cloudformation.references import RULE_FUNCTIONS, function_of
from sandbox.cloudformation.template import Template

_MOST_OPERANDS = 10


@dataclass
class Conditions:
    """Evaluates a template's conditions, each once."""

    template: Template
    functions: Functions
    _known: dict[str, bool] = field(default_factory=dict)

    def all(self) -> dict[str, bool]:
        return {name: self.named(name) for name in self.template.conditions}

    def named(self, name: str) -> bool:
        if name not in self._known:
            self._known[name] = self.holds(self.template.conditions[name])
            self.functions.conditions = self._known
        return self._known[name]

    def holds(self, node: Any) -> bool:
        if isinstance(node, dict) and set(node) == {"Condition"}:
            return self.named(node["Condition"])
        called = function_of(node)
        if called is None:
            raise invalid(
                "Template format error: Conditions can only be boolean operations on parameters and other conditions"
            )
        name, arguments = called
        operands = arguments if isinstance(arguments, list) else []
        if name == "Fn::Equals" and len(operands) == 2:
            first, second = map(self._value, operands)
            return _same(first, second)
        if name == "Fn::Not" and len(operands) == 1:
            return not self.holds(operands[0])
        if name in ("Fn::And", "Fn::Or") and 2 <= len(operands) <= _MOST_OPERANDS:
            held = map(self.holds, operands)
            return all(held) if name == "Fn::And" else any(held)
        raise invalid(f"Template error: every {name} object requires a list of {_operands(name)}")

    def _value(self, node: Any) -> Any:
        called = function_of(node)
        if called is not None and called[0] == "Fn::If":
            condition, *branches = called[1]
            return self._value(branches[0] if self.named(condition) else branches[1])
        return self.functions.value(node)


def _operands(name: str) -> str:
    return {"Fn::Equals": "2 string parameters", "Fn::Not": "1 condition"}.get(
        name, f"2 to {_MOST_OPERANDS} conditions"
    )


def _same(first: Any, second: Any) -> bool:
    return bool(_text(first) == _text(second))


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


class Rules(Conditions):
    """A template's rules. Fn::RefAll, ValueOf and ValueOfAll ask EC2 and others, and are not here."""

    def check(self) -> None:
        """Raises AwsError with all assertions that do not hold."""
        broken = [told for name, rule in self.template.section("Rules").items() for told in self._broken(name, rule)]
        if broken:
            raise invalid("Template error: rules are not satisfied: " + "; ".join(broken))

    def _broken(self, name: str, rule: Mapping[str, Any]) -> list[str]:
        unknown = sorted(set(rule) - {"RuleCondition", "Assertions"})
        if unknown or not isinstance(rule.get("Assertions"), list):
            raise invalid(f"Template format error: [/Rules/{name}] a rule holds Assertions and may hold RuleCondition")
        if "RuleCondition" in rule and not self.holds(rule["RuleCondition"]):
            return []
        return [
            f"{name}: {assertion.get('AssertDescription', 'assertion failed')}"
            for assertion in rule["Assertions"]
            if not self.holds(assertion["Assert"])
        ]

    def holds(self, node: Any) -> bool:
        called = function_of(node)
        name = called[0].removeprefix("Fn::") if called else "Condition"
        if name not in RULE_FUNCTIONS:
            raise invalid(
                f"Template error: {name} is no rule-specific intrinsic function; they are {', '.join(RULE_FUNCTIONS)}"
            )
        if name in ("RefAll", "ValueOf", "ValueOfAll"):
            raise lacking(f"the rule function Fn::{name}")
        if not name.startswith(("Contains", "EachMember")):
            return super().holds(node)
        first, second = map(self._value, called[1] if called else [])
        if name == "Contains":
            return any(_same(second, item) for item in first)
        if name == "EachMemberEquals":
            return all(_same(item, second) for item in first)
        return all(any(_same(item, allowed) for allowed in second) for item in first)
