"""The double behaves as the engines do: `tests/unit/store/ports`."""

from __future__ import annotations

import pytest

from bittern.errors import NotFound
from bittern.testing.examples import ACCESS_KEY
from bittern.testing.memory_store import MemoryStore


async def test_a_key_of_no_account_is_not_kept() -> None:
    store = MemoryStore()
    with pytest.raises(NotFound):
        await store.add_access_key(ACCESS_KEY)
    assert await store.access_key(ACCESS_KEY.id) is None
