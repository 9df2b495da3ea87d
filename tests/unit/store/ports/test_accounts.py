"""Accounts and access keys: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict, NotFound
from bittern.store.protocol import Store
from bittern.testing.examples import ACCESS_KEY, ACCOUNT, NOW
from bittern.types import Instant


async def test_an_account_is_added_once(store: Store) -> None:
    await store.add_account(ACCOUNT)
    with pytest.raises(Conflict):
        await store.add_account(ACCOUNT)
    first = msgspec.structs.replace(ACCOUNT, id="000000000009", name="")
    await store.add_account(first)
    assert await store.account(ACCOUNT.id) == ACCOUNT
    assert await store.account("999999999999") is None
    assert await store.accounts() == [first, ACCOUNT]
    assert [one.identity for one in await store.changes(0)] == [ACCOUNT.id, first.id]


async def test_an_access_key_comes_back_with_its_secret(store: Store) -> None:
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    assert await store.access_key(ACCESS_KEY.id) == ACCESS_KEY
    assert await store.access_key("AKIAEXAMPLE000000009") is None
    with pytest.raises(Conflict):
        await store.add_access_key(ACCESS_KEY)


async def test_an_access_key_needs_its_account(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.add_access_key(ACCESS_KEY)
    assert await store.access_keys() == []


async def test_access_keys_are_listed_by_account(store: Store) -> None:
    other = msgspec.structs.replace(ACCOUNT, id="000000000009")
    keys = [
        msgspec.structs.replace(ACCESS_KEY, id=f"AKIAEXAMPLE00000000{n}", account=account.id)
        for n, account in ((2, ACCOUNT), (3, other), (1, ACCOUNT))
    ]
    for account in (ACCOUNT, other):
        await store.add_account(account)
    for key in keys:
        await store.add_access_key(key)
    assert await store.access_keys(ACCOUNT.id) == [keys[2], keys[0]]
    assert await store.access_keys() == [keys[1], keys[2], keys[0]]


async def test_an_access_key_is_deactivated_and_removed(store: Store) -> None:
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    await store.set_access_key_active(ACCESS_KEY.id, False)
    inactive = msgspec.structs.replace(ACCESS_KEY, active=False)
    assert await store.access_key(ACCESS_KEY.id) == inactive
    await store.remove_access_key(ACCESS_KEY.id)
    assert await store.access_key(ACCESS_KEY.id) is None
    with pytest.raises(NotFound):
        await store.remove_access_key(ACCESS_KEY.id)
    with pytest.raises(NotFound):
        await store.set_access_key_active(ACCESS_KEY.id, True)
    told = [change.identity for change in await store.changes(0) if change.kind == "access_key"]
    assert told == [ACCESS_KEY.id] * 3


async def test_the_latest_use_of_an_access_key_is_kept_and_is_no_change(store: Store) -> None:
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    before = await store.last_change()
    await store.access_key_used(ACCESS_KEY.id, Instant(NOW + 10))
    await store.access_key_used(ACCESS_KEY.id, Instant(NOW + 5))
    await store.access_key_used("AKIAEXAMPLE000000009", Instant(NOW))
    found = await store.access_key(ACCESS_KEY.id)
    assert found == msgspec.structs.replace(ACCESS_KEY, last_used_at=NOW + 10)
    assert await store.last_change() == before
