"""Brings a database to today's schema, one numbered step after the other.

The schema's number is SQLite's `user_version`. A step and its number are one transaction, so a
crash leaves a whole schema, and of two processes that start at once one waits and finds it done.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from bittern.errors import SchemaTooNew

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


def known_migrations() -> list[str]:
    """The scripts in order; the first has number 1."""
    folder = files("bittern.store.sqlite") / "schema"
    found = {
        int(match[1]): entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if (match := _FILE.fullmatch(entry.name))
    }
    if sorted(found) != list(range(1, len(found) + 1)):
        raise RuntimeError(f"migrations are not numbered from 1 without a gap: {sorted(found)}")
    return [found[number] for number in sorted(found)]


def schema_version(connection: sqlite3.Connection) -> int:
    """0 for a database that is still empty."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(connection: sqlite3.Connection, migrations: list[str]) -> None:
    """Apply what is missing. Raises `SchemaTooNew` when a later bittern was here."""
    while (found := schema_version(connection)) != len(migrations):
        if found > len(migrations):
            raise SchemaTooNew(found, len(migrations))
        _apply(connection, found + 1, migrations[found])


def _apply(connection: sqlite3.Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if schema_version(connection) == number - 1:
            for statement in split_statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def split_statements(script: str) -> Iterator[str]:
    """One at a time: `executescript` would commit before it begins."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement
