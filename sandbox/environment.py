"""The environment that points AWS clients and git at a sandbox, and nowhere else."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

DEVELOPER_KEY = "AKIASANDBOXDEVELOPER"
_HELPER = Path(__file__).with_name("git_credentials.py")


@dataclass(frozen=True)
class Endpoint:
    """Where a sandbox is and how to sign for it. folder: holds its two empty AWS configuration files."""

    url: str
    region: str
    access_key: str
    secret: str
    folder: str

    def facts(self) -> dict[str, str]:
        return asdict(self)


def client_environment(endpoint: Endpoint, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """A complete environment for a process: `base` (default: this process's) with AWS and git pointed at the sandbox.

    Profiles, session tokens and other endpoints of `base` are taken out, so that nothing can reach a real account.
    """
    env = dict(os.environ if base is None else base)
    for name in list(env):
        if name.startswith("AWS_ENDPOINT_URL") or name in _REMOVED:
            del env[name]
    env.update(
        {
            "AWS_ENDPOINT_URL": endpoint.url,
            "AWS_ACCESS_KEY_ID": endpoint.access_key,
            "AWS_SECRET_ACCESS_KEY": endpoint.secret,
            "AWS_DEFAULT_REGION": endpoint.region,
            "AWS_REGION": endpoint.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(Path(endpoint.folder, "aws-config")),
            "AWS_SHARED_CREDENTIALS_FILE": str(Path(endpoint.folder, "aws-credentials")),
            "AWS_PAGER": "",
            "GIT_TERMINAL_PROMPT": "0",
        }
    )
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in env.get(name, "").split(",") if host]
        env[name] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
    env.update(_git_settings(endpoint, env))
    return env


_REMOVED = {
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
}


def _git_settings(endpoint: Endpoint, env: Mapping[str, str]) -> dict[str, str]:
    """What a CodeCommit user has in the global git configuration (CodeCommit User Guide, "Setup steps for HTTPS
    connections
    with the AWS CLI credential helper"), for the sandbox's URL only, behind whatever GIT_CONFIG_* already says."""
    count = int(env.get("GIT_CONFIG_COUNT") or 0)
    settings = [(env.get(f"GIT_CONFIG_KEY_{i}", ""), env.get(f"GIT_CONFIG_VALUE_{i}", "")) for i in range(count)]
    section = f"credential.{endpoint.url}"
    settings = [(key, value) for key, value in settings if not key.startswith(section + ".")]
    helper = f"!{shlex.quote(sys.executable)} -I -S {shlex.quote(str(_HELPER))}"
    # The empty value takes out every other helper, which would keep a password that lives 15 minutes.
    settings += [(f"{section}.helper", ""), (f"{section}.helper", helper), (f"{section}.useHttpPath", "true")]
    named = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        named[f"GIT_CONFIG_KEY_{number}"] = key
        named[f"GIT_CONFIG_VALUE_{number}"] = value
    return named


def shell_lines(endpoint: Endpoint, base: Mapping[str, str] | None = None) -> list[str]:
    """`export` and `unset` lines for a POSIX shell that has the environment `base`."""
    before = dict(os.environ if base is None else base)
    after = client_environment(endpoint, before)
    lines = [f"unset {name}" for name in sorted(before.keys() - after.keys())]
    lines += [f"export {name}={shlex.quote(after[name])}" for name in sorted(after) if before.get(name) != after[name]]
    return lines
