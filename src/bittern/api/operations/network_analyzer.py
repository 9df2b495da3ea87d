"""Network analyzer configurations: of which devices, gateways and multicast groups a trace is to
tell, and how much.

Every account has one from the beginning, as at AWS: ``NetworkAnalyzerConfig_Default``. It is like
any other, and is gone once it was deleted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from bittern.api.errors import conflict, not_found
from bittern.api.front import Call, Parameters
from bittern.api.operations.common import (
    Answer,
    Keep,
    forget_tags,
    once,
    page_of,
    present,
    wrong,
)
from bittern.api.operations.devices import device_of
from bittern.api.operations.exchanges import Document, change, exchange, read
from bittern.api.operations.gateways import gateway_of
from bittern.api.operations.multicast_groups import group_of
from bittern.api.operations.services import Services
from bittern.store.notes import Note, NoteExchange
from bittern.types import Instant

KIND = "NetworkAnalyzerConfiguration"
DEFAULT_NAME = "NetworkAnalyzerConfig_Default"
MOST_RESOURCES = 250
"""Devices and gateways of one configuration together."""
MOST_GROUPS = 10

FrameInfo = Literal["ENABLED", "DISABLED"]
Owned = Callable[[Services, Call, str], Awaitable[object]]
"""ApiError unless it is one of the caller's."""


class Configuration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As its note has it; a new one traces all that is of what is in it."""

    description: str = ""
    device_frames: FrameInfo = "ENABLED"
    group_frames: FrameInfo = "ENABLED"
    log_level: Literal["INFO", "ERROR", "DISABLED"] = "INFO"
    devices: tuple[str, ...] = ()
    """Ids, in the order in which they were added."""
    gateways: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


_LISTS: Mapping[str, tuple[str, Owned]] = {
    "WirelessDevices": ("devices", device_of),
    "WirelessGateways": ("gateways", gateway_of),
    "MulticastGroups": ("groups", group_of),
}
"""By AWS's name: ours, and who knows whose it is."""
_TRACED: Mapping[str, str] = {
    "WirelessDeviceFrameInfo": "device_frames",
    "MulticastFrameInfo": "group_frames",
    "LogLevel": "log_level",
}


async def create(services: Services, call: Call, parameters: Parameters) -> Answer:
    async def make(keep: Keep) -> Answer:
        name = parameters["Name"]
        if await configuration_of(services, call, name) is not None:
            raise conflict(KIND, name, f"{KIND} {name} exists")
        given = {f"{each}ToAdd": parameters[each] for each in _LISTS if each in parameters}
        made = await _changed(services, call, Configuration(), parameters | given)
        answer = {"Arn": _arn(call, name), "Name": name}
        rest = f"{KIND}/{name}"
        await services.store.put_notes(_note(call, name, made), *keep(rest, answer))
        return answer

    return await once(services, call, parameters, make)


async def get(services: Services, call: Call, parameters: Parameters) -> Answer:
    name = parameters["ConfigurationName"]
    found = await configuration_of(services, call, name)
    if found is None:
        raise not_found(KIND, name)
    trace = {theirs: getattr(found, ours) for theirs, ours in _TRACED.items()}
    lists = {theirs: list(getattr(found, ours)) for theirs, (ours, _) in _LISTS.items()}
    told = present(Arn=_arn(call, name), Name=name, Description=found.description)
    return told | lists | {"TraceContent": trace}


async def list_(services: Services, call: Call, parameters: Parameters) -> Answer:
    page = page_of(services, call, parameters)
    after = page.after or ""
    notes = await services.store.notes(call.account, "analyzer", after, page.fetch)
    names = [note.name for note in notes]
    if (
        after < DEFAULT_NAME
        and DEFAULT_NAME not in names
        and await configuration_of(services, call, DEFAULT_NAME) is not None
    ):
        names = sorted([*names, DEFAULT_NAME])[: page.fetch]
    shown, token = page.split(names, str)
    entries = [{"Arn": _arn(call, name), "Name": name} for name in shown]
    return present(NextToken=token) | {"NetworkAnalyzerConfigurationList": entries}


