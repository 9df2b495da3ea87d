"""Which events are published: of all devices and gateways, and of one.

What is not given stays as it was. Members of Amazon Sidewalk are told as disabled; to enable one is
refused. `MessageDeliveryStatus`, which AWS has for Sidewalk alone, is taken for devices of LoRaWAN
by its ``WirelessDeviceIdEventTopic``; for all devices it is a setting of the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from bittern.api.errors import invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, page_of, present, wrong
from bittern.api.operations.services import Services
from bittern.store.event_settings import (
    DEFAULT,
    DEVICE,
    GATEWAY,
    NOTHING,
    EventsOfAll,
    EventsOfOne,
    events_of_all,
    events_of_one,
    name_of,
    note_of,
)
from bittern.store.notes import Note
from bittern.types import EUI64, DevEUI, GatewayEUI

ENABLED, DISABLED = "Enabled", "Disabled"

Path = tuple[str, ...]


class _Owned(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def account(self) -> str: ...


_OF_ALL: Mapping[Path, str] = {
    ("Join", "LoRaWAN", "WirelessDeviceEventTopic"): "join",
    ("ConnectionStatus", "LoRaWAN", "WirelessGatewayEventTopic"): "connection_status",
}
_OF_DEVICE: Mapping[Path, str] = {
    ("Join", "LoRaWAN", "DevEuiEventTopic"): "join_by_eui",
    ("Join", "WirelessDeviceIdEventTopic"): "join_by_id",
    ("MessageDeliveryStatus", "WirelessDeviceIdEventTopic"): "delivery_by_id",
}
_OF_GATEWAY: Mapping[Path, str] = {
    ("ConnectionStatus", "LoRaWAN", "GatewayEuiEventTopic"): "connection_by_eui",
    ("ConnectionStatus", "WirelessGatewayIdEventTopic"): "connection_by_id",
}
"""The fields of `EventsOfAll` and `EventsOfOne`, by the members that say them."""
_OF_ONE = {DEVICE: _OF_DEVICE, GATEWAY: _OF_GATEWAY}

_SIDEWALK_OF_ALL: tuple[Path, ...] = tuple(
    (event, "Sidewalk", "WirelessDeviceEventTopic")
    for event in ("DeviceRegistrationState", "Proximity", "MessageDeliveryStatus")
)
_SIDEWALK_OF_ONE: tuple[Path, ...] = (
    ("DeviceRegistrationState", "Sidewalk", "AmazonIdEventTopic"),
    ("DeviceRegistrationState", "WirelessDeviceIdEventTopic"),
    ("Proximity", "Sidewalk", "AmazonIdEventTopic"),
    ("Proximity", "WirelessDeviceIdEventTopic"),
    ("MessageDeliveryStatus", "Sidewalk", "AmazonIdEventTopic"),
)
_EVENTS = frozenset(path[0] for path in (*_OF_ALL, *_SIDEWALK_OF_ONE))


async def get_of_all(services: Services, call: Call, parameters: Parameters) -> Answer:
    """As it has effect: where the account has said nothing, the configuration decides."""
    said, default = await _of_all(services, call), services.events
    effective = EventsOfAll(
        join=default.joins if said.join is None else said.join,
        connection_status=default.connections
        if said.connection_status is None
        else said.connection_status,
    )
    return _document(effective, _OF_ALL, _SIDEWALK_OF_ALL)


async def update_of_all(services: Services, call: Call, parameters: Parameters) -> None:
    changes = _changes(parameters, _OF_ALL)
    after = msgspec.structs.replace(await _of_all(services, call), **changes)
    await services.store.put_notes(note_of(call.account, DEFAULT, after, call.now))


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    kind, identity = await _resource(services, call, parameters)
    note = await services.store.note(call.account, "events", name_of(kind, identity))
    return _document(events_of_one(note), _OF_ONE[kind], _SIDEWALK_OF_ONE)


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    kind, identity = await _resource(services, call, parameters)
    name, changes = name_of(kind, identity), _changes(parameters, _OF_ONE[kind])
    before = events_of_one(await services.store.note(call.account, "events", name))
    after = msgspec.structs.replace(before, **changes)
    if after == NOTHING:
        await services.store.remove_note(call.account, "events", name)
    else:
        await services.store.put_notes(note_of(call.account, name, after, call.now))


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Resources that are told of: a note is there only where something is enabled."""
    kind, page = parameters["ResourceType"], page_of(services, call, parameters)
    if kind not in _OF_ONE:
        return {"EventConfigurationsList": []}  # partner accounts of Sidewalk
    notes = await _there(services, call, kind, page.after or name_of(kind, ""), page.fetch)
    shown, token = page.split(notes, lambda note: note.name)
    entries = [_entry(kind, note) for note in shown]
    return present(NextToken=token) | {"EventConfigurationsList": entries}


