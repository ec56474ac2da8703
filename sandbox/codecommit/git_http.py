"""Clone URLs: git's own smart HTTP, served by `git http-backend` behind CodeCommit's credentials.

Sources: git-http-backend(1), gitprotocol-http(5), gitprotocol-pack(5); CodeCommit User Guide, "Troubleshooting HTTPS
connections" (403 for bad credentials) and "Working with branches" (the branch of the first commit becomes the default).
"""

from __future__ import annotations

import base64
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from gzip import GzipFile
from typing import IO, Any, cast

from sandbox.authorization import git_authorizations
from sandbox.call_log import CallLog
from sandbox.callers import EXPIRED_KEY, Caller, Callers
from sandbox.codecommit.reference_events import HEADS, NONE, Move
from sandbox.codecommit.store import PUSHED, Repositories, Repository, git_environment
from sandbox.connection import Cut, hold
from sandbox.errors import AwsError
from sandbox.faults import AFTER_THE_EFFECT, FaultName, Faults, fault_error
from sandbox.signatures import is_git_password

_URL = re.compile(
    r"(?P<base>(?:/(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?/v1/repos/(?P<name>[^/]+))/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
_IN_MEMORY = 8 * 1024 * 1024
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class RefCommand:
    """One line of a push: reference `name` from `old` to `new` (all zeros: none)."""

    old: str
    new: str
    name: str


class GitHttp:
    """The part of the front that answers git clients."""

    def __init__(self, repositories: Repositories, callers: Callers, log: CallLog, faults: Faults, region: str) -> None:
        self._repositories = repositories
        self._callers = callers
        self._log = log
        self._faults = faults
        self._region = region

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes] | None:
        """The answer to a git client, or None for a request that is none of git's."""
        url = _URL.fullmatch(environ["PATH_INFO"])
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if url is None or authorization.startswith("AWS4"):
            return None
        region = url["region"] or self._region
        if not authorization.startswith("Basic "):
            return _refuse(start_response, 401, "", [("WWW-Authenticate", 'Basic realm="AWS CodeCommit (sandbox)"')])
        caller = self._caller(authorization, region, environ.get("HTTP_HOST", "").split(":")[0], url["base"])
        if caller is None:
            return _refuse(start_response, 403, "The credentials are unknown, expired, or made with another secret.")
        repository = self._repositories.find(caller.account, region, url["name"])
        if repository is None:
            return _refuse(start_response, 404, f"repository {url['name']} not found")
        if url["rest"] == "info/refs":
            return self._plain(environ, start_response, repository, url["rest"])
        body = _spool(environ)
        if url["rest"] == "git-upload-pack":
            return self._pull(environ, start_response, repository, caller, body)
        return self._push(environ, start_response, repository, caller, body)

    def _caller(self, authorization: str, region: str, host: str, path: str) -> Caller | None:
        """Whose credentials these are: the user name is the access key id, with `%` and the session token if there
        is one."""
        try:
            user, password = base64.b64decode(authorization[6:]).decode().split(":", 1)
        except ValueError:
            return None
        access_key, _, token = user.partition("%")
        caller = None if access_key == EXPIRED_KEY else self._callers.find(access_key)
        if caller is None or caller.token != (token or None) or caller.has_expired():
            return None
        return caller if is_git_password(password, access_key, caller.secret, region, host, path) else None

    def _plain(
        self, environ: dict[str, Any], start_response: Any, repository: Repository, rest: str
    ) -> Iterable[bytes]:
        if environ.get("QUERY_STRING") not in ("service=git-upload-pack", "service=git-receive-pack"):
            return _refuse(start_response, 403, "CodeCommit speaks git's smart HTTP protocol only")
        return _send(start_response, *_backend(environ, repository, rest, None))

    def _pull(
        self, environ: dict[str, Any], start_response: Any, repository: Repository, caller: Caller, body: IO[bytes]
    ) -> Iterable[bytes]:
        """A fetch may take several rounds; the one that is done, or is sent a pack, is the call."""
        last = b"0009done\n" in _start_of(body, environ, 1 << 20)
        fault = self._faults.next_call("codecommit", "GitPull") if last else None
        refused = self._before(fault, environ, start_response, repository, caller, "GitPull", [])
        if refused is not None:
            return refused
        status, headers, output = _backend(environ, repository, "git-upload-pack", body)
        if last or b"PACK" in output.read(_BLOCK):
            self._write_down("GitPull", status, repository, caller, [], fault)
        output.seek(0)
        self._after(fault, environ)
        return _send(start_response, status, headers, output)

    def _push(
        self, environ: dict[str, Any], start_response: Any, repository: Repository, caller: Caller, body: IO[bytes]
    ) -> Iterable[bytes]:
        commands = ref_commands(_start_of(body, environ, 4 << 20))
        if not commands:  # git's probe before a large push: an empty request
            return _send(start_response, *_backend(environ, repository, "git-receive-pack", body))
        references = [command.name for command in commands]
        fault = self._faults.next_call("codecommit", "GitPush")
        refused = self._before(fault, environ, start_response, repository, caller, "GitPush", references)
        if refused is not None:
            return refused
        with tempfile.NamedTemporaryFile("r", encoding="utf-8") as pushed:
            status, headers, output = _backend(environ, repository, "git-receive-pack", body, {PUSHED: pushed.name})
            moves = [_move(line) for line in pushed]
        _settle_default(repository, moves)
        self._repositories.moved(repository, moves, caller.arn)
        error = "PushRejected" if re.search(rb"ng refs/|unpack (?!ok)", output.read(_BLOCK)) else None
        output.seek(0)
        self._write_down("GitPush", status, repository, caller, references, fault, error)
        self._after(fault, environ)
        return _send(start_response, status, headers, output)

    def _before(
        self,
        fault: FaultName | None,
        environ: dict[str, Any],
        start_response: Any,
        repository: Repository,
        caller: Caller,
        operation: str,
        references: list[str],
    ) -> Iterable[bytes] | None:
        """A fault that strikes before the effect: an answer, or Cut."""
        if fault is None or fault in AFTER_THE_EFFECT:
            return None
        error = fault_error(fault, "rest-json", "codecommit", operation, caller.arn, [repository.arn])
        if fault is FaultName.EXPIRED_TOKEN:
            error = AwsError("ExpiredTokenException", "The security token included in the request is expired", 403)
        status = error.status if error else None
        self._write_down(operation, status, repository, caller, references, fault, error.code if error else None)
        if error is None:
            if fault is FaultName.HANG_BEFORE:
                hold(environ)
            raise Cut
        return _refuse(start_response, error.status, error.message)

    def _after(self, fault: FaultName | None, environ: dict[str, Any]) -> None:
        if fault is FaultName.NO_ANSWER:
            raise Cut
        if fault is FaultName.HANG_AFTER:
            hold(environ)

    def _write_down(
        self,
        operation: str,
        status: int | None,
        repository: Repository,
        caller: Caller,
        references: list[str],
        fault: FaultName | None,
        error: str | None = None,
    ) -> None:
        context: dict[str, Any] = {f"aws:ResourceTag/{key}": value for key, value in repository.tags.items()}
        if references:
            context["codecommit:References"] = references
        if fault is FaultName.NO_ANSWER:
            status = None
        self._log.add(
            service="codecommit",
            operation=operation,
            status=status,
            role=caller.arn,
            resource=repository.arn,
            context=context,
            error=error,
            fault=str(fault) if fault else None,
            authorization=git_authorizations(operation, repository.arn, context, caller, self._region),
        )


