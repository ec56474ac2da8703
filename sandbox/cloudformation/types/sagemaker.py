"""AWS::SageMaker::ModelPackageGroup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_list, picked, tag_changes
from sandbox.cloudformation.work import Work


class ModelPackageGroup(Handler):
    """Ref is the ARN (Template Reference, "Return values")."""

    type = "AWS::SageMaker::ModelPackageGroup"
    name = "ModelPackageGroupName"
    attributes = ("ModelPackageGroupArn",)
    handled = dict.fromkeys(["ModelPackageGroupDescription", "ModelPackageGroupName", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        tags = {"Tags": as_list(wanted["Tags"])} if wanted.get("Tags") else {}
        given = picked(wanted, "ModelPackageGroupName", "ModelPackageGroupDescription")
        made = work.client("sagemaker").create_model_package_group(**given, **tags)
        work.made(made["ModelPackageGroupArn"], ModelPackageGroupArn=made["ModelPackageGroupArn"])

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        sagemaker, arn = work.client("sagemaker"), work.physical_id
        added, removed = tag_changes(old, new)
        if added:
            sagemaker.add_tags(ResourceArn=arn, Tags=as_list(added))
        if removed:
            sagemaker.delete_tags(ResourceArn=arn, TagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        """Not one that holds versions: SageMaker refuses that."""
        work.client("sagemaker").delete_model_package_group(ModelPackageGroupName=work.physical_id)

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
        return True
