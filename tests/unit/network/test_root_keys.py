from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from bittern.errors import KeyProviderRefused, KeyProviderUnavailable
from bittern.mac.refused import Refused
from bittern.network.root_keys import by_root_keys
from bittern.store.records import OtaaActivation
from bittern.types import EUI64, AES128Key, AppKey, DevEUI, JoinEUI, NwkKey, Refusal

DEV_EUI = DevEUI(EUI64(bytes(8)))
HERE = OtaaActivation(join_eui=JoinEUI(EUI64(bytes(8))), app_key=AppKey(bytes(16)))
THERE = msgspec.structs.replace(HERE, app_key=AppKey.in_token("a"), nwk_key=NwkKey.in_token("n"))


class Holder:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[str | None] = []

    async def using(self, keys: Sequence[AES128Key], work: Callable[[], Any]) -> Any:
        self.asked += [key.reference for key in keys]
        if self.error is not None:
            raise self.error
        return work()


async def test_keys_that_are_here_need_no_token() -> None:
    holder = Holder()
    assert await by_root_keys(DEV_EUI, HERE, holder, lambda: 1) == 1
    assert await by_root_keys(DEV_EUI, HERE, None, lambda: 1) == 1
    assert holder.asked == []


async def test_keys_that_are_in_a_token_are_asked_there() -> None:
    holder = Holder()
    assert await by_root_keys(DEV_EUI, THERE, holder, lambda: 1) == 1
    mixed = msgspec.structs.replace(THERE, app_key=HERE.app_key)
    assert await by_root_keys(DEV_EUI, mixed, holder, lambda: 2) == 2
    assert holder.asked == ["a", "n", "n"]


@pytest.mark.parametrize("error", [KeyProviderRefused, KeyProviderUnavailable])
async def test_a_token_that_does_not_answer_is_a_refusal(error: type[Exception]) -> None:
    holder = Holder(error("pkcs11", "token t", "there is no such key"))
    refused = await by_root_keys(DEV_EUI, THERE, holder, lambda: 1)
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.JOIN_SERVER_UNAVAILABLE
    assert "token t: there is no such key" in refused.reason


async def test_without_a_token_it_says_what_to_set() -> None:
    refused = await by_root_keys(DEV_EUI, THERE, None, lambda: 1)
    assert isinstance(refused, Refused)
    assert "keys.pkcs11_token names none" in refused.reason