def ref_commands(start: bytes) -> list[RefCommand]:
    """The commands at the start of a push (gitprotocol-pack(5), "Reference Update Request"): pkt-lines up to a
    flush."""
    commands, position = [], 0
    while position + 4 <= len(start):
        try:
            size = int(start[position : position + 4], 16)
        except ValueError:
            break
        if size == 0:
            break
        line = start[position + 4 : position + size].split(b"\0")[0].decode("utf-8", "replace").rstrip("\n")
        parts = line.split(" ", 2)
        if len(parts) == 3 and len(parts[0]) == 40:
            commands.append(RefCommand(*parts))
        position += max(size, 4)
    return commands


def _move(line: str) -> Move:
    """A line that git hands its hook post-receive (githooks(5))."""
    old, new, reference = line.rstrip("\n").split(" ", 2)
    return Move(reference, old, new)


def _settle_default(repository: Repository, moves: list[Move]) -> None:
    """After a push: the branch of the first commit becomes the default (User Guide, "Working with branches")."""
    with repository.lock:
        if repository.default_branch is not None:
            return
        for move in moves:
            if move.reference.startswith(HEADS) and move.new != NONE:
                repository.set_default(move.reference.removeprefix(HEADS))
                return


def _backend(
    environ: dict[str, Any],
    repository: Repository,
    rest: str,
    body: IO[bytes] | None,
    variables: Mapping[str, str] | None = None,
) -> tuple[int, list[tuple[str, str]], IO[bytes]]:
    """Run `git http-backend` as a CGI program. GIT_PROTOCOL is not passed on, so that a fetch is one kind of
    request. variables: for its hooks."""
    env = git_environment() | dict(variables or {})
    env.update(
        GIT_PROJECT_ROOT=str(repository.path.parent),
        GIT_HTTP_EXPORT_ALL="1",
        PATH_INFO=f"/{repository.path.name}/{rest}",
        QUERY_STRING=environ.get("QUERY_STRING", ""),
        REQUEST_METHOD=environ["REQUEST_METHOD"],
        CONTENT_TYPE=environ.get("CONTENT_TYPE", ""),
        REMOTE_USER="sandbox",
        REMOTE_ADDR="127.0.0.1",
    )
    if environ.get("HTTP_CONTENT_ENCODING"):
        env["HTTP_CONTENT_ENCODING"] = environ["HTTP_CONTENT_ENCODING"]
    if body is not None:
        body.seek(0, 2)
        env["CONTENT_LENGTH"] = str(body.tell())
        body.seek(0)
    output: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by _blocks
    with subprocess.Popen(
        ["git", "http-backend"],
        stdin=body or subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=env,
    ) as process:
        out = cast("IO[bytes]", process.stdout)
        status, headers = 200, []
        while line := out.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            if name.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.append((name, value.strip()))
        while block := out.read(_BLOCK):
            output.write(block)
    output.seek(0)
    return status, headers, output


