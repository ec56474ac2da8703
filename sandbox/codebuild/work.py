"""What a build does between StartBuild and its end: a thread, which runs git and the build's commands as processes."""

from __future__ import annotations

import shlex
import shutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from secrets import randbelow
from threading import Timer
from typing import ClassVar

from sandbox.codebuild import buildspec, variables
from sandbox.codebuild.buildspec import ABORT, CONTINUE, Buildspec, PhaseSpec
from sandbox.codebuild.cache import Cache
from sandbox.codebuild.container import Container
from sandbox.codebuild.failures import Interrupted, NotHere, PhaseFailed, yaml_error
from sandbox.codebuild.logs import BuildLog, place
from sandbox.codebuild.progress import Progress
from sandbox.codebuild.rules import is_inline
from sandbox.codebuild.shell import Shell
from sandbox.codebuild.source import Clone, git_variables
from sandbox.codebuild.store import FAILED, FAULT, STOPPED, SUCCEEDED, TIMED_OUT, Build, Context
from sandbox.inside import Inside

_DEFAULT_BUILDSPEC = "buildspec.yml"
_STOP_TAKES = 20.0  # seconds that StopBuild waits for the processes to be gone
_HASH_FILES = Path(__file__).with_name("hash_files.py")
_TIMED_OUT: Context = {"statusCode": "BUILD_TIMED_OUT", "message": "Build has timed out. "}


