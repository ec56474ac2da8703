"""How a resource type is written: a class that makes, changes and removes it by real calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.cloudformation.references import function_of
from sandbox.cloudformation.work import Work, already_exists, is_not_found

Properties = dict[str, Any]
# The properties that a handler knows: None where it takes whatever AWS's schema allows below, else those below.
Handled = Mapping[str, Any]


class Handler:
    """type: AWS's name. handled: its properties; others that AWS has are refused before anything is made.
    attributes: what Fn::GetAtt can ask for. name: the property that names the resource, if there is one.

    Which properties are required, what they may be and which need a new resource is in AWS's schema of the type.
    """

    type: ClassVar[str]
    handled: ClassVar[Handled]
    attributes: ClassVar[tuple[str, ...]] = ()
    name: ClassVar[str | None] = None

    def create(self, work: Work, wanted: Properties) -> None:
        """Make the resource, and call work.made as soon as it is there. Raises ClientError, Failed."""
        raise NotImplementedError

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        """Change what differs, also back again in a rollback. Raises ClientError, Failed."""
        raise NotImplementedError

    def delete(self, work: Work, held: Properties) -> None:
        """Remove work.physical_id; an error that says "not found" is success."""
        raise NotImplementedError

    def exists(self, client: Callable[[str], Any], name: str) -> bool:
        """Whether a resource of that name is there already. Raises ClientError, also for "not found"."""
        return False

    def refuse_taken(self, work: Work, name: str) -> None:
        """For a service that would change, or answer with, what is there under the name. Raises Failed, ClientError."""
        try:
            taken = self.exists(work.client, name)
        except ClientError as error:
            if not is_not_found(error):
                raise
            taken = False
        if taken:
            raise already_exists(self.type, name)


def unhandled(handled: Handled | None, node: Any, path: str = "") -> Iterator[str]:
    """The properties of a template's resource that a handler does not know, as paths."""
    if handled is None:
        return
    if isinstance(node, list):
        for item in node:
            yield from unhandled(handled, item, path)
    called = function_of(node)
    if called is not None:
        if called[0] == "Fn::If":
            yield from unhandled(handled, called[1][1:], path)
        return
    if isinstance(node, dict):
        for key, item in node.items():
            if key not in handled:
                yield f"{path}{key}"
            else:
                yield from unhandled(handled[key], item, f"{path}{key}.")


def changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The properties that differ."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def picked(wanted: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Those of the properties that are given, for an API that names them alike."""
    return {name: wanted[name] for name in names if name in wanted}


def as_map(tags: Any) -> dict[str, str]:
    """Tags, whichever form a type has them in."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    return {tag["Key"]: tag.get("Value", "") for tag in tags or []}


def as_list(tags: Any) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in as_map(tags).items()]


def tag_changes(old: Properties, new: Properties) -> tuple[dict[str, str], list[str]]:
    """(tags to set, keys to remove)."""
    before, after = as_map(old.get("Tags")), as_map(new.get("Tags"))
    return {key: value for key, value in after.items() if before.get(key) != value}, sorted(set(before) - set(after))