async def _there(services: Services, call: Call, kind: str, after: str, wanted: int) -> list[Note]:
    """So many behind a name. What was said of a resource may outlive it, and is passed over."""
    found: list[Note] = []
    while len(found) < wanted:
        notes = await services.store.notes(call.account, "events", after, wanted)
        for note in notes:
            if not note.name.startswith(name_of(kind, "")):
                return found
            if await _exists(services, kind, _identity(kind, note)):
                found.append(note)
        if len(notes) < wanted:
            break
        after = notes[-1].name
    return found[:wanted]


async def _exists(services: Services, kind: str, identity: str) -> bool:
    store = services.store
    of_kind = store.device_by_id if kind == DEVICE else store.gateway_by_id
    return await of_kind(identity) is not None


def _entry(kind: str, note: Note) -> Answer:
    return {
        "Identifier": _identity(kind, note),
        "IdentifierType": f"{kind}Id",
        "Events": _document(events_of_one(note), _OF_ONE[kind], _SIDEWALK_OF_ONE),
    }


def _identity(kind: str, note: Note) -> str:
    return note.name.removeprefix(name_of(kind, ""))


async def _of_all(services: Services, call: Call) -> EventsOfAll:
    return events_of_all(await services.store.note(call.account, "events", DEFAULT))


# Which resource is meant


async def _resource(services: Services, call: Call, parameters: Parameters) -> tuple[str, str]:
    """Its kind and id. ApiError where the caller's account has none by this name."""
    identifier, store = parameters["Identifier"], services.store
    found: _Owned | None
    match parameters["IdentifierType"]:
        case "WirelessDeviceId":
            kind, found = DEVICE, await store.device_by_id(identifier)
        case "DevEui":
            kind, found = DEVICE, await store.device(DevEUI(_eui(identifier)))
        case "WirelessGatewayId":
            kind, found = GATEWAY, await store.gateway_by_id(identifier)
        case "GatewayEui":
            kind, found = GATEWAY, await store.gateway(GatewayEUI(_eui(identifier)))
        case _:
            raise not_found("SidewalkAccount", identifier)
    if found is None or found.account != call.account:
        raise not_found(kind, identifier)
    call.require(call.arn(f"{kind}/{found.id}"))
    return kind, found.id


def _eui(text: str) -> EUI64:
    try:
        return EUI64.from_hex(text)
    except ValueError:
        raise wrong("identifier", "Member must be an EUI, 16 hexadecimal digits") from None


# Members and fields


def _document(
    events: EventsOfAll | EventsOfOne, fields: Mapping[Path, str], sidewalk: tuple[Path, ...]
) -> Answer:
    document: Answer = {}
    for path in sidewalk:
        _put(document, path, enabled=False)
    for path, field in fields.items():
        _put(document, path, enabled=bool(getattr(events, field)))
    return document


def _put(document: Answer, path: Path, *, enabled: bool) -> None:
    *above, last = path
    for name in above:
        document = document.setdefault(name, {})
    document[last] = ENABLED if enabled else DISABLED


def _changes(parameters: Parameters, fields: Mapping[Path, str]) -> dict[str, bool]:
    """By field. ApiError where something is to be enabled that is not there."""
    found: dict[str, bool] = {}
    for path, status in _told({name: parameters[name] for name in _EVENTS & parameters.keys()}):
        if path in fields:
            found[fields[path]] = status == ENABLED
        elif status == ENABLED:
            raise invalid(_refusal(path))
    return found


def _told(given: Mapping[str, Any], above: Path = ()) -> list[tuple[Path, str]]:
    """What a request says, by the whole path of each member."""
    found: list[tuple[Path, str]] = []
    for name, inner in given.items():
        path = (*above, name)
        found += [(path, inner)] if isinstance(inner, str) else _told(inner, path)
    return found


def _refusal(path: Path) -> str:
    if path in _SIDEWALK_OF_ALL or path in _SIDEWALK_OF_ONE:
        return f"{'.'.join(path)}: Amazon Sidewalk is not offered by this server; LoRaWAN is"
    return f"{'.'.join(path)}: the resource has no such event"