async def update(services: Services, call: Call, parameters: Parameters) -> None:
    """What is not given stays. What is removed and is not there is ignored, if only it is
    somewhere."""
    name = parameters["ConfigurationName"]

    async def work() -> list[NoteExchange]:
        stored = await read(services, call, "analyzer", name, Configuration)
        before = await _configuration(services, call, name, stored)
        if before is None:
            raise not_found(KIND, name)
        after = await _changed(services, call, before, parameters)
        return [exchange(call, "analyzer", name, stored, after)]

    await change(services, work)


async def delete(services: Services, call: Call, parameters: Parameters) -> None:
    name = parameters["ConfigurationName"]

    async def work() -> list[NoteExchange]:
        stored = await read(services, call, "analyzer", name, Configuration)
        if await _configuration(services, call, name, stored) is None:
            raise not_found(KIND, name)
        gone = [] if stored is None else [exchange(call, "analyzer", name, stored, None)]
        if name == DEFAULT_NAME and await _default_is_untouched(services, call):
            gone.append(exchange(call, "analyzer_gone", name, None, Configuration()))
        return gone

    await change(services, work)
    await forget_tags(services, call, f"{KIND}/{name}")


async def configuration_of(services: Services, call: Call, name: str) -> Configuration | None:
    stored = await read(services, call, "analyzer", name, Configuration)
    return await _configuration(services, call, name, stored)


async def _configuration(
    services: Services, call: Call, name: str, stored: Document[Configuration] | None
) -> Configuration | None:
    if stored is not None:
        return stored.value
    if name == DEFAULT_NAME and await _default_is_untouched(services, call):
        return Configuration()
    return None


async def _default_is_untouched(services: Services, call: Call) -> bool:
    """Nobody has deleted the one that was there from the beginning."""
    return await services.store.note(call.account, "analyzer_gone", DEFAULT_NAME) is None


async def _changed(
    services: Services, call: Call, before: Configuration, parameters: Parameters
) -> Configuration:
    """ApiError for what is not there, and for more than there may be."""
    fields: dict[str, Any] = {
        ours: parameters["TraceContent"][theirs]
        for theirs, ours in _TRACED.items()
        if theirs in parameters.get("TraceContent", {})
    }
    if "Description" in parameters:
        fields["description"] = parameters["Description"]
    for theirs, (ours, owned) in _LISTS.items():
        added = parameters.get(f"{theirs}ToAdd", ())
        removed = parameters.get(f"{theirs}ToRemove", ())
        there: tuple[str, ...] = getattr(before, ours)
        _check_apart(theirs, added, removed)
        await _check_known(services, call, owned, [*added, *removed], there)
        kept = [one for one in there if one not in set(removed)]
        fields[ours] = tuple(dict.fromkeys([*kept, *added]))
    after = msgspec.structs.replace(before, **fields)
    _check_size(after)
    return after


def _check_apart(name: str, added: Sequence[str], removed: Iterable[str]) -> None:
    if not set(added).isdisjoint(removed):
        path = f"{name[0].lower()}{name[1:]}ToAdd"
        raise wrong(path, "Member must not be removed by the same request")


async def _check_known(
    services: Services, call: Call, owned: Owned, named: Iterable[str], there: Iterable[str]
) -> None:
    """What a configuration has need not exist any more."""
    for one in dict.fromkeys(named):
        if one not in there:
            await owned(services, call, one)


def _check_size(after: Configuration) -> None:
    if len(after.devices) + len(after.gateways) > MOST_RESOURCES:
        raise wrong(
            "wirelessDevices",
            f"Member must have, with wirelessGateways, length less than or equal to "
            f"{MOST_RESOURCES}",
        )
    if len(after.groups) > MOST_GROUPS:
        raise wrong(
            "multicastGroups", f"Member must have length less than or equal to {MOST_GROUPS}"
        )


def _note(call: Call, name: str, made: Configuration) -> Note:
    """Of a new one: somebody else's of that name is a conflict."""
    return Note(
        account=call.account,
        kind="analyzer",
        name=name,
        at=call.now,
        body=msgspec.json.encode(made).decode(),
        only_if_older_than=Instant(0.0),
    )


def _arn(call: Call, name: str) -> str:
    return call.arn(f"{KIND}/{name}")
