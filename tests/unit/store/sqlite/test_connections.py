from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bittern.errors import StoreUnavailable
from bittern.store.sqlite.connections import (
    connect_reader,
    connect_writer,
    make_private,
    unavailable_if_broken,
)


def setting(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def modes(folder: Path) -> set[int]:
    return {entry.stat().st_mode & 0o777 for entry in folder.iterdir()}


def test_the_writer_is_durable_and_checks_references(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / "db", 1.5)) as connection:
        assert setting(connection, "journal_mode") == "wal"
        assert setting(connection, "synchronous") == 2  # FULL
        assert setting(connection, "foreign_keys") == 1
        assert setting(connection, "busy_timeout") == 1500


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with closing(connect_writer(tmp_path / "db", 1)) as writer:
        writer.execute("CREATE TABLE t (x)")
        with closing(connect_reader(tmp_path / "db", 1)) as reader:
            assert reader.execute("SELECT * FROM t").fetchall() == []
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                reader.execute("INSERT INTO t VALUES (1)")


def test_every_file_is_private_whatever_the_mask_is(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        make_private(tmp_path / "db")
        with closing(connect_writer(tmp_path / "db", 1)) as connection:
            connection.execute("CREATE TABLE t (x)")
            assert {entry.name for entry in tmp_path.iterdir()} == {"db", "db-wal", "db-shm"}
            assert modes(tmp_path) == {0o600}
    finally:
        os.umask(mask)


def test_files_that_others_could_read_become_private(tmp_path: Path) -> None:
    for name in ("db", "db-wal", "db-shm"):
        (tmp_path / name).touch(0o644)
    make_private(tmp_path / "db")
    assert modes(tmp_path) == {0o600}


def test_what_sqlite_cannot_do_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="disk I/O error"), unavailable_if_broken():
        raise sqlite3.OperationalError("disk I/O error")


def test_a_connection_keeps_its_lock_when_another_is_made(tmp_path: Path) -> None:
    """Else the next process to close the database removes the log that this one writes."""
    path = tmp_path / "bittern.db"
    make_private(path)
    connection = connect_writer(path, 1.0)
    connection.execute("CREATE TABLE kept (at INTEGER)")
    make_private(path)
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
            "c.execute('SELECT count(*) FROM kept').fetchone(); c.close()",
            path,
        ],
        check=True,
        timeout=30,
    )
    assert Path(f"{path}-wal").exists()
    connection.execute("INSERT INTO kept VALUES (1)")
    other = sqlite3.connect(path)
    assert other.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    other.close()
    connection.close()
