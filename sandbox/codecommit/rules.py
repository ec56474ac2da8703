"""What CodeCommit lets names, tags and paths be. Source: CodeCommit User Guide, "Quotas in AWS CodeCommit"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from sandbox import paging
from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.patterns import matches
from sandbox.refusals import sentence

T = TypeVar("T")

TAG_CHARACTERS = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"
MOST_TAGS = 50
LONGEST_BRANCH_NAME = 256
_FULL_ID = re.compile(r"[0-9a-f]{40}")


def fault(call: Call, code: str, message: str = "") -> AwsError:
    """An exception that the operation's model declares; without a message it says what the model's documentation says.

    Raises LookupError for one that the model does not declare: then the sandbox, not the caller, is wrong.
    """
    declared = {str(shape.name): shape for shape in call.model.error_shapes}
    if code not in declared:
        raise LookupError(f"{call.operation} declares no {code}")
    return AwsError(code, message or sentence(declared[code].documentation))


def check_repository_name(call: Call, name: str) -> None:
    """The shape has checked characters and length; a name may not end in .git."""
    if name.endswith(".git"):
        raise fault(call, "InvalidRepositoryNameException")


def check_branch_name(call: Call, name: str) -> None:
    """Raises InvalidBranchNameException for a name that the quotas page rules out."""
    if not is_branch_name(name):
        raise fault(call, "InvalidBranchNameException")


def is_branch_name(name: str) -> bool:
    """Whether the quotas page allows a branch of this name."""
    wrong = (
        not 1 <= len(name) <= LONGEST_BRANCH_NAME
        or name[0] in "/."
        or name[-1] in "/."
        or name == "@"
        or any(part in name for part in ("..", "//", "@{"))
        or any(character in " ?^*[\\~:\x7f" or ord(character) < 32 for character in name)
        or _FULL_ID.fullmatch(name) is not None
        # git-check-ref-format(1), to which the page refers:
        or any(part.startswith(".") or part.endswith(".lock") for part in name.split("/"))
        or name.startswith("-")
    )
    return not wrong


def is_full_id(text: str) -> bool:
    return _FULL_ID.fullmatch(text) is not None


def check_tags(call: Call, tags: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Tags to add: legal characters, no aws: prefix, at most 50 on the repository afterwards.

    Source: quotas page ("Repository tag key names": letters, numbers, spaces and + - = . _ : / @; not aws:, not only
    spaces, no space at the end) and the exceptions of TagResource.
    """
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise fault(call, "InvalidSystemTagUsageException")
        if not matches(TAG_CHARACTERS, key) or not matches(TAG_CHARACTERS, value) or key != key.rstrip():
            raise fault(call, "InvalidTagsMapException")
    if len({*held, *tags}) > MOST_TAGS:
        raise fault(call, "TooManyTagsException")


def check_tag_keys(call: Call, keys: Iterable[str]) -> None:
    if any(key.lower().startswith("aws:") for key in keys):
        raise fault(call, "InvalidSystemTagUsageException")


def page(call: Call, items: Sequence[T], size: int, token: str | None) -> tuple[list[T], str | None]:
    """One page and the token of the next. Raises InvalidContinuationTokenException for a token of nobody's making."""
    return paging.page(call, items, size, token, fault(call, "InvalidContinuationTokenException"))
