"""The sandbox as an object: AWS on a free loopback port, for pytest and for the command line alike."""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sandbox.call_log import CallLog
from sandbox.connection import stopping
from sandbox.environment import DEVELOPER_KEY, Endpoint, client_environment

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

    from sandbox.calls import Service
    from sandbox.faults import Fault

HOST = "127.0.0.1"
_one = Lock()


class Sandbox:
    """AWS on this machine: `with Sandbox() as sandbox:` starts it, leaving stops it and removes all its state.

    region: what AWS_REGION says to clients. faults: see sandbox/faults.py. call_log: a file to append to. port: 0
    for a free one. moto keeps its state in modules, so a process has at most one sandbox at a time; processes do not
    meet.
    Raises RuntimeError for a second one, BadFaults for faults that cannot be used, OSError if the port is taken.
    """

    def __init__(
        self,
        region: str = "us-east-1",
        faults: Iterable[Fault | Mapping[str, Any]] = (),
        call_log: Path | str | None = None,
        port: int = 0,
    ) -> None:
        self.region = region
        self._port = port
        self._wanted_faults = list(faults)
        self._log_path = Path(call_log) if call_log else None
        self._ready = Event()
        self._failure: BaseException | None = None
        self._secret = secrets.token_hex(20)
        self._server: BaseWSGIServer | None = None
        self._services: dict[str, Service] = {}
        self._running = False

    def __enter__(self) -> Sandbox:
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Open the port and return at once; moto is loaded behind it, and clients that come earlier wait in the
        queue."""
        self.listen()
        self.serve()

    def listen(self) -> None:
        """The first half of start: everything that other processes can see, and no thread yet."""
        if not _one.acquire(blocking=False):
            raise RuntimeError("this process has a sandbox already: moto keeps its state in modules")
        try:
            self._socket = socket.create_server((HOST, self._port), backlog=128)
        except OSError:
            _one.release()
            raise
        self._running = True
        stopping.clear()
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        self._folder = Path(tempfile.mkdtemp(prefix="aws-sandbox-"))
        for name in ("aws-config", "aws-credentials"):
            (self._folder / name).touch()
        self._log = CallLog(self._log_path)
        self.endpoint = Endpoint(self.url, self.region, DEVELOPER_KEY, self._secret, str(self._folder))

    def serve(self) -> None:
        """The second half of start."""
        self._thread = Thread(target=self._serve, name="sandbox", daemon=True)
        self._thread.start()

    def wait_until_ready(self) -> None:
        """Raises what went wrong at the start."""
        self._ready.wait()
        if self._failure is not None:
            failure = self._failure
            self.stop()
            raise failure

    def stop(self) -> None:
        """Close the port, end calls that hang, remove all state. Stopping twice is no error."""
        if not self._running:
            return
        self._running = False
        stopping.set()
        self._ready.wait()
        if self._server is not None:
            self.inside.background.end()  # while what is under way can still be answered
            for service in self._services.values():
                service.reset()
            self._server.shutdown()
        self._thread.join()
        self._socket.close()
        if self._failure is None:
            self._forget()
            self.functions.stop()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        _one.release()

    def abandon(self) -> None:
        """Stop at once, for a process that is about to end: a sandbox that is still loading is not waited for."""
        if self._running and not self._ready.is_set():
            self._running = False
            self._log.close()
            shutil.rmtree(self._folder, ignore_errors=True)
        else:
            self.stop()

    @property
    def calls(self) -> list[dict[str, Any]]:
        """The call log so far: a copy. Fields: docs/sandbox.md."""
        return list(self._log.entries)

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """A complete environment for a process that is to use this sandbox: `base` (default: this process's)
        changed."""
        return client_environment(self.endpoint, base)

    def clear_calls(self) -> None:
        """Forget the calls so far; nothing else changes."""
        self._log.clear()

    def set_faults(self, faults: Iterable[Fault | Mapping[str, Any]]) -> None:
        """Replace the faults; calls are counted from 1 again. Raises BadFaults."""
        from sandbox.fault_file import check_faults

        self._faults.replace(check_faults(list(faults)))

    def wait_until_quiet(self, timeout: float = 30) -> None:
        """Wait until no event is being delivered, and no function, job or pipeline runs behind an answer. Raises
        TimeoutError after `timeout` seconds."""
        if not self.inside.background.wait_until_quiet(timeout):
            raise TimeoutError(f"the sandbox is still busy after {timeout} s")

    def set_quota(self, name: str, value: float) -> None:
        """Set an applied quota, in instances, e.g. of `ml.m5.large for training job usage`. Raises KeyError,
        ValueError."""
        self.inside.quotas.set(name, value)

    def reset(self) -> None:
        """Forget all AWS and git state, quotas that were set, the calls so far and how often each operation was called.
        Faults stay in force."""
        self._forget()
        self._log.clear()
        self._faults.restart_counting()

    def _forget(self) -> None:
        from moto.moto_api._internal.models import moto_api_backend

        self.inside.background.end()
        for service in self._services.values():
            service.reset()
        moto_api_backend.reset()
        self._callers.forget()

    def _serve(self) -> None:
        try:
            self._server = self._build()
        except BaseException as failure:
            self._failure = failure
            self._socket.close()
            self._ready.set()
            return
        self._ready.set()
        if not self._running:
            return
        self._server.serve_forever(poll_interval=0.02)

    def _build(self) -> BaseWSGIServer:
        from werkzeug.serving import make_server

        from sandbox.callers import Callers
        from sandbox.codecommit.git_http import GitHttp
        from sandbox.faults import Faults
        from sandbox.front import Front
        from sandbox.http_server import RequestHandler
        from sandbox.inside import Inside
        from sandbox.services import Services

        self._faults = Faults()
        if self._wanted_faults:
            self.set_faults(self._wanted_faults)
        self._callers = Callers(self._secret, self.region)
        self.inside = Inside(self.url, self.region, self._folder, self._callers)
        services = Services(self.inside, self._log, self._folder)
        self._services, self.events, self.functions = services.by_name, services.events, services.functions
        git = GitHttp(services.codecommit.repositories, self._callers, self._log, self._faults, self.region)
        front = Front(self._services, git, self.endpoint.facts, self._callers, self._log, self._faults, self.region)
        port = self._socket.getsockname()[1]
        return make_server(HOST, port, front, threaded=True, request_handler=RequestHandler, fd=self._socket.fileno())
