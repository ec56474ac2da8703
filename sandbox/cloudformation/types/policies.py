"""Policy documents as the APIs take them."""

from __future__ import annotations

import json
from typing import Any


def document(policy: Any) -> str:
    """A template may hold a policy as a map or as JSON text."""
    return policy if isinstance(policy, str) else json.dumps(policy)
