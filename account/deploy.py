"""`make account`: the stack made, or brought to this release; a plan first, and nothing half-made."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from account import aws, parameters
from account.package import package
from account.problem import Problem
from account.stack import NAME, POLL, Stack, delete, first_failure, follow, look
from account.terminal import confirmed, doing, interactive, say, table

CHANGE_SET = "make-account"
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
# What a creation leaves that failed before this program saw to it; such a stack can only be deleted.
REMAINS = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
# How CloudFormation says that a change set is empty; it has no code for that.
EMPTY = ("didn't contain changes", "No updates are to be performed")


def deploy(given: dict[str, str], plan_only: bool, yes: bool) -> None:
    """Make the stack or bring it to this release, with the parameters in `given` and the others as they were.

    Raises:
        Problem: what CloudFormation refused, or why the stack cannot be touched.
    """
    text = package()
    template = json.loads(text)
    with aws.explained():
        client = aws.client("cloudformation")
        stack = _ready(client, plan_only, yes)
        if stack is not None and stack.status in REMAINS:
            return
        exists = stack is not None and stack.status != "REVIEW_IN_PROGRESS"
        before = stack if exists else None
        _check_release(template, before)
        values = parameters.settle(template["Parameters"], before.parameters if before else {}, given)
        with _change_set(client, text, values, before) as planned:
            if planned is None:
                say(f"Nothing to do: the stack {NAME} is as it should be (release {_release(template)}).")
                return
            _show(planned, template, before, values)
            if plan_only:
                return
            _ask(yes, f"{'Change' if before else 'Make'} the stack {NAME}?")
            _execute(client, planned)
    say(f"The stack {NAME} is at release {_release(template)}.")


def _ready(client: Any, plan_only: bool, yes: bool) -> Stack | None:
    """The stack, at rest and of use: what others do is waited for, what a failed creation left is removed."""
    stack = look(client)
    if stack is not None and stack.busy:
        say(f"The stack {NAME} is {stack.status}: waiting for what others started.")
        with doing("CloudFormation is at work"):
            stack = follow(client, stack.id, None, say)
        stack = look(client)
    if stack is None:
        return None
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        raise Problem(
            f"the stack {NAME} could not go back after a failed update ({stack.reason}); mend that, then run "
            f"`aws cloudformation continue-update-rollback --stack-name {NAME}`"
        )
    if stack.status == "DELETE_FAILED":
        raise Problem(
            f"the removal of the stack {NAME} did not finish ({stack.reason}); run `make account-remove` again"
        )
    if stack.status in REMAINS:
        say(f"A creation of the stack {NAME} failed before ({stack.status}); what it left goes first.")
        if plan_only:
            return stack
        _ask(yes, f"Remove what is left of the stack {NAME}?")
        ended = delete(client, stack, say)
        if ended.status != "DELETE_COMPLETE":
            raise Problem(f"the remains cannot be removed: {first_failure(client, stack.id, None)}")
        return None
    return stack


def _check_release(template: dict[str, Any], before: Stack | None) -> None:
    """Raises Problem for a stack that a newer release made, with an interface that repositories of this one lack."""
    there, here = int((before.outputs if before else {}).get("Interface", "0")), int(_this(template)["Interface"])
    if there > here:
        raise Problem(
            f"the stack {NAME} is newer: its interface is {there}, and that of release {_release(template)} is {here}; "
            "take a newer release of the template and run this again"
        )


def _this(template: dict[str, Any]) -> dict[str, str]:
    release: dict[str, str] = template["Mappings"]["Release"]["This"]
    return release


def _release(template: dict[str, Any]) -> str:
    return _this(template)["Version"]


@contextmanager
def _change_set(
    client: Any, text: str, values: dict[str, str], before: Stack | None
) -> Iterator[dict[str, Any] | None]:
    """A change set, described, or None where it is empty. What is not executed is deleted again."""
    _delete_change_set(client, NAME)  # an interrupted run's
    kind = {"ChangeSetType": "UPDATE"} if before else {"ChangeSetType": "CREATE", "OnStackFailure": "DELETE"}
    tags = [{"Key": key, "Value": value} for key, value in parameters.tags(values).items()]
    try:
        with doing("CloudFormation compares"):
            client.create_change_set(
                StackName=NAME,
                ChangeSetName=CHANGE_SET,
                ClientToken=str(uuid.uuid4()),
                Description="make account",
                TemplateBody=text,
                Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
                Tags=tags,
                **kind,
            )
            planned = _described(client)
        yield planned
    finally:
        _clean_up(client)


def _described(client: Any) -> dict[str, Any] | None:
    while True:
        pages = [*client.get_paginator("describe_change_set").paginate(StackName=NAME, ChangeSetName=CHANGE_SET)]
        planned: dict[str, Any] = pages[0] | {"Changes": [change for page in pages for change in page["Changes"]]}
        if planned["Status"] == "FAILED":
            reason = planned.get("StatusReason", "")
            if any(words in reason for words in EMPTY):
                return None
            raise Problem(f"CloudFormation cannot plan this: {' '.join(reason.split())}")
        if planned["Status"] == "CREATE_COMPLETE":
            return planned
        time.sleep(POLL)


def _clean_up(client: Any) -> None:
    """Delete a change set that was not executed, and the empty stack that it was for."""
    stack = look(client)
    if stack is None or stack.busy:
        return
    _delete_change_set(client, stack.id)
    if stack.status == "REVIEW_IN_PROGRESS":
        client.delete_stack(StackName=stack.id)


def _delete_change_set(client: Any, stack: str) -> None:
    """One that is still being made is waited for; that it or its stack is not there is no error.

    Source: API Reference, DeleteChangeSet: InvalidChangeSetStatus.
    """
    while True:
        try:
            client.delete_change_set(StackName=stack, ChangeSetName=CHANGE_SET)
            return
        except ClientError as error:
            if aws.code(error).startswith("ChangeSetNotFound") or "does not exist" in aws.message(error):
                return
            if not (aws.code(error).startswith("InvalidChangeSetStatus") and "CREATE_" in aws.message(error)):
                raise
        time.sleep(POLL)


def _show(planned: dict[str, Any], template: dict[str, Any], before: Stack | None, values: dict[str, str]) -> None:
    _, _, _, region, account, _ = planned["StackId"].split(":", 5)
    was = before.outputs.get("Version") if before else None
    say(f"Stack {NAME} in account {account}, region {region}: release {was or 'none'} -> {_release(template)}")
    for name, value in values.items():
        if value != (before.parameters.get(name) if before else template["Parameters"][name].get("Default", "")):
            say(f"  {name} = {value or '(empty)'}")
    changes = [change["ResourceChange"] for change in planned["Changes"]]
    rows = [
        (each["Action"], each["ResourceType"], each["LogicalResourceId"], each.get("Replacement", "-"))
        for each in changes
    ]
    table(("action", "type", "name", "replacement"), rows)


def _ask(yes: bool, question: str) -> None:
    if yes:
        return
    if not interactive():
        raise Problem("nobody is here to say yes: run it on a terminal, or with --yes (make account YES=1)")
    if not confirmed(question):
        raise Problem("nothing was changed")


def _execute(client: Any, planned: dict[str, Any]) -> None:
    stack_id, token = planned["StackId"], f"make-account-{uuid.uuid4()}"
    client.execute_change_set(StackName=stack_id, ChangeSetName=CHANGE_SET, ClientRequestToken=token)
    try:
        with doing("CloudFormation is at work"):
            ended = follow(client, stack_id, token, say)
    except KeyboardInterrupt:
        raise Problem("CloudFormation goes on without you; run `make account` again to follow it") from None
    if ended.status in GOOD:
        return
    why = first_failure(client, stack_id, token)
    after = {"DELETE_COMPLETE": "nothing was left", "UPDATE_ROLLBACK_COMPLETE": "the stack is as it was"}
    raise Problem(f"{why}; {after.get(ended.status, f'the stack is {ended.status}: run this again')}")
