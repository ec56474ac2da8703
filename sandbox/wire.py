"""From an HTTP request to a service, an operation and its parameters, by botocore's model of the service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.serialize import create_serializer
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

from sandbox.errors import AwsError
from sandbox.service_names import model_of, services_signed_as
from sandbox.shapes import UnknownMember, WrongType


@dataclass(frozen=True)
class Wire:
    """A request, understood. params: by botocore's member names; timestamps and blobs of JSON bodies stay as sent."""

    service: str
    operation: str
    model: OperationModel
    protocol: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Target:
    """The operation a request is for, before its parameters are read."""

    service: str
    model: OperationModel
    protocol: str
    uri_params: Mapping[str, Any]


def find_target(request: Request, signing_name: str) -> Target:
    """Raises AwsError (UnknownOperationException) if no candidate service has the operation."""
    protocol = "json"
    for service in services_signed_as(signing_name):
        try:
            model = model_of(service)
        except UnknownServiceError:
            continue
        protocol = str(model.protocol)
        try:
            operation, uri_params = get_service_router(service).match(request)
            spoken = determine_request_protocol(model, request.content_type)
        except (NotFound, NotImplementedError):
            continue
        return Target(service, operation, spoken, uri_params)
    named = request.headers.get("X-Amz-Target") or request.values.get("Action") or f"{request.method} {request.path}"
    raise AwsError("UnknownOperationException", f"{signing_name} has no operation {named}", 400, protocol=protocol)


def read_params(target: Target, request: Request, body: bytes) -> dict[str, Any]:
    """The parameters by member name. Raises UnknownMember and WrongType, and AwsError for a body that cannot be
    read."""
    shape = target.model.input_shape
    if target.protocol == "json":
        raw = _json(body)
        return {} if shape is None else _named(shape, raw)
    parsed = _moto_parse(target, request, body)
    if target.protocol == "rest-json" and isinstance(shape, StructureShape):
        return _rest_json(shape, parsed, body)
    if target.protocol == "query":
        _refuse_unknown_query_names(target.model, parsed, request)
    return parsed


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise AwsError("SerializationException", f"The request body is not JSON: {error}") from error


def _named(shape: Shape, raw: Any) -> Any:
    """Wire names to member names, everything else untouched; unknown names stay, for the validator to refuse."""
    if raw is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(raw, dict) and not shape.is_document_type:
        by_wire_name = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        return {
            by_wire_name.get(key, key): _named(shape.members[by_wire_name[key]], item) if key in by_wire_name else item
            for key, item in raw.items()
            if item is not None or key not in by_wire_name
        }
    if isinstance(shape, ListShape) and isinstance(raw, list):
        return [_named(shape.member, item) for item in raw]
    if isinstance(shape, MapShape) and isinstance(raw, dict):
        return {key: _named(shape.value, item) for key, item in raw.items()}
    if isinstance(shape, StructureShape) and not isinstance(raw, dict):
        raise WrongType(f"{type(raw).__name__} can not be converted to {shape.name}")
    return raw


def _moto_parse(target: Target, request: Request, body: bytes) -> dict[str, Any]:
    parser = PROTOCOL_PARSERS[target.protocol](target.model)
    try:
        parsed = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": request.path,
                "url_params": dict(target.uri_params),
            }
        )
    except Exception as error:  # moto's parsers raise whatever their conversions raise
        code = "MalformedXML" if target.protocol == "rest-xml" else "MalformedInput"
        raise AwsError(code, f"The request could not be read: {error}") from error
    return {name: value for name, value in parsed.items() if value is not None}


def _rest_json(shape: StructureShape, parsed: dict[str, Any], body: bytes) -> dict[str, Any]:
    in_body = {name for name, member in shape.members.items() if "location" not in member.serialization}
    params = {name: value for name, value in parsed.items() if name not in in_body}
    payload = shape.serialization.get("payload")
    if payload is None:
        if body:
            raw = _json(body)
            named = _named(shape, raw)
            params.update(
                {name: value for name, value in named.items() if name in in_body or name not in shape.members}
            )
    elif shape.members[payload].type_name in ("structure", "map", "list"):
        if body:
            params[payload] = _named(shape.members[payload], _json(body))
    elif payload in parsed:
        params[payload] = parsed[payload]
    return params


def _refuse_unknown_query_names(model: OperationModel, params: dict[str, Any], request: Request) -> None:
    """Serialise what was understood again: a name that does not come out was not understood."""
    known = {"Action", "Version", *create_serializer("query", False).serialize_to_request(params, model)["body"]}
    given = [name for name, _ in parse_qsl(request.get_data(as_text=True), keep_blank_values=True)]
    # An empty list is sent as `Name=` and understood as no list.
    for name, value in request.values.items():
        if name not in known and value != "" and (name in given or name in request.args):
            raise UnknownMember(f'Unknown parameter: "{name}"')
