"""Ending a client's connection without an answer, and holding one open, for the faults that do so."""

from __future__ import annotations

import select
import socket
from threading import Event
from typing import Any

stopping = Event()


class Cut(ConnectionAbortedError):
    """Cut the connection without an answer (werkzeug drops a connection whose handler raises a ConnectionError)."""


def hold(environ: dict[str, Any]) -> None:
    """Returns by raising Cut, when the client has gone away or the sandbox stops."""
    client: socket.socket | None = environ.get("werkzeug.socket")
    while client is not None and not stopping.is_set():
        readable, _, _ = select.select([client], [], [], 0.05)
        if readable and not client.recv(1, socket.MSG_PEEK):
            break
    raise Cut
