from __future__ import annotations

import base64
import os
import sqlite3
import stat
import tarfile

import pytest

from bittern.types import Instant
from bittern.upkeep import backup
from bittern.upkeep.backup import back_up, copy_database, default_name

NOW = Instant(1_700_000_000.0)
PAYLOAD = b"a payload that nobody else shall read"
APP_KEY = bytes.fromhex("deadbeef00112233deadbeef44556677")


def quiet(name: str, at: int, of: int) -> None:
    """A progress that nobody watches."""


def test_a_backup_is_one_file_for_its_owner_alone(site, tmp_path):
    target = tmp_path / "x.backup"
    made = back_up(site.source, target, NOW, with_key=False, progress=quiet)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {part.name for part in made.parts} == {"bittern.db", "pki/ca.key"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "x.backup"]


def test_neither_key_nor_payload_is_in_it(site, tmp_path):
    target = tmp_path / "x.backup"
    back_up(site.source, target, NOW, with_key=False, progress=quiet)
    content = target.read_bytes()
    master = site.layout.data_key.read_text().split()[1]
    for secret in (APP_KEY, PAYLOAD, b"PRIVATE KEY", bytes.fromhex(master)):
        for form in (secret, secret[::-1], secret.hex().encode(), base64.b64encode(secret)):
            assert form not in content
    assert b"sensor 0" not in content


def test_the_key_is_in_it_only_where_that_is_asked(site, tmp_path):
    target = tmp_path / "x.backup"
    assert back_up(site.source, target, NOW, with_key=True, progress=quiet).with_key
    with tarfile.open(target) as archive:
        file = archive.extractfile("data.key")
        assert file is not None
        assert file.read() == site.layout.data_key.read_bytes()


def test_what_serves_only_while_a_server_runs_stays_out(site, tmp_path):
    for name in ("run/server.lock", "output/uplinks.json", "pki/.ca.key.1234", "left-wal"):
        path = site.layout.data_dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    os.mkfifo(site.layout.data_dir / "pipe")
    (site.layout.data_dir / "link").symlink_to("/etc/hostname")
    (site.layout.data_dir / "secrets").mkdir()
    (site.layout.data_dir / "secrets/token").write_bytes(b"x")
    made = back_up(site.source, tmp_path / "x", NOW, with_key=False, progress=quiet)
    assert {part.name for part in made.parts} == {"bittern.db", "pki/ca.key", "secrets/token"}


def test_a_backup_that_fails_leaves_nothing_and_keeps_the_last(site, tmp_path, monkeypatch):
    target = tmp_path / "x.backup"
    target.write_bytes(b"the last one")

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "seal_stream", full)
    with pytest.raises(OSError, match="No space"):
        back_up(site.source, target, NOW, with_key=False, progress=quiet)
    assert target.read_bytes() == b"the last one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "x.backup"]


def test_a_copy_is_of_one_moment_though_a_writer_goes_on(tmp_path):
    path = tmp_path / "busy.db"
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA journal_mode = WAL")
    writing.execute("CREATE TABLE pair (a INTEGER, b INTEGER, filling BLOB)")
    writing.executemany(
        "INSERT INTO pair VALUES (?, ?, zeroblob(4096))", [(n, n) for n in range(900)]
    )
    steps = 0

    def meanwhile(at: int, of: int) -> None:
        nonlocal steps
        steps += 1
        writing.execute("UPDATE pair SET a = a + 1000, b = b + 1000")

    copy_database(path, tmp_path / "copy.db", meanwhile)
    writing.close()
    assert steps >= 3
    copied = sqlite3.connect(tmp_path / "copy.db")
    assert copied.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert copied.execute("SELECT count(*), max(a), max(b) FROM pair").fetchone() == (900, 899, 899)
    copied.close()


def test_a_backup_in_a_folder_is_named_by_its_time():
    assert default_name(Instant(1_700_000_000.0)) == "bittern-20231114T221320Z.backup"
