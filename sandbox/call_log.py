"""The call log: what was called, by whom, on what, and how it ended. One JSON object a call, one line each, flushed
at once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any


class CallLog:
    """Keeps the entries in memory and, if a file is given, appends them to it (the file is never truncated)."""

    def __init__(self, path: Path | None) -> None:
        self._lock = Lock()
        self._file = path.open("a", encoding="utf-8") if path else None
        self.entries: list[dict[str, Any]] = []

    def add(
        self,
        *,
        service: str,
        operation: str,
        status: int | None,
        role: str | None,
        resource: str | list[str] | None,
        context: dict[str, Any],
        error: str | None = None,
        fault: str | None = None,
        authorization: list[dict[str, Any]] | None = None,
    ) -> None:
        """status: what the client got, or None where a fault let it have no answer. authorization: what IAM is
        asked, or None where the sandbox does not know."""
        entry: dict[str, Any] = {
            "service": service,
            "operation": operation,
            "status": status,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "role": role,
            "resource": resource,
            "context": context,
            "authorization": authorization,
        }
        if error:
            entry["error"] = error
        if fault:
            entry["fault"] = fault
        with self._lock:
            self.entries.append(entry)
            if self._file and not self._file.closed:
                self._file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
                self._file.flush()

    def clear(self) -> None:
        """Forgets the entries in memory; what is in the file stays."""
        with self._lock:
            self.entries.clear()

    def close(self) -> None:
        with self._lock:
            if self._file:
                self._file.close()
