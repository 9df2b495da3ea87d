"""A backup proved, and made a data directory of.

    the manifest, and the data keys that it names, by their provider
    -> authenticated; each part hashed, opened, written to a folder apart
    -> both databases checked, every sealed value opened        store/sqlite/restoring
    -> no further than here to verify
    -> counters moved on, sessions held                         mac/restored
    -> the folder gets its name

The data directory is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from bittern.config.layout import Layout
from bittern.errors import BackupUnusable, NotEmpty, SealBroken
from bittern.keys.data_keys import DataKey
from bittern.keys.file import file_provider
from bittern.keys.keychain import open_keychain
from bittern.keys.provider import KeyProvider
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.sealed import COLUMNS as BROKER_COLUMNS
from bittern.pki.files import OWNER_ONLY
from bittern.store.sqlite.migrations import known_migrations, migrate
from bittern.store.sqlite.restoring import Held, Verdict, hold_counters, inspect
from bittern.types import Instant
from bittern.upkeep import manifest as manifests
from bittern.upkeep.backup import Progress
from bittern.upkeep.manifest import BROKER, DATABASE, KEY_FILE, BackupKeys, Manifest, Part
from bittern.upkeep.streams import open_stream, sealed_size

BLOCK = 1 << 20


class Proved(msgspec.Struct, frozen=True):
    """What a backup was found to be."""

    manifest: Manifest
    verdict: Verdict


class Restored(msgspec.Struct, frozen=True):
    manifest: Manifest
    verdict: Verdict
    held: Held


class Rule(msgspec.Struct, frozen=True):
    """What becomes of sessions."""

    quarantine_s: float = 86_400.0
    keep_joined: bool = False


class Backup:
    """An open backup. `manifest` is not authenticated before `unlock`."""

    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self.path = path
        self._archive = archive
        self._members = {member.name: member for member in archive.getmembers()}
        self.manifest = manifests.decode(
            self._content(manifests.NAME, manifests.LONGEST), str(path)
        )

    def key_file(self) -> bytes | None:
        """The file provider's, where it was put in."""
        return self._content(KEY_FILE, BLOCK) if KEY_FILE in self._members else None

    async def unlock(self, provider: KeyProvider, now: Instant) -> KeyRing:
        """The ring that sealed it. Raises `KeyProviderRefused`, `KeyProviderUnavailable`,
        `ConfigurationError` (another provider), `BackupUnusable`."""
        keychain = await open_keychain(_Named(self.manifest.keys), provider, {}, now)
        if not BackupKeys(keychain.ring, self.manifest.salt).is_genuine(self.manifest):
            raise self._unusable("its manifest was changed, or is of another installation")
        return keychain.ring

    def extract(self, ring: KeyRing, folder: Path, progress: Progress) -> None:
        """Every part, at its name below `folder`. Raises `BackupUnusable`."""
        keys = BackupKeys(ring, self.manifest.salt)
        for part in self.manifest.parts:
            target = folder / part.name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            with os.fdopen(descriptor, "wb") as file:
                self._open_part(part, keys.of_part(part.name), file, progress)
                file.flush()
                os.fsync(file.fileno())

    def _open_part(self, part: Part, key: bytes, target: IO[bytes], progress: Progress) -> None:
        at = 0

        def done(more: int) -> None:
            nonlocal at
            at += more
            progress(part.name, at, part.size)

        source = self._member(f"parts/{part.name}")
        if self._members[f"parts/{part.name}"].size != sealed_size(part.size):
            raise self._unusable(f"{part.name} is not as long as the manifest says")
        hashed = _Hashed(source)
        try:
            open_stream(hashed, part.size, key, target, where=part.name, done=done)  # type: ignore[arg-type]
        except SealBroken:
            raise self._unusable(f"{part.name} was changed") from None
        if hashed.digest() != part.sha256:
            raise self._unusable(f"{part.name} is not what the manifest says")

    def _content(self, name: str, most: int) -> bytes:
        member = self._member(name)
        if self._members[name].size > most:
            raise self._unusable(f"{name} is too long")
        return member.read()

    def _member(self, name: str) -> IO[bytes]:
        member = self._members.get(name)
        file = self._archive.extractfile(member) if member and member.isreg() else None
        if file is None:
            raise self._unusable(f"{name} is missing")
        return file

    def _unusable(self, reason: str) -> BackupUnusable:
        return BackupUnusable(str(self.path), reason)


class _Hashed:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._digest.update(data)
        return data

    def digest(self) -> str:
        return self._digest.hexdigest()


