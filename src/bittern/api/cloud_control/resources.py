"""One resource of any type: made, read, changed, removed, by operations of ``iotwireless``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from bittern.api.cloud_control import properties
from bittern.api.cloud_control.types import Link, Model, ResourceType
from bittern.api.cloud_control.underlying import Underlying
from bittern.api.errors import ApiError, invalid
from bittern.store.notes import Note, NoteKind

ORDERS: NoteKind = "resource_orders"
"""Notes of properties that no operation tells, as they were asked for last."""


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
        of = self.of
        document = await self.underlying(of.get, of.addressed(of.get, identifier))
        model = properties.told(of, identifier, document)
        tags = await self.underlying.named("ListTagsForResource", ResourceArn=document["Arn"])
        if tags["Tags"]:
            model["Tags"] = tags["Tags"]
        return model | await self._orders(identifier)

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

    async def associate(self, identifier: str, before: Model, after: Model) -> None:
        """What the properties that are associations ask for."""
        changed = [
            one for one in self.of.links if before.get(one.property) != after.get(one.property)
        ]
        for link in changed:
            await self._follow(link, identifier, before, after)
        if any(link.property in self.of.orders for link in changed):
            await self._keep_orders(identifier, after)

    async def delete(self, identifier: str) -> None:
        await self.underlying(self.of.delete, self.of.addressed(self.of.delete, identifier))
        if self.of.orders:
            store, call = self.underlying.services.store, self.underlying.call
            await store.remove_note(call.account, ORDERS, self._name(identifier))

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

    async def _orders(self, identifier: str) -> Model:
        if not self.of.orders:
            return {}
        store, call = self.underlying.services.store, self.underlying.call
        note = await store.note(call.account, ORDERS, self._name(identifier))
        return {} if note is None else msgspec.json.decode(note.body, type=dict[str, str])

    async def _keep_orders(self, identifier: str, model: Model) -> None:
        orders = {name: model[name] for name in sorted(self.of.orders) if name in model}
        call = self.underlying.call
        note = Note(
            account=call.account,
            kind=ORDERS,
            name=self._name(identifier),
            at=call.now,
            body=msgspec.json.encode(orders).decode(),
        )
        await self.underlying.services.store.put_notes(note)

    def _name(self, identifier: str) -> str:
        return f"{self.of.kind}/{identifier}"


def _check_orders(model: Model) -> None:
    for what in ("WirelessDevice", "MulticastGroup"):
        wanted, unwanted = model.get(f"Associate{what}"), model.get(f"Disassociate{what}")
        if wanted is not None and wanted == unwanted:
            raise invalid(f"Associate{what} and Disassociate{what} name the same")
