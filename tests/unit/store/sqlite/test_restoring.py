from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from bittern.keys.ring import KEY_SIZE, KeyRing
from bittern.mac.session import Hold
from bittern.store import places
from bittern.store.notes import Note
from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.store.sqlite.restoring import hold_counters, inspect
from bittern.store.sqlite.sealed import COLUMNS
from bittern.testing import examples
from bittern.types import Instant

VAULT = KeyRing({1: bytes(KEY_SIZE)})


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """One of each sealed value."""
    made = tmp_path / "bittern.db"
    store = SqliteStore(made, VAULT)
    await store.open()
    session = await examples.activated(store, fcnt_up=3, nfcnt_down=4)
    await store.advance(session, examples.next_session(session), Deliver(examples.delivery()))
    await store.enqueue(examples.downlink())
    await store.settle(letters=[examples.dead_letter()])
    await store.add_rule(examples.RULE)
    await store.add_account(examples.ACCOUNT)
    await store.add_access_key(examples.ACCESS_KEY)
    await store.put_notes(Note(kind="position", name="x", at=Instant(1.0), body="{}"))
    await store.close()
    return made


def changed(path: Path, statement: str) -> None:
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()


def test_every_place_of_the_store_is_looked_at():
    named = {name for name in vars(places) if name.startswith("of_")}
    assert {one.place.__name__ for one in COLUMNS} == named


def test_every_sealed_value_is_opened(path):
    verdict = inspect(path, VAULT)
    assert verdict.faults == ()
    assert verdict.sealed >= 7


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE outbox SET destination = 'elsewhere'", "outbox.document"),
        ("UPDATE device SET account = '999999999999'", "device.activation"),
        ("UPDATE session SET keys = zeroblob(80)", "session.keys"),
        ("UPDATE dead_letter SET lane = 'another'", "dead_letter.document"),
        ("DELETE FROM device_profile", "device: row 1 refers to nothing in device_profile"),
    ],
)
def test_what_is_wrong_is_named(path, statement, fault):
    changed(path, statement)
    verdict = inspect(path, VAULT)
    assert any(re.search(re.escape(fault), told) for told in verdict.faults), verdict.faults


def test_another_key_opens_nothing(path):
    verdict = inspect(path, KeyRing({1: bytes([1]) * KEY_SIZE}))
    assert verdict.sealed == 0
    assert verdict.faults


async def test_counters_move_on_together(path):
    held = hold_counters(path, VAULT, quarantine_s=60.0, keep_joined=False)
    assert (held.ended, held.quarantined, held.kept, held.joins) == (1, 0, 0, 1)
    store = SqliteStore(path, VAULT)
    await store.open()
    (session,) = await store.sessions_of(examples.DEV_EUI)
    state = await store.join_state(examples.DEV_EUI)
    await store.close()
    assert session.nfcnt_down == 4 + 8192
    assert session.fcnt_up == 4
    assert session.hold == Hold(None)
    assert state is not None
    assert state.next_join_nonce == 2 + 65_536


async def test_a_second_restore_moves_them_on_again(path):
    hold_counters(path, VAULT, quarantine_s=60.0, keep_joined=False)
    hold_counters(path, VAULT, quarantine_s=60.0, keep_joined=False)
    store = SqliteStore(path, VAULT)
    await store.open()
    (session,) = await store.sessions_of(examples.DEV_EUI)
    await store.close()
    assert session.nfcnt_down == 4 + 2 * 8192
