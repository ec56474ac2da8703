"""A build as BatchGetBuilds shows it (API Reference, Build, BuildPhase, LogsLocation)."""

from __future__ import annotations

from typing import Any

from sandbox.codebuild.store import Build, Phase

# A build has these of its project's settings.
_SHOWN = (
    "cache",
    "encryptionKey",
    "environment",
    "queuedTimeoutInMinutes",
    "secondarySources",
    "secondarySourceVersions",
    "serviceRole",
    "source",
    "sourceVersion",
    "timeoutInMinutes",
)


def described(build: Build) -> dict[str, Any]:
    with build.lock:
        return {
            **{name: build.settings.get(name) for name in _SHOWN},
            "id": build.id,
            "arn": build.arn,
            "buildNumber": build.number,
            "startTime": build.started,
            "endTime": build.ended,
            "currentPhase": build.phases[-1].name if build.phases else None,
            "buildStatus": build.status,
            "resolvedSourceVersion": build.resolved,
            "projectName": build.project,
            "phases": [_phase(phase) for phase in build.phases],
            "artifacts": {"location": ""},
            "secondaryArtifacts": [],
            "logs": _logs(build),
            "buildComplete": build.complete,
            "initiator": build.initiator,
            "exportedEnvironmentVariables": [dict(each) for each in build.exported],
            "reportArns": [],
        }


def deep_link(build: Build) -> str:
    """As real builds have it, `null` included where there is no log yet."""
    group, stream = build.log_group or "null", build.log_stream or "null"
    return (
        f"https://console.aws.amazon.com/cloudwatch/home?region={build.region}#logEvent:group={group};stream={stream}"
    )


def _phase(phase: Phase) -> dict[str, Any]:
    shown: dict[str, Any] = {"phaseType": phase.name, "startTime": phase.started}
    if phase.ended is not None:
        shown |= {"endTime": phase.ended, "durationInSeconds": phase.seconds, "phaseStatus": phase.status}
    if phase.contexts is not None:
        shown["contexts"] = [dict(context) for context in phase.contexts]
    return shown


def _logs(build: Build) -> dict[str, Any]:
    config = build.settings.get("logsConfig") or {}
    partition = build.arn.split(":")[1]
    group, stream = build.log_group or "null", build.log_stream or "null"
    arn = f"arn:{partition}:logs:{build.region}:{build.account}:log-group:{group}:log-stream:{stream}"
    shown: dict[str, Any] = {"deepLink": deep_link(build), "cloudWatchLogsArn": arn}
    if build.log_group:
        shown |= {"groupName": build.log_group, "streamName": build.log_stream}
    if "cloudWatchLogs" in config:
        shown["cloudWatchLogs"] = config["cloudWatchLogs"]
    return shown
