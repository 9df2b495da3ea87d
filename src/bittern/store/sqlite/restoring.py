"""What a copy of the database needs before it may serve: proof that it is whole, and counters that
do not go back (`mac.restored`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bittern.errors import SealBroken
from bittern.keys.resealing import SealedColumn
from bittern.keys.ring import Vault
from bittern.lorawan.versions import MacVersion
from bittern.mac.restored import restored_joins, restored_session
from bittern.store.codec import (
    device_from_row,
    device_profile_from_row,
    join_state_from_row,
    join_state_to_row,
    session_from_row,
    session_step,
)
from bittern.store.records import DeviceProfile, OtaaActivation
from bittern.store.sqlite.connections import unavailable_if_broken
from bittern.store.sqlite.sealed import COLUMNS
from bittern.store.sqlite.transaction import STATEMENTS

FAULTS_TOLD = 20
PAGE = 1000


class Verdict(msgspec.Struct, frozen=True):
    """What a look through a whole database found."""

    sealed: int
    """Values that open."""
    faults: tuple[str, ...]
    """At most `FAULTS_TOLD`; empty: it is sound."""


def inspect(
    path: Path,
    vault: Vault,
    columns: Sequence[SealedColumn] = COLUMNS,
    done: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """SQLite's own check, references, and every sealed value opened. Raises `StoreUnavailable`."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    faults: list[str] = []
    sealed = 0
    try:
        with unavailable_if_broken():
            faults += [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
            faults = [fault for fault in faults if fault != "ok"]
            for row in connection.execute("PRAGMA foreign_key_check"):
                faults.append(f"{row[0]}: row {row[1]} refers to nothing in {row[2]}")
            for opened in _opened(connection, vault, columns):
                if isinstance(opened, str):
                    faults.append(opened)
                else:
                    sealed += 1
                    done(1)
    finally:
        connection.close()
    return Verdict(sealed, tuple(faults[:FAULTS_TOLD]))


def _opened(
    connection: sqlite3.Connection, vault: Vault, columns: Sequence[SealedColumn]
) -> Iterator[str | None]:
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    for one in columns:
        if one.table not in there:
            continue
        named = ", ".join((*one.identity, one.column))
        # Names of ours, no text of anybody's.
        query = f"SELECT {named} FROM {one.table}"  # nosec B608
        for *key, value in connection.execute(query):
            if isinstance(value, bytes):
                yield _problem(vault, value, one.place(*key))


def _problem(vault: Vault, value: bytes, place: tuple[str, str | None]) -> str | None:
    try:
        vault.open(value, *place)
    except SealBroken as broken:
        return str(broken)
    return None


class Held(msgspec.Struct, frozen=True):
    """What was done to the sessions and joins of a copy."""

    ended: int
    """Sessions of devices that have to join again."""
    quarantined: int
    kept: int
    """Sessions that are believed at once."""
    joins: int
    """Devices whose nonces were moved on."""


def hold_counters(path: Path, vault: Vault, *, quarantine_s: float, keep_joined: bool) -> Held:
    """Move every counter on, in one transaction. Once for each restore: a second time moves them
    on again. The database is of today's schema. Raises `StoreUnavailable`, `SealBroken`."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        with unavailable_if_broken():
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            counted = [0, 0, 0]
            for session in _sessions(connection, vault):
                after = restored_session(
                    session, quarantine_s=quarantine_s, keep_joined=keep_joined
                )
                kind = 2 if after.hold is None else int(after.hold.quarantine_s is not None)
                counted[kind] += 1
                connection.execute(STATEMENTS["advance_session"], session_step(session, after))
            joins = _hold_joins(connection, vault)
            connection.execute("COMMIT")
    finally:
        connection.close()
    return Held(counted[0], counted[1], counted[2], joins)


def _sessions(connection: sqlite3.Connection, vault: Vault) -> Iterator[Any]:
    euis = connection.execute("SELECT DISTINCT dev_eui FROM session").fetchall()
    for eui in euis:
        for row in connection.execute(STATEMENTS["sessions_of"], eui).fetchall():
            yield session_from_row(row, vault)


def _hold_joins(connection: sqlite3.Connection, vault: Vault) -> int:
    profiles: dict[str, DeviceProfile] = {}
    moved = 0
    for (eui,) in connection.execute("SELECT dev_eui FROM device").fetchall():
        device = device_from_row(connection.execute(STATEMENTS["device"], (eui,)).fetchone(), vault)
        activation = device.activation
        if not isinstance(activation, OtaaActivation):
            continue
        version = _version(connection, profiles, device.device_profile_id)
        found = connection.execute(STATEMENTS["join_state"], (eui,)).fetchone()
        before = None if found is None else join_state_from_row(found)
        after = restored_joins(
            before, dev_eui=device.dev_eui, join_eui=activation.join_eui, version=version
        )
        row = join_state_to_row(after)
        if before is None:
            connection.execute(STATEMENTS["insert_join_state"], row)
        else:
            step = (row[1], row[2], row[0], before.revision)
            connection.execute(STATEMENTS["advance_join_state"], step)
        moved += 1
    return moved


def _version(
    connection: sqlite3.Connection, profiles: dict[str, DeviceProfile], profile_id: str
) -> MacVersion:
    if profile_id not in profiles:
        row = connection.execute(STATEMENTS["device_profile"], (profile_id,)).fetchone()
        profiles[profile_id] = device_profile_from_row(row)
    return profiles[profile_id].mac_version
