"""Operations whose resources need more than a template: batches, things named by id, calls on whatever is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.authorization import moto_state
from sandbox.authorization.arns import key_arn
from sandbox.authorization.check import Check, given
from sandbox.authorization.s3 import s3_checks
from sandbox.authorization.sagemaker import sagemaker_context
from sandbox.calls import Call

Checks = Iterator[Check]


def special_checks(call: Call) -> Checks | None:
    """What is asked for one of these operations; None for all others."""
    if call.service == "s3":
        return s3_checks(call)
    if call.service == "codecommit":
        return _codecommit(call)
    own = _SPECIAL.get((call.service, call.operation))
    return own(call) if own else None


def _codecommit(call: Call) -> Checks:
    """CodeCommit says itself which repository and which references a call touches; its actions are named as its
    operations (CodeCommit User Guide, "CodeCommit permissions reference")."""
    keys = {key: value for key, value in call.context.items() if key == "codecommit:References"}
    for resource in call.resources or ["*"]:
        yield Check(f"codecommit:{call.operation}", resource, keys)


def _assume_role(call: Call) -> Checks:
    params = call.params
    context = given(
        **{"sts:RoleSessionName": params.get("RoleSessionName"), "sts:ExternalId": params.get("ExternalId")}
    )
    yield Check("sts:AssumeRole", params["RoleArn"], context)


def _create_model_package(call: Call) -> Checks:
    """On the version that will be: its group is no resource type of the action any more (Service Authorization
    Reference, September 2026). sandbox/sagemaker says which ARN that is."""
    for resource in call.resources:
        if ":model-package/" in resource:
            yield Check("sagemaker:CreateModelPackage", resource, sagemaker_context(call))


def _change_set(call: Call) -> Checks:
    """A change set may be named by its ARN alone; permissions are on its stack all the same."""
    name = call.params.get("StackName")
    own = [] if name else [arn for arn in call.resources if ":stack/" in arn]
    context = {"cloudformation:ChangeSetName": call.params["ChangeSetName"]}
    yield Check(f"cloudformation:{call.operation}", own[0] if own else _stack(call, name), context)


def _describe_stacks(call: Call) -> Checks:
    """Without a name it lists all stacks, which is a permission of its own (DescribeStacks, "Note")."""
    name = call.params.get("StackName")
    if not name:
        yield Check("cloudformation:ListStacks")
    yield Check("cloudformation:DescribeStacks", _stack(call, name))


def _template_summary(call: Call) -> Checks:
    url = given(**{"cloudformation:TemplateUrl": call.params.get("TemplateURL")})
    yield Check("cloudformation:GetTemplateSummary", _stack(call, call.params.get("StackName")), url)


def _stack(call: Call, name: str | None) -> str:
    return name if name and name.startswith("arn:") else call.arn("cloudformation", f"stack/{name or '*'}/*")


def _put_events(call: Call) -> Checks:
    for entry in call.params["Entries"]:
        bus = str(entry.get("EventBusName") or "default").rpartition("/")[2]
        context = given(**{"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")})
        yield Check("events:PutEvents", call.arn("events", f"event-bus/{bus}"), context)


def _builds(call: Call) -> Checks:
    """A build's id is its project's name, a colon and a UUID; permissions are on projects."""
    ids = call.params.get("ids") or [call.params.get("id", "")]
    for project in dict.fromkeys(build.rpartition("/")[2].partition(":")[0] for build in ids):
        yield Check(f"codebuild:{call.operation}", call.arn("codebuild", f"project/{project}"))


def _query(call: Call) -> Checks:
    """Query and Scan are on the table and, where they name one, on its index."""
    table = _table(call, call.params["TableName"])
    yield Check(f"dynamodb:{call.operation}", table)
    index = call.params.get("IndexName")
    if index:
        yield Check(f"dynamodb:{call.operation}", f"{table}/index/{index}")


def _batch(call: Call) -> Checks:
    for table in call.params["RequestItems"]:
        yield Check(f"dynamodb:{call.operation}", _table(call, table))


def _transaction(call: Call) -> Checks:
    """A transaction has no action: each of its items is checked as the action it is (DynamoDB Developer Guide,
    "Using IAM with transactions")."""
    names = {"Put": "PutItem", "Get": "GetItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
    for item in call.params["TransactItems"]:
        for kind, what in item.items():
            if what:
                action = names.get(kind, "ConditionCheckItem")
                yield Check(
                    f"dynamodb:{action}",
                    _table(call, what["TableName"]),
                    {"dynamodb:EnclosingOperation": call.operation} if kind in names else {},
                )


def _table(call: Call, name: str) -> str:
    return name if name.startswith("arn:") else call.arn("dynamodb", f"table/{name}")


def _re_encrypt(call: Call) -> Checks:
    """Two actions, one on each key; the first key may stand in the ciphertext alone (ReEncrypt, "Required
    permissions")."""
    context = {"kms:CallerAccount": call.caller.account}
    source = call.params.get("SourceKeyId")
    yield Check("kms:ReEncryptFrom", key_arn(call, source) if source else call.arn("kms", "key/*"), context)
    yield Check("kms:ReEncryptTo", key_arn(call, call.params["DestinationKeyId"]), context)


def _callback(call: Call) -> Checks:
    """A callback step is answered by its token, which does not say whose execution it is of."""
    yield Check(f"sagemaker:{call.operation}", call.arn("sagemaker", "pipeline/*/execution/*"))


def _alias(call: Call) -> Checks:
    """An alias is moved or removed by whoever may do so on the alias and on each key it points or will point at."""
    alias = call.params["AliasName"]
    yield Check(f"kms:{call.operation}", call.arn("kms", alias), {"kms:CallerAccount": call.caller.account})
    kms = moto_state.backend("kms", call)
    keys: list[Any] = list(kms.keys.values()) if kms else []
    wanted = call.params.get("TargetKeyId")
    for key in keys:
        if alias in key.aliases or wanted in (key.id, key.arn):
            yield Check(f"kms:{call.operation}", key.arn, {"kms:CallerAccount": call.caller.account})


_SPECIAL: dict[tuple[str, str], Callable[[Call], Checks]] = {
    ("sts", "AssumeRole"): _assume_role,
    ("sagemaker", "CreateModelPackage"): _create_model_package,
    ("cloudformation", "DescribeChangeSet"): _change_set,
    ("cloudformation", "ExecuteChangeSet"): _change_set,
    ("cloudformation", "DeleteChangeSet"): _change_set,
    ("cloudformation", "DescribeStacks"): _describe_stacks,
    ("cloudformation", "GetTemplateSummary"): _template_summary,
    ("events", "PutEvents"): _put_events,
    ("codebuild", "BatchGetBuilds"): _builds,
    ("codebuild", "StopBuild"): _builds,
    ("dynamodb", "Query"): _query,
    ("dynamodb", "Scan"): _query,
    ("dynamodb", "BatchGetItem"): _batch,
    ("dynamodb", "BatchWriteItem"): _batch,
    ("dynamodb", "TransactGetItems"): _transaction,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("sagemaker", "SendPipelineExecutionStepSuccess"): _callback,
    ("sagemaker", "SendPipelineExecutionStepFailure"): _callback,
    ("kms", "ReEncrypt"): _re_encrypt,
    ("kms", "UpdateAlias"): _alias,
    ("kms", "DeleteAlias"): _alias,
}
