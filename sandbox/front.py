"""The front: every request to the sandbox passes here, in this order:

1. whose service and operation is it (wire), 2. who calls (callers, signatures), 3. is it well formed (shapes),
4. is it to fail (faults), 5. do it (the sandbox's own services, else moto), 6. write it down (call_log).
"""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from moto.core.request import Request

from sandbox.authorization import authorizations
from sandbox.call_log import CallLog
from sandbox.callers import ACCOUNT, Caller, Callers, no_credentials, wrong_signature
from sandbox.calls import TO_MOTO, Call, Service, encode_output
from sandbox.connection import Cut, hold
from sandbox.errors import Answer, AwsError, NotImplementedInSandbox, encode_error, error_code_of
from sandbox.faults import FaultName, Faults, fault_error
from sandbox.refusals import refusal
from sandbox.resources import describe
from sandbox.shapes import UnknownMember, WrongType, violations
from sandbox.signatures import Scope, is_signed_by, scope_of
from sandbox.wire import Target, find_target, read_params

if TYPE_CHECKING:
    from sandbox.moto_app import Moto

StartResponse = Callable[..., Any]
Environ = dict[str, Any]

# Calls that carry no signature, by their nature (STS API Reference).
_UNSIGNED = ("AssumeRoleWithWebIdentity", "AssumeRoleWithSAML")


SET_HERE = ("content-length", "connection")


