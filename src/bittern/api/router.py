"""Which operation a request is for, and the names in its path.

``rest-json`` has the operation in method and path, the other protocols in a header (``json``) or
a form field (``query``). A path is split before it is decoded: ``%2F`` belongs to a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote, unquote_plus

from bittern.api.errors import UNKNOWN_OPERATION, ApiError, invalid
from bittern.api.message import Request
from bittern.api.model import Operation, Service

Fields = Mapping[str, list[str]]
"""A query string or a form, decoded; names may repeat."""

_LABEL = re.compile(r"\{(\w+)(\+?)\}")
MAX_FIELDS = 1000


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for."""

    operation: Operation
    labels: Mapping[str, str]
    """Decoded parts of the path, by the name in the template."""
    fields: Fields
    """The query string; for the query protocol the form, which it may stand in for."""


@dataclass(slots=True)
class _Node:
    """One place in the tree of path segments."""

    operations: dict[str, tuple[Operation, tuple[str, ...]]] = field(default_factory=dict)
    static: dict[str, _Node] = field(default_factory=dict)
    label: _Node | None = None
    greedy: _Node | None = None


def route(service: Service, request: Request) -> Route:
    """ApiError if the service has no such operation or the request's text does not decode."""
    fields = decoded_fields(request.query)
    if service.protocol == "query":
        return _by_form(service, request, fields)
    if service.protocol == "json":
        return Route(_by_target(service, request), {}, fields)
    found = _find(_tree(service), request.path.split("/")[1:], request.method, ())
    if found is None or not request.path.startswith("/"):
        raise ApiError(UNKNOWN_OPERATION, "no operation has this method and path")
    operation, names, values = found
    labels = {name: _text(value) for name, value in zip(names, values, strict=True)}
    return Route(operation, labels, fields)


def prepare(service: Service) -> None:
    """Read the service's paths before the first request needs them."""
    if service.protocol == "rest-json":
        _tree(service)


def decoded_fields(raw: str) -> dict[str, list[str]]:
    """``a=1&b=x%20y&a=2``, in the order of names. ApiError if it is not UTF-8."""
    fields: dict[str, list[str]] = {}
    if not raw:
        return fields
    pairs = raw.split("&")
    if len(pairs) > MAX_FIELDS:
        raise invalid("Request has too many parameters")
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name:
            fields.setdefault(_text(name, plus=True), []).append(_text(value, plus=True))
    return fields


def _text(raw: str, plus: bool = False) -> str:
    try:
        text = (unquote_plus if plus else unquote)(raw, errors="strict")
        text.encode()
    except UnicodeError:
        raise invalid("Request holds text that is not UTF-8") from None
    return text


def _by_form(service: Service, request: Request, query: dict[str, list[str]]) -> Route:
    """A presigned address has the form in the query string and no body."""
    try:
        form = decoded_fields(request.body.decode()) if request.body else query
    except UnicodeError:
        raise invalid("Request holds text that is not UTF-8") from None
    return Route(_named(service, form.get("Action", [""])[0]), {}, form)


def _by_target(service: Service, request: Request) -> Operation:
    prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
    return _named(service, name if prefix == service.target_prefix else "")


def _named(service: Service, name: str) -> Operation:
    try:
        return service.operation(name)
    except KeyError:
        raise ApiError(UNKNOWN_OPERATION, "no operation has this name") from None


@cache
def _tree(service: Service) -> _Node:
    root = _Node()
    for operation in map(service.operation, service.operation_names):
        node, names = root, []
        for segment in operation.uri.split("/")[1:]:
            label = _LABEL.fullmatch(segment)
            if label is None:
                node = node.static.setdefault(segment, _Node())
                continue
            names.append(label[1])
            if label[2]:
                node.greedy = node = node.greedy or _Node()
            else:
                node.label = node = node.label or _Node()
        node.operations[operation.method] = (operation, tuple(names))
    return root


_Found = tuple[Operation, tuple[str, ...], tuple[str, ...]]


def _find(node: _Node, rest: list[str], method: str, values: tuple[str, ...]) -> _Found | None:
    """Static segments before labels. Neither nothing nor dots are a name: the signature is made
    over a path in which they are resolved, so they would be signed as another path."""
    if not rest:
        found = node.operations.get(method)
        return (*found, values) if found else None
    segment, further = rest[0], rest[1:]
    if segment in node.static:
        by_text = _find(node.static[segment], further, method, values)
        if by_text is not None:
            return by_text
    if segment in ("", ".", ".."):
        return None
    if node.label is not None:
        by_label = _find(node.label, further, method, (*values, segment))
        if by_label is not None:
            return by_label
    if node.greedy is None or not {"", ".", ".."}.isdisjoint(rest):
        return None
    return _find(node.greedy, [], method, (*values, "/".join(rest)))
