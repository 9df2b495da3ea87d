from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from bittern.errors import (
    ConfigurationError,
    Conflict,
    KeyProviderRefused,
    KeyProviderUnavailable,
)
from bittern.keys.data_keys import DataKey, State
from bittern.keys.keychain import Keychain, open_keychain
from bittern.keys.local import LocalProvider
from bittern.keys.ring import KeyRing, key_id_of
from bittern.types import Instant

NOW = Instant(1_800_000_000.0)


class Table:
    """A `DataKeyTable` in memory."""

    def __init__(self) -> None:
        self.keys: list[DataKey] = []
        self._given = 0

    def all(self) -> list[DataKey]:
        return list(self.keys)

    def begin(self, keys: Sequence[DataKey]) -> bool:
        if self.keys:
            return False
        for key in keys:
            self.add(key)
        return True

    def add(self, key: DataKey) -> None:
        self._given += 1
        self.keys.append(msgspec.structs.replace(key, sequence=self._given))

    def activate(self, key_id: int) -> None:
        self.keys = [
            msgspec.structs.replace(key, state="active" if key.id == key_id else "opening")
            for key in self.keys
        ]

    def set_state(self, key_id: int, before: State, after: State) -> bool:
        [key] = [key for key in self.keys if key.id == key_id]
        if key.state != before:
            return False
        self.keys[self.keys.index(key)] = msgspec.structs.replace(key, state=after)
        return True

    def remove(self, key_id: int) -> bool:
        self.keys = [key for key in self.keys if key.id != key_id]
        return True

    def rewrap(self, before: Sequence[DataKey], after: Sequence[DataKey]) -> None:
        if self.keys != list(before):
            raise Conflict("data keys", "", "were changed")
        self.keys = list(after)


class Away(LocalProvider):
    """Cannot be reached."""

    async def unwrap(self, wrapped: bytes, context: str) -> bytes:
        raise KeyProviderUnavailable(self.name, self.describe(), "no route", "wait")


def provider(kind: type[LocalProvider] = LocalProvider, key: bytes = b"k" * 32) -> LocalProvider:
    return kind("file", "file x.key", key, "bring it back")


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
async def keychain(table: Table) -> AsyncIterator[Keychain]:
    yield await open_keychain(table, provider(), {}, NOW)


async def test_a_new_installation_draws_its_first_key(table: Table) -> None:
    first = await open_keychain(table, provider(), {}, NOW)
    again = await open_keychain(table, provider(), {}, NOW)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.ring.open(first.ring.seal(b"x", "here"), "here") == b"x"
    assert [(key.id, key.state, key.created_at) for key in table.keys] == [(1, "active", NOW)]


async def test_keys_of_an_earlier_version_open_and_a_new_one_seals(table: Table) -> None:
    earlier = KeyRing({1: b"e" * 32}).seal(b"old", "formerly")
    keychain = await open_keychain(table, provider(), {1: b"e" * 32}, NOW)
    assert not keychain.is_new
    assert keychain.ring.open(earlier, "now", "formerly") == b"old"
    assert key_id_of(keychain.ring.seal(b"", "now")) == 2
    assert [(key.id, key.state, key.earlier) for key in table.keys] == [
        (1, "opening", True),
        (2, "active", False),
    ]
    assert not any(b"e" * 32 in key.wrapped for key in table.keys)


async def test_a_new_key_seals_only_when_it_is_called_to(keychain: Keychain) -> None:
    added = await keychain.add(NOW)
    assert (await keychain.add(NOW)).id == added.id == 2
    assert key_id_of(keychain.ring.seal(b"", "here")) == 1
    assert await keychain.activate_coming()
    assert key_id_of(keychain.ring.seal(b"", "here")) == 2
    assert not await keychain.activate_coming()


async def test_another_process_takes_in_what_was_changed(table: Table, keychain: Keychain) -> None:
    other = await open_keychain(table, provider(), {}, NOW)
    await other.add(NOW)
    await other.activate_coming()
    sealed = other.ring.seal(b"x", "here")
    await keychain.refresh()
    assert keychain.ring.open(sealed, "here") == b"x"
    await keychain.move(1, "opening", "retired")
    await keychain.remove(1)
    assert keychain.ring.ids == {2}


async def test_a_provider_that_is_away_leaves_everything_as_it_was(table: Table) -> None:
    await open_keychain(table, provider(), {}, NOW)
    before = table.all()
    with pytest.raises(KeyProviderUnavailable, match="no route; wait"):
        await open_keychain(table, provider(Away), {}, NOW)
    assert table.all() == before


async def test_another_key_is_refused(table: Table) -> None:
    await open_keychain(table, provider(), {}, NOW)
    with pytest.raises(KeyProviderRefused, match="bittern data key 1"):
        await open_keychain(table, provider(key=b"o" * 32), {}, NOW)


async def test_another_provider_is_told_which_one_it_was(table: Table) -> None:
    await open_keychain(table, provider(), {}, NOW)
    other = LocalProvider("environment", "variable X", b"k" * 32, "")
    with pytest.raises(ConfigurationError, match=r"data key 1 was wrapped by file.*keys provider"):
        await open_keychain(table, other, {}, NOW)


async def test_keys_are_handed_over_to_another_provider(table: Table, keychain: Keychain) -> None:
    sealed = keychain.ring.seal(b"x", "here")
    other = LocalProvider("environment", "variable X", b"o" * 32, "")
    assert await keychain.hand_over(other) == 1
    after = await open_keychain(table, other, {}, NOW)
    assert after.ring.open(sealed, "here") == b"x"
    with pytest.raises(ConfigurationError):
        await open_keychain(table, provider(), {}, NOW)


async def test_nothing_is_handed_over_to_who_cannot_give_it_back(
    table: Table, keychain: Keychain
) -> None:
    before = table.all()
    with pytest.raises(KeyProviderUnavailable):
        await keychain.hand_over(provider(Away))
    assert table.all() == before
