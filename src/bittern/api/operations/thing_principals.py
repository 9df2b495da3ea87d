"""Which certificates are attached to which things. It gives no gateway and no MQTT client access:
that is what `AssociateWirelessGatewayWithCertificate`, and the users of the broker, are for."""

from __future__ import annotations

import msgspec

from bittern.api.errors import invalid
from bittern.api.front import Call, Parameters
from bittern.api.operations import exchanges, things
from bittern.api.operations.common import Answer, page_of, present
from bittern.api.operations.exchanges import Document, Links
from bittern.api.operations.principals import arn_of, identity_of, still_there
from bittern.api.operations.services import Services
from bittern.api.operations.things import Thing
from bittern.api.paging import MAX_SIZE
from bittern.store.notes import NoteExchange

LINKS = Links("thing_principal", "principal_thing")
"""The word about a link is its type."""
EXCLUSIVE = "EXCLUSIVE_THING"
SHARED = "NON_EXCLUSIVE_THING"


async def attach(services: Services, call: Call, parameters: Parameters) -> None:
    """What is attached already gets the type that is wanted now."""
    name = parameters["thingName"]
    identity = identity_of(call, parameters["principal"])
    kind = parameters.get("thingPrincipalType", SHARED)

    async def work() -> list[NoteExchange]:
        thing = await things.found(services, call, name)
        certificate = await still_there(services, call, identity)
        await _check_exclusive(services, call, name, identity, kind)
        before = await LINKS.between(services, call, name, identity)
        count = thing.value.principals + (before is None)
        return [
            certificate,
            _counted(call, name, thing, count),
            *LINKS.exchanges(call, (name, identity), before, kind),
        ]

    await exchanges.change(services, work)


async def detach(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not attached is detached already."""
    name = parameters["thingName"]
    identity = identity_of(call, parameters["principal"])

    async def work() -> list[NoteExchange]:
        thing = await things.found(services, call, name)
        before = await LINKS.between(services, call, name, identity)
        if before is None:
            return []
        return [
            _counted(call, name, thing, thing.value.principals - 1),
            *LINKS.exchanges(call, (name, identity), before, None),
        ]

    await exchanges.change(services, work)


async def list_principals(services: Services, call: Call, parameters: Parameters) -> Answer:
    found, token = await _principals(services, call, parameters)
    return present(nextToken=token) | {"principals": [arn for arn, _ in found]}


async def list_principals_v2(services: Services, call: Call, parameters: Parameters) -> Answer:
    found, token = await _principals(services, call, parameters)
    objects = [{"principal": arn, "thingPrincipalType": kind} for arn, kind in found]
    return present(nextToken=token) | {"thingPrincipalObjects": objects}


async def list_things(services: Services, call: Call, parameters: Parameters) -> Answer:
    found, token = await _things(services, call, parameters)
    return present(nextToken=token) | {"things": [name for name, _ in found]}


async def list_things_v2(services: Services, call: Call, parameters: Parameters) -> Answer:
    found, token = await _things(services, call, parameters)
    objects = [{"thingName": name, "thingPrincipalType": kind} for name, kind in found]
    return present(nextToken=token) | {"principalThingObjects": objects}


Found = tuple[list[tuple[str, str]], str | None]
"""Names with their types, and the token of the next page."""


async def _principals(services: Services, call: Call, parameters: Parameters) -> Found:
    name = parameters["thingName"]
    await things.found(services, call, name)
    page = page_of(services, call, parameters)
    links = await LINKS.of(services, call, name, page.after, page.fetch)
    shown, token = page.split(links, lambda link: link[0])
    return _of_type([(arn_of(call, one), kind) for one, kind in shown], parameters), token


async def _things(services: Services, call: Call, parameters: Parameters) -> Found:
    identity = identity_of(call, parameters["principal"])
    await still_there(services, call, identity)
    page = page_of(services, call, parameters)
    links = await LINKS.to(services, call, identity, page.after, page.fetch)
    shown, token = page.split(links, lambda link: link[0])
    return _of_type(list(shown), parameters), token


def _of_type(links: list[tuple[str, str]], parameters: Parameters) -> list[tuple[str, str]]:
    """A page may hold fewer than were asked for."""
    wanted = parameters.get("thingPrincipalType")
    return [link for link in links if wanted in (None, link[1])]


async def _check_exclusive(
    services: Services, call: Call, name: str, identity: str, kind: str
) -> None:
    """ApiError if the principal is another thing's, and either wants it alone."""
    links = await LINKS.to(services, call, identity, None, MAX_SIZE)
    others = [(thing, of_other) for thing, of_other in links if thing != name]
    if others and (kind == EXCLUSIVE or any(of_other == EXCLUSIVE for _, of_other in others)):
        raise invalid(f"the principal is attached to thing {others[0][0]}, and to one it must be")


def _counted(call: Call, name: str, before: Document[Thing], count: int) -> NoteExchange:
    after = msgspec.structs.replace(before.value, principals=count)
    return exchanges.exchange(call, "thing", name, before, after)
