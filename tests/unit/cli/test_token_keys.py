from __future__ import annotations

import pytest
import tokens

from bittern.cli.token_keys import in_token, token_of
from bittern.config import Configuration
from bittern.errors import Conflict, KeyProviderUnavailable
from bittern.store.records import OtaaActivation
from bittern.types import EUI64, AppKey, DevEUI, JoinEUI, NwkKey

DEV_EUI = DevEUI(EUI64.from_int(7))
KEYS = OtaaActivation(
    join_eui=JoinEUI(EUI64.from_int(9)), app_key=AppKey(bytes(16)), nwk_key=NwkKey(bytes(16))
)


async def test_keys_are_in_the_token_once_they_are_stored(token: str) -> None:
    async with token_of(Configuration(keys=tokens.keys(token))) as there:
        async with in_token(there, DEV_EUI, KEYS) as stored:
            assert stored.app_key.reference == f"{DEV_EUI} AppKey"
            assert stored.join_eui == KEYS.join_eui
        assert len(await there.labels(DEV_EUI)) == 2


async def test_what_is_not_stored_is_not_in_the_token(token: str) -> None:
    async with token_of(Configuration(keys=tokens.keys(token))) as there:
        with pytest.raises(Conflict):
            async with in_token(there, DEV_EUI, KEYS):
                raise Conflict("device", str(DEV_EUI))
        assert await there.labels(DEV_EUI) == []


async def test_keys_that_another_has_there_are_left(token: str) -> None:
    async with token_of(Configuration(keys=tokens.keys(token))) as there:
        await there.take(DEV_EUI, NwkKey(bytes(16)))
        with pytest.raises(Conflict):
            async with in_token(there, DEV_EUI, KEYS):
                pass
        assert await there.labels(DEV_EUI) == [f"{DEV_EUI} NwkKey"]


async def test_without_a_token_it_says_what_to_set() -> None:
    with pytest.raises(KeyProviderUnavailable):
        async with token_of(Configuration()):
            pass
