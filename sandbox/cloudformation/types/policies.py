"""Policy documents as the APIs take them, and taking policies away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.cloudformation.work import is_not_found


def document(policy: Any) -> str:
    """A template may hold a policy as a map or as JSON text."""
    return policy if isinstance(policy, str) else json.dumps(policy)


def without(call: Callable[..., Any], **arguments: Any) -> None:
    """Take a policy away from a principal: after a failure it may never have been there. Raises ClientError."""
    try:
        call(**arguments)
    except ClientError as error:
        if not is_not_found(error):
            raise
