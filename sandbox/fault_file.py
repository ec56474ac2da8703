"""Faults as people write them, checked once, here: an unknown name must not pass for a fault that never strikes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from botocore.loaders import create_loader
from pydantic import BaseModel, ConfigDict, Field, StrictInt, TypeAdapter, ValidationError

from sandbox.faults import Fault, FaultName
from sandbox.service_names import model_of

GIT_OPERATIONS = ("GitPull", "GitPush")


class BadFaults(ValueError):
    """Faults that cannot be used: one line that names the value and what is allowed."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid")

    service: str
    operation: str
    fault: FaultName
    call: Annotated[StrictInt, Field(ge=1)] = 1
    times: Annotated[StrictInt, Field(ge=1)] | None = 1


def read_faults(path: Path) -> list[Fault]:
    """A fault file: a JSON list. Raises BadFaults."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFaults(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise BadFaults(f"{path}: not JSON: {error}") from error
    if not isinstance(raw, list):
        raise BadFaults(f"{path}: a list of faults is needed, not {type(raw).__name__}")
    try:
        return check_faults(raw)
    except BadFaults as error:
        raise BadFaults(f"{path}: {error}") from error


def check_faults(raw: Iterable[Fault | Mapping[str, Any]]) -> list[Fault]:
    """Faults from plain data. Raises BadFaults naming the first wrong value and the allowed ones."""
    plain = [asdict(item) if isinstance(item, Fault) else item for item in raw]
    try:
        written = TypeAdapter(list[_Written]).validate_python(plain)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        given = "" if first["type"] == "missing" else f", not {first['input']!r}"
        known = f" (allowed: {', '.join(_Written.model_fields)})" if first["type"] == "extra_forbidden" else ""
        raise BadFaults(f"fault {where}: {first['msg']}{known}{given}") from error
    for number, fault in enumerate(written):
        _check_target(number, fault.service, fault.operation)
    return [Fault(**fault.model_dump()) for fault in written]


def _check_target(number: int, service: str, operation: str) -> None:
    services = create_loader().list_available_services("service-2")
    if service not in services:
        raise BadFaults(
            f"fault {number}.service: botocore has no service {service!r}; allowed are e.g. {_near(service, services)}"
        )
    operations = [*model_of(service).operation_names, *(GIT_OPERATIONS if service == "codecommit" else ())]
    if operation not in operations:
        raise BadFaults(
            f"fault {number}.operation: {service} has no operation {operation!r}; "
            f"allowed are e.g. {_near(operation, operations)}"
        )


def _near(name: str, known: list[str]) -> str:
    return ", ".join(get_close_matches(name, known, n=5, cutoff=0.4) or sorted(known)[:5])
