"""The environment of a build's commands: clean, but for what CodeBuild documents.

Source: User Guide, "Environment variables in build environments" and, for which value wins, "Buildspec syntax",
env/variables: StartBuild, then the project, then the buildspec. HOME is not /root but a folder of the build's own; the
credentials stand for those that a container finds at AWS_CONTAINER_CREDENTIALS_RELATIVE_URI.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.codebuild.failures import PhaseFailed
from sandbox.codebuild.store import Build

_A_CALL = 10  # names that GetParameters takes at once


def own_variables(build: Build, source: Path) -> dict[str, str]:
    """What CodeBuild sets, whatever anybody else says. source: CODEBUILD_SRC_DIR."""
    settings = build.settings
    found = {
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_IMAGE": settings["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_KMS_KEY_ID": settings["encryptionKey"],
        "CODEBUILD_PROJECT_ARN": build.arn.partition(":build/")[0] + f":project/{build.project}",
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(int(build.started.timestamp() * 1000)),
    }
    optional = {
        "CODEBUILD_LOG_PATH": build.log_stream,
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.resolved,
        "CODEBUILD_SOURCE_REPO_URL": settings["source"].get("location"),
        "CODEBUILD_SOURCE_VERSION": settings.get("sourceVersion"),
    }
    return found | {name: value for name, value in optional.items() if value}


def image_variables(home: Path, tools: Path) -> dict[str, str]:
    """What a build image has. tools: a folder with CodeBuild's own programs."""
    return {
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def given_variables(settings: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Those of the project and of StartBuild: (plain ones, names in Parameter Store)."""
    plain: dict[str, str] = {}
    parameters: dict[str, str] = {}
    for each in settings["environment"]["environmentVariables"]:
        (parameters if each.get("type") == "PARAMETER_STORE" else plain)[each["name"]] = each["value"]
    return plain, parameters


def decrypted(ssm: Any, parameters: Mapping[str, str]) -> dict[str, str]:
    """The values of variables that are in Parameter Store. Raises PhaseFailed as users of CodeBuild quote it."""
    names = sorted(set(parameters.values()))
    values: dict[str, str] = {}
    for start in range(0, len(names), _A_CALL):
        try:
            answer = ssm.get_parameters(Names=names[start : start + _A_CALL], WithDecryption=True)
        except ClientError as error:
            told = error.response["Error"]
            raise PhaseFailed("Decrypted Variables Error", f"{told['Code']}: {told['Message']}") from error
        except BotoCoreError as error:
            raise PhaseFailed("Decrypted Variables Error", str(error)) from error
        if answer["InvalidParameters"]:
            missing = answer["InvalidParameters"][0]
            raise PhaseFailed("Decrypted Variables Error", f"parameter does not exist: {missing}")
        asked = names[start : start + _A_CALL]
        by_name = {found["Name"] + found.get("Selector", ""): found["Value"] for found in answer["Parameters"]}
        by_name |= {found["ARN"]: found["Value"] for found in answer["Parameters"] if "ARN" in found}
        values |= {name: by_name[name] for name in asked if name in by_name}
    return {variable: values[name] for variable, name in parameters.items()}
