"""What it does as a port is in `tests/unit/store/test_gateway_records.py`."""

from __future__ import annotations

import pytest

from bittern.errors import Conflict, NotFound
from bittern.testing.examples import CONNECTION, GATEWAY, GATEWAY_EUI
from bittern.testing.memory_fleet import page, require_new, require_there
from bittern.testing.memory_store import MemoryStore


async def test_two_fleets_share_nothing() -> None:
    one, other = MemoryStore(), MemoryStore()
    for store in (one, other):
        await store.add_gateway(GATEWAY)
    await one.put_gateway_state(GATEWAY_EUI, CONNECTION)
    assert await other.gateway_states() == []


def test_a_page_begins_behind_a_key() -> None:
    values = {b"c": 3, b"a": 1, b"b": 2}
    assert page(values, None, 2) == [1, 2]
    assert page(values, b"a", 2) == [2, 3]


def test_what_is_required_is_told_by_name() -> None:
    require_new({}, "a", "device", "a")
    require_there({"a": 1}, "a", "device", "a")
    with pytest.raises(Conflict, match="device a exists already"):
        require_new({"a": 1}, "a", "device", "a")
    with pytest.raises(NotFound, match="device a"):
        require_there({}, "a", "device", "a")
