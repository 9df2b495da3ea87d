"""The embedded engine: one SQLite file, in WAL mode, fully synchronous."""

from bittern.store.sqlite.engine import SqliteStore

__all__ = ["SqliteStore"]
