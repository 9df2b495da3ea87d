"""The double behaves as the engines do: `tests/unit/store/ports`."""

from __future__ import annotations

import pytest

from bittern.errors import NotFound
from bittern.testing.examples import CODEC
from bittern.testing.memory_store import MemoryStore


async def test_codecs_of_one_account_are_not_seen_in_another() -> None:
    store = MemoryStore()
    await store.add_codec(CODEC)
    assert await store.codec("111111111111", CODEC.name) is None
    with pytest.raises(NotFound):
        await store.remove_codec("111111111111", CODEC.name)
