"""Opens the database file, for the writer and for readers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bittern.errors import StoreUnavailable

BACKSTOP_PAGES = 16_384
"""Checkpoint within a commit only if the write-ahead log has grown to this: the writer does it
between commits, but a process that ends early may not."""
CACHE_KIB = 32 << 10
"""What the writer keeps in memory: every session is written sooner or later, in any order."""
LOG_LIMIT = 64 << 20
"""The log file is cut back to this many bytes when it starts anew."""


def make_private(path: Path) -> None:
    """An existing or new file that only its owner can read; SQLite gives its log the same mode."""
    # One that is there is not opened: to close it again would drop the locks of every connection
    # that this process has to it (POSIX), and the next process to close the database would take
    # itself for the last, and remove the log under a server that writes it.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        if name.exists() and name.stat().st_mode & 0o077:
            name.chmod(0o600)


def connect_writer(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    connection = _connect(path, busy_timeout_s)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {BACKSTOP_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
    connection.execute("PRAGMA temp_store = MEMORY")  # what a savepoint may need to undo
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    # Some builds overwrite what is deleted. Secrets are sealed, and it doubles what is written.
    connection.execute("PRAGMA secure_delete = OFF")
    return connection


def connect_reader(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    connection = _connect(path, busy_timeout_s)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """In autocommit mode; used by one thread at a time, but opened and closed by another."""
    return sqlite3.connect(
        path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
    )


@contextmanager
def unavailable_if_broken() -> Iterator[None]:
    """What SQLite cannot do becomes `StoreUnavailable`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error