def _send(start_response: Any, status: int, headers: list[tuple[str, str]], output: IO[bytes]) -> Iterable[bytes]:
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", headers)
    return _blocks(output)


def _blocks(output: IO[bytes]) -> Iterator[bytes]:
    with output:
        while block := output.read(_BLOCK):
            yield block


def _refuse(
    start_response: Any, status: int, message: str, headers: list[tuple[str, str]] | None = None
) -> Iterable[bytes]:
    body = (message + "\n").encode() if message else b""
    start_response(
        f"{status} Error", [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *(headers or [])]
    )
    return [body]


def _spool(environ: dict[str, Any]) -> IO[bytes]:
    """The request's body in a real file: git reads it by its descriptor, whatever its size."""
    spooled: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - goes with its last reference
    stream = environ["wsgi.input"]
    left = None if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
    while left is None or left > 0:
        block = stream.read(_BLOCK if left is None else min(_BLOCK, left))
        if not block:
            break
        spooled.write(block)
        left = None if left is None else left - len(block)
    spooled.seek(0)
    return spooled


def _start_of(body: IO[bytes], environ: dict[str, Any], size: int) -> bytes:
    body.seek(0)
    if environ.get("HTTP_CONTENT_ENCODING") in ("gzip", "x-gzip"):
        return GzipFile(fileobj=body).read(size)
    return body.read(size)
