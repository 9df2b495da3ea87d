"""Every sealed column of the store, for sealing anew: `keys.resealing`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bittern.keys.resealing import SealedColumn, SealedTables
from bittern.keys.ring import KeyRing
from bittern.store import places
from bittern.store.rule_codec import rule_from_row, rule_to_row
from bittern.store.sqlite.connections import connect_writer
from bittern.store.sqlite.transaction import STATEMENTS

BUSY_TIMEOUT_S = 5.0

COLUMNS = (
    SealedColumn("device", "activation", ("account", "dev_eui"), places.of_activation),
    SealedColumn("session", "keys", ("dev_eui", "generation"), places.of_session_keys),
    SealedColumn("access_key", "secret", ("account", "id"), places.of_access_secret),
    SealedColumn("rule", "actions", ("account", "name"), places.of_actions),
    SealedColumn("note", "body", ("account", "kind", "name"), places.of_note),
    SealedColumn("downlink", "payload", ("dev_eui", "message_id"), places.of_downlink),
    SealedColumn(
        "outbox",
        "document",
        ("account", "dev_eui", "message_id", "destination"),
        places.of_outbox,
    ),
    SealedColumn(
        "lane_message",
        "document",
        ("account", "dev_eui", "message_id", "lane"),
        places.of_lane_message,
    ),
    SealedColumn(
        "dead_letter",
        "document",
        ("account", "dev_eui", "owed_as", "message_id", "lane"),
        places.of_dead_letter,
    ),
    SealedColumn("audit_chain", "key", (), places.of_audit_key),
)


class SealedStore(SealedTables):
    """With the rules of an earlier version, whose actions are still in the clear."""

    def __init__(self, path: Path) -> None:
        super().__init__(lambda: connect_writer(path, BUSY_TIMEOUT_S), COLUMNS)

    def reseal(self, ring: KeyRing, limit: int) -> int:
        with self._connected() as connection:
            return _seal_rules(connection, ring, limit) or super().reseal(ring, limit)


def _seal_rules(connection: sqlite3.Connection, ring: KeyRing, limit: int) -> int:
    connection.execute("BEGIN IMMEDIATE")
    try:
        rows = connection.execute(STATEMENTS["rules_in_the_clear"], (limit,)).fetchall()
        for row in rows:
            sealed = rule_to_row(rule_from_row(row, ring), ring)
            connection.execute(STATEMENTS["replace_rule"], sealed)
        connection.execute("COMMIT")
        return len(rows)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
