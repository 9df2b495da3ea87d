"""One file with all that an installation is, taken while the server runs.

    a reader's snapshot of each database     SQLite's online backup, under one read transaction
    -> the other files of the data directory
    -> each sealed under a key of its own    upkeep/streams
    -> the manifest, last                    upkeep/manifest
    -> under its name when it is whole       draft, flush, rename

A backup is of no use without the key provider: it holds the data keys as the provider wrapped them.
"""

from __future__ import annotations

import io
import os
import secrets
import sqlite3
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bittern import __version__
from bittern.config.layout import Layout
from bittern.keys.data_keys import DataKey
from bittern.keys.provider import KeyProvider
from bittern.keys.ring import KeyRing
from bittern.pki.files import OWNER_ONLY
from bittern.types import Instant
from bittern.upkeep import manifest as manifests
from bittern.upkeep.manifest import BROKER, DATABASE, KEY_FILE, BackupKeys, Manifest, Part
from bittern.upkeep.streams import seal_stream, sealed_size

PAGES = 256
"""Copied at a time: 1 MiB."""
LEFT_OUT = ("run", "output")
"""Folders of the data directory: what is there only while a server runs, and what was delivered."""
_OF_SQLITE = ("-wal", "-shm", "-journal")

Progress = Callable[[str, int, int], None]
"""What is being done, and how many bytes of how many."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up, and by what."""

    layout: Layout
    provider: KeyProvider
    ring: KeyRing
    keys: Callable[[], list[DataKey]]
    """As they are when the database has been copied."""
    key_file: Path | None
    """The file provider's."""


def back_up(
    source: Source, target: Path, now: Instant, *, with_key: bool, progress: Progress
) -> Manifest:
    """Make `target`, mode 0600, whole or not at all. A file of that name is replaced.

    Raises OSError and `sqlite3.Error`.
    """
    target = target.absolute()
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        copies = _copy_databases(source.layout, Path(folder), progress)
        draft = Path(folder) / secrets.token_hex(4)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            made = _write(source, copies, file, now, with_key=with_key, progress=progress)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    _sync_folder(target.parent)
    return made


def default_name(now: Instant) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(now, UTC).strftime("bittern-%Y%m%dT%H%M%SZ.backup")


# What


def _copy_databases(layout: Layout, folder: Path, progress: Progress) -> dict[str, Path]:
    copies = {}
    for name, path in ((DATABASE, layout.database), (BROKER, layout.mqtt_sessions)):
        if path.exists():
            copies[name] = folder / name
            copy_database(path, copies[name], lambda at, of, name=name: progress(name, at, of))  # type: ignore[misc]
    return copies


def copy_database(path: Path, copy: Path, done: Callable[[int, int], None]) -> None:
    """The state of one moment; a writer is neither waited for nor held up."""
    os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    reading = sqlite3.connect(path, isolation_level=None)
    writing = sqlite3.connect(copy, isolation_level=None)
    try:
        reading.execute("PRAGMA query_only = ON")
        # Held from the first page to the last: else every commit of the server would begin it anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        size = reading.execute("PRAGMA page_size").fetchone()[0]
        reading.backup(
            writing,
            pages=PAGES,
            progress=lambda _, left, total: done((total - left) * size, total * size),
            sleep=0.0,
        )
        reading.execute("COMMIT")
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    finally:
        writing.close()
        reading.close()


def other_files(layout: Layout, key_file: Path | None) -> Iterator[tuple[str, Path]]:
    """Name and path of what is no database, no key of the provider and no draft, in order."""
    apart = {layout.database, layout.mqtt_sessions, layout.data_key, key_file}
    for path in sorted(layout.data_dir.rglob("*")):
        name = path.relative_to(layout.data_dir).as_posix()
        if path in apart or name.split("/")[0] in LEFT_OUT or path.name.startswith("."):
            continue
        if path.name.endswith(_OF_SQLITE) or not stat.S_ISREG(path.lstat().st_mode):
            continue
        if manifests.is_plain(name):
            yield name, path


# How


def _write(
    source: Source,
    copies: dict[str, Path],
    file: BinaryIO,
    now: Instant,
    *,
    with_key: bool,
    progress: Progress,
) -> Manifest:
    salt = manifests.new_salt()
    keys = BackupKeys(source.ring, salt)
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        if with_key and source.key_file is not None:
            _add(archive, KEY_FILE, source.key_file.read_bytes(), now)
        parts = [
            _add_sealed(archive, name, path, keys.of_part(name), now=now, progress=progress)
            for name, path in [*copies.items(), *other_files(source.layout, source.key_file)]
        ]
        made = keys.seal(
            Manifest(
                format=manifests.FORMAT,
                bittern=__version__,
                schema=_schema(copies[DATABASE]),
                created_at=now,
                salt=salt,
                provider=source.provider.name,
                provider_is=source.provider.describe(),
                keys=tuple(source.keys()),
                parts=tuple(parts),
                with_key=with_key and source.key_file is not None,
            )
        )
        _add(archive, manifests.NAME, manifests.encode(made), now)
    return made


def _add_sealed(
    archive: tarfile.TarFile, name: str, path: Path, key: bytes, *, now: Instant, progress: Progress
) -> Part:
    assert archive.fileobj is not None
    with path.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0

        def done(more: int) -> None:
            nonlocal at
            at += more
            progress(name, at, size)

        header = _header(f"parts/{name}", sealed_size(size), now)
        target = archive.fileobj
        target.write(header.tobuf(archive.format, archive.encoding, archive.errors))
        digest = seal_stream(file, size, key, target, done)  # type: ignore[arg-type]
        target.write(bytes(-header.size % tarfile.BLOCKSIZE))
        archive.offset = target.tell()
    return Part(name, size, digest)


def _add(archive: tarfile.TarFile, name: str, content: bytes, now: Instant) -> None:
    archive.addfile(_header(name, len(content), now), io.BytesIO(content))


def _header(name: str, size: int, now: Instant) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, OWNER_ONLY, int(now)
    return header


def _schema(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version
    finally:
        connection.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