class Front:
    """A WSGI application. services: the sandbox's own, by botocore's service name. git: answers CodeCommit's clone
    URLs."""

    def __init__(
        self,
        services: Mapping[str, Service],
        git: Callable[[Environ, StartResponse], Iterable[bytes] | None],
        facts: Callable[[], dict[str, str]],
        callers: Callers,
        log: CallLog,
        faults: Faults,
        region: str,
    ) -> None:
        self._services = services
        self._git = git
        self._facts = facts
        self._callers = callers
        self._log = log
        self._faults = faults
        self._region = region
        self._moto: Moto | None = None
        self._moto_lock = Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/_sandbox/environment":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self._facts()).encode()]
        git_answer = self._git(environ, start_response)
        if git_answer is not None:
            return git_answer
        body = _read_body(environ)
        environ.update({"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        request = Request(environ)
        request.get_data(cache=True)
        status, headers, answer = self._answer(request, body)
        headers.setdefault("x-amzn-RequestId", str(uuid4()))
        said = {name.lower(): value for name, value in headers.items()}
        headers = {name: value for name, value in headers.items() if name.lower() not in SET_HERE}
        # The answer to HEAD has no body, but the length of the one that GET would have (S3, HeadObject).
        head = environ["REQUEST_METHOD"] == "HEAD"
        headers["Content-Length"] = said.get("content-length", "0") if head else str(len(answer))
        start_response(f"{status} {'OK' if status < 400 else 'Error'}", list(headers.items()))
        return [answer]

    def _answer(self, request: Request, body: bytes) -> Answer:
        target: Target | None = None
        signing_name = "s3"
        try:
            scope = scope_of(request)
            signing_name = _unsigned_service(request) if scope is None else scope.signing_name
            if request.path.startswith("/moto-api"):
                raise AwsError("InvalidBucketName", "moto-api is no bucket name in the sandbox", 400)
            target = find_target(request, signing_name)
            caller = self._caller(scope, target, request, body)
        except AwsError as error:
            return self._refused(error, target, signing_name)
        region = (scope.region if scope else "") or self._region
        call = Call(target.service, str(target.model.name), target.model, target.protocol, {}, region, caller)
        return self._logged(call, target, request, body)

    def _caller(self, scope: Scope | None, target: Target, request: Request, body: bytes) -> Caller:
        if scope is None:
            if target.model.name in _UNSIGNED:
                return Caller("anonymous", ACCOUNT, "", "")
            raise no_credentials(target.protocol, target.service)
        caller = self._callers.authenticate(scope.access_key, scope.token, target.protocol, target.service)
        if not is_signed_by(scope, caller.secret, request, body):
            raise wrong_signature(target.protocol, target.service)
        return caller

    def _refused(self, error: AwsError, target: Target | None, signing_name: str) -> Answer:
        """A request that never became a call: it has no caller."""
        service = target.service if target else signing_name
        operation = str(target.model.name) if target else "Unknown"
        protocol = (
            target.protocol if target else error.details.pop("protocol", "rest-xml" if service == "s3" else "json")
        )
        self._log.add(
            service=service,
            operation=operation,
            status=error.status,
            role=None,
            resource=None,
            context={},
            error=error.code,
            authorization=[],
        )
        return encode_error(error, protocol, service)

    def _logged(self, call: Call, target: Target, request: Request, body: bytes) -> Answer:
        fault: FaultName | None = None
        answer: Answer | None = None
        code: str | None = None
        asked: list[dict[str, Any]] | None = []
        try:
            call.params = read_and_check(target, request, body)
            self._describe(call)
            asked = authorizations(call, self._tags_of)
            fault = self._faults.next_call(call.service, call.operation)
            answer = self._with_fault(fault, call, request, body)
            code = error_code_of(*answer)
        except (AwsError, UnknownMember, WrongType) as error:
            error = error if isinstance(error, AwsError) else _shape_error(error, call)
            code = error.code
            answer = encode_error(error, call.protocol, call.service)
        except Cut:
            pass
        except Exception as error:  # a mistake of the sandbox's: say so, at once and in full, rather than be retried
            traceback.print_exc()
            code = "SandboxFailure"
            answer = encode_error(
                AwsError(code, f"sandbox/ failed with {error!r}: a mistake in it", 501), call.protocol, call.service
            )
        self._log.add(
            service=call.service,
            operation=call.operation,
            status=answer[0] if answer else None,
            role=call.caller.arn,
            resource=_one_or_many(call.resources),
            context=call.context,
            error=code,
            fault=str(fault) if fault else None,
            authorization=asked,
        )
        if answer is None:
            raise Cut
        if fault is FaultName.HANG_AFTER:
            hold(request.environ)
        return answer

    def _describe(self, call: Call) -> None:
        service = self._services.get(call.service)
        if service is not None:
            service.describe(call)
        if not call.resources:
            describe(call)
        call.context.update(call.caller.context)

    def _tags_of(self, call: Call, arn: str) -> Mapping[str, str] | None:
        """The tags of what one of the sandbox's own services keeps; None for what moto keeps."""
        keeper = self._services.get(arn.split(":")[2]) if arn.startswith("arn:") else None
        resource_tags = getattr(keeper, "resource_tags", None)
        return None if resource_tags is None else resource_tags(call, arn)

    def _with_fault(self, fault: FaultName | None, call: Call, request: Request, body: bytes) -> Answer:
        if fault is None or fault is FaultName.HANG_AFTER:
            return self._perform(call, request, body)
        if fault is FaultName.NO_ANSWER:
            self._perform(call, request, body)
            raise Cut
        if fault is FaultName.DROPPED:
            raise Cut
        if fault is FaultName.HANG_BEFORE:
            hold(request.environ)
        error = fault_error(fault, call.protocol, call.service, call.operation, call.caller.arn, call.resources)
        raise error or Cut

    def _perform(self, call: Call, request: Request, body: bytes) -> Answer:
        service = self._services.get(call.service)
        if service is not None:
            operation = getattr(service, call.operation, None)
            if operation is not None:
                output = operation(call)
                if output is not TO_MOTO:
                    return encode_output(call, output)
            elif service.complete:
                raise NotImplementedInSandbox(call.service, call.operation)
        return self._loaded_moto().answer(request.environ, body, call.service, call.operation)

    def _loaded_moto(self) -> Moto:
        """moto's server takes long to load, and much can be tried without it."""
        with self._moto_lock:
            if self._moto is None:
                from sandbox.moto_app import Moto

                self._moto = Moto()
            self._callers.seed()
            return self._moto


def read_and_check(target: Target, request: Request, body: bytes) -> dict[str, Any]:
    """The parameters of a request that satisfies AWS's model. Raises AwsError, UnknownMember, WrongType."""
    params = read_params(target, request, body)
    found = violations(target.model.input_shape, params)
    if found:
        raise refusal(target, found)
    return params


def _shape_error(error: Exception, call: Call) -> AwsError:
    if isinstance(error, WrongType):
        return AwsError("SerializationException" if "json" in call.protocol else "MalformedInput", str(error))
    return AwsError("ValidationError" if call.protocol in ("query", "ec2") else "ValidationException", str(error))


def _unsigned_service(request: Request) -> str:
    if request.headers.get("X-Amz-Target"):
        raise no_credentials("json", "")
    action = request.values.get("Action")
    if action in _UNSIGNED:
        return "sts"
    if action:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403, protocol="query")
    raise no_credentials("rest-xml", "s3")


def _one_or_many(resources: list[str]) -> str | list[str] | None:
    unique = list(dict.fromkeys(resources))
    return unique[0] if len(unique) == 1 else (unique or None)


def _read_body(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    data: bytes = stream.read() if environ.get("wsgi.input_terminated") else stream.read(int(length or 0))
    return data
