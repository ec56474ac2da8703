"""What builds tell EventBridge: `CodeBuild Build State Change` and `CodeBuild Build Phase Change`.

Source: User Guide, "Build notifications input format reference". Members that its examples lack and events of real
builds have are here as well: cache, build-number, image-pull-credentials-type, queued-timeout-in-minutes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.codebuild.description import deep_link
from sandbox.codebuild.store import Build, Context, Phase
from sandbox.inside import Event


def state_change(build: Build) -> Event:
    """The contexts that it names are those of the last phase that has ended."""
    with build.lock:
        ended = [phase for phase in build.phases if phase.ended is not None]
        detail = {
            "build-status": build.status,
            "current-phase": build.phases[-1].name,
            "current-phase-context": _listed(ended[-1].contexts if ended else None),
        }
        return _event(build, "CodeBuild Build State Change", detail)


def phase_change(build: Build, phase: Phase) -> Event:
    """phase: one that has ended."""
    with build.lock:
        detail = {
            "completed-phase": phase.name,
            "completed-phase-status": phase.status,
            "completed-phase-context": _listed(phase.contexts),
            "completed-phase-duration-seconds": phase.seconds,
            "completed-phase-start": _time(phase.started),
            "completed-phase-end": _time(phase.ended or phase.started),
        }
        return _event(build, "CodeBuild Build Phase Change", detail)


def _event(build: Build, detail_type: str, own: dict[str, Any]) -> Event:
    detail = {
        "project-name": build.project,
        "build-id": build.arn,
        "additional-information": _additional(build),
        "version": "1",
    }
    return Event(
        source="aws.codebuild",
        detail_type=detail_type,
        detail={**detail, **own},
        resources=(build.arn,),
        account=build.account,
        region=build.region,
    )


def _additional(build: Build) -> dict[str, Any]:
    settings = build.settings
    environment = settings["environment"]
    log = {"group-name": build.log_group, "stream-name": build.log_stream} if build.log_group else {}
    source = {name: settings["source"][name] for name in ("location", "type") if settings["source"].get(name)}
    found: dict[str, Any] = {
        "cache": {name: settings["cache"][name] for name in ("location", "type") if settings["cache"].get(name)},
        "build-number": build.number,
        "timeout-in-minutes": settings["timeoutInMinutes"],
        "queued-timeout-in-minutes": settings["queuedTimeoutInMinutes"],
        "build-complete": build.complete,
        "initiator": build.initiator,
        "build-start-time": _time(build.started),
        "source": source,
        "artifact": {"location": ""},
        "environment": {
            "image": environment["image"],
            "privileged-mode": environment["privilegedMode"],
            "image-pull-credentials-type": environment["imagePullCredentialsType"],
            "compute-type": environment["computeType"],
            "type": environment["type"],
            "environment-variables": [dict(each) for each in environment["environmentVariables"]],
        },
        "logs": {**log, "deep-link": deep_link(build)},
        "phases": [_phase(phase) for phase in build.phases],
    }
    if settings.get("sourceVersion"):
        found["source-version"] = settings["sourceVersion"]
    return found


def _phase(phase: Phase) -> dict[str, Any]:
    if phase.ended is None:
        return {"phase-type": phase.name, "start-time": _time(phase.started)}
    return {
        "phase-context": _texts(phase.contexts),
        "start-time": _time(phase.started),
        "end-time": _time(phase.ended),
        "duration-in-seconds": phase.seconds,
        "phase-type": phase.name,
        "phase-status": phase.status,
    }


def _texts(contexts: list[Context] | None) -> list[str]:
    return [f"{context['statusCode']}: {context['message']}" for context in contexts or []]


def _listed(contexts: list[Context] | None) -> str:
    return "[" + ", ".join(_texts(contexts)) + "]"


def _time(moment: datetime) -> str:
    """E.g. `Sep 1, 2017 4:12:29 PM`, in UTC."""
    return f"{moment:%b} {moment.day}, {moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
