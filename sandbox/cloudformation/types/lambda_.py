"""AWS::Lambda::Permission and AWS::Lambda::EventInvokeConfig: who may invoke a function, and how often it is tried."""

from __future__ import annotations

from sandbox.cloudformation.types.handler import Handler, Properties, picked
from sandbox.cloudformation.work import Work


class Permission(Handler):
    """A statement of a function's policy: any change makes a new one."""

    type = "AWS::Lambda::Permission"
    attributes = ("Id",)
    handled = dict.fromkeys(
        [
            "Action",
            "EventSourceToken",
            "FunctionName",
            "FunctionUrlAuthType",
            "Principal",
            "PrincipalOrgID",
            "SourceAccount",
            "SourceArn",
        ]
    )

    def create(self, work: Work, wanted: Properties) -> None:
        identity = work.generated_name(100)
        work.once(
            lambda: work.client("lambda").add_permission(StatementId=identity, **wanted), "ResourceConflictException"
        )
        work.made(identity, Id=identity)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("lambda").remove_permission(FunctionName=held["FunctionName"], StatementId=work.physical_id)


class EventInvokeConfig(Handler):
    type = "AWS::Lambda::EventInvokeConfig"
    handled = dict.fromkeys(
        ["DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"]
    )

    def create(self, work: Work, wanted: Properties) -> None:
        work.client("lambda").put_function_event_invoke_config(**wanted)
        work.made(work.generated_name(128))

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        """As the registry's handler, whose schema names Update alone: what was taken out of the template stays."""
        work.client("lambda").update_function_event_invoke_config(**new)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("lambda").delete_function_event_invoke_config(**picked(held, "FunctionName", "Qualifier"))
