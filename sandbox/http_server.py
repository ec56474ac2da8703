"""werkzeug's request handler, quiet and quick, that ends a connection when the front says so."""

from __future__ import annotations

from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler


class RequestHandler(MotoRequestHandler):
    # Headers and body are two writes: with Nagle's algorithm each answer would wait for the client's delayed
    # acknowledgement.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Nothing: the call log is the sandbox's log."""

    def connection_dropped(self, error: BaseException, environ: dict[str, Any] | None = None) -> None:
        """Without this, HTTP/1.1 would keep a connection open that a fault wants cut."""
        self.close_connection = True
