# ruff: noqa: N802 - methods are named as AWS names its operations
"""ECR as the front sees it. Source: Amazon ECR API Reference; SageMaker Developer Guide, "Docker registry paths and
example code" and, for reading AWS's registries with describe-images, "Pre-built SageMaker AI Docker images for
scikit-learn"."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.ecr.sagemaker_images import ACCOUNTS, CONFIG_TYPE, MANIFEST_TYPE, TAGS, digest_of, manifest, size_of_image
from sandbox.errors import AwsError, NotImplementedInSandbox

_VALID_HOURS = 12


class Ecr:
    """The account's registry is moto's; those of AWS hold SageMaker's images, read-only."""

    complete = False

    def BatchGetImage(self, call: Call) -> dict[str, Any]:
        """An image that is not there is a failure in the answer, not an error."""
        tags = _aws_repository(call)
        if tags is None:
            return TO_MOTO
        accepted = call.params.get("acceptedMediaTypes")
        if accepted and MANIFEST_TYPE not in accepted:
            raise NotImplementedInSandbox("ecr", "BatchGetImage", f"other manifests than {MANIFEST_TYPE}")
        images, failures = [], []
        for wanted in call.params["imageIds"]:
            tag, code, reason = _find(call, tags, wanted)
            if tag is None:
                failures.append({"imageId": wanted, "failureCode": code, "failureReason": reason})
            else:
                images.append(_image(call, tag, by_tag="imageTag" in wanted))
        return {"images": images, "failures": failures}

    def DescribeImages(self, call: Call) -> dict[str, Any]:
        """One image that is not there fails the call (ImageNotFoundException)."""
        tags = _aws_repository(call)
        if tags is None:
            return TO_MOTO
        _refuse_pages(call)
        found = list(tags)
        if call.params.get("imageIds"):
            found = [_found_or_refused(call, tags, wanted) for wanted in call.params["imageIds"]]
        return {"imageDetails": [_details(call, tag) for tag in found]}

    def ListImages(self, call: Call) -> dict[str, Any]:
        tags = _aws_repository(call)
        if tags is None:
            return TO_MOTO
        _refuse_pages(call)
        repository = call.params["repositoryName"]
        return {"imageIds": [{"imageTag": tag, "imageDigest": digest_of(manifest(repository, tag))} for tag in tags]}

    def GetDownloadUrlForLayer(self, call: Call) -> dict[str, Any]:
        """There is no content of images here."""
        raise NotImplementedInSandbox("ecr", "GetDownloadUrlForLayer", "images have no content here")

    def GetAuthorizationToken(self, call: Call) -> dict[str, Any]:
        """Source: "The authorization token is valid for 12 hours"; base64 of `AWS:<password>`, good for every registry
        the caller may read."""
        token = base64.b64encode(f"AWS:{secrets.token_urlsafe(96)}".encode()).decode()
        until = datetime.now(UTC) + timedelta(hours=_VALID_HOURS)
        suffix = ".cn" if call.partition == "aws-cn" else ""
        data = [
            {
                "authorizationToken": token,
                "expiresAt": until,
                "proxyEndpoint": f"https://{account}.dkr.ecr.{call.region}.amazonaws.com{suffix}",
            }
            for account in call.params.get("registryIds") or [call.caller.account]
        ]
        return {"authorizationData": data}

    def describe(self, call: Call) -> None:
        """Service Authorization Reference, ECR: a repository is one of its registry's account."""
        name = call.params.get("repositoryName")
        if isinstance(name, str):
            account = call.params.get("registryId") or call.caller.account
            call.resources.append(f"arn:{call.partition}:ecr:{call.region}:{account}:repository/{name}")

    def reset(self) -> None:
        """Nothing is kept here."""


def _aws_repository(call: Call) -> tuple[str, ...] | None:
    """The tags of one of AWS's repositories, or None for a repository of the account itself. Raises
    RepositoryNotFoundException: no other registry lets anybody in."""
    registry, name = call.params.get("registryId") or call.caller.account, call.params["repositoryName"]
    if registry == call.caller.account:
        return None
    if registry != ACCOUNTS.get(call.region) or name not in TAGS:
        raise AwsError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{registry}'",
        )
    return TAGS[name]


def _find(call: Call, tags: tuple[str, ...], wanted: Mapping[str, str]) -> tuple[str | None, str, str]:
    """The tag of the image, or None and ECR's failure code and reason."""
    repository, tag, digest = call.params["repositoryName"], wanted.get("imageTag"), wanted.get("imageDigest")
    if tag is None and digest is None:
        return None, "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
    by_digest = next((item for item in tags if digest_of(manifest(repository, item)) == digest), None)
    if tag is None and by_digest is not None:
        return by_digest, "", ""
    if tag in tags and digest in (None, digest_of(manifest(repository, str(tag)))):
        return tag, "", ""
    if tag in tags:
        return None, "ImageTagDoesNotMatchDigest", "Requested tag does not match requested digest"
    return None, "ImageNotFound", "Requested image not found"


def _found_or_refused(call: Call, tags: tuple[str, ...], wanted: Mapping[str, str]) -> str:
    tag, _, _ = _find(call, tags, wanted)
    if tag is None:
        digest, named = wanted.get("imageDigest", "null"), wanted.get("imageTag", "null")
        repository, registry = call.params["repositoryName"], call.params["registryId"]
        raise AwsError(
            "ImageNotFoundException",
            f"The image with imageId {{imageDigest:'{digest}', imageTag:'{named}'}} does not exist within the "
            f"repository with name '{repository}' in the registry with id '{registry}'",
        )
    return tag


def _image(call: Call, tag: str, by_tag: bool) -> dict[str, Any]:
    registry, repository = call.params["registryId"], call.params["repositoryName"]
    text = manifest(repository, tag)
    return {
        "registryId": registry,
        "repositoryName": repository,
        "imageId": {"imageDigest": digest_of(text)} | ({"imageTag": tag} if by_tag else {}),
        "imageManifest": text,
        "imageManifestMediaType": MANIFEST_TYPE,
    }


def _details(call: Call, tag: str) -> dict[str, Any]:
    registry, repository = call.params["registryId"], call.params["repositoryName"]
    return {
        "registryId": registry,
        "repositoryName": repository,
        "imageDigest": digest_of(manifest(repository, tag)),
        "imageTags": [tag],
        "imageSizeInBytes": size_of_image(),
        "imageManifestMediaType": MANIFEST_TYPE,
        "artifactMediaType": CONFIG_TYPE,
    }


def _refuse_pages(call: Call) -> None:
    for name in ("nextToken", "maxResults", "filter"):
        if call.params.get(name):
            raise NotImplementedInSandbox("ecr", call.operation, f"{name} in AWS's own registries")
