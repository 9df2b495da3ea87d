"""Payload codecs: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict, NotFound
from bittern.store.protocol import Store
from bittern.testing.examples import CODEC


async def test_a_codec_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_codec(CODEC)
    assert await store.codec(CODEC.account, CODEC.name) == CODEC
    assert await store.codecs(CODEC.account) == [CODEC]
    assert await store.codecs("another") == []
    assert await store.codec(CODEC.account, "another") is None


async def test_a_codec_is_added_once_replaced_and_removed(store: Store) -> None:
    await store.add_codec(CODEC)
    with pytest.raises(Conflict):
        await store.add_codec(CODEC)
    other = msgspec.structs.replace(
        CODEC, script="function encodeDownlink(input) { return { bytes: [] }; }"
    )
    await store.replace_codec(other)
    assert await store.codec(CODEC.account, CODEC.name) == other
    await store.remove_codec(CODEC.account, CODEC.name)
    with pytest.raises(NotFound):
        await store.remove_codec(CODEC.account, CODEC.name)
    with pytest.raises(NotFound):
        await store.replace_codec(other)
    told = [change for change in await store.changes(0) if change.kind == "codec"]
    assert [change.identity for change in told] == ["000000000000/meter"] * 3
