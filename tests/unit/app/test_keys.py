"""Rotation in a running server, started by another process."""

from __future__ import annotations

import asyncio

import pytest

from bittern.app.keys import keys_of
from bittern.config import Configuration
from bittern.installation import opened_keychain, opened_store, sealed_things
from bittern.keys.resealing import Resealing
from bittern.store.records import Change
from bittern.testing.examples import ACCESS_KEY, ACCOUNT, NOW


async def test_a_new_key_seals_and_everything_follows(configuration: Configuration) -> None:
    async with (
        keys_of(configuration, lambda: NOW) as keeper,
        opened_store(configuration, NOW, keeper.keychain) as store,
    ):
        await store.add_account(ACCOUNT)
        await store.add_access_key(ACCESS_KEY)
        async with opened_keychain(configuration, NOW) as other:
            await other.add(NOW)
        assert keeper.ring.sealing_id == 1
        keeper.follow([Change(1, "data_key", "2")])
        async with asyncio.timeout(20):
            while [key.state for key in keeper.keychain.keys] != ["retired", "active"]:
                await asyncio.sleep(0.01)
        assert keeper.ring.sealing_id == 2
        resealing = Resealing(keeper.keychain, sealed_things(configuration), lambda: NOW)
        assert set(await resealing.counts()) == {2}
        assert await store.access_key(ACCESS_KEY.id) == ACCESS_KEY


async def test_what_is_not_about_keys_wakes_nobody(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keys_of(configuration, lambda: NOW) as keeper:
        await asyncio.sleep(0)
        turns = []
        monkeypatch.setattr(keeper, "start_over", lambda: turns.append(1))
        keeper.follow([Change(1, "device", "x")])
        assert turns == []
        keeper.follow([Change(2, "data_key", "2")])
        assert turns == [1]
