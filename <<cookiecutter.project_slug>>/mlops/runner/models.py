"""Models: CreateModel and CreateModelPackage, remembered for the steps that come after."""

from typing import Any, Protocol

from mlops.runner.job import Result


class Registry(Protocol):
    """Where versions are registered."""

    def create_model_package(self, request: dict[str, Any]) -> str:
        """Register a version, whole or not at all, and return its ARN."""


def create(name: str, arguments: dict[str, Any]) -> Result:
    """Return what CreateModel would have made: a container and the model in it, under a name."""
    return Result({"ModelName": name, "PrimaryContainer": arguments["PrimaryContainer"]})


def register(registry: Registry, arguments: dict[str, Any]) -> Result:
    """Register a version."""
    arn = registry.create_model_package(arguments)
    return Result({"ModelPackageArn": arn, **arguments})
