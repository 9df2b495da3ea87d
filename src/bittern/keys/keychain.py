"""The data keys of one installation: made at its first start, unwrapped at every other, rotated.

An installation of an earlier version has its data keys in the clear in its key file. They are
adopted, wrapped as any other, for opening alone: a new key seals at once, and what the old ones
have sealed is sealed anew under it (`rotation`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

import msgspec

from bittern.errors import ConfigurationError, KeyProviderRefused
from bittern.keys.data_keys import (
    DataKey,
    DataKeyTable,
    State,
    active_of,
    coming_of,
    free_id,
)
from bittern.keys.provider import KeyProvider, context_of
from bittern.keys.ring import KEY_SIZE, KeyRing
from bittern.types import Instant


class Keychain:
    """What `provider` has wrapped in `table`, and the ring of what it was. Made by
    `open_keychain`."""

    def __init__(
        self,
        table: DataKeyTable,
        provider: KeyProvider,
        keys: list[DataKey],
        ring: KeyRing,
        *,
        is_new: bool = False,
    ) -> None:
        self.is_new = is_new
        """These are the first keys of a new installation."""
        self.provider = provider
        self.ring = ring
        self.keys = keys
        """As they were when they were last read."""
        self._table = table

    async def refresh(self) -> None:
        """Take in what any process has changed. Raises as `open_keychain`; then nothing is."""
        keys = await asyncio.to_thread(self._table.all)
        if keys == self.keys:
            return
        opened = await _unwrapped(self.provider, keys)
        self.ring.change(opened, active_of(keys).id, _earlier(keys))
        self.keys = keys

    async def add(self, now: Instant) -> DataKey:
        """A new key, or the one that was drawn and does not seal yet. It seals as soon as whoever
        serves calls `activate_coming`. Raises `Conflict` where every id is in use."""
        await self.refresh()
        if (coming := coming_of(self.keys)) is not None:
            return coming
        drawn = os.urandom(KEY_SIZE)
        key = await _wrapped(self.provider, free_id(self.keys), drawn, now, "opening")
        await asyncio.to_thread(self._table.add, key)
        await self.refresh()
        return key

    async def activate_coming(self) -> bool:
        """Whether there was one."""
        coming = coming_of(self.keys)
        if coming is None:
            return False
        await asyncio.to_thread(self._table.activate, coming.id)
        await self.refresh()
        return True

    async def move(self, key_id: int, before: State, after: State) -> None:
        if await asyncio.to_thread(self._table.set_state, key_id, before, after):
            await self.refresh()

    async def remove(self, key_id: int) -> None:
        if await asyncio.to_thread(self._table.remove, key_id):
            await self.refresh()

    async def hand_over(self, other: KeyProvider) -> int:
        """Let another provider wrap every key. Returns how many there are.

        Raises `Conflict` when keys were changed meanwhile: nothing is handed over then.
        """
        await self.refresh()
        opened = await _unwrapped(self.provider, self.keys)
        after = [
            msgspec.structs.replace(
                key,
                provider=other.name,
                wrapped=await other.wrap(opened[key.id], context_of(key.id)),
            )
            for key in self.keys
        ]
        # What cannot be unwrapped again must not take the place of what can.
        if await _unwrapped(other, after) != opened:
            raise KeyProviderRefused(other.name, other.describe(), "unwraps something else")
        await asyncio.to_thread(self._table.rewrap, self.keys, after)
        self.provider, self.keys = other, after
        return len(after)


async def open_keychain(
    table: DataKeyTable, provider: KeyProvider, earlier: Mapping[int, bytes], now: Instant
) -> Keychain:
    """`earlier`: the data keys of an earlier version, by id, which are adopted where there are no
    others.

    Raises `KeyProviderRefused`, `KeyProviderUnavailable`, `StoreUnavailable`.
    """
    keys, is_new = await asyncio.to_thread(table.all), False
    if not keys:
        first = await _first_keys(provider, earlier, now)
        is_new = await asyncio.to_thread(table.begin, first) and not earlier
        keys = await asyncio.to_thread(table.all)
    opened = await _unwrapped(provider, keys)
    ring = KeyRing(opened, active_of(keys).id, _earlier(keys))
    return Keychain(table, provider, keys, ring, is_new=is_new)


async def _first_keys(
    provider: KeyProvider, earlier: Mapping[int, bytes], now: Instant
) -> list[DataKey]:
    keys = [
        msgspec.structs.replace(await _wrapped(provider, key_id, key, now, "opening"), earlier=True)
        for key_id, key in sorted(earlier.items())
    ]
    drawn = os.urandom(KEY_SIZE)
    return [*keys, await _wrapped(provider, free_id(keys), drawn, now, "active")]


async def _wrapped(
    provider: KeyProvider, key_id: int, key: bytes, now: Instant, state: State
) -> DataKey:
    wrapped = await provider.wrap(key, context_of(key_id))
    return DataKey(id=key_id, provider=provider.name, wrapped=wrapped, created_at=now, state=state)


async def _unwrapped(provider: KeyProvider, keys: list[DataKey]) -> dict[int, bytes]:
    for key in keys:
        if key.provider != provider.name:
            raise ConfigurationError(
                [
                    f"keys.provider: {provider.name}, but data key {key.id} was wrapped by"
                    f" {key.provider}: configure that one, and move by `bittern keys provider`"
                ]
            )
    opened = [await provider.unwrap(key.wrapped, context_of(key.id)) for key in keys]
    return {key.id: one for key, one in zip(keys, opened, strict=True)}


def _earlier(keys: list[DataKey]) -> frozenset[int]:
    return frozenset(key.id for key in keys if key.earlier)
