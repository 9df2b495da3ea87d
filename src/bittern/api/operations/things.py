"""Things of the `iot` service: names that stand for devices and gateways, with attributes.

Types, groups and billing groups are not kept: a thing that asks for one is told that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bittern.api.errors import ApiError, invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations import exchanges
from bittern.api.operations.common import Answer, new_id, page_of, present
from bittern.api.operations.exchanges import Document
from bittern.api.operations.services import Services
from bittern.api.paging import MAX_SIZE
from bittern.store.notes import Note, NoteExchange
from bittern.types import Instant

KIND = "Thing"
MOST_ATTRIBUTES = 50


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a thing's note."""

    id: str
    attributes: dict[str, str] = {}
    version: int = 1
    created_at: Instant
    principals: int = 0
    """How many are attached."""
    wireless: str = ""
    """What it stands for: ``WirelessDevice/…`` or ``WirelessGateway/…``; empty: nothing. It does
    if that is still there and says the same."""


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    """To make the same thing again changes nothing."""
    name = parameters["thingName"]
    _no_groups(parameters)
    attributes = _attributes({}, parameters)
    thing = Thing(id=new_id(services.randomness), attributes=attributes, created_at=call.now)
    made = {"thingName": name, "thingArn": arn(call, name)}

    async def work() -> list[NoteExchange]:
        there = await _read(services, call, name)
        if there is None:
            made["thingId"] = thing.id
            return [exchanges.exchange(call, "thing", name, None, thing)]
        made["thingId"] = there.value.id
        if there.value.attributes != attributes:
            raise ApiError(
                "ResourceAlreadyExistsException",
                f"thing {name} exists already, with other attributes",
                resourceId=there.value.id,
                resourceArn=arn(call, name),
            )
        return []

    await exchanges.change(services, work)
    return made


async def describe(services: Services, call: Call, parameters: Parameters) -> Answer:
    name = parameters["thingName"]
    thing = (await found(services, call, name)).value
    return {
        "defaultClientId": name,
        "thingName": name,
        "thingId": thing.id,
        "thingArn": arn(call, name),
        "attributes": thing.attributes,
        "version": thing.version,
    }


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Things that do not fit are passed over page by page, in constant memory."""
    page = page_of(services, call, parameters)
    if "thingTypeName" in parameters:
        return {"things": []}
    fitting: list[Note] = []
    after = page.after or ""
    while len(fitting) < page.fetch:
        notes = await services.store.notes(call.account, "thing", after, MAX_SIZE)
        fitting += [note for note in notes if _fits(_thing(note), parameters)]
        if len(notes) < MAX_SIZE:
            break
        after = notes[-1].name
    shown, token = page.split(fitting[: page.fetch], lambda note: note.name)
    return present(nextToken=token) | {"things": [_entry(call, note) for note in shown]}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["thingName"]
    _no_groups(parameters)

    async def work() -> list[NoteExchange]:
        before = await found(services, call, name)
        thing = before.value
        _check_version(thing, parameters)
        attributes = thing.attributes
        if "attributePayload" in parameters:
            attributes = _attributes(attributes, parameters)
        after = msgspec.structs.replace(thing, attributes=attributes, version=thing.version + 1)
        return [exchanges.exchange(call, "thing", name, before, after)]

    await exchanges.change(services, work)


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    """One that is not there is deleted already. One that is in use stays."""
    name = parameters["thingName"]

    async def work() -> list[NoteExchange]:
        there = await _read(services, call, name)
        if there is None:
            return []
        thing = there.value
        _check_version(thing, parameters)
        if thing.principals:
            raise invalid(
                f"Cannot delete. Thing {name} is still attached to one or more principals"
            )
        if await stands_for(services, name, thing):
            raise invalid(f"Cannot delete. Thing {name} is still associated with {thing.wireless}")
        return [exchanges.exchange(call, "thing", name, there, None)]

    await exchanges.change(services, work)


async def found(services: Services, call: Call, name: str) -> Document[Thing]:
    """One of the caller's account. ApiError."""
    there = await _read(services, call, name)
    if there is None:
        raise not_found(KIND, name)
    return there


async def wireless_of(services: Services, call: Call, name: str, kind: str) -> str:
    """The id of what a thing stands for, if that is a `kind`. ApiError."""
    there = await _read(services, call, name)
    if there is not None and await stands_for(services, name, there.value):
        found_kind, _, identity = there.value.wireless.partition("/")
        if found_kind == kind:
            return identity
    raise not_found(kind, name)


async def stands_for(services: Services, name: str, thing: Thing) -> bool:
    """Whether what it stands for is there, and says so too: a device may have been deleted."""
    kind, _, identity = thing.wireless.partition("/")
    store = services.store
    match kind:
        case "WirelessDevice":
            device = await store.device_by_id(identity)
            return device is not None and device.thing_name == name
        case "WirelessGateway":
            gateway = await store.gateway_by_id(identity)
            return gateway is not None and gateway.thing_name == name
        case _:
            return False


def arn(call: Call, name: str) -> str:
    return call.arn(f"thing/{name}", "iot")


async def _read(services: Services, call: Call, name: str) -> Document[Thing] | None:
    return await exchanges.read(services, call, "thing", name, Thing)


def _thing(note: Note) -> Thing:
    return msgspec.json.decode(note.body, type=Thing)


def _entry(call: Call, note: Note) -> Answer:
    thing = _thing(note)
    return {
        "thingName": note.name,
        "thingArn": arn(call, note.name),
        "attributes": thing.attributes,
        "version": thing.version,
    }


def _fits(thing: Thing, parameters: Parameters) -> bool:
    name, wanted = parameters.get("attributeName"), parameters.get("attributeValue")
    if name is None:
        return True
    value = thing.attributes.get(name)
    if value is None or wanted is None:
        return value is not None
    is_prefix: bool = parameters.get("usePrefixAttributeValue", False)
    return value.startswith(wanted) if is_prefix else value == wanted


def _attributes(before: Mapping[str, str], parameters: Parameters) -> dict[str, str]:
    """An attribute without a value is removed. ApiError for too many."""
    payload = parameters.get("attributePayload", {})
    kept = before if payload.get("merge", False) else {}
    every = {**kept, **payload.get("attributes", {})}
    attributes = {key: value for key, value in sorted(every.items()) if value}
    if len(attributes) > MOST_ATTRIBUTES:
        raise invalid(f"a thing has {MOST_ATTRIBUTES} attributes at most")
    return attributes


def _no_groups(parameters: Parameters) -> None:
    """ApiError where a type or a billing group is named: there are none."""
    for member, kind in (("thingTypeName", "ThingType"), ("billingGroupName", "BillingGroup")):
        if member in parameters:
            raise not_found(kind, parameters[member])


def _check_version(thing: Thing, parameters: Parameters) -> None:
    expected = parameters.get("expectedVersion")
    if expected is not None and expected != thing.version:
        raise ApiError(
            "VersionConflictException",
            f"version {expected} was expected; the thing has version {thing.version}",
        )
