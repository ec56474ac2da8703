"""AWS::SSM::Parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, changed, picked, tag_changes
from sandbox.cloudformation.work import Work


class Parameter(Handler):
    """Fn::GetAtt: Type and Value (Template Reference, AWS::SSM::Parameter, "Return values")."""

    type = "AWS::SSM::Parameter"
    name = "Name"
    attributes = ("Type", "Value")
    handled = dict.fromkeys(["AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"])

    def create(self, work: Work, wanted: Properties) -> None:
        ssm, name = work.client("ssm"), wanted.get("Name") or work.generated_name(64)
        tags = {"Tags": as_list(wanted["Tags"])} if wanted.get("Tags") else {}
        given = self._given(wanted)
        work.once(lambda: ssm.put_parameter(Name=name, Overwrite=False, **given, **tags), "ParameterAlreadyExists")
        work.made(name, Type=wanted["Type"], Value=wanted["Value"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        ssm, name = work.client("ssm"), work.physical_id
        if changed(old, new) != ["Tags"]:
            ssm.put_parameter(Name=name, Overwrite=True, **self._given(new))
            work.resource.attributes = {"Type": new["Type"], "Value": new["Value"]}
        added, removed = tag_changes(old, new)
        if added:
            ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=as_list(added))
        if removed:
            ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId=name, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("ssm").delete_parameter(Name=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        return bool(client("ssm").get_parameters(Names=[name])["Parameters"])

    def _given(self, wanted: Properties) -> dict[str, Any]:
        return picked(wanted, "AllowedPattern", "DataType", "Description", "Tier", "Type", "Value")
