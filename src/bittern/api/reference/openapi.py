"""An OpenAPI 3.1 description of one service, of those of its operations that are offered.

What a service of another protocol than ``rest-json`` has in a header or in a form, an operation
here has in its path behind ``#``: in OpenAPI, two operations cannot share one path and method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bittern.api.model import Operation, Service, Shape, location, service, wire_name
from bittern.api.reference.prose import plain
from bittern.api.reference.schemas import Schema, Schemas

Document = dict[str, Any]

_TIME = {"rest-json": "unixTimestamp", "json": "unixTimestamp", "query": "iso8601"}
_PLACES = {"uri": "path", "querystring": "query", "header": "header"}
_GREEDY = re.compile(r"\{(\w+)\+\}")


def openapi(name: str, operations: Sequence[str], *, version: str, url: str) -> Document:
    """`name` of the service as botocore has it, `url` where this server is reached."""
    it = service(name)
    schemas = Schemas(_TIME[it.protocol])
    paths: dict[str, Document] = {}
    for each in operations:
        operation = it.operation(each)
        paths.setdefault(path_of(operation), {})[operation.method.lower()] = _operation(
            operation, schemas
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"bittern: {name}",
            "version": version,
            "description": f"What this server offers of the AWS API {name}.",
        },
        "servers": [{"url": url}],
        "security": [{"sigv4": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.kept.items())),
            "securitySchemes": {"sigv4": _signature(it)},
        },
    }


def path_of(operation: Operation) -> str:
    """Without query, and with every label in plain braces."""
    path = _GREEDY.sub(r"{\1}", operation.uri.partition("?")[0])
    if operation.service.protocol == "rest-json":
        return path
    return f"{path}#{operation.name}"


def _signature(it: Service) -> Document:
    return {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": f"AWS Signature Version 4, signing name {it.signing_name}.",
    }


def _operation(operation: Operation, schemas: Schemas) -> Document:
    made: Document = {
        "operationId": operation.name,
        "summary": plain(operation.documentation),
        "responses": {str(operation.status): _success(operation.output, schemas)}
        | _errors(operation, schemas),
    }
    if operation.input is not None:
        parameters = _parameters(operation.input, schemas)
        body = schemas.body(operation.input)
        if parameters:
            made["parameters"] = parameters
        if body is not None:
            made["requestBody"] = {"content": _content(body), "required": "required" in body}
    return made


def _parameters(shape: Shape, schemas: Schemas) -> list[Document]:
    return [
        {
            "name": wire_name(name, member),
            "in": place,
            "required": place == "path" or name in shape.required_members,
            "description": plain(member.documentation),
            "schema": schemas.of(member),
        }
        for name, member in shape.members.items()
        if (place := _PLACES.get(location(member) or "")) is not None
    ]


def _success(shape: Shape | None, schemas: Schemas) -> Document:
    made: Document = {"description": "Success."}
    body = None if shape is None else schemas.body(shape)
    if body is not None:
        made["content"] = _content(body)
    headers = {} if shape is None else _headers(shape, schemas)
    return made | ({"headers": headers} if headers else {})


def _headers(shape: Shape, schemas: Schemas) -> Document:
    return {
        wire_name(name, member): {"schema": schemas.of(member)}
        for name, member in shape.members.items()
        if location(member) == "header"
    }


def _errors(operation: Operation, schemas: Schemas) -> Document:
    """By status: several errors share one, and the header ``x-amzn-ErrorType`` tells them apart."""
    by_status: dict[int, list[tuple[str, Schema]]] = {}
    for error in operation.errors.values():
        by_status.setdefault(error.status, []).append((error.code, schemas.of(error.shape)))
    return {
        str(status): {
            "description": " or ".join(code for code, _ in found),
            "content": _content(found[0][1] if len(found) == 1 else {"anyOf": _only(found)}),
        }
        for status, found in sorted(by_status.items())
    }


def _only(found: Sequence[tuple[str, Schema]]) -> list[Schema]:
    return [schema for _, schema in found]


def _content(schema: Mapping[str, Any]) -> Document:
    return {"application/json": {"schema": schema}}
