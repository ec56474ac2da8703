"""The buildspec: read strictly, for what AWS ignores or misunderstands there is found out here.

Source: User Guide, "Build specification reference for CodeBuild". Scalars are texts as they are written: a variable
that is `yes` or `010` stays so.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sandbox.codebuild.failures import NotHere, yaml_error

PHASES = ("install", "pre_build", "build", "post_build")
ABORT, CONTINUE = "ABORT", "CONTINUE"
_TOP = {"version", "env", "phases", "cache", "run-as", "proxy", "batch", "reports", "artifacts"}
_ENV = {"shell", "variables", "parameter-store", "exported-variables", "secrets-manager", "git-credential-helper"}
_PHASE = {"commands", "finally", "on-failure", "run-as"}
_CACHE = {"key", "fallback-keys", "action", "paths"}
_SHELLS = {"bash": "bash", "/bin/sh": "sh"}
_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}
_MOST_FALLBACK_KEYS = 5
# Those that the standard images name when they refuse another one.
_RUNTIMES = ("dotnet", "golang", "java", "nodejs", "php", "python", "ruby")


@dataclass(frozen=True)
class PhaseSpec:
    """on_failure: ABORT, CONTINUE, or None for the documented transitions."""

    commands: list[str]
    finally_commands: list[str]
    on_failure: str | None


@dataclass(frozen=True)
class CacheSpec:
    """restores, saves: what the action says, both without one."""

    paths: list[str]
    key: str | None
    fallback_keys: list[str]
    restores: bool
    saves: bool


@dataclass(frozen=True)
class Buildspec:
    """shell: the program that runs the commands. parameters: name of a variable -> name in Parameter Store."""

    shell: str
    phases: dict[str, PhaseSpec]
    variables: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    exported: list[str] = field(default_factory=list)
    git_credential_helper: bool = False
    runtimes: dict[str, str] = field(default_factory=dict)
    cache: CacheSpec | None = None


def read(text: str) -> Buildspec:
    """Raises PhaseFailed with YAML_FILE_ERROR, and NotHere."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - makes texts, lists and mappings only
    except yaml.YAMLError as error:
        raise yaml_error(" ".join(str(error).split())) from error
    top = _mapping(document, "buildspec")
    _known(top, _TOP, "")
    for name in ("run-as", "proxy", "batch", "reports", "artifacts"):
        if name in top:
            raise NotHere(f"`{name}`")
    version = top.get("version")
    if version == "0.1":
        raise NotHere("buildspec version 0.1")
    if version != "0.2":
        raise yaml_error(f"invalid buildspec version {version!r}: it must be 0.2")
    env = _mapping(top.get("env") or {}, "env")
    _known(env, _ENV, "env/")
    if "secrets-manager" in env:
        raise NotHere("`env/secrets-manager`")
    shell = env.get("shell", "/bin/sh")
    if shell not in _SHELLS:
        raise yaml_error(f"unsupported shell {shell!r}")
    phases = _mapping(top.get("phases") or {}, "phases")
    if not phases:
        raise yaml_error("phases: at least one phase is required")
    _known(phases, set(PHASES), "phases/")
    variables, parameters = _texts(env, "variables"), _texts(env, "parameter-store")
    for name in {**variables, **parameters}:
        if name.startswith("CODEBUILD_"):
            raise yaml_error(f"the environment variable {name} begins with CODEBUILD_, which is reserved")
    return Buildspec(
        shell=_SHELLS[shell],
        phases={name: _phase(name, phases[name]) for name in PHASES if name in phases},
        variables=variables,
        parameters=parameters,
        exported=_exported(env),
        git_credential_helper=_yes_or_no(env, "git-credential-helper"),
        runtimes=_runtimes(phases),
        cache=_cache(top["cache"]) if "cache" in top else None,
    )


