"""From a request to what a stack is to become: template, parameters, rules, conditions, capabilities, tags, role.

Source: API Reference, CreateStack, UpdateStack, CreateChangeSet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError

from sandbox.callers import Caller
from sandbox.calls import Call
from sandbox.cloudformation import capabilities, parameters, schemas
from sandbox.cloudformation.conditions import Conditions, Rules
from sandbox.cloudformation.desired import Desired
from sandbox.cloudformation.errors import invalid, lacking
from sandbox.cloudformation.functions import UNKNOWN, Functions
from sandbox.cloudformation.references import references
from sandbox.cloudformation.stack import Stack, Wanted
from sandbox.cloudformation.template import Template
from sandbox.cloudformation.types import HANDLERS
from sandbox.cloudformation.types.handler import unhandled
from sandbox.cloudformation.work import Clients, url_suffix
from sandbox.cloudformation.worker import Workers
from sandbox.inside import CannotAssume, Inside
from sandbox.role_trust import UnreadableTrust

# User Guide, "Understand CloudFormation quotas".
LARGEST_BODY = 51_200
LARGEST_OBJECT = 1024 * 1024
MOST_TAGS = 50
# What a request may hold on AWS and is not modelled here; an empty one is none.
_LACKING = [
    "RollbackConfiguration",
    "ResourceTypes",
    "StackPolicyBody",
    "StackPolicyURL",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "TimeoutInMinutes",
    "NotificationARNs",
    "ResourcesToImport",
    "IncludeNestedStacks",
    "ImportExistingResources",
    "DeploymentMode",
    "DeploymentConfig",
    "IncludePropertyValues",
]


def refuse_lacking(call: Call) -> None:
    """Raises NotImplementedInSandbox for a member that would be ignored."""
    for name in _LACKING:
        if call.params.get(name):
            raise lacking(f"it does not model {name}", call.operation)
    if call.params.get("DeletionMode", "STANDARD") != "STANDARD":
        raise lacking("it does not model DeletionMode FORCE_DELETE_STACK", call.operation)


class Requests:
    def __init__(self, inside: Inside, workers: Workers) -> None:
        self._inside = inside
        self._workers = workers

    def clients(self, call: Call, stack_arn: str, role_arn: str | None) -> Clients:
        """Clients of whoever works on the stack: the caller, or the role that the stack has."""
        caller = self._principal(call.caller, stack_arn, role_arn)
        return Clients(self._inside, caller, call.region, self._workers.stop)

    def _principal(self, caller: Caller, stack_arn: str, role_arn: str | None) -> Caller:
        if role_arn is None:
            return caller
        try:
            return self._inside.assume(
                role_arn, "cloudformation.amazonaws.com", "AWSCloudFormation", SourceArn=stack_arn
            )
        except CannotAssume as error:
            raise invalid(f"Role {role_arn} is invalid or cannot be assumed") from error
        except UnreadableTrust as error:
            raise lacking(str(error)) from error

    def template(self, call: Call, stack: Stack | None = None) -> Template:
        """The template that a request carries, points at, or means. Raises AwsError."""
        params = call.params
        body, url = params.get("TemplateBody"), params.get("TemplateURL")
        previous = params.get("UsePreviousTemplate")
        if sum(map(bool, (body, url, previous))) > 1:
            raise invalid("You cannot specify more than one of TemplateBody, TemplateURL and UsePreviousTemplate")
        if previous:
            if stack is None or stack.is_ is None:
                raise invalid("Template was not provided and no previous template is available")
            return stack.is_.template
        if url:
            body = self._from_s3(Clients(self._inside, call.caller, call.region), url)
        elif not body:
            raise invalid("Either Template URL or Template Body must be specified.")
        elif len(body.encode()) > LARGEST_BODY:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                "Member must have length "
                f"less than or equal to {LARGEST_BODY}"
            )
        template = Template.of(body)
        check_types(template, call.region)
        return template

    def wanted(self, call: Call, stack: Stack, template: Template) -> Wanted:
        """Raises AwsError for what AWS refuses, NotImplementedInSandbox for what the sandbox lacks."""
        previous, params = stack.is_, call.params
        role_arn = params.get("RoleARN") or stack.role_arn
        clients = self.clients(call, stack.arn, role_arn)
        given = parameters.resolve(
            template, params.get("Parameters", []), previous.parameters if previous else None, clients
        )
        names = {name: value.value for name, value in given.items()} | pseudo(call, stack)
        functions = Functions(template.section("Mappings"), names)
        Rules(template, functions).check()
        conditions = Conditions(template, functions).all()
        capabilities.check(template, params.get("Capabilities", []))
        tags = self._tags(params, previous)
        wanted = Wanted(template, given, names, conditions, tags, tuple(params.get("Capabilities", [])), role_arn)
        check_active_references(stack, wanted)
        return wanted

    def _tags(self, params: dict[str, Any], previous: Wanted | None) -> dict[str, str]:
        """Of an update without tags: those of before (API Reference, UpdateStack, Tags)."""
        if "Tags" not in params and previous is not None:
            return dict(previous.tags)
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", [])}
        if len(tags) != len(params.get("Tags", [])):
            raise invalid("Duplicate tag keys found. Please note that tag keys are case insensitive.")
        if any(key.lower().startswith("aws:") for key in tags):
            raise invalid("aws: prefixed tag key names are not allowed for external use.")
        if len(tags) > MOST_TAGS:
            raise invalid(f"A stack can have at most {MOST_TAGS} tags.")
        return tags

    def _from_s3(self, client: Callable[[str], Any], url: str) -> str:
        """From a bucket of this sandbox, by an address of the sandbox's or of AWS's form."""
        place = _bucket_and_key(url, self._inside.url)
        if place is None:
            raise invalid("TemplateURL must be a supported URL.")
        version = parse_qs(urlsplit(url).query).get("versionId")
        which = {"VersionId": version[0]} if version else {}
        try:
            answer = client("s3").get_object(Bucket=place[0], Key=place[1], **which)
        except ClientError as error:
            raise invalid(f"S3 error: {error.response['Error'].get('Message', error)}") from error
        if answer["ContentLength"] > LARGEST_OBJECT:
            raise invalid(f"Template may not exceed {LARGEST_OBJECT} bytes in size.")
        body: bytes = answer["Body"].read()
        return body.decode()


def _bucket_and_key(url: str, sandbox_url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    path, host = unquote(parts.path).lstrip("/"), parts.netloc
    if host == urlsplit(sandbox_url).netloc or (host.startswith("s3") and ".amazonaws.com" in host):
        bucket, _, key = path.partition("/")
    else:
        bucket, found, rest = host.partition(".s3")
        key = path if found and rest.removesuffix(".cn").endswith(".amazonaws.com") else ""
    return (bucket, key) if bucket and key else None


def pseudo(call: Call, stack: Stack) -> dict[str, Any]:
    return {
        "AWS::AccountId": stack.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": call.partition,
        "AWS::Region": call.region,
        "AWS::StackId": stack.arn,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": url_suffix(call.region),
    }


def check_types(template: Template, region: str) -> None:
    """Raises AwsError for a type that AWS does not have, or the sandbox not; and for properties that it has not."""
    kinds = {name: template.type_of(name) for name in template.resources}
    unknown = sorted({kind for kind in kinds.values() if not schemas.is_known(kind, region)})
    custom = [kind for kind in unknown if kind.startswith("Custom::")]
    if custom:
        raise lacking(f"the resource type {custom[0]}")
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    for logical_id, kind in kinds.items():
        if kind not in HANDLERS:
            raise lacking(f"the resource type {kind} (resource {logical_id})")
        known = schemas.schema_of(kind, region)["properties"]
        for path in unhandled(HANDLERS[kind].handled, template.properties(logical_id)):
            # A property that AWS does not have either is for its own validation to refuse.
            if path.split(".")[0] in known:
                raise lacking(f"the property {path} of {kind} (resource {logical_id})")
    _check_attributes(template, kinds, region)


def _check_attributes(template: Template, kinds: dict[str, str], region: str) -> None:
    nodes = [template.properties(name) for name in template.resources] + [
        item["Value"] for item in template.outputs.values()
    ]
    for reference in (reference for node in nodes for reference in references(node)):
        if reference.attribute is None:
            continue
        kind = kinds[reference.target]
        if reference.attribute in HANDLERS[kind].attributes:
            continue
        if reference.attribute in schemas.read_only(kind, region):
            raise lacking(f"the attribute {reference.attribute} of {kind} (resource {reference.target})")
        raise invalid(
            f"Template error: resource {reference.target} does not support attribute type "
            f"{reference.attribute} in Fn::GetAtt"
        )


def check_active_references(stack: Stack, wanted: Wanted) -> None:
    """A resource whose condition does not hold is not there to be referred to. Raises AwsError."""
    desired = Desired(stack, wanted, lambda logical_id, attribute: UNKNOWN)
    active = [name for name in wanted.template.resources if desired.is_active(name)]
    for section, nodes in (
        ("Resources", [desired.taken(name) for name in active]),
        ("Outputs", desired.taken_outputs()),
    ):
        missing = [
            reference.target
            for node in nodes
            for reference in references(node)
            if not reference.condition
            and reference.target in wanted.template.resources
            and reference.target not in active
        ]
        if missing:
            names = ", ".join(dict.fromkeys(missing))
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{names}] in the {section} "
                "block of the template"
            )
    desired.order()
    for name in active:
        desired.properties(name)
