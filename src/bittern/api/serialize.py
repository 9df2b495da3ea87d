"""From an operation's result to the response: the way back of `parse`, compiled the same way.

A result is the handler's promise, not a stranger's text: a member that the model does not have,
or a value of another type, is our mistake and raises ``TypeError``; it is never left out silently.
Members that are None are absent.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from bittern.api import timestamps
from bittern.api.errors import xml_text
from bittern.api.message import Response
from bittern.api.model import Operation, Shape, location, payload_member, wire_name
from bittern.api.recursion import compiled_once

Convert = Callable[[Any], Any]
Result = Mapping[str, Any]

_JSON_TYPES = {"rest-json": "application/json", "json": "application/x-amz-json-1.0"}
_encode = msgspec.json.Encoder().encode


def response(operation: Operation, result: Result | None, request_id: str) -> Response:
    """`result` by the model's member names; None where there is nothing to tell."""
    return _writer(operation)(result or {}, request_id)


def prepare(operation: Operation) -> None:
    """Compile the operation's shapes before the first request needs them."""
    _writer(operation)


@cache
def _writer(operation: Operation) -> Callable[[Result, str], Response]:
    match operation.service.protocol:
        case "query":
            return _xml_writer(operation)
        case "json":
            return _json_writer(operation)
        case _:
            return _rest_writer(operation)


def _json_writer(operation: Operation) -> Callable[[Result, str], Response]:
    members = operation.output.members if operation.output is not None else {}
    convert = _structure(members, {}, operation.name)

    def write(result: Result, request_id: str) -> Response:
        headers = {"Content-Type": _JSON_TYPES["json"], "x-amzn-RequestId": request_id}
        return Response(operation.status, headers, _encode(convert(result)))

    return write


def _rest_writer(operation: Operation) -> Callable[[Result, str], Response]:
    shape = operation.output
    payload = payload_member(shape) if shape is not None else None
    if payload is not None:
        return _whole_body_writer(operation, payload)
    members = {} if shape is None else shape.members
    status_member = _status_member(operation, members)
    inside = {name: member for name, member in members.items() if name != status_member}
    convert = _structure(inside, {}, operation.name)
    has_body = operation.status != 204 and shape is not None

    def write(result: Result, request_id: str) -> Response:
        status = operation.status
        if status_member in result:
            status = _whole(result[status_member])
            result = {name: value for name, value in result.items() if name != status_member}
        document = convert(result)
        headers = {"x-amzn-RequestId": request_id}
        if not has_body:
            return Response(status, headers)
        headers["Content-Type"] = _JSON_TYPES["rest-json"]
        return Response(status, headers, _encode(document))

    return write


def _whole_body_writer(operation: Operation, payload: str) -> Callable[[Result, str], Response]:
    """One member is the whole body. Those of our services are bytes that hold JSON."""
    members = {} if operation.output is None else operation.output.members
    if members.keys() != {payload} or members[payload].type_name != "blob":
        raise NotImplementedError(f"{operation.name} has a body that is not bytes alone")

    def write(result: Result, request_id: str) -> Response:
        if not {payload} >= result.keys():
            raise TypeError(f"{operation.name} has no members but {payload}")
        body = result.get(payload)
        headers = {"x-amzn-RequestId": request_id}
        if not body:
            return Response(operation.status, headers)
        headers["Content-Type"] = _JSON_TYPES["rest-json"]
        return Response(operation.status, headers, _bytes(body))

    return write


def _status_member(operation: Operation, members: Mapping[str, Shape]) -> str:
    """The member that is the response's status; empty: none is."""
    places = {location(member): name for name, member in members.items()}
    if not places.keys() <= {None, "statusCode"}:
        raise NotImplementedError(f"{operation.name} answers with headers")
    return places.get("statusCode", "")


