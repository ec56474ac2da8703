"""`make account-remove`: the stack goes; files go only when they are told to.

The bucket and the key go before the stack: while it is there, it remembers which they are, and an interrupted removal
can be taken up again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from account import aws
from account.problem import Problem
from account.stack import NAME, Stack, delete, first_failure, follow, look, resources
from account.terminal import confirmed, doing, interactive, say, table

WAITING_DAYS = 30  # until KMS deletes the key for ever, the longest; API Reference, ScheduleKeyDeletion
BATCH = 1000  # the most that DeleteObjects takes
PROJECT_ROLE = re.compile(r"mlops-(.+)-(nonprod|prod)-(ci|job)")
POLICIES = ("DataScientist", "DataScientistCode", "Approver", "Boundary")


@dataclass(frozen=True)
class Storage:
    """The bucket and the stack's own key, where they still are. versions: objects, older ones and delete markers."""

    bucket: str | None
    key: str | None
    versions: int
    size: int  # bytes

    @property
    def contents(self) -> str:
        """What is in the bucket, for people."""
        return f"{self.versions:,} object version{'s' * (self.versions != 1)}, {self.size:,} bytes"


def remove(plan_only: bool, yes: bool, force: bool) -> None:
    """Remove the stack; with `force`, the bucket with all that is in it too.

    Raises:
        Problem: projects still need it, or what AWS refused.
    """
    with aws.explained():
        client = aws.client("cloudformation")
        stack = look(client)
        if stack is not None and stack.busy:
            say(f"The stack {NAME} is {stack.status}: waiting for what others started.")
            with doing("CloudFormation is at work"):
                follow(client, stack.id, None, say)
            stack = look(client)
        if stack is None:
            say(f"Nothing to do: there is no stack {NAME} in this region.")
            return
        made = resources(client, stack)
        with doing("Looking at what is there"):
            _check_unused(stack, made)
            storage = _storage(made)
        goes = storage.bucket is not None and (force or storage.versions == 0)
        _show(stack, storage, goes)
        if plan_only:
            return
        _ask(yes, storage if goes else None)
        if goes and storage.bucket:
            _delete_bucket(storage.bucket)
        if storage.key and (goes or storage.bucket is None):
            aws.client("kms").schedule_key_deletion(KeyId=storage.key, PendingWindowInDays=WAITING_DAYS)
            say(f"The key {storage.key} goes in {WAITING_DAYS} days; `aws kms cancel-key-deletion` keeps it.")
        _delete_stack(client, stack)
    say(f"The stack {NAME} is gone.")
    if storage.bucket and not goes:
        say(f"The bucket {storage.bucket} stays with its key: {storage.contents}.")


def _check_unused(stack: Stack, made: dict[str, str]) -> None:
    """Raises Problem where projects, people or roles still need what would go."""
    iam = aws.client("iam")
    pages = iam.get_paginator("list_roles").paginate(PathPrefix=stack.parameters.get("RolePath", "/mlops/"))
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    projects = sorted({found[1] for name in names if (found := PROJECT_ROLE.fullmatch(name))})
    if projects:
        raise Problem(
            f"{len(projects)} project{'s' * (len(projects) > 1)} still need{'s' * (len(projects) == 1)} it: "
            f"{', '.join(projects)}; run `mlops teardown` in each first"
        )
    for policy in (made[name] for name in POLICIES if name in made):
        users = _users(iam, policy)
        if users:
            name = policy.rsplit("/", 1)[-1]
            raise Problem(f"the policy {name} is still attached to {', '.join(users)}; detach it first")


def _users(iam: Any, policy: str) -> list[str]:
    try:
        pages = [*iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy)]
    except iam.exceptions.NoSuchEntityException:
        return []
    kinds = (("PolicyRoles", "role"), ("PolicyUsers", "user"), ("PolicyGroups", "group"))
    return [
        f"{kind} {each[f'{kind.title()}Name']}" for page in pages for key, kind in kinds for each in page.get(key, [])
    ]


def _storage(made: dict[str, str]) -> Storage:
    bucket, key = made.get("Bucket"), made.get("Key")
    versions = size = 0
    if bucket:
        s3 = aws.client("s3")
        try:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                versions += len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))
                size += sum(version["Size"] for version in page.get("Versions", []))
        except s3.exceptions.NoSuchBucket:
            bucket = None
    if key and _key_state(key) not in {"Enabled", "Disabled"}:
        key = None
    return Storage(bucket, key, versions, size)


def _key_state(key: str) -> str | None:
    kms = aws.client("kms")
    try:
        return str(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])
    except kms.exceptions.NotFoundException:
        return None


def _show(stack: Stack, storage: Storage, goes: bool) -> None:
    _, _, _, region, account, _ = stack.id.split(":", 5)
    say(f"Stack {NAME} in account {account}, region {region} ({stack.status})")
    rows = [("remove", "stack", NAME, "function, policies, parameters")]
    if storage.bucket:
        why = storage.contents if storage.versions else "empty"
        rows.append(
            ("remove" if goes else "keep", "bucket", storage.bucket, why + ("" if goes else "; --force removes"))
        )
    if storage.key:
        kept = storage.bucket is not None and not goes
        why = "the bucket needs it" if kept else f"deleted after {WAITING_DAYS} days"
        rows.append(("keep" if kept else "remove", "key", storage.key, why))
    table(("does", "kind", "name", "note"), rows)


def _ask(yes: bool, going: Storage | None) -> None:
    if yes:
        return
    if not interactive():
        raise Problem("nobody is here to say yes: run it on a terminal, or with --yes (make account-remove YES=1)")
    also = f" and, for ever, the bucket with {going.contents}" if going and going.versions else ""
    if not confirmed(f"Remove the stack {NAME}{also}?"):
        raise Problem("nothing was changed")


def _delete_bucket(bucket: str) -> None:
    s3 = aws.client("s3")
    with doing(f"Emptying {bucket}"):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": BATCH})
        for page in pages:
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            if not objects:
                continue
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            for error in answer.get("Errors", [])[:1]:
                raise Problem(f"{bucket}/{error['Key']} cannot be deleted: {error.get('Message', error['Code'])}")
        try:
            s3.delete_bucket(Bucket=bucket)
        except ClientError as error:
            if aws.code(error) != "NoSuchBucket":  # a lost answer, asked for again
                raise
    say(f"The bucket {bucket} is gone.")


def _delete_stack(client: Any, stack: Stack) -> None:
    try:
        with doing("CloudFormation is at work"):
            ended = delete(client, stack, say)
    except KeyboardInterrupt:
        raise Problem("CloudFormation goes on without you; run `make account-remove` again to follow it") from None
    if ended.status != "DELETE_COMPLETE":
        raise Problem(f"{first_failure(client, stack.id, None)}; mend that and run `make account-remove` again")
