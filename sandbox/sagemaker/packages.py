# ruff: noqa: N802 - methods are named as AWS names its operations
"""Model packages: versions in a group, and packages with a name of their own. Rules: the operations' pages in the API
Reference; where a page is silent, what users of the API reported."""

from __future__ import annotations

import json
from typing import Any

from sandbox.calls import Call
from sandbox.errors import AwsError
from sandbox.inside import Inside
from sandbox.sagemaker.listing import listed
from sandbox.sagemaker.package_events import state_change
from sandbox.sagemaker.store import Group, Package, Registries, invalid, now, package_arn, user_context
from sandbox.sagemaker.tags import check_new_tags

MOST_METADATA = 50
MOST_INFERENCE_SPECIFICATIONS = 15
_NOT_SHOWN = {"Tags", "ClientToken", "ModelPackageName", "ModelPackageGroupName", "ValidationSpecification"}
_REPLACED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)


class PackageOperations:
    inside: Inside
    registries: Registries

    def CreateModelPackage(self, call: Call) -> dict[str, Any]:
        """The next version of a group, or a package of its own name.

        ClientToken: "guarantees that the call to this API is idempotent". Tags: "If you supply ModelPackageGroupName
        ... you cannot supply a tag argument." Raises ValidationException, ConflictException.
        """
        params = call.params
        name, group_name = params.get("ModelPackageName"), params.get("ModelPackageGroupName")
        if name and group_name:
            raise invalid(
                "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
                "Cannot determine which one to use."
            )
        if not name and not group_name:
            raise invalid("Missing ARN.")
        with self.registries.lock:
            made = self._made_before(call)
            if made is None:
                made = self._version(call, group_name) if group_name else self._unversioned(call)
                self._remember(call, made)
                self._tell(call, made, updated=False)
            return {"ModelPackageArn": made}

    def _version(self, call: Call, group_name: str) -> str:
        group: Group = self.registries.group(call, group_name)
        if call.params.get("Tags"):
            raise invalid(
                "Tags cannot be supplied with ModelPackageGroupName: "
                "a model version uses the tags of its model package group."
            )
        arn = next_version_arn(call, group)
        group.versions += 1
        given = {"ModelApprovalStatus": "PendingManualApproval", **call.params}
        self.registries.of(call).packages[arn] = Package(arn, given, user_context(call), group, group.versions)
        return arn

    def _unversioned(self, call: Call) -> str:
        params = call.params
        if params.get("ModelApprovalStatus"):
            raise invalid("ModelApprovalStatus does not apply to unversioned models.")
        arn = package_arn(call, params["ModelPackageName"])
        packages = self.registries.of(call).packages
        if arn in packages:
            raise invalid(f"Model Package already exists: {arn}")
        tags = check_new_tags(params.get("Tags") or [], {})
        packages[arn] = Package(arn, dict(params), user_context(call), tags=tags)
        return arn

    def _made_before(self, call: Call) -> str | None:
        """What the same token made. The same token for another request is a conflict."""
        token = call.params.get("ClientToken")
        used = self.registries.of(call).tokens.get(token) if token else None
        if used is None:
            return None
        if used[0] != _fingerprint(call):
            raise AwsError("ConflictException", f"ClientToken {token} was already used for another request")
        return used[1]

    def _remember(self, call: Call, arn: str) -> None:
        token = call.params.get("ClientToken")
        if token:
            self.registries.of(call).tokens[token] = (_fingerprint(call), arn)

    def _tell(self, call: Call, arn: str, updated: bool) -> None:
        self.inside.emit(state_change(call, _described(self.registries.of(call).packages[arn]), updated))

    def DescribeModelPackage(self, call: Call) -> dict[str, Any]:
        with self.registries.lock:
            return _described(self.registries.package(call, call.params["ModelPackageName"]))

    def UpdateModelPackage(self, call: Call) -> dict[str, Any]:
        """Updates a version: metadata is merged into what is there, and then the keys to remove go."""
        params = call.params
        with self.registries.lock:
            package = self.registries.package(call, params["ModelPackageArn"])
            if package.group is None:
                raise invalid(f"{package.arn} is not a versioned model.")
            metadata = {
                **(package.given.get("CustomerMetadataProperties") or {}),
                **params.get("CustomerMetadataProperties", {}),
            }
            for key in params.get("CustomerMetadataPropertiesToRemove", []):
                metadata.pop(key, None)
            if len(metadata) > MOST_METADATA:
                raise invalid(f"A model package can have at most {MOST_METADATA} customer metadata properties.")
            extra = _more_specifications(package, params.get("AdditionalInferenceSpecificationsToAdd", []))
            package.given.update({name: params[name] for name in _REPLACED if name in params})
            package.given["CustomerMetadataProperties"] = metadata or None
            package.given["AdditionalInferenceSpecifications"] = extra or None
            package.modified, package.modified_by = now(), user_context(call)
            self._tell(call, package.arn, updated=True)
            return {"ModelPackageArn": package.arn}

    def DeleteModelPackage(self, call: Call) -> None:
        with self.registries.lock:
            package = self.registries.package(call, call.params["ModelPackageName"])
            registry = self.registries.of(call)
            del registry.packages[package.arn]
            registry.tokens = {token: used for token, used in registry.tokens.items() if used[1] != package.arn}

    def ListModelPackages(self, call: Call) -> dict[str, Any]:
        """Unversioned ones unless a group or a type is asked for; by CreationTime, Ascending.

        A page is cut before the approval status is looked at, so it may be empty and not the last one: AWS's own
        project templates ask on then ("Fetch more packages if none returned with continuation token").
        """
        params = call.params
        with self.registries.lock:
            group = (
                self.registries.group(call, params["ModelPackageGroupName"])
                if "ModelPackageGroupName" in params
                else None
            )
            kind = params.get("ModelPackageType", "Versioned" if group else "Unversioned")
            status = params.get("ModelApprovalStatus")
            found = [
                package
                for package in self.registries.of(call).packages.values()
                if (group is None or package.group is group)
                and (kind == "Both" or (kind == "Versioned") == (package.group is not None))
            ]
            shown, token = listed(
                call,
                found,
                name=lambda item: item.name,
                created=lambda item: item.created,
                tie=lambda item: item.version or 0,
            )
            wanted = [p for p in shown if status is None or p.given.get("ModelApprovalStatus") == status]
            return {"ModelPackageSummaryList": [_summary(package) for package in wanted], "NextToken": token}


def next_version_arn(call: Call, group: Group) -> str:
    return call.arn("sagemaker", f"model-package/{group.name.lower()}/{group.versions + 1}")


def _fingerprint(call: Call) -> str:
    return json.dumps(
        {key: value for key, value in call.params.items() if key != "ClientToken"}, sort_keys=True, default=str
    )


def _more_specifications(package: Package, added: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """ "The name must be unique within the list"; "Total number of additional Inference Specifications can not
    exceed 15"."""
    held = [*(package.given.get("AdditionalInferenceSpecifications") or []), *added]
    names = [specification["Name"] for specification in held]
    if len(set(names)) != len(names):
        raise invalid("The names of additional inference specifications must be unique within a model package.")
    if len(held) > MOST_INFERENCE_SPECIFICATIONS:
        raise invalid(
            f"A model package can have at most {MOST_INFERENCE_SPECIFICATIONS} additional inference specifications."
        )
    return held


def _described(package: Package) -> dict[str, Any]:
    shown = {key: value for key, value in package.given.items() if key not in _NOT_SHOWN}
    return {
        **shown,
        **_identity(package),
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreatedBy": package.created_by,
        "LastModifiedTime": package.modified,
        "LastModifiedBy": package.modified_by,
    }


def _identity(package: Package) -> dict[str, Any]:
    return {
        "ModelPackageName": None if package.group else package.name,
        "ModelPackageGroupName": package.group.name if package.group else None,
        "ModelPackageVersion": package.version,
        "ModelPackageArn": package.arn,
        "ModelPackageDescription": package.given.get("ModelPackageDescription"),
        "CreationTime": package.created,
        "ModelPackageStatus": "Completed",
    }


def _summary(package: Package) -> dict[str, Any]:
    shown = ("ModelApprovalStatus", "ModelLifeCycle", "ModelPackageRegistrationType")
    return {**_identity(package), **{name: package.given.get(name) for name in shown}}
