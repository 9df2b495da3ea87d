"""Destinations: where the messages of devices go."""

from __future__ import annotations

import msgspec

from bittern.api.errors import not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    Keep,
    forget_tags,
    once,
    page_of,
    present,
    told,
    wrong,
)
from bittern.api.operations.services import Services
from bittern.store.records import Destination

KIND = "Destination"


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        name = parameters["Name"]
        destination = Destination(
            account=call.account,
            name=name,
            expression_type=parameters["ExpressionType"],
            expression=parameters["Expression"],
            description=parameters.get("Description", ""),
            role_arn=parameters["RoleArn"],
            created_at=call.now,
        )
        _check(destination)
        answer = {"Arn": _arn(call, name), "Name": name}
        await services.store.add_destination(destination, notes=keep(f"{KIND}/{name}", answer))
        return answer

    return await once(services, call, parameters, make)


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    return _document(call, await _found(services, call, parameters["Name"]))


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    found = await services.store.destinations(call.account, page.after or "", page.fetch)
    shown, token = page.split(found, lambda one: one.name)
    return present(NextToken=token) | {"DestinationList": [_document(call, one) for one in shown]}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    before = await _found(services, call, parameters["Name"])
    after = msgspec.structs.replace(
        before,
        expression_type=parameters.get("ExpressionType", before.expression_type),
        expression=parameters.get("Expression", before.expression),
        description=parameters.get("Description", before.description),
        role_arn=parameters.get("RoleArn", before.role_arn),
    )
    _check(after)
    with told():
        await services.store.replace_destination(after)


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["Name"]
    with told():
        await services.store.remove_destination(call.account, name)
    await forget_tags(services, call, f"{KIND}/{name}")


async def _found(services: Services, call: Call, name: str) -> Destination:
    found = await services.store.destination(call.account, name)
    if found is None:
        raise not_found(KIND, name)
    return found


def _check(destination: Destination) -> None:
    """A topic to publish to is one topic."""
    expression = destination.expression
    if not expression:
        raise wrong("expression", "Member must have length greater than or equal to 1")
    if destination.expression_type == "MqttTopic" and not {"+", "#"}.isdisjoint(expression):
        raise wrong("expression", "Member must be a topic without the wildcards + and #")


def _arn(call: Call, name: str) -> str:
    return call.arn(f"{KIND}/{name}")


def _document(call: Call, destination: Destination) -> Answer:
    return present(
        Arn=_arn(call, destination.name),
        Name=destination.name,
        ExpressionType=destination.expression_type,
        Expression=destination.expression,
        Description=destination.description,
        RoleArn=destination.role_arn,
    )
