"""From a request to the operation's input: members by name, each of its modelled type.

For each operation the shapes are compiled once to functions that convert one value each. Members
that the model does not know are ignored, as AWS does; null is absence. What does not have the
modelled type is told as a validation error; whether a value is *allowed* is `validate`'s question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from bittern.api.convert import (
    Convert,
    Unfit,
    blob,
    document,
    json_converter,
    structure,
    text_converter,
)
from bittern.api.errors import invalid
from bittern.api.forms import form_converter
from bittern.api.message import Request
from bittern.api.model import Operation, Shape, location, payload_member, wire_name
from bittern.api.router import Route

Place = Callable[[Request, Route], Any]
"""Where a member of the input comes from, converted; None: absent."""


def parameters(request: Request, route: Route) -> dict[str, Any]:
    """The input of the operation that `route` names. ApiError if a value has the wrong type."""
    try:
        return _parser(route.operation)(request, route)
    except Unfit as unfit:
        raise invalid(_told(unfit)) from None
    except RecursionError:
        raise invalid("Request is nested too deeply") from None


def named(operation: Operation, members: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an input that came by no request: `members` by the model's names, each as JSON
    has it, wherever on the wire it would stand. ApiError if one has the wrong type."""
    shapes = operation.input.members if operation.input is not None else {}
    wired = {
        wire_name(name, shapes[name]) if name in shapes else name: value
        for name, value in members.items()
    }
    try:
        found: dict[str, Any] = _named(operation)(wired)
    except Unfit as unfit:
        raise invalid(_told(unfit)) from None
    except RecursionError:
        raise invalid("Request is nested too deeply") from None
    return found


def prepare(operation: Operation) -> None:
    """Compile the operation's shapes before the first request needs them."""
    _parser(operation)


def shown_path(path: list[str]) -> str:
    """As AWS writes it: members begin with a small letter."""
    return ".".join(part[:1].lower() + part[1:] for part in path)


def _told(unfit: Unfit) -> str:
    if not unfit.path:
        return f"1 validation error detected: Request body must be {unfit.wanted}"
    return (
        f"1 validation error detected: Value at '{shown_path(unfit.path[::-1])}' failed to satisfy "
        f"constraint: Member must be {unfit.wanted}"
    )


@cache
def _named(operation: Operation) -> Convert:
    return structure(operation.input.members if operation.input is not None else {}, {})


@cache
def _parser(operation: Operation) -> Callable[[Request, Route], dict[str, Any]]:
    shape = operation.input
    if shape is None:
        return lambda request, route: {}
    protocol = operation.service.protocol
    if protocol == "query":
        from_form = form_converter(shape)
        return lambda request, route: from_form(route.fields)
    from_json = structure(_json_members(shape, protocol), {})
    places = _places(shape) if protocol == "rest-json" else []
    payload = payload_member(shape) if protocol == "rest-json" else None
    has_body = payload is None and (protocol == "json" or _has_body_member(shape))

    def parse(request: Request, route: Route) -> dict[str, Any]:
        found: dict[str, Any] = from_json(document(request.body)) if has_body else {}
        for name, place in places:
            try:
                value = place(request, route)
            except Unfit as unfit:
                unfit.path.append(name)
                raise
            if value is not None:
                found[name] = value
        return found

    return parse


def _json_members(shape: Shape, protocol: str) -> dict[str, Shape]:
    if protocol == "json":
        return dict(shape.members)
    return {name: member for name, member in shape.members.items() if location(member) is None}


def _has_body_member(shape: Shape) -> bool:
    return any(location(member) is None for member in shape.members.values())


def _places(shape: Shape) -> list[tuple[str, Place]]:
    """Every member that is not one of the JSON document in the body."""
    payload = payload_member(shape)
    made = []
    for name, member in shape.members.items():
        if name == payload:
            made.append((name, _payload(member)))
        elif location(member) is not None:
            made.append((name, _located(wire_name(name, member), member)))
    return made


def _payload(shape: Shape) -> Place:
    """A member that is the whole body; an empty body is its absence."""
    match shape.type_name:
        case "blob":
            return lambda request, route: request.body or None
        case "structure":
            convert = json_converter(shape, {})
            return lambda request, route: convert(document(request.body)) if request.body else None
        case other:
            raise NotImplementedError(f"{shape.name} is a {other} and the whole body")


def _located(name: str, shape: Shape) -> Place:
    match location(shape):
        case "uri":
            label = text_converter(shape, "iso8601")
            return lambda request, route: label(route.labels[name])
        case "querystring" if shape.type_name == "list":
            item = text_converter(shape.member, "iso8601")
            return lambda request, route: (
                [item(text) for text in route.fields[name]] if name in route.fields else None
            )
        case "querystring":
            one = text_converter(shape, "iso8601")
            return lambda request, route: (
                one(route.fields[name][0]) if name in route.fields else None
            )
        case _:
            lower, value = name.lower(), _header_converter(shape)
            return lambda request, route: (
                value(request.headers[lower]) if lower in request.headers else None
            )


def _header_converter(shape: Shape) -> Convert:
    if shape.serialization.get("jsonvalue"):
        return lambda text: document(blob(text))
    convert = text_converter(shape, "rfc822")

    def header(text: str) -> Any:
        try:
            text.encode()
        except UnicodeError:
            raise Unfit("text in UTF-8") from None
        return convert(text)

    return header
