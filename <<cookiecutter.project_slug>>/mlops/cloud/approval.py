"""Approving and rejecting a version: what is known before it, and what follows from it.

Who may is AWS's to say: the account's policy `mlops-approver` allows it in the groups of production.
"""

from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from mlops import aws
from mlops.cloud.stored_json import Stored, metric_values
from mlops.cloud.version_table import APPROVAL, DATASET, moment, short_commit
from mlops.cloud.versions import COMPLETED, Registry, Version
from mlops.laptop.plain_text import one_line
from mlops.problem import Problem

ERRORS = (ClientError, BotoCoreError)
POLICY = "mlops-approver"
WHO = 140  # characters: of a session and its role, 64 each (IAM API, "RoleSessionName", "RoleName")
LONGEST_REASON = 1024  # characters (UpdateModelPackage, ApprovalDescription)

Status = Literal["Approved", "Rejected"]


@dataclass(frozen=True)
class Decision:
    """What somebody is about to decide. `approved`: the last two approved versions, the current one first."""

    status: Status
    reason: str
    version: Version
    approved: list[Version]

    @property
    def made_before(self) -> bool:
        """Whether it is decided like that already. Another edit would only emit another event."""
        return self.version.approval == self.status

    @property
    def current(self) -> Version | None:
        """The current version of the group."""
        return self.approved[0] if self.approved else None

    @property
    def is_current(self) -> bool:
        """Whether it is about the current version itself."""
        return self.current is not None and self.current.number == self.version.number

    @property
    def beside(self) -> list[Version]:
        """The versions to look at: the current one, where that is another, and the one in question."""
        return [*([] if self.is_current else self.approved[:1]), self.version]

    def question(self) -> str:
        """Return what to ask."""
        verb = {"Approved": "Approve", "Rejected": "Reject"}[self.status]
        return f"{verb} version {self.version.number} of {self.version.group.name}?"

    def consequence(self) -> str:
        """Return what follows, in a sentence."""
        group = self.version.group.name
        if self.status == "Approved":
            if self.current and self.current.number > self.version.number:
                newer = f"The current version of {group} stays {self.current.number}, which is newer"
                return f"{newer}: to go back to {self.version.number}, reject {self.current.number}."
            instead = f" instead of {self.current.number}" if self.current else ""
            return f"It becomes the current version of {group}{instead}."
        if not self.is_current:
            return f"The current version of {group} stays {self.current.number if self.current else 'none'}."
        if len(self.approved) > 1:
            return (
                f"It is approved now, and the current version of {group}. Version {self.approved[1].number}, approved "
                "before it, becomes the current one again: that is what is deployed then."
            )
        return f"It is approved now, and {group} has no other approved version: there is none to go back to."


def prepare(registry: Registry, version: Version, status: Status, reason: str) -> Decision:
    """Look at what there is to decide, changing nothing.

    Raises:
        Problem: it cannot be decided, or the reason is too long.
    """
    reason = " ".join(reason.split())  # a line break is not in the pattern of ApprovalDescription
    if len(reason) > LONGEST_REASON:
        raise Problem(f"--reason has {len(reason)} characters; SageMaker takes {LONGEST_REASON}")
    name = f"version {version.number} of {version.group.name}"
    if version.status != COMPLETED:
        done = {"Approved": "approved", "Rejected": "rejected"}[status]
        raise Problem(f"{name} is {version.status}, not {COMPLETED}: it cannot be {done}")
    return Decision(status, reason, version, registry.approved(version.group, 2))


def carry_out(registry: Registry, decision: Decision) -> Version:
    """Write the decision down, and return the version as it is then.

    Raises:
        Problem: somebody decided meanwhile, these credentials may not, or AWS refused.
    """
    before, client = decision.version, aws.client("sagemaker", registry.project.region)
    now = registry.version(before.group, before.number)
    if (now.approval, now.reason) != (before.approval, before.reason):
        who = f" by {now.changed_by}" if now.changed_by else ""
        raise Problem(f"version {now.number} was {APPROVAL[now.approval]} meanwhile{who}; nothing was changed")
    request: dict[str, Any] = {"ModelPackageArn": before.arn, "ModelApprovalStatus": decision.status}
    if decision.reason or before.reason:  # the reason of an earlier decision is none for this one
        request["ApprovalDescription"] = decision.reason
    try:
        client.update_model_package(**request)
    except ERRORS as error:
        if aws.code(error) in aws.ACCESS_DENIED:
            raise Problem(_not_allowed(before, error)) from None
        if not aws.took_effect_perhaps(error):
            raise Problem(aws.explain(error)) from None
        now = registry.version(before.group, before.number)
        if now.approval != decision.status:
            raise Problem(aws.explain(error)) from None
        return now
    return registry.version(before.group, before.number)


def _not_allowed(version: Version, error: Exception) -> str:
    answer = error.response["Error"].get("Message", "") if isinstance(error, ClientError) else ""
    why = one_line(answer, 300).rstrip(".")
    return (
        f"you may not approve or reject in {version.group.name} ({why}); ask an administrator of the account for the "
        f"policy {POLICY}, or an approver to decide"
    )


def facts(versions: list[Version]) -> list[list[str]]:
    """Return what to know of versions beside each other, as rows."""
    return [
        ["commit", *(one_line(short_commit(version.metadata.get("commit", "")), 60) for version in versions)],
        ["branch", *(one_line(version.metadata.get("branch", ""), 60) for version in versions)],
        ["data", *(one_line(version.metadata.get("dataset_version", "")[:DATASET], 60) for version in versions)],
        ["trained by", *(one_line(version.registered_by, WHO) for version in versions)],
        ["registered", *(moment(version.created) for version in versions)],
    ]


def metrics_of(version: Version, lineage: Stored) -> dict[str, float]:
    """Return the metrics that the lineage holds; where it cannot be read, the main one that the registry keeps."""
    name, text = version.metric
    try:
        noted = {name: float(text)} if name else {}
    except ValueError:
        noted = {}
    return noted | metric_values(lineage.content)


def as_json(decision: Decision, version: Version) -> dict[str, Any]:
    """Return what came of it, for programs."""
    return {
        "group": version.group.name,
        "version": version.number,
        "arn": version.arn,
        "was": decision.version.approval,
        "approval": version.approval,
        "reason": version.reason or None,
        "changed": not decision.made_before,
        "changed_by": version.changed_by or None,
    }