def _phase(name: str, node: Any) -> PhaseSpec:
    where = f"phases/{name}"
    phase = _mapping(node, where)
    _known(phase, _PHASE | ({"runtime-versions"} if name == "install" else set()), where + "/")
    if "run-as" in phase:
        raise NotHere(f"`{where}/run-as`")
    commands, lasts = _strings(phase, "commands", where), _strings(phase, "finally", where)
    if not commands and name != "install":  # install needs none (runtime-versions alone is a phase)
        raise yaml_error(f"No commands found for phase name: {name}")
    wish = phase.get("on-failure")
    if wish is not None and wish.upper().startswith("RETRY"):
        raise NotHere(f"`{where}/on-failure: {wish}`")
    if wish is not None and wish not in (ABORT, CONTINUE):
        raise yaml_error(f"{where}/on-failure: {wish!r} is neither ABORT nor CONTINUE")
    return PhaseSpec(commands, lasts, wish)


def _runtimes(phases: Mapping[str, Any]) -> dict[str, str]:
    install = phases.get("install")
    if not isinstance(install, Mapping) or "runtime-versions" not in install:
        return {}
    found = _texts(install, "runtime-versions")
    if not found:
        raise yaml_error("phases/install/runtime-versions: at least one runtime is required")
    for name in found:
        if name not in _RUNTIMES:  # as users of CodeBuild quote it
            known = ", ".join(_RUNTIMES)
            raise yaml_error(f"Unknown runtime named '{name}'. This build image has the following runtimes: {known}")
    return found


def _exported(env: Mapping[str, Any]) -> list[str]:
    """Variables that start with AWS_ cannot be exported."""
    names = _strings(env, "exported-variables", "env")
    for name in names:
        if name.startswith("AWS_") or not name.replace("_", "a").isalnum() or name[0].isdigit():
            raise yaml_error(f"env/exported-variables: {name} cannot be exported")
    return names


def _cache(node: Any) -> CacheSpec:
    cache = _mapping(node, "cache")
    _known(cache, _CACHE, "cache/")
    paths = _strings(cache, "paths", "cache")
    if not paths:
        raise yaml_error("cache/paths is required")
    action = cache.get("action")
    if action not in (None, "restore", "save"):
        raise yaml_error(f"cache/action: {action!r} is neither restore nor save")
    fallbacks = _strings(cache, "fallback-keys", "cache")
    if len(fallbacks) > _MOST_FALLBACK_KEYS:
        raise yaml_error("cache/fallback-keys: at most five are supported")
    return CacheSpec(paths, cache.get("key") or None, fallbacks, action != "save", action != "restore")


def _known(node: Mapping[str, Any], names: set[str], where: str) -> None:
    for name in node:
        if name not in names:
            raise yaml_error(f"unknown key {where}{name}")


def _mapping(node: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        raise yaml_error(f"{where} must be a mapping")
    return node


def _texts(holder: Mapping[str, Any], name: str) -> dict[str, str]:
    node = _mapping(holder.get(name) or {}, name)
    for key, value in node.items():
        if not isinstance(value, str):
            raise yaml_error(f"{name}/{key} must be a scalar")
    return dict(node)


def _strings(holder: Mapping[str, Any], name: str, where: str) -> list[str]:
    node = holder.get(name) or []
    if not isinstance(node, list):
        raise yaml_error(f"{where}/{name} must be a sequence")
    for number, item in enumerate(node):
        if not isinstance(item, str):  # as users of CodeBuild quote it, but for its lines
            raise yaml_error(f"Expected {name.capitalize()}[{number}] to be of string type: found subkeys instead")
    return list(node)


def _yes_or_no(holder: Mapping[str, Any], name: str) -> bool:
    wish = str(holder.get(name, "no")).lower()
    if wish not in _YES_OR_NO:
        raise yaml_error(f"env/{name}: {wish!r} is neither yes nor no")
    return _YES_OR_NO[wish]


class _Loader(yaml.BaseLoader):
    """Texts, lists and mappings; a key that comes twice is an error, as for Go's YAML."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} is already set in map")
        return super().construct_mapping(node, deep)
