"""Log levels: what of devices, gateways and firmware updates is to be logged, for all of a kind
and for one.

They take effect within a second on the lines of ``log.aws_file``; the log of the server itself has
its own level, and does not ask for these.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bittern.api.errors import invalid, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import Answer, wrong
from bittern.api.operations.devices import device_of
from bittern.api.operations.fuota_tasks import task_of
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.services import Services
from bittern.store.log_levels import DEFAULT
from bittern.store.notes import Note

INITIAL: Answer = {"DefaultLogLevel": "ERROR"}
"""Until somebody says otherwise, as at AWS once logging is on."""
PAGE = 250
MOST_OF_ONE = 200
"""Resources of an account that have a level of their own, as at AWS."""


async def get_default(services: Services, call: Call, parameters: Parameters) -> Answer:
    note = await services.store.note(call.account, "logs", DEFAULT)
    return dict(INITIAL) if note is None else msgspec.json.decode(note.body, type=dict[str, Any])


async def update_default(services: Services, call: Call, parameters: Parameters) -> Answer:
    """What is not given stays."""
    after = await get_default(services, call, parameters) | parameters
    await services.store.put_notes(_note(call, DEFAULT, after))
    services.notify.logs()
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
    notes = await services.store.notes(call.account, "logs", limit=MOST_OF_ONE + 1)
    there = {note.name for note in notes} - {DEFAULT}
    if name not in there and len(there) >= MOST_OF_ONE:
        raise invalid(f"an account has log levels of {MOST_OF_ONE} resources at most")
    await services.store.put_notes(_note(call, name, level))
    services.notify.logs()
    return {}


async def reset(services: Services, call: Call, parameters: Parameters) -> Answer:
    """One that has no level of its own keeps that of all."""
    name = await _resource(services, call, parameters)
    await services.store.remove_note(call.account, "logs", name)
    services.notify.logs()
    return {}


async def reset_all(services: Services, call: Call, parameters: Parameters) -> Answer:
    """Of all resources; the default stays."""
    after = ""
    while notes := await services.store.notes(call.account, "logs", after, PAGE):
        for note in notes:
            after = note.name
            if note.name != DEFAULT:
                await services.store.remove_note(call.account, "logs", note.name)
    services.notify.logs()
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
