"""Operations of ``iotwireless``, carried out as the caller of another one.

Nothing is allowed here that the caller could not do itself: each operation is judged by the
caller's own policy and by its model, as if it had come over the wire.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from bittern.api import parse, resources, serialize, validate
from bittern.api.errors import ApiError
from bittern.api.front import Call
from bittern.api.model import Operation, location, service, wire_name
from bittern.api.router import Route

if TYPE_CHECKING:
    from bittern.api.operations.services import Services

Handlers = Mapping[str, Callable[["Services", Call, dict[str, Any]], Awaitable[Any]]]
"""By operation."""


@dataclass(frozen=True, slots=True)
class Underlying:
    """The operations, on behalf of one call."""

    handlers: Handlers = field(repr=False)
    services: Services = field(repr=False)
    call: Call

    async def __call__(self, operation: Operation, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer as JSON has it. `parameters` by the model's names, as JSON has them."""
        handler = self.handlers.get(operation.name)
        if handler is None:
            raise ApiError("UnsupportedActionException", f"{operation.name} is not offered")
        call = dataclasses.replace(self.call, operation=operation)
        call.require(
            resources.resource_of(_route(operation, parameters), call.region, call.account)
        )
        converted = parse.named(operation, parameters)
        validate.check(operation, converted)
        result = await handler(self.services, call, converted)
        body = serialize.response(operation, result, call.request_id).body
        answer: dict[str, Any] = msgspec.json.decode(body) if body else {}
        return answer

    async def named(self, name: str, **parameters: Any) -> dict[str, Any]:
        """By the operation's name."""
        return await self(service("iotwireless").operation(name), parameters)


def _route(operation: Operation, parameters: Mapping[str, Any]) -> Route:
    """As a request for it would have it: what it names is where a policy looks for it."""
    labels: dict[str, str] = {}
    fields: dict[str, list[str]] = {}
    members = operation.input.members if operation.input is not None else {}
    for name, value in parameters.items():
        shape = members[name]
        match location(shape):
            case "uri":
                labels[wire_name(name, shape)] = value
            case "querystring":
                texts = value if isinstance(value, list) else [value]
                fields[wire_name(name, shape)] = list(map(str, texts))
            case _:
                pass
    return Route(operation, labels, fields)
