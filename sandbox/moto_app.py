"""moto behind the front: only asked what it really has, and its failures turned into a clear answer."""

from __future__ import annotations

import io
from collections.abc import Iterable
from threading import RLock
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.errors import Answer, NotImplementedInSandbox

# moto's backends are plain dictionaries: two threads in one conditional write would both win. Services that call
# back into the sandbox while they answer (lambda, events, cloudformation, sns, sqs, logs, s3 ...) must not hold a lock.
_ONE_AT_A_TIME = {"dynamodb", "iam", "sts", "sagemaker", "ssm", "codebuild", "ecr", "kms", "secretsmanager"}

# moto answers these, but in a way that proves nothing: better no answer than a false one.
_REFUSED = {
    ("sts", "GetSessionToken"): "moto hands out one constant key that belongs to nobody",
    ("sts", "GetFederationToken"): "moto hands out one constant key that belongs to nobody",
    (
        "s3",
        "PutBucketNotificationConfiguration",
    ): "moto's S3 would tell nobody: its functions and rules are not those here",
    ("scheduler", "CreateSchedule"): "moto's schedules never run: use a scheduled rule",
}


class _NoBackend(Exception):
    pass


class _Dispatcher(DomainDispatcherApplication):
    """moto's own dispatcher, except that it prints nothing for a service it does not have."""

    def get_backend_for_host(self, host: str | None) -> Any:
        if host is None:
            return None
        if host == "moto_api" or host in ("s3control", "dynamodbstreams", "dynamodb_v20111205", "dynamodb"):
            return host
        for backend, pattern in self.backend_url_patterns:
            if pattern.match(f"http://{host}"):
                return backend
        raise _NoBackend(host)


class Moto:
    """Passes a request on to moto and returns its answer."""

    def __init__(self) -> None:
        self._app = _Dispatcher(create_backend_app)
        self._locks = {service: RLock() for service in _ONE_AT_A_TIME}

    def answer(self, environ: dict[str, Any], body: bytes, service: str, operation: str) -> Answer:
        """Raises NotImplementedInSandbox for whatever moto has not, or fails at."""
        if (service, operation) in _REFUSED:
            raise NotImplementedInSandbox(service, operation, _REFUSED[service, operation])
        lock = self._locks.get(service)
        if lock is None:
            return self._call(environ, body, service, operation)
        with lock:
            return self._call(environ, body, service, operation)

    def _call(self, environ: dict[str, Any], body: bytes, service: str, operation: str) -> Answer:
        caught: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            caught.update(status=int(status.split()[0]), headers=headers)
            return lambda data: None

        inner = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        inner.pop("HTTP_TRANSFER_ENCODING", None)
        inner.pop("wsgi.input_terminated", None)
        try:
            chunks: Iterable[bytes] = self._app(inner, start_response)
            answer = b"".join(chunks)
        except (_NoBackend, NotImplementedError) as error:
            raise NotImplementedInSandbox(service, operation) from error
        except Exception as error:
            why = f"moto failed with {type(error).__name__}: {error}"
            raise NotImplementedInSandbox(service, operation, why) from error
        # moto answers some operations it lacks with an empty 404 or its own HTML.
        if (
            caught["status"] in (404, 500)
            and (not answer or answer.lstrip().startswith(b"<!doctype"))
            and environ["REQUEST_METHOD"] != "HEAD"
        ):
            raise NotImplementedInSandbox(service, operation)
        return caught["status"], dict(caught["headers"]), answer
