"""One resource of any type: made, read, changed, removed, by operations of ``iotwireless``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from bittern.api.cloud_control import memory, properties
from bittern.api.cloud_control.memory import Memory
from bittern.api.cloud_control.types import Link, Model, ResourceType
from bittern.api.cloud_control.underlying import Underlying
from bittern.api.errors import ApiError, invalid
from bittern.store.notes import Note, NoteKind

MEMORY: NoteKind = "resource_memory"


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources of one type, as the caller sees them."""

    of: ResourceType
    underlying: Underlying

    async def create(self, model: Model, token: str) -> str:
        """The identifier of the new resource, which has no associations yet."""
        properties.check_new(self.of, model)
        _check_orders(model)
        parameters = properties.of_new(self.of, model) | {"ClientRequestToken": token}
        made = await self.underlying(self.of.create, parameters)
        identifier: str = made[self.of.identifier]
        return identifier

    async def read(self, identifier: str) -> Model:
        """With keys only for those who may read them. ApiError where there is no such resource."""
        told = await self._told(identifier)
        tags = await self.underlying.named("ListTagsForResource", ResourceArn=told["Arn"])
        if tags["Tags"]:
            told["Tags"] = tags["Tags"]
        return memory.as_given(await self._memory(identifier), told)

    async def list(self, parameters: dict[str, Any]) -> tuple[list[tuple[str, Model]], str | None]:
        """A page of identifiers, each with what the list tells, and the token of the next page."""
        answer = await self.underlying(self.of.list, parameters)
        entries = [(entry[self.of.identifier], entry) for entry in answer[self.of.listed]]
        shown = [(name, properties.told(self.of, name, entry)) for name, entry in entries]
        return shown, answer.get("NextToken")

    async def change(self, identifier: str, before: Model, after: Model) -> None:
        """First what is the resource's own, then its tags, then its associations."""
        properties.check_names(self.of, after)
        _check_orders(after)
        parameters = properties.changes(self.of, before, after)
        to_set, to_remove = properties.tag_changes(before, after)
        if parameters:
            assert self.of.update is not None
            address = self.of.addressed(self.of.update, identifier)
            await self.underlying(self.of.update, parameters | address)
        if to_remove:
            await self.underlying.named(
                "UntagResource", ResourceArn=before["Arn"], TagKeys=to_remove
            )
        if to_set:
            await self.underlying.named("TagResource", ResourceArn=before["Arn"], Tags=to_set)
        await self.associate(identifier, before, after)
        if after != before:
            await self.remember(identifier, after)

    async def associate(self, identifier: str, before: Model, after: Model) -> None:
        """What the properties that are associations ask for."""
        changed = [
            one for one in self.of.links if before.get(one.property) != after.get(one.property)
        ]
        for link in changed:
            await self._follow(link, identifier, before, after)

    async def remember(self, identifier: str, model: Model) -> None:
        """How the resource was asked for, once it is so."""
        try:
            told = await self._told(identifier)
        except ApiError:
            told = {}
        after = memory.remembered(model, told, self.of.orders)
        if after != await self._memory(identifier):
            await self._keep(identifier, after)

    async def delete(self, identifier: str) -> None:
        await self.underlying(self.of.delete, self.of.addressed(self.of.delete, identifier))
        if await self._memory(identifier) != memory.EMPTY:
            await self._keep(identifier, memory.EMPTY)

    async def lingers(self, identifier: str) -> bool:
        """Whether a resource that was deleted still waits for devices to forget it."""
        if not self.of.orders:
            return False
        try:
            await self.underlying(self.of.get, self.of.addressed(self.of.get, identifier))
        except ApiError:
            return False
        return True

    async def _follow(self, link: Link, identifier: str, before: Model, after: Model) -> None:
        old, new = before.get(link.property), after.get(link.property)
        if old is not None and link.disassociate:
            await self.underlying.named(link.disassociate, Id=identifier)
        if new is not None:
            await self.underlying.named(link.associate, **{"Id": identifier, link.member: new})

    async def _told(self, identifier: str) -> Model:
        """What the server tells, without tags."""
        document = await self.underlying(self.of.get, self.of.addressed(self.of.get, identifier))
        return properties.told(self.of, identifier, document)

    async def _memory(self, identifier: str) -> Memory:
        store, call = self.underlying.services.store, self.underlying.call
        note = await store.note(call.account, MEMORY, self._name(identifier))
        return memory.EMPTY if note is None else msgspec.json.decode(note.body, type=Memory)

    async def _keep(self, identifier: str, after: Memory) -> None:
        store, call = self.underlying.services.store, self.underlying.call
        name, body = self._name(identifier), msgspec.json.encode(after).decode()
        if after == memory.EMPTY:
            await store.remove_note(call.account, MEMORY, name)
        else:
            note = Note(account=call.account, kind=MEMORY, name=name, at=call.now, body=body)
            await store.put_notes(note)

    def _name(self, identifier: str) -> str:
        return f"{self.of.kind}/{identifier}"


def _check_orders(model: Model) -> None:
    for what in ("WirelessDevice", "MulticastGroup"):
        wanted, unwanted = model.get(f"Associate{what}"), model.get(f"Disassociate{what}")
        if wanted is not None and wanted == unwanted:
            raise invalid(f"Associate{what} and Disassociate{what} name the same")