def _converter(shape: Shape, memo: dict[str, Convert]) -> Convert:
    """For a value of a JSON document."""
    match shape.type_name:
        case "structure" | "list" | "map":
            return compiled_once(shape, memo, _box)
        case "string":
            return _string
        case "integer" | "long":
            return _whole
        case "float" | "double":
            return _number
        case "boolean":
            return _boolean
        case "timestamp":
            return _timestamp(shape.serialization.get("timestampFormat", "unixTimestamp"))
        case "blob":
            return lambda value: base64.b64encode(_bytes(value)).decode()
        case other:
            raise NotImplementedError(f"{shape.name} is a {other}")


def _box(shape: Shape, memo: dict[str, Convert]) -> Convert:
    match shape.type_name:
        case "structure":
            return _structure(shape.members, memo, shape.name)
        case "list":
            item = _converter(shape.member, memo)
            return lambda value: [item(entry) for entry in value]
        case _:
            entry = _converter(shape.value, memo)
            return lambda value: {_string(key): entry(item) for key, item in value.items()}


def _structure(shapes: Mapping[str, Shape], memo: dict[str, Convert], owner: str) -> Convert:
    members = {
        name: (wire_name(name, member), _converter(member, memo)) for name, member in shapes.items()
    }

    def structure(value: Any) -> dict[str, Any]:
        written = {}
        for name, item in value.items():
            if name not in members:
                raise TypeError(f"{owner} has no member {name}")
            if item is not None:
                key, convert = members[name]
                written[key] = convert(item)
        return written

    return structure


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not text but {type(value).__name__}")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"not a whole number but {type(value).__name__}")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"not a number but {type(value).__name__}")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"not true or false but {type(value).__name__}")
    return value


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"not bytes but {type(value).__name__}")
    return value


def _timestamp(form: str) -> Convert:
    write = timestamps.WRITERS[form]

    def timestamp(value: Any) -> str | int | float:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError("not a time with a zone")
        return write(value)

    return timestamp


def _text(shape: Shape) -> Convert:
    """For a value that stands as text in XML."""
    match shape.type_name:
        case "string":
            return _string
        case "integer":
            return lambda value: str(_whole(value))
        case "timestamp":
            return _timestamp(shape.serialization.get("timestampFormat", "iso8601"))
        case other:
            raise NotImplementedError(f"{shape.name} is a {other} in XML")


def _xml_writer(operation: Operation) -> Callable[[Result, str], Response]:
    name, namespace = operation.name, operation.service.xml_namespace
    inner = _xml_members(operation.output) if operation.output is not None else None
    wrapper = operation.result_wrapper

    def write(result: Result, request_id: str) -> Response:
        body = inner(result) if inner else ""
        if wrapper:
            body = f"<{wrapper}>{body}</{wrapper}>"
        text = (
            f'<{name}Response xmlns="{namespace}">{body}<ResponseMetadata><RequestId>'
            f"{xml_text(request_id)}</RequestId></ResponseMetadata></{name}Response>"
        )
        headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
        return Response(operation.status, headers, text.encode())

    return write


def _xml_members(shape: Shape) -> Callable[[Any], str]:
    members = {
        name: (wire_name(name, member), _xml(member)) for name, member in shape.members.items()
    }

    def structure(value: Result) -> str:
        if not members.keys() >= value.keys():
            raise TypeError(f"{shape.name} has no member {', '.join(value.keys() - members)}")
        return "".join(
            f"<{key}>{write(value[name])}</{key}>"
            for name, (key, write) in members.items()
            if value.get(name) is not None
        )

    return structure


def _xml(shape: Shape) -> Callable[[Any], str]:
    """What stands between a value's tags."""
    if shape.type_name == "structure":
        return _xml_members(shape)
    if shape.type_name == "list":
        tag, item = wire_name("member", shape.member), _xml(shape.member)
        return lambda value: "".join(f"<{tag}>{item(entry)}</{tag}>" for entry in value)
    text = _text(shape)
    return lambda value: xml_text(text(value))
