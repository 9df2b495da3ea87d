"""The audit log in a file: with the change itself, and against those who edit the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from bittern.errors import Conflict, SealBroken
from bittern.keys.ring import KeyRing
from bittern.store.attribution import attributed
from bittern.store.audit_records import AuditFilter, AuditHead, AuditRecord
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import ACCOUNT, GATEWAY, NOW

FIRST, SECOND = bytes(range(32)), bytes(range(1, 33))
RECORD = AuditRecord(at=NOW, actor="cli:ada", action="cli:account add", outcome="done")
OTHER = msgspec.structs.replace(ACCOUNT, id="000000000009")


def opened(path: Path, ring: KeyRing | None = None) -> SqliteStore:
    return SqliteStore(path / "x.db", ring or KeyRing({1: FIRST}), group_commit_s=0)


@pytest.fixture
async def made(tmp_path: Path) -> Path:
    """A log of five entries."""
    store = opened(tmp_path)
    await store.open()
    for number in range(5):
        await store.add_audit(msgspec.structs.replace(RECORD, detail=str(number)))
    await store.close()
    return tmp_path


def edit(path: Path, *statements: str) -> None:
    """As somebody does who has the file, and knows how to get rid of a trigger."""
    with sqlite3.connect(path / "x.db", isolation_level=None) as connection:
        for [name] in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            if name.startswith("audit"):
                connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


async def fault(path: Path, known: AuditHead | None = None, ring: KeyRing | None = None) -> str:
    store = opened(path, ring)
    await store.open()
    try:
        return (await store.verify_audit(known)).fault
    finally:
        await store.close()


async def count(store: SqliteStore) -> int:
    return len(await store.audit_entries(AuditFilter()))


async def test_a_change_and_its_entry_are_one_transaction(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.open()
    with attributed(RECORD) as attribution:
        await store.add_account(ACCOUNT)
        assert (attribution.is_added, await count(store)) == (True, 1)
        await store.add_account(OTHER)
    await store.add_gateway(GATEWAY)
    assert await count(store) == 1
    await store.close()


async def test_a_change_that_is_refused_adds_no_entry_and_the_next_does(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.open()
    await store.add_account(ACCOUNT)
    with attributed(RECORD) as attribution:
        with pytest.raises(Conflict):
            await store.add_account(ACCOUNT)
        assert (attribution.is_added, await count(store)) == (False, 0)
        await store.add_account(OTHER)
    assert (attribution.is_added, await count(store)) == (True, 1)
    await store.close()


async def test_a_change_whose_entry_cannot_be_written_is_not_made(made: Path) -> None:
    edit(made, "UPDATE audit_chain SET key = x'01'")
    store = opened(made)
    await store.open()
    with attributed(RECORD), pytest.raises(SealBroken):
        await store.add_account(ACCOUNT)
    assert await store.account(ACCOUNT.id) is None
    await store.close()


@pytest.mark.parametrize("statement", ["UPDATE audit SET at = 0", "DELETE FROM audit"])
def test_the_database_itself_refuses_a_mistake(made: Path, statement: str) -> None:
    connection = sqlite3.connect(made / "x.db")
    with pytest.raises(sqlite3.IntegrityError, match="the audit log is only"):
        connection.execute(statement)
    connection.close()


async def test_a_log_that_nobody_has_touched_verifies(made: Path) -> None:
    assert await fault(made) == ""


@pytest.mark.parametrize(
    ("edited", "told"),
    [
        ("UPDATE audit SET actor = 'cli:eve' WHERE sequence = 3", "entry 3 was changed"),
        ("UPDATE audit SET at = at + 1 WHERE sequence = 1", "entry 1 was changed"),
        ("UPDATE audit SET hash = previous WHERE sequence = 4", "entry 4 was changed"),
        ("UPDATE audit SET previous = hash WHERE sequence = 4", "entry 4 does not follow"),
        ("DELETE FROM audit WHERE sequence = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE sequence = 1", "entry 1 is missing"),
        ("DELETE FROM audit WHERE sequence = 5", "entries 5 to 5 are missing at the end"),
        ("DELETE FROM audit", "entries 1 to 5 are missing at the end"),
        ("UPDATE audit_chain SET head = 4", "the head of the log was changed"),
        (
            "UPDATE audit_chain SET anchor = 2,"
            " anchor_hash = (SELECT hash FROM audit WHERE sequence = 2)",
            "the place where the log begins was changed",
        ),
        (
            "INSERT INTO audit SELECT 6, at, account, actor, action, resource, outcome, detail,"
            " hash, hash FROM audit WHERE sequence = 5",
            "entry 6 was changed",
        ),
    ],
)
async def test_whoever_edits_the_file_is_found_out(made: Path, edited: str, told: str) -> None:
    edit(made, edited)
    assert told in await fault(made)


async def test_an_end_cut_off_with_a_head_of_the_past_is_found_by_a_head_kept_apart(
    tmp_path: Path,
) -> None:
    store = opened(tmp_path)
    await store.open()
    await store.add_audit(RECORD, RECORD)
    await store.close()
    past = (tmp_path / "x.db").read_bytes()
    await store.open()
    await store.add_audit(RECORD)
    head = await store.audit_head()
    await store.close()
    for name in ("x.db", "x.db-wal", "x.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "x.db").write_bytes(past)
    assert await fault(tmp_path) == ""
    assert await fault(tmp_path, head) == "entries 3 to 3 are missing at the end"


async def test_the_chain_outlives_its_data_key(made: Path) -> None:
    """Both keys at hand, the newer one seals: the next entry moves the log's key to it."""
    both = KeyRing({1: FIRST, 2: SECOND})
    store = opened(made, both)
    await store.open()
    await store.add_audit(RECORD)
    await store.close()
    assert await fault(made, ring=KeyRing({2: SECOND})) == ""


async def test_a_key_of_another_log_does_not_open_this_one(made: Path) -> None:
    with pytest.raises(SealBroken):
        await fault(made, ring=KeyRing({1: SECOND}))


async def test_nothing_of_the_key_of_the_log_is_in_the_file_in_clear(made: Path) -> None:
    connection = sqlite3.connect(made / "x.db")
    [sealed] = connection.execute("SELECT key FROM audit_chain").fetchone()
    connection.close()
    key = KeyRing({1: FIRST}).open(sealed, "audit_chain.key:1")
    assert len(key) == 32
    assert all(key not in file.read_bytes() for file in made.iterdir())
