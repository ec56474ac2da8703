"""AWS::CodeCommit::Repository, empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cloudformation.types.handler import Handler, Properties, as_map, tag_changes
from sandbox.cloudformation.work import Work


class Repository(Handler):
    """Ref is the repository's id; it is renamed in place (Template Reference, RepositoryName, "No interruption")."""

    type = "AWS::CodeCommit::Repository"
    attributes = ("Arn", "CloneUrlHttp", "CloneUrlSsh", "Name")
    handled = dict.fromkeys(["RepositoryDescription", "RepositoryName", "Tags"])

    def create(self, work: Work, wanted: Properties) -> None:
        codecommit, name = work.client("codecommit"), wanted["RepositoryName"]
        described = (
            {"repositoryDescription": wanted["RepositoryDescription"]} if "RepositoryDescription" in wanted else {}
        )
        tags = {"tags": as_map(wanted["Tags"])} if wanted.get("Tags") else {}
        made = work.once(
            lambda: codecommit.create_repository(repositoryName=name, **described, **tags),
            "RepositoryNameExistsException",
        )
        found = (made or codecommit.get_repository(repositoryName=name))["repositoryMetadata"]
        work.made(found["repositoryId"], **_attributes(found))

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        codecommit, name = work.client("codecommit"), new["RepositoryName"]
        if old["RepositoryName"] != name:
            codecommit.update_repository_name(oldName=old["RepositoryName"], newName=name)
            work.resource.attributes = _attributes(codecommit.get_repository(repositoryName=name)["repositoryMetadata"])
        if old.get("RepositoryDescription") != new.get("RepositoryDescription"):
            described = new.get("RepositoryDescription", "")
            codecommit.update_repository_description(repositoryName=name, repositoryDescription=described)
        added, removed = tag_changes(old, new)
        arn = work.resource.attributes["Arn"]
        if added:
            codecommit.tag_resource(resourceArn=arn, tags=added)
        if removed:
            codecommit.untag_resource(resourceArn=arn, tagKeys=removed)

    def delete(self, work: Work, held: Properties) -> None:
        work.client("codecommit").delete_repository(repositoryName=held["RepositoryName"])

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        client("codecommit").get_repository(repositoryName=name)
        return True


def _attributes(found: dict[str, Any]) -> dict[str, str]:
    return {
        "Arn": found["Arn"],
        "CloneUrlHttp": found["cloneUrlHttp"],
        "CloneUrlSsh": found["cloneUrlSsh"],
        "Name": found["repositoryName"],
    }
