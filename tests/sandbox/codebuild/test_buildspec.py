"""The buildspec is read strictly (User Guide, "Build specification reference for CodeBuild")."""

from __future__ import annotations

import pytest

from sandbox.codebuild.buildspec import read
from sandbox.codebuild.failures import NotHere, PhaseFailed

BUILD = "phases: {build: {commands: [ls]}}"


def test_everything_that_is_known():
    found = read(
        """
        version: 0.2
        env:
          shell: bash
          variables: {A: 010, B: yes, C: ~}
          parameter-store: {P: /p}
          exported-variables: [A]
          git-credential-helper: yes
        phases:
          install:
            runtime-versions: {python: 3.11}
          build:
            on-failure: CONTINUE
            commands: [one, "two: 2"]
            finally: [three]
        cache:
          key: k-$A
          fallback-keys: [k-]
          action: restore
          paths: ['a/**/*']
        """
    )
    assert (found.shell, found.variables, found.parameters) == ("bash", {"A": "010", "B": "yes", "C": "~"}, {"P": "/p"})
    assert (found.exported, found.git_credential_helper, found.runtimes) == (["A"], True, {"python": "3.11"})
    assert list(found.phases) == ["install", "build"]
    build = found.phases["build"]
    assert (build.commands, build.finally_commands, build.on_failure) == (["one", "two: 2"], ["three"], "CONTINUE")
    assert found.cache is not None
    assert (found.cache.key, found.cache.fallback_keys, found.cache.restores, found.cache.saves) == (
        "k-$A",
        ["k-"],
        True,
        False,
    )


def test_json_and_a_quoted_version_are_yaml_too():
    assert read('{"version": "0.2", "phases": {"build": {"commands": ["ls"]}}}').shell == "sh"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "buildspec must be a mapping"),
        ("a: [", "while parsing"),
        (BUILD, "invalid buildspec version None"),
        (f"version: 0.3\n{BUILD}", "invalid buildspec version '0.3'"),
        ("version: 0.2", "at least one phase"),
        (f"version: 0.2\n{BUILD}\nphase: x", "unknown key phase"),
        ("version: 0.2\nphases: {deploy: {commands: [ls]}}", "unknown key phases/deploy"),
        ("version: 0.2\nphases: {build: {command: [ls]}}", "unknown key phases/build/command"),
        (
            "version: 0.2\nphases: {build: {commands: [ls], runtime-versions: {python: 3}}}",
            "unknown key phases/build/run",
        ),
        ("version: 0.2\nphases: {install: {runtime-versions: {docker: 20}}}", "Unknown runtime named 'docker'."),
        (f"version: 0.2\nenv: {{variable: {{A: b}}}}\n{BUILD}", "unknown key env/variable"),
        (f"version: 0.2\nenv: {{variables: {{A: [b]}}}}\n{BUILD}", "variables/A must be a scalar"),
        (f"version: 0.2\nenv: {{variables: {{CODEBUILD_A: b}}}}\n{BUILD}", "which is reserved"),
        (f"version: 0.2\nenv: {{exported-variables: [AWS_REGION]}}\n{BUILD}", "AWS_REGION cannot be exported"),
        (f"version: 0.2\nenv: {{shell: zsh}}\n{BUILD}", "unsupported shell 'zsh'"),
        (f"version: 0.2\nenv: {{git-credential-helper: maybe}}\n{BUILD}", "neither yes nor no"),
        ("version: 0.2\nphases: {build: {commands: ls}}", "phases/build/commands must be a sequence"),
        ("version: 0.2\nphases: {build: {commands: [{echo a: b}]}}", "Expected Commands[0] to be of string type"),
        ("version: 0.2\nphases: {build: {finally: [ls]}}", "No commands found for phase name: build"),
        ("version: 0.2\nphases: {build: {commands: [ls], on-failure: SKIP}}", "neither ABORT nor CONTINUE"),
        (f"version: 0.2\n{BUILD}\n{BUILD}", "key 'phases' is already set in map"),
        (f"version: 0.2\n{BUILD}\ncache: {{key: a}}", "cache/paths is required"),
        (f"version: 0.2\n{BUILD}\ncache: {{paths: [a], action: both}}", "neither restore nor save"),
        (f"version: 0.2\n{BUILD}\ncache: {{paths: [a], fallback-keys: [a, b, c, d, e, f]}}", "at most five"),
    ],
)
def test_what_is_wrong(text, why):
    with pytest.raises(PhaseFailed) as caught:
        read(text)
    assert caught.value.code == "YAML_FILE_ERROR"
    assert why in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        f"version: 0.1\n{BUILD}",
        f"version: 0.2\nrun-as: me\n{BUILD}",
        f"version: 0.2\n{BUILD}\nartifacts: {{files: [a]}}",
        f"version: 0.2\n{BUILD}\nreports: {{r: {{files: [a]}}}}",
        f"version: 0.2\n{BUILD}\nbatch: {{fast-fail: true}}",
        f"version: 0.2\nenv: {{secrets-manager: {{A: b}}}}\n{BUILD}",
        "version: 0.2\nphases: {build: {commands: [ls], run-as: me}}",
        "version: 0.2\nphases: {build: {commands: [ls], on-failure: RETRY-3}}",
    ],
)
def test_what_the_sandbox_has_not(text):
    with pytest.raises(NotHere):
        read(text)
