from __future__ import annotations

import re

import msgspec
import pytest

from bittern.api.identity import USE_PRECISION_S, Credentials, compiled, new_access_key
from bittern.api.policy import MalformedPolicy, policy, ready
from bittern.api.sigv4 import SecretAccessKey
from bittern.testing.examples import ACCESS_KEY, ACCOUNT, NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant

LISTING = '{"Statement": {"Effect": "Allow", "Action": "iotwireless:List*", "Resource": "*"}}'


@pytest.fixture
async def store() -> MemoryStore:
    store = MemoryStore()
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    return store


def counted(size: int) -> bytes:
    return bytes(range(255, 255 - size, -1))


def test_a_new_key_has_the_form_of_those_of_aws() -> None:
    key = new_access_key(ACCOUNT.id, ("reader",), now=NOW, randomness=counted)
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", key.id)
    assert re.fullmatch(r"[A-Za-z0-9+/]{40}", key.secret.expose())
    assert (key.account, key.policies, key.active) == (ACCOUNT.id, ("reader",), True)
    assert (key.created_at, key.last_used_at) == (NOW, None)


def test_no_key_is_made_with_a_policy_that_is_not_understood() -> None:
    with pytest.raises(MalformedPolicy):
        new_access_key(ACCOUNT.id, ("reader", "{}"), now=NOW, randomness=counted)


def test_ready_and_written_policies_hold_together() -> None:
    assert compiled(("reader",)) == ready("reader")
    both = compiled(("reader", LISTING))
    assert both.statements == (*ready("reader").statements, *policy(LISTING).statements)


async def test_a_key_stands_for_its_account(store: MemoryStore) -> None:
    caller = await Credentials(store)(ACCESS_KEY.id)
    assert caller is not None
    assert caller.account == ACCOUNT.id
    assert caller.arn == f"arn:aws:iam::{ACCOUNT.id}:user/{ACCESS_KEY.id}"
    assert caller.policy == ready("operator")
    secret = SecretAccessKey(ACCESS_KEY.secret.expose())
    scope = ("20260102", "eu-west-1", "iot")
    assert caller.secret.signing_key(*scope) == secret.signing_key(*scope)


async def test_unknown_inactive_and_removed_keys_are_nobodys(store: MemoryStore) -> None:
    credentials = Credentials(store)
    assert await credentials("AKIAEXAMPLE000000009") is None
    await store.set_access_key_active(ACCESS_KEY.id, False)
    assert await credentials(ACCESS_KEY.id) is None
    await store.set_access_key_active(ACCESS_KEY.id, True)
    assert await credentials(ACCESS_KEY.id) is not None
    await store.remove_access_key(ACCESS_KEY.id)
    assert await credentials(ACCESS_KEY.id) is None


def test_a_use_is_due_once_an_hour(store: MemoryStore) -> None:
    credentials = Credentials(store)
    times = (0.0, 1.0, USE_PRECISION_S, USE_PRECISION_S + 1)
    due = [credentials.is_use_due("AKIA", Instant(NOW + seconds)) for seconds in times]
    assert due == [True, False, True, False]
    assert credentials.is_use_due("AKIB", NOW)


async def test_the_last_use_is_kept_by_the_hour(store: MemoryStore) -> None:
    credentials = Credentials(store)
    for seconds in (0.0, USE_PRECISION_S - 1, USE_PRECISION_S, USE_PRECISION_S + 1):
        await credentials.used(ACCESS_KEY.id, Instant(NOW + seconds))
    await credentials.used("AKIAEXAMPLE000000009", NOW)
    used = msgspec.structs.replace(ACCESS_KEY, last_used_at=NOW + USE_PRECISION_S)
    assert await store.access_key(ACCESS_KEY.id) == used
