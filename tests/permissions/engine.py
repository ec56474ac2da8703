"""An independent IAM engine: npm's @cloud-copilot/iam-simulate in one Node process, offline.

It knows every action, its resource types and its condition keys (AWS's Service Authorization Reference), and refuses to
evaluate what AWS does not have. Limits: a key `kms:EncryptionContext:…` whose name holds a colon is not seen by it, so
that a condition on one never holds; wildcards in a requested ARN are replaced, as it would take them for a question
about all resources.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pytest

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "iam-engine"
WITHOUT_NODE = os.environ.get("MLOPS_NO_NODE") == "1"
# Read before the tests give themselves an empty home: npm may need its owner's proxy or registry.
NPM_SETTINGS = os.environ.get("NPM_CONFIG_USERCONFIG") or str(Path.home() / ".npmrc")
_UNSEEN = "kms:EncryptionContext:"
_ANYTHING = "unknown-yet"
# Deprecated, so that the engine has only the new names; AWS goes on honouring the old ones in policies.
_NEW_NAMES = {
    "sagemaker:OutputKmsKey": "sagemaker:OutputKmsKeyArn",
    "sagemaker:VolumeKmsKey": "sagemaker:VolumeKmsKeyArn",
}
_FULL_ACCESS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Policies:
    """What decides about one principal. identity, service_control: documents by name; boundary: None if there is
    none."""

    identity: Mapping[str, Document] = field(default_factory=dict)
    boundary: Document | None = None
    service_control: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One authorization. account: that of the resource. resource_policy: a bucket's or a key's, if it is to count."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""
    resource_policy: Document | None = None


@dataclass(frozen=True)
class Decision:
    """reason: why it is refused, in words; empty where it is allowed."""

    allowed: bool
    reason: str = ""


class Engine:
    """`with Engine() as engine:` starts Node, leaving ends it. Raises AssertionError for what cannot be evaluated."""

    def __enter__(self) -> Engine:
        folder = installed()
        self._node = subprocess.Popen(
            ["node", "evaluate.js"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._known: dict[str, Decision] = {}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _pipe(self._node.stdin).close()
        self._node.wait(timeout=10)
        _pipe(self._node.stdout).close()

    def decide(self, policies: Policies, request: Request) -> Decision:
        """Whether AWS would let the request through; asking the same twice costs nothing."""
        question = json.dumps(_simulation(policies, request), sort_keys=True)
        for old, new in _NEW_NAMES.items():
            question = question.replace(f'"{old}"', f'"{new}"')
        if question not in self._known:
            _pipe(self._node.stdin).write(question + "\n")
            _pipe(self._node.stdin).flush()
            self._known[question] = _decision(request, json.loads(_pipe(self._node.stdout).readline()))
        return self._known[question]


def _simulation(policies: Policies, request: Request) -> dict[str, Any]:
    owner = request.resource.split(":")[4] if request.resource.startswith("arn:") else ""
    account = request.account or owner or request.principal.split(":")[4]
    wildcard = request.resource == "*"
    simulation: dict[str, Any] = {
        "request": {
            "principal": request.principal,
            "action": request.action,
            "resource": {
                "resource": "*" if wildcard else request.resource.replace("*", _ANYTHING),
                "accountId": account,
            },
            "contextVariables": dict(request.context),
        },
        "identityPolicies": [{"name": name, "policy": policy} for name, policy in policies.identity.items()],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if policies.service_control:
        documents = {"FullAWSAccess": _FULL_ACCESS, **policies.service_control}
        listed = [{"name": name, "policy": policy} for name, policy in documents.items()]
        simulation["serviceControlPolicies"] = [{"orgIdentifier": "r-root", "policies": listed}]
    if policies.boundary is not None:
        simulation["permissionBoundaryPolicies"] = [{"name": "boundary", "policy": policies.boundary}]
    if request.resource_policy is not None:
        simulation["resourcePolicy"] = request.resource_policy
    return simulation


def _decision(request: Request, answer: Mapping[str, Any]) -> Decision:
    asked = f"{request.action} on {request.resource}"
    if "error" in answer:
        raise AssertionError(f"{asked} cannot be evaluated: {json.dumps(answer['error'])}")
    ignored = [key for key in answer["ignored"] if not key.startswith(_UNSEEN)]
    if ignored:
        raise AssertionError(f"{asked}: AWS has no such condition keys for this action: {ignored}")
    if answer["result"] == "Allowed" and (request.resource != "*" or answer["patterns"] in ([None], ["*"])):
        return Decision(True)
    if answer["denials"]:
        return Decision(False, f"denied by {', '.join(answer['denials'])}")
    if answer["blockedBy"]:
        return Decision(False, f"allowed, but not by: {', '.join(answer['blockedBy'])}")
    return Decision(False, "no policy allows it")


def installed() -> Path:
    """The folder with the engine and its packages, installed by npm the first time, for each version of package.json
    anew. Fails without Node.js, unless MLOPS_NO_NODE=1 says that this machine is to go without: then it skips."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing and WITHOUT_NODE:
        pytest.skip(f"{' and '.join(missing)} missing, and MLOPS_NO_NODE=1: permissions are not evaluated")
    if missing:
        pytest.fail(
            f"{' and '.join(missing)} missing: install Node.js 18 or newer, or set MLOPS_NO_NODE=1 to skip these tests",
            pytrace=False,
        )
    files = [HERE / "package.json", HERE / "evaluate.js"]
    version = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = CACHE / version
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            _install(Path(work) / "engine", files)
            try:
                (Path(work) / "engine").rename(folder)
            except OSError:  # another test process was faster
                assert folder.exists()
    return folder


def _install(folder: Path, files: Sequence[Path]) -> None:
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder)
    done = subprocess.run(
        ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
        cwd=folder,
        env={**os.environ, "NPM_CONFIG_USERCONFIG": NPM_SETTINGS, "NPM_CONFIG_CACHE": str(CACHE / "npm")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.fail(f"npm could not install the IAM engine:\n{done.stderr}", pytrace=False)


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe
