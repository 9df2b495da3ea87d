"""What the embedded broker's log has sealed: the names of places, and sealing it anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bittern.keys.resealing import SealedColumn, SealedTables
from bittern.keys.ring import KeyRing
from bittern.keys.rotation import Counts

BUSY_TIMEOUT_S = 5.0


def of_message(client_id: str, number: int, topic: bytes) -> tuple[str, str]:
    """The client's identifier has its length in front: both it and the topic are free text."""
    text = topic.decode("utf-8", "backslashreplace")
    return (
        f"message.payload:{number}:{len(client_id)}:{client_id}:{text}",
        f"mqtt.message:{client_id}",
    )


def of_retained(topic: str) -> tuple[str, str]:
    return f"retained.payload:{topic}", f"mqtt.retained:{topic}"


COLUMNS = (
    SealedColumn("message", "payload", ("client_id", "number", "topic"), of_message),
    SealedColumn("retained", "payload", ("topic",), of_retained, key="topic"),
)


class SealedLog:
    """A log that is not there holds nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables = SealedTables(self._connect, COLUMNS)

    def count(self) -> Counts:
        return self._tables.count() if self._path.exists() else {}

    def reseal(self, ring: KeyRing, limit: int) -> int:
        return self._tables.reseal(ring, limit) if self._path.exists() else 0

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection
