# ruff: noqa: N802 - methods are named as AWS names its operations
"""Models: checked and described here; moto keeps them too, for the endpoints that it has. Rules: CreateModel,
DescribeModel, ListModels, DeleteModel in the API Reference, and what users of them quote."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock
from typing import Any

from sandbox.calls import TO_MOTO, Call
from sandbox.errors import NotImplementedInSandbox
from sandbox.inside import Inside
from sandbox.sagemaker.jobs import checks
from sandbox.sagemaker.listing import listed
from sandbox.sagemaker.roles import PRINCIPAL, take
from sandbox.sagemaker.store import Registries, invalid, now
from sandbox.sagemaker.tags import check_new_tags


@dataclass(eq=False)
class Model:
    """One model. request: what it was created with."""

    name: str
    arn: str
    request: dict[str, Any]
    tags: dict[str, str]
    created: datetime = field(default_factory=now)

    @property
    def role(self) -> str | None:
        return self.request.get("ExecutionRoleArn")

    @property
    def containers(self) -> list[dict[str, Any]]:
        primary = self.request.get("PrimaryContainer")
        return [primary] if primary else list(self.request.get("Containers", []))


class Models:
    """All models of a sandbox, by ARN."""

    def __init__(self) -> None:
        self.by_arn: dict[str, Model] = {}
        self.lock = RLock()

    def named(self, call: Call, name: str, what: str) -> Model:
        """Raises ValidationException, e.g. `Could not find model "arn:..."` (words: as users quote them)."""
        arn = call.arn("sagemaker", f"model/{name}")
        found = self.by_arn.get(arn)
        if found is None:
            raise invalid(f'{what} "{arn}".')
        return found


class ModelOperations:
    inside: Inside
    models: Models
    registries: Registries

    def CreateModel(self, call: Call) -> dict[str, Any]:
        params = call.params
        arn = call.arn("sagemaker", f"model/{params['ModelName']}")
        if ("PrimaryContainer" in params) == ("Containers" in params):
            raise invalid("Exactly one of PrimaryContainer and Containers must be given.")
        model = Model(params["ModelName"], arn, dict(params), check_new_tags(params.get("Tags") or [], {}))
        for container in model.containers:
            _check_container(container)
        checks.check_network(call, params.get("VpcConfig"))
        self._check_data(call, model)
        with self.models.lock:
            if arn in self.models.by_arn:
                raise invalid(f'Cannot create already existing model "{arn}".')
            self.models.by_arn[arn] = model
        return TO_MOTO

    def DescribeModel(self, call: Call) -> dict[str, Any]:
        model = self.models.named(call, call.params["ModelName"], "Could not find model")
        shown = {name: value for name, value in model.request.items() if name != "Tags"}
        return {**shown, "ModelArn": model.arn, "CreationTime": model.created}

    def ListModels(self, call: Call) -> dict[str, Any]:
        """By CreationTime, Descending (API Reference)."""
        call.params.setdefault("SortOrder", "Descending")
        prefix = call.arn("sagemaker", "model/")
        with self.models.lock:
            found = [model for arn, model in self.models.by_arn.items() if arn.startswith(prefix)]
        shown, token = listed(
            call, found, name=lambda item: item.name, created=lambda item: item.created, tie=lambda item: item.name
        )
        summaries = [{"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created} for model in shown]
        return {"Models": summaries, "NextToken": token}

    def DeleteModel(self, call: Call) -> dict[str, Any]:
        with self.models.lock:
            model = self.models.named(call, call.params["ModelName"], "Could not find model")
            del self.models.by_arn[model.arn]
        return TO_MOTO

    def container_of(self, call: Call, model: Model) -> dict[str, Any]:
        """The one container of a model; of one that names a model package, the package's."""
        if len(model.containers) != 1:
            raise NotImplementedInSandbox("sagemaker", call.operation, "a model of several containers does not run")
        container = model.containers[0]
        if "ModelPackageName" in container:
            package = self.registries.package(call, container["ModelPackageName"])
            container = {**package.given["InferenceSpecification"]["Containers"][0], **container}
        if "ModelDataUrl" not in container:
            raise NotImplementedInSandbox("sagemaker", call.operation, "a model without ModelDataUrl does not run")
        return container

    def _check_data(self, call: Call, model: Model) -> None:
        """SageMaker looks for the model's data, as the model's role."""
        if model.role is None:
            return
        refusal = invalid(
            f'The execution role ARN "{model.role}" is invalid. Please ensure that the role exists and that its trust '
            f'relationship policy allows the action "sts:AssumeRole" for the service principal "{PRINCIPAL}".'
        )
        caller = take(self.inside, call, model.role, "SageMaker", refusal, model.arn)
        for uri in filter(None, (container.get("ModelDataUrl") for container in model.containers)):
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            s3 = self.inside.client("s3", caller, call.region)
            try:
                s3.head_object(Bucket=bucket, Key=key)
            except s3.exceptions.ClientError:
                raise invalid(
                    f'Could not access model data at {uri}. Please ensure that the role "{model.role}" exists and '
                    f'that its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
                    f'"{PRINCIPAL}". Also ensure that the role has "s3:GetObject" permissions and that the object is '
                    f"located in {call.region}."
                ) from None


def _check_container(container: dict[str, Any]) -> None:
    """Words: as users of CreateModel quote them."""
    if ("Image" in container) == ("ModelPackageName" in container):
        raise invalid("Specify one of either Image and Model Data URL or ModelPackageName in container definition.")
    if "Image" in container:
        checks.check_image(container["Image"])