class _Named:
    """The data keys of a manifest, as a table that nobody writes."""

    def __init__(self, keys: Sequence[DataKey]) -> None:
        self._keys = list(keys)

    def all(self) -> list[DataKey]:
        return self._keys

    def begin(self, keys: Sequence[DataKey]) -> bool:
        raise NotImplementedError

    def add(self, key: DataKey) -> None:
        raise NotImplementedError

    def activate(self, key_id: int) -> None:
        raise NotImplementedError

    def set_state(self, key_id: int, before: object, after: object) -> bool:
        raise NotImplementedError

    def remove(self, key_id: int) -> bool:
        raise NotImplementedError

    def rewrap(self, before: Sequence[DataKey], after: Sequence[DataKey]) -> None:
        raise NotImplementedError


@contextmanager
def opened(path: Path) -> Iterator[Backup]:
    """Raises `BackupUnusable` and OSError."""
    with path.open("rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                yield Backup(path, archive)
        except tarfile.TarError:
            raise BackupUnusable(str(path), "it is no backup, or cut off") from None


@contextmanager
def key_file_of(backup: Backup, given: Path | None, configured: Path) -> Iterator[Path]:
    """Where the file provider finds its key: `given`, else what is in the backup, else
    `configured`. Raises `BackupUnusable` where none is there."""
    inside = backup.key_file()
    if given is None and inside is not None:
        with tempfile.TemporaryDirectory(prefix="bittern-") as folder:
            path = Path(folder) / KEY_FILE
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            with os.fdopen(descriptor, "wb") as file:
                file.write(inside)
            yield path
        return
    path = given or configured
    if not path.exists():
        cure = f"its key was in {backup.manifest.provider_is}; name the file with --key-file"
        raise BackupUnusable(str(backup.path), cure)
    yield path


async def verify(backup: Backup, provider: KeyProvider, now: Instant, progress: Progress) -> Proved:
    """Prove it in a folder of its own, which is gone afterwards. Raises as `restore`."""
    ring = await backup.unlock(provider, now)
    with tempfile.TemporaryDirectory(prefix="bittern-") as folder:
        return Proved(backup.manifest, _proved(backup, ring, Path(folder), progress))


async def restore(
    backup: Backup,
    provider: KeyProvider,
    data_dir: Path,
    key_file: Path | None,
    now: Instant,
    *,
    rule: Rule,
    progress: Progress,
) -> Restored:
    """Make `data_dir`, which must not be there, or be empty. `key_file` is copied into it.

    Raises `NotEmpty`, `BackupUnusable`, `KeyProviderRefused`, `KeyProviderUnavailable`, OSError.
    """
    data_dir = data_dir.absolute()
    if data_dir.exists() and any(data_dir.iterdir()):
        raise NotEmpty(str(data_dir))
    ring = await backup.unlock(provider, now)
    data_dir.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made with mode 0700; left behind by nothing but a power cut.
    folder = Path(tempfile.mkdtemp(prefix=f".{data_dir.name}.", dir=data_dir.parent))
    try:
        verdict = _proved(backup, ring, folder, progress)
        if verdict.faults:
            raise BackupUnusable(str(backup.path), "; ".join(verdict.faults))
        database = Layout(folder).database
        _migrate(database)
        held = hold_counters(
            database, ring, quarantine_s=rule.quarantine_s, keep_joined=rule.keep_joined
        )
        if key_file is not None:
            _copy_key(key_file, Layout(folder).data_key)
        os.replace(folder, data_dir)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _sync_folder(data_dir.parent)
    return Restored(backup.manifest, verdict, held)


def provider_of_file(path: Path) -> KeyProvider:
    """Raises as `file_provider`; the file is there."""
    return file_provider(path)


def _proved(backup: Backup, ring: KeyRing, folder: Path, progress: Progress) -> Verdict:
    backup.extract(ring, folder, progress)
    opened = 0

    def done(more: int) -> None:
        nonlocal opened
        opened += more
        progress("sealed values", opened, 0)

    names = {part.name for part in backup.manifest.parts}
    if DATABASE not in names:
        raise BackupUnusable(str(backup.path), "there is no database in it")
    found = [inspect(folder / DATABASE, ring, done=done)]
    if BROKER in names:
        found.append(inspect(folder / BROKER, ring, BROKER_COLUMNS, done))
    found += _private_keys(folder, ring)
    return Verdict(
        sum(one.sealed for one in found), tuple(fault for one in found for fault in one.faults)
    )


def _private_keys(folder: Path, ring: KeyRing) -> Iterator[Verdict]:
    """Of the authorities and of the server; an earlier version kept them in the clear."""
    from bittern.pki.authority import place_of
    from bittern.pki.files import opened_key
    from bittern.pki.identity import PLACE

    pki = Layout(folder).pki
    places = {path: place_of(path.stem) for path in sorted(pki.glob("ca*.key"))}
    for path, place in (places | {pki / "server.pem": PLACE}).items():
        if path.exists():
            try:
                key = opened_key(path.read_bytes(), ring, place)
                yield Verdict(int(key is not None), ())
            except SealBroken as broken:
                yield Verdict(0, (str(broken),))


def _migrate(database: Path) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        migrate(connection, known_migrations())
    finally:
        connection.close()


def _copy_key(source: Path, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
