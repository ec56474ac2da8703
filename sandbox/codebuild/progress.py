"""A build's way through its phases, and what it tells EventBridge on the way.

Source: User Guide, "Build phase transitions" (whose picture the logs of real builds agree with): SUBMITTED, QUEUED,
PROVISIONING, DOWNLOAD_SOURCE, INSTALL, PRE_BUILD, BUILD, POST_BUILD, UPLOAD_ARTIFACTS, FINALIZING, COMPLETED.
"""

from __future__ import annotations

from sandbox.codebuild.events import phase_change, state_change
from sandbox.codebuild.store import SUCCEEDED, Build, Context, Phase, now
from sandbox.inside import Inside

# Phases before the container runs tell nothing when they succeed, later ones an empty context.
_SILENT = ("SUBMITTED", "QUEUED")
_NOTHING_SAID: Context = {"statusCode": "", "message": ""}


class Progress:
    def __init__(self, inside: Inside, build: Build) -> None:
        self._inside, self._build = inside, build

    def begin(self) -> None:
        with self._build.lock:
            self._build.phases.append(Phase("SUBMITTED", self._build.started))
        self._tell_state()

    def enter(self, name: str) -> None:
        """End the current phase well, if it has not ended yet, and go on to the next."""
        build = self._build
        with build.lock:
            phase = build.phases[-1]
            if phase.ended is None:
                phase.ended, phase.status = now(), SUCCEEDED
                phase.contexts = [] if phase.name in _SILENT else [dict(_NOTHING_SAID)]
            build.phases.append(Phase(name, phase.ended))
            event = phase_change(build, phase)
        if not build.abandoned:
            self._inside.emit(event)

    def end(self, status: str, context: Context | None) -> None:
        """End the current phase other than well; whatever is entered next follows it."""
        with self._build.lock:
            phase = self._build.phases[-1]
            phase.ended, phase.status, phase.contexts = now(), status, [context] if context else None

    def fail(self, status: str, context: Context | None, following: str) -> None:
        """The same, and go on to a phase."""
        self.end(status, context)
        self.enter(following)

    def complete(self, status: str) -> None:
        """The build is over: its last phase ends, COMPLETED begins and never ends."""
        build = self._build
        with build.lock:
            if build.phases[-1].name != "COMPLETED":
                self.enter("COMPLETED")
            build.status = status
            build.ended = now()
        self._tell_state()

    def _tell_state(self) -> None:
        if not self._build.abandoned:
            self._inside.emit(state_change(self._build))
