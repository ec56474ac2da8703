"""CloudFormation as the front sees it."""

from __future__ import annotations

from sandbox.calls import Call
from sandbox.cloudformation.change_sets import ChangeSetOperations
from sandbox.cloudformation.reading import ReadingOperations
from sandbox.cloudformation.request import Requests
from sandbox.cloudformation.stacks import StackOperations
from sandbox.cloudformation.store import Stacks
from sandbox.cloudformation.templates import TemplateOperations
from sandbox.cloudformation.worker import Workers
from sandbox.inside import Inside
from sandbox.resources import request_tags


class CloudFormation(StackOperations, ChangeSetOperations, ReadingOperations, TemplateOperations):
    """Nothing of it is moto's, whose stacks are green whatever happens."""

    complete = True

    def __init__(self, inside: Inside) -> None:
        self.stacks = Stacks()
        self.workers = Workers()
        self.requests = Requests(inside, self.workers)

    def describe(self, call: Call) -> None:
        """Stack, change set and passed role (Service Authorization Reference, AWS CloudFormation)."""
        params = call.params
        name = params.get("StackName")
        if isinstance(name, str):
            stack = self.stacks.find(call, name)
            unknown = name if name.startswith("arn:") else call.arn("cloudformation", f"stack/{name}/*")
            call.resources.append(stack.arn if stack else unknown)
            call.context.update({f"aws:ResourceTag/{key}": value for key, value in _tags_of(stack).items()})
        elif str(params.get("ChangeSetName", "")).startswith("arn:"):
            held = (
                stack
                for stack in self.stacks.of(call)
                for item in stack.change_sets.values()
                if item.arn == params["ChangeSetName"]
            )
            call.resources.extend(stack.arn for stack in held)
        if isinstance(params.get("RoleARN"), str):
            call.resources.append(params["RoleARN"])
            call.context["cloudformation:RoleArn"] = params["RoleARN"]
        if isinstance(params.get("ChangeSetName"), str):
            call.context["cloudformation:ChangeSetName"] = params["ChangeSetName"]
        if isinstance(params.get("TemplateURL"), str):
            call.context["cloudformation:TemplateUrl"] = params["TemplateURL"]
        tags = request_tags(params)
        if tags:
            call.context.update({f"aws:RequestTag/{key}": value for key, value in tags.items()})
            call.context["aws:TagKeys"] = sorted(tags)

    def reset(self) -> None:
        self.workers.end()
        self.stacks.clear()


def _tags_of(stack: object) -> dict[str, str]:
    wanted = getattr(stack, "is_", None)
    return dict(wanted.tags) if wanted else {}
