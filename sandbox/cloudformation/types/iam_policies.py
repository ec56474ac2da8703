"""AWS::IAM::ManagedPolicy and AWS::IAM::Policy (inline), on roles, users and groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, changed, picked
from sandbox.cloudformation.types.policies import document, without
from sandbox.cloudformation.work import Work

_HOLDERS = {"Roles": ("role", "RoleName"), "Users": ("user", "UserName"), "Groups": ("group", "GroupName")}
# IAM quotas: a managed policy has at most five versions.
_MOST_VERSIONS = 5


def _holders(properties: Properties) -> Iterator[tuple[str, str]]:
    """("Roles", name) for each principal that the policy is on."""
    for property_name in _HOLDERS:
        for holder in properties.get(property_name, []):
            yield property_name, holder


class ManagedPolicy(Handler):
    type = "AWS::IAM::ManagedPolicy"
    name = "ManagedPolicyName"
    attributes = ("PolicyArn", "PolicyId")
    handled = dict.fromkeys(["Description", "ManagedPolicyName", "Path", "PolicyDocument", *_HOLDERS])

    def create(self, work: Work, wanted: Properties) -> None:
        iam, name = work.client("iam"), wanted.get("ManagedPolicyName") or work.generated_name(128)
        given = picked(wanted, "Description", "Path")
        text = document(wanted["PolicyDocument"])
        made = work.once(
            lambda: iam.create_policy(PolicyName=name, PolicyDocument=text, **given), "EntityAlreadyExists"
        )
        if made is None:
            path = wanted.get("Path", "/")
            made = iam.get_policy(PolicyArn=work.arn("iam", f"policy{path}{name}", global_=True))
        policy = made["Policy"]
        work.made(policy["Arn"], PolicyArn=policy["Arn"], PolicyId=policy["PolicyId"])
        self._attach(iam, policy["Arn"], {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        iam, arn = work.client("iam"), work.physical_id
        if old["PolicyDocument"] != new["PolicyDocument"]:
            self._make_room(iam, arn)
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(new["PolicyDocument"]), SetAsDefault=True)
        self._attach(iam, arn, old, new)

    def delete(self, work: Work, held: Properties) -> None:
        iam, arn = work.client("iam"), work.physical_id
        self._attach(iam, arn, held, {})
        for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)

    def _make_room(self, iam: Any, arn: str) -> None:
        versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
        if len(versions) >= _MOST_VERSIONS:
            oldest = min(
                (item for item in versions if not item["IsDefaultVersion"]), key=lambda item: item["CreateDate"]
            )
            iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])

    def _attach(self, iam: Any, arn: str, old: Properties, new: Properties) -> None:
        before, after = set(_holders(old)), set(_holders(new))
        for kind, holder in sorted(after - before):
            _on(iam, "attach_{}_policy", kind, holder)(PolicyArn=arn)
        for kind, holder in sorted(before - after):
            without(_on(iam, "detach_{}_policy", kind, holder), PolicyArn=arn)


class Policy(Handler):
    """Has no ARN; its physical id is a name of CloudFormation's, and a change of its own name makes no new resource."""

    type = "AWS::IAM::Policy"
    handled = dict.fromkeys(["PolicyName", "PolicyDocument", *_HOLDERS])

    def create(self, work: Work, wanted: Properties) -> None:
        work.made(work.generated_name(64))
        self.update(work, {}, wanted)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        iam = work.client("iam")
        rewritten = any(name in ("PolicyName", "PolicyDocument") for name in changed(old, new))
        for kind, holder in _holders(new):
            if rewritten or (kind, holder) not in _holders(old):
                text = document(new["PolicyDocument"])
                _on(iam, "put_{}_policy", kind, holder)(PolicyName=new["PolicyName"], PolicyDocument=text)
        for kind, holder in _holders(old):
            if (kind, holder) not in _holders(new) or old["PolicyName"] != new["PolicyName"]:
                without(_on(iam, "delete_{}_policy", kind, holder), PolicyName=old["PolicyName"])

    def delete(self, work: Work, held: Properties) -> None:
        for kind, holder in _holders(held):
            without(_on(work.client("iam"), "delete_{}_policy", kind, holder), PolicyName=held["PolicyName"])


def _on(iam: Any, operation: str, kind: str, holder: str) -> Callable[..., Any]:
    word, argument = _HOLDERS[kind]

    def call(**more: Any) -> Any:
        return getattr(iam, operation.format(word))(**{argument: holder}, **more)

    return call
