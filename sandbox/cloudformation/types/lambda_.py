"""AWS::Lambda::Permission and AWS::Lambda::EventInvokeConfig: who may invoke a function, and how often it is tried."""

from __future__ import annotations

from sandbox.cloudformation.errors import Failed
from sandbox.cloudformation.types.handler import Handler, Properties, changed, picked
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
        """Looks whether it is so: moto's Lambda keeps the first configuration whatever comes later."""
        lambda_ = work.client("lambda")
        lambda_.update_function_event_invoke_config(**new)
        found = lambda_.get_function_event_invoke_config(**picked(new, "FunctionName", "Qualifier"))
        forgotten = [name for name in changed(old, new) if found.get(name) != new.get(name, found.get(name))]
        if forgotten:
            raise Failed(f"{forgotten[0]} is still {found.get(forgotten[0])}: sandbox/ does not change it")

    def delete(self, work: Work, held: Properties) -> None:
        work.client("lambda").delete_function_event_invoke_config(**picked(held, "FunctionName", "Qualifier"))
