"""What CloudFormation would make of the template: its functions resolved, with plausible names for what it makes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from account.package import package

GONE = object()  # AWS::NoValue
packaged = cache(package)


@dataclass
class Resolved:
    """The template of one stack. parameters: those that differ from their defaults."""

    parameters: dict[str, str] = field(default_factory=dict)
    partition: str = "aws"
    region: str = "us-east-1"
    account: str = "123456789012"

    def __post_init__(self) -> None:
        self.template = json.loads(packaged())
        defaults = {name: form.get("Default", "") for name, form in self.template["Parameters"].items()}
        self.values = defaults | self.parameters
        self.conditions = {name: self.of(node) for name, node in self.template["Conditions"].items()}
        self.resources = {
            name: self.of(resource)
            for name, resource in self.template["Resources"].items()
            if self.conditions.get(resource.get("Condition"), True)
        }

    def of(self, node: Any) -> Any:
        """A node with its functions resolved."""
        if isinstance(node, list):
            return [value for value in map(self.of, node) if value is not GONE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name == "Ref" or name.startswith("Fn::"):
                return getattr(self, f"_{name.removeprefix('Fn::').lower()}")(argument)
        return {key: value for key, value in ((k, self.of(v)) for k, v in node.items()) if value is not GONE}

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": GONE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.values:
            value = self.values[name]
            is_list = self.template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return value.split(",") if is_list else value
        kind, properties = (self.template["Resources"][name][key] for key in ("Type", "Properties"))
        if kind == "AWS::IAM::ManagedPolicy":
            path = f"policy{self.values['RolePath']}{properties['ManagedPolicyName']}"
            return f"arn:{self.partition}:iam::{self.account}:{path}"
        return f"mlops-account-{name.lower()}-0123456789ab"

    def _getatt(self, argument: list[str]) -> str:
        name, kind = argument[0], self.template["Resources"][argument[0]]["Type"]
        place = f"{self.region}:{self.account}"
        forms = {
            "AWS::KMS::Key": f"kms:{place}:key/01234567-0123-0123-0123-0123456789ab",
            "AWS::S3::Bucket": f"s3:::{self._ref(name)}",
            "AWS::Lambda::Function": f"lambda:{place}:function:mlops-account-register",
            "AWS::Logs::LogGroup": f"logs:{place}:log-group:/aws/lambda/mlops-account-register:*",
            "AWS::IAM::Role": f"iam::{self.account}:role{self.values['RolePath']}{name}",
        }
        assert argument[1] == "Arn"
        return f"arn:{self.partition}:{forms[kind]}"

    def _sub(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            return str(self._getatt([name, attribute]) if attribute else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)

    def _if(self, argument: list[Any]) -> Any:
        return self.of(argument[1 if self.conditions[argument[0]] else 2])

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(self.of(argument[1]))

    def _findinmap(self, argument: list[str]) -> str:
        first, second, third = argument
        return str(self.template["Mappings"][first][second][third])

    def _equals(self, argument: list[Any]) -> bool:
        return bool(self.of(argument[0]) == self.of(argument[1]))

    def _not(self, argument: list[Any]) -> bool:
        return not self.of(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(map(self.of, argument))