class Work:
    """One build at work."""

    minute: ClassVar[float] = 60.0  # seconds; tests shorten it

    def __init__(self, inside: Inside, build: Build) -> None:
        self._inside, self._build = inside, build
        self._progress = Progress(inside, build)
        self._folder = inside.folder / "codebuild" / build.uuid
        self._home, self._tools = self._folder / "root", self._folder / "tools"
        self._source = self._source_folder()
        self._container = Container(f"CODEBUILD_BUILD_ARN={build.arn}")
        build.container = self._container
        wanted = place(build) is not None
        self._logs = inside.client("logs", build.caller, build.region) if wanted else None

    def start(self) -> None:
        """Begin, and return at once."""
        self._progress.begin()
        self._inside.background.start(self._work)

    @staticmethod
    def stop(build: Build, why: str) -> None:
        """End a build before its time: STOPPED or TIMED_OUT. Returns when its processes are gone, or soon."""
        with build.lock:
            if build.complete or build.stop:
                return
            build.stop = why
        Work.end_processes(build)
        build.done.wait(_STOP_TAKES)

    @staticmethod
    def end_processes(build: Build) -> None:
        container = build.container
        if container is not None:
            container.end()

    def _source_folder(self) -> Path:
        """As in builds of real repositories: …/src123/src/HOST/v1/repos/NAME."""
        source, build = self._build.settings["source"], self._build
        folder = self._folder / "output" / f"src{randbelow(10**9)}" / "src"
        if source["type"] == "NO_SOURCE":
            return folder
        name = str(source["location"]).rpartition("/")[2]
        return folder / f"git-codecommit.{build.region}.amazonaws.com" / "v1/repos" / name

    def _work(self) -> None:
        build = self._build
        timer = Timer(build.settings["timeoutInMinutes"] * self.minute, self.stop, (build, TIMED_OUT))
        timer.daemon = True
        timer.start()
        self._home.mkdir(parents=True)
        log = BuildLog(self._folder / "log.txt", self._logs, build)
        status = FAULT
        try:
            status = self._run(log)
        except Interrupted:
            status = build.stop or STOPPED
            self._progress.fail(status, dict(_TIMED_OUT) if status == TIMED_OUT else None, "COMPLETED")
        except Exception as error:  # a mistake of the sandbox's
            if not build.abandoned:
                traceback.print_exc()
            context = {"statusCode": "INTERNAL_ERROR", "message": f"sandbox/ failed with {error!r}"}
            self._progress.fail(FAULT, context, "COMPLETED")
        finally:
            timer.cancel()
            self._container.end()
            self._container.close()
            build.container = None
            log.close()
            self._progress.complete(status)
            shutil.rmtree(self._folder, ignore_errors=True)
            build.done.set()

    def _run(self, log: BuildLog) -> str:
        """From QUEUED to FINALIZING; the build's status. Raises Interrupted."""
        progress, following = self._progress, "COMPLETED"
        try:
            progress.enter("QUEUED")
            log.open()
            progress.enter("PROVISIONING")
            log.say("Waiting for DOWNLOAD_SOURCE")
            following = "FINALIZING"
            progress.enter("DOWNLOAD_SOURCE")
            spec, environment = self._download(log)
            shell = Shell(self._container, spec.shell, environment, self._source, self._folder / "shell", log.file)
            cache = Cache(self._inside, self._build, spec.cache, shell, log, self._source, self._home)
            cache.restore()
        except PhaseFailed as failed:
            self._check()
            self._tell(log, failed)
            context = {"statusCode": failed.code, "message": failed.message}
            status = FAULT if isinstance(failed, NotHere) else FAILED
            progress.fail(status, context, following)
            return status
        self._tell(log, None)
        succeeded = self._phases(log, spec, shell, cache)
        self._check()
        progress.enter("FINALIZING")
        return SUCCEEDED if succeeded else FAILED

    def _download(self, log: BuildLog) -> tuple[Buildspec, dict[str, str]]:
        """The source, the buildspec and the environment. Raises PhaseFailed, Interrupted."""
        build, source = self._build, self._build.settings["source"]
        credentials = self._inside.credentials(build.caller, build.region)
        image = variables.image_variables(self._home, self._make_tools())
        git: dict[str, str] = {}
        if source["type"] == "CODECOMMIT":
            git = git_variables(self._inside, build.caller, build.region, source["location"])
            mark = {"CODEBUILD_BUILD_ARN": build.arn}
            clone = Clone(self._container, {**image, **credentials, **git, **mark}, self._source)
            build.resolved = clone.make(source["location"], build.settings.get("sourceVersion"))
        self._source.mkdir(parents=True, exist_ok=True)
        log.say("Phase is DOWNLOAD_SOURCE")
        log.say(f"CODEBUILD_SRC_DIR={self._source}")
        spec = buildspec.read(self._buildspec(log))
        log.say("Processing environment variables")
        plain, parameters = variables.given_variables(build.settings)
        stored = {name: value for name, value in spec.parameters.items() if name not in {**plain, **parameters}}
        ssm = self._inside.client("ssm", build.caller, build.region)
        secret = variables.decrypted(ssm, {**stored, **parameters})
        log.hide(secret.values())
        if set(parameters) & set(spec.exported):
            raise yaml_error("env/exported-variables: a Parameter Store variable of the project cannot be exported")
        environment = {
            **image,
            **spec.variables,
            **{name: secret[name] for name in stored},
            **plain,
            **{name: secret[name] for name in parameters},
            **credentials,
            **(git if spec.git_credential_helper else {}),
            **variables.own_variables(build, self._source),
        }
        log.say(f"Moving to directory {self._source}")
        return spec, environment

    def _buildspec(self, log: BuildLog) -> str:
        """Its text: that of the project, or the file in the source. Raises PhaseFailed."""
        wanted = self._build.settings["source"].get("buildspec")
        if is_inline(wanted):
            log.say("YAML location is /codebuild/readonly/buildspec.yml")
            return str(wanted)
        file = self._source / (wanted or _DEFAULT_BUILDSPEC)
        log.say(f"YAML location is {file}")
        inside = file.resolve().is_relative_to(self._source.resolve())
        if not inside or not file.is_file():  # the words for each, as users of CodeBuild quote them
            raise yaml_error(f"stat {file}: no such file or directory" if wanted else "YAML file does not exist")
        return file.read_text("utf-8", "replace")

    def _make_tools(self) -> Path:
        """CodeBuild's own program in a build image."""
        self._tools.mkdir(exist_ok=True)
        tool = self._tools / "codebuild-hash-files"
        tool.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(_HASH_FILES))} "$@"\n',
            encoding="utf-8",
        )
        tool.chmod(0o755)
        return self._tools

    def _phases(self, log: BuildLog, spec: Buildspec, shell: Shell, cache: Cache) -> bool:
        """INSTALL to UPLOAD_ARTIFACTS; whether all went well. A failed INSTALL or PRE_BUILD ends the build, after a
        failed BUILD comes POST_BUILD, and UPLOAD_ARTIFACTS is always attempted once BUILD was. Raises Interrupted."""
        succeeding = True
        for name in buildspec.PHASES:
            phase = spec.phases.get(name, PhaseSpec([], [], None))
            self._progress.enter(name.upper())
            log.say(f"Entering phase {name.upper()}")
            failed = self._commands(log, shell, phase)
            if name == "post_build" and succeeding and failed is None:
                cache.save()  # here, as logs of real builds show
            self._tell(log, failed)
            if failed is None:
                continue
            if succeeding:
                shell.run("export CODEBUILD_BUILD_SUCCEEDING=0")
            succeeding = False
            following = self._after(name, phase.on_failure)
            context = {"statusCode": failed.code, "message": failed.message}
            self._progress.end(FAILED, context)
            if following == "FINALIZING":
                return False
            if following == "UPLOAD_ARTIFACTS":
                break
        self._export(spec, shell)
        self._progress.enter("UPLOAD_ARTIFACTS")
        self._tell(log, None)
        return succeeding

    @staticmethod
    def _after(name: str, wish: str | None) -> str:
        """Where a failed phase leads to: `next`, UPLOAD_ARTIFACTS or FINALIZING."""
        if name == "post_build":
            return "UPLOAD_ARTIFACTS"
        if wish == CONTINUE:
            return "next"
        if name == "build":
            return "UPLOAD_ARTIFACTS" if wish == ABORT else "next"
        return "FINALIZING"

    def _commands(self, log: BuildLog, shell: Shell, phase: PhaseSpec) -> PhaseFailed | None:
        """Run the commands up to the first that fails, then those of `finally`; what failed first."""
        failed = self._first_failure(log, shell, phase.commands)
        late = self._first_failure(log, shell, phase.finally_commands)
        return failed or late

    def _first_failure(self, log: BuildLog, shell: Shell, commands: Sequence[str]) -> PhaseFailed | None:
        for command in commands:
            log.say(f"Running command {command}")
            code = shell.run(command)
            self._check()
            if code:
                log.say(f"Command did not exit successfully {command} exit status {code}")
                why = f"Error while executing command: {command}. Reason: exit status {code}"
                return PhaseFailed("COMMAND_EXECUTION_ERROR", why)
        return None

    def _export(self, spec: Buildspec, shell: Shell) -> None:
        """Exported variables have the values of the end of POST_BUILD."""
        values = [(name, shell.expand(f"${{{name}-}}")) for name in spec.exported]
        self._build.exported = [{"name": name, "value": value} for name, value in values]

    def _tell(self, log: BuildLog, failed: PhaseFailed | None) -> None:
        log.say(f"Phase complete: {self._build.phases[-1].name} State: {'FAILED' if failed else 'SUCCEEDED'}")
        code, message = (failed.code, failed.message) if failed else ("", "")
        log.say(f"Phase context status code: {code} Message: {message}")

    def _check(self) -> None:
        if self._build.stop or self._build.abandoned:
            raise Interrupted
