"""A log of JSON lines in files that are turned when they are long enough.

What `append` returned for is on the disk, and so is the name of its file. Several outputs may write
the same file: a lock on the folder lets one at a time. A line that a power failure has cut short is
ended before the next.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

SUFFIX = ".jsonl"
NAME_CHARACTERS = 180
"""File systems take 255 bytes, and a number comes behind."""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """When a file is turned, and how many are kept beside the one that is written."""

    file_bytes: int = 16 * 1024 * 1024
    kept: int = 7


class LocalLog:
    """All logs of one folder. Blocks: for threads."""

    def __init__(self, folder: Path, rotation: Rotation | None = None) -> None:
        self.folder = folder
        self._rotation = rotation or Rotation()

    def append(self, name: str, lines: Sequence[bytes]) -> None:
        """All lines, or none and OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / file_name(name)
        content = b"".join(line + b"\n" for line in lines)
        with self._locked() as folder:
            if path.exists() and path.stat().st_size + len(content) > self._rotation.file_bytes:
                self._turn(path)
            begins = not path.exists()
            _write(path, content)
            if begins:
                os.fsync(folder)

    def _turn(self, path: Path) -> None:
        for number in range(self._rotation.kept, 0, -1):
            older = path.with_name(f"{path.name}.{number}")
            newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
            if newer.exists():
                newer.replace(older)
        path.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The folder, open."""
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(folder)


def file_name(name: str) -> str:
    """A log's name may hold what the name of a file may not: ``/`` above all."""
    quoted = quote(name, safe="").replace("%2F", "_") or "_"
    if quoted.startswith("."):
        quoted = f"_{quoted}"
    if quoted != name or len(quoted) > NAME_CHARACTERS:
        # `a/b` and `a_b` are two logs.
        quoted = f"{quoted[:NAME_CHARACTERS]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return quoted + SUFFIX


def _write(path: Path, content: bytes) -> None:
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    file = os.open(path, flags, 0o600)
    try:
        before = os.fstat(file).st_size
        if before and os.pread(file, 1, before - 1) != b"\n":
            content = b"\n" + content
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(file, before)
            raise
    finally:
        os.close(file)
