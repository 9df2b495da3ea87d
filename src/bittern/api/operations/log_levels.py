"""Log levels: what of devices, gateways and firmware updates is to be logged, for all of a kind
and for one.

They are kept and told here; what writes the log has its own level, and does not ask for these.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bittern.api.errors import not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, wrong
from bittern.api.operations.devices import device_of
from bittern.api.operations.fuota_tasks import task_of
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.store.notes import Note

DEFAULT = "default"
"""Name of the note of all resources; the others are ``WirelessDevice/ID``."""
INITIAL: Answer = {"DefaultLogLevel": "ERROR"}
"""Until somebody says otherwise, as at AWS once logging is on."""
PAGE = 250


async def get_default(services: Services, call: Call, parameters: Parameters) -> Answer:
    note = await services.store.note(call.account, "logs", DEFAULT)
    return dict(INITIAL) if note is None else msgspec.json.decode(note.body, type=dict[str, Any])


async def update_default(services: Services, call: Call, parameters: Parameters) -> Answer:
    """What is not given stays."""
    after = await get_default(services, call, parameters) | parameters
    await services.store.put_notes(_note(call, DEFAULT, after))
    return {}


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    name = await _resource(services, call, parameters)
    note = await services.store.note(call.account, "logs", name)
    if note is None:
        raise not_found("LogLevel", parameters["ResourceIdentifier"])
    return msgspec.json.decode(note.body, type=dict[str, Any])


async def put(services: Services, call: Call, parameters: Parameters) -> Answer:
    name = await _resource(services, call, parameters)
    level = {"LogLevel": parameters["LogLevel"]}
    await services.store.put_notes(_note(call, name, level))
    return {}


async def reset(services: Services, call: Call, parameters: Parameters) -> Answer:
    """One that has no level of its own keeps that of all."""
    name = await _resource(services, call, parameters)
    await services.store.remove_note(call.account, "logs", name)
    return {}


async def reset_all(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Of all resources; the default stays."""
    after = ""
    while notes := await services.store.notes(call.account, "logs", after, PAGE):
        for note in notes:
            after = note.name
            if note.name != DEFAULT:
                await services.store.remove_note(call.account, "logs", note.name)
    return {}


async def _resource(services: Services, call: Call, parameters: Parameters) -> str:
    """The note's name. ApiError where there is no such resource."""
    kind, identity = parameters["ResourceType"], parameters["ResourceIdentifier"]
    match kind:
        case "WirelessDevice":
            return f"{kind}/{(await device_of(services, call, identity)).id}"
        case "WirelessGateway":
            return f"{kind}/{(await gateway_of(services, call, identity)).id}"
        case "FuotaTask":
            return f"{kind}/{(await task_of(services, call, identity)).id}"
        case _:
            allowed = "[WirelessDevice, WirelessGateway, FuotaTask]"
            raise wrong("resourceType", f"Member must satisfy enum value set: {allowed}")


def _note(call: Call, name: str, body: Answer) -> Note:
    text = msgspec.json.encode(body).decode()
    return Note(account=call.account, kind="logs", name=name, at=call.now, body=text)
