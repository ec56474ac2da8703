"""What a template may only do where its deployer acknowledges it.

Source: API Reference, CreateStack, Capabilities; User Guide, "Acknowledging IAM resources in CloudFormation templates".
"""

from __future__ import annotations

from sandbox.cloudformation.template import Template
from sandbox.errors import AwsError

_NAMES = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_IAM = (*_NAMES, "AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition")
NAMED = "CAPABILITY_NAMED_IAM"


def required(template: Template) -> list[str]:
    """[], [CAPABILITY_IAM] or [CAPABILITY_NAMED_IAM], whatever the conditions are."""
    types = {name: template.type_of(name) for name in template.resources}
    if any(_NAMES.get(kind) in template.properties(name) for name, kind in types.items() if kind in _NAMES):
        return [NAMED]
    return ["CAPABILITY_IAM"] if any(kind in _IAM for kind in types.values()) else []


def reason(template: Template) -> str:
    kinds = sorted({template.type_of(name) for name in template.resources} & set(_IAM))
    return f"The following resource(s) require capabilities: [{', '.join(kinds)}]"


def check(template: Template, given: list[str]) -> None:
    """CAPABILITY_NAMED_IAM holds CAPABILITY_IAM. Raises InsufficientCapabilitiesException."""
    wanted = required(template)
    if wanted and NAMED not in given and wanted[0] not in given:
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{wanted[0]}]")
