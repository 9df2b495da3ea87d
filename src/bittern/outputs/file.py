"""`file`: each message is a line of a file below the folder of outputs. Our own.

A message that is JSON is a line as it is, without its line breaks; any other is a JSON string of
its base64. The file is handed on when it is large or old: it gets the time as a suffix, and only so
many of them are kept. A line has arrived when it is written, and with `fsync` "always" when it is
on the disk. What a crash or a full disk left of a line is taken away before the next, and its
message comes again: whoever reads up to the last line break never meets half a line.

Processes may share a file: each holds its lock (`flock`) while it writes.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from bittern.errors import DeliveryUnavailable
from bittern.outputs.kinds import Kind, Parameters, Surroundings
from bittern.outputs.parameters import Form, read
from bittern.outputs.port import NO_FAILURES, Failures, Message
from bittern.outputs.service import ServiceOutput

FOLDER = "output"
"""Below the data directory: nothing else is written to by rules. A link may lead elsewhere."""
MODE = 0o600
FSYNC_S = 1.0
LOCK_S = 5.0
"""How long another process may hold the file; its own batches take less."""
_PIECE = 65_536


class FileForm(Form, frozen=True, kw_only=True):
    path: str
    """Relative to the folder, with folders of its own if wanted: ``meters/lines.jsonl``."""
    max_bytes: Annotated[int, msgspec.Meta(ge=1024)] = 64 * 1024 * 1024
    """A file that would become larger is handed on first."""
    max_age_s: Annotated[int, msgspec.Meta(ge=1)] = 86_400
    """A file whose first line is so old is handed on before the next."""
    keep: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 7
    """Files that were handed on; the oldest goes first."""
    fsync: Literal["always", "interval", "never"] = "always"
    """Before a batch has arrived; once in a second, which a power failure may cost; or when the
    operating system sees fit."""


class LineFile:
    """The file, and those that were handed on. Blocks; may raise `OSError`."""

    def __init__(self, path: Path, form: FileForm, *, now: Callable[[], float]) -> None:
        self._path = path
        self._form = form
        self._now = now
        self._descriptor = -1
        self._size = 0
        self._began_at = 0.0
        self._synced_at = 0.0
        self.rotations = 0
        self.cut_short = 0
        """Lines that were there in part, and were taken away."""

    def append(self, lines: Sequence[bytes]) -> None:
        """All of them, or OSError: then whole lines of them may be there."""
        try:
            self._open()
            for run in self._runs(lines):
                self._write(run)
            self._sync()
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError:
            # Also unlocks. Whatever is amiss is looked at afresh.
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)
            raise

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            try:
                if self._form.fsync != "never":
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _runs(self, lines: Sequence[bytes]) -> Iterator[list[bytes]]:
        """What goes to one file, in one piece. Hands the file on when it has no room for more."""
        run: list[bytes] = []
        size = 0
        for line in lines:
            if run and self._size + size + len(line) > self._form.max_bytes:
                yield run
                run, size = [], 0
            if not run:
                self._make_room(len(line))
            run.append(line)
            size += len(line)
        if run:
            yield run

    def _make_room(self, more: int) -> None:
        too_large = self._size and self._size + more > self._form.max_bytes
        too_old = self._size and self._now() - self._began_at >= self._form.max_age_s
        if too_large or too_old:
            # Others wait for the lock until the file is closed, and then see that it was moved.
            self._hand_on()
            self.close()
            self._open()

    def _open(self) -> None:
        """The file of this name, locked, with whole lines only."""
        while True:
            if self._descriptor < 0:
                self._open_anew()
            self._lock()
            if self._is_there():
                break
            # Somebody else moved it away: a new one begins.
            self.close()
        self._size = os.fstat(self._descriptor).st_size
        if self._size and os.pread(self._descriptor, 1, self._size - 1) != b"\n":
            self._cut()

    def _open_anew(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, MODE)
        status = os.fstat(self._descriptor)
        if not status.st_size and self._form.fsync == "always":
            self._sync_folder()
        # Nothing tells when a file that was found began; its last change is the latest possible.
        self._began_at = status.st_mtime if status.st_size else self._now()

    def _lock(self) -> None:
        until = time.monotonic() + LOCK_S
        while True:
            try:
                return fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise OSError(errno.EAGAIN, "another process holds the file") from None
            time.sleep(0.01)

    def _is_there(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False

    def _cut(self) -> None:
        """Back to the end of the last whole line."""
        end = self._size
        while end:
            start = max(0, end - _PIECE)
            found = os.pread(self._descriptor, end - start, start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        os.ftruncate(self._descriptor, end)
        self._size = end
        self.cut_short += 1

    def _write(self, lines: Sequence[bytes]) -> None:
        if not self._size:
            self._began_at = self._now()
        before, rest = self._size, memoryview(b"".join(lines))
        try:
            while rest:
                written = os.write(self._descriptor, rest)
                self._size += written
                rest = rest[written:]
        except OSError:
            # They come again. Where not even this is possible, the next to open the file does it.
            if self._size > before:
                self.cut_short += 1
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, before)
            raise

    def _sync(self) -> None:
        policy, now = self._form.fsync, self._now()
        if policy == "always" or (policy == "interval" and now - self._synced_at >= FSYNC_S):
            os.fsync(self._descriptor)
            self._synced_at = now

    def _sync_folder(self) -> None:
        """The file's name is on the disk, too."""
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _hand_on(self) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        number = 0
        while (old := self._old_name(stamp, number)).exists():
            number += 1
        os.rename(self._path, old)
        self.rotations += 1
        kept = self.handed_on()
        for path in kept[: len(kept) - self._form.keep]:
            path.unlink(missing_ok=True)

    def _old_name(self, stamp: str, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{stamp}.{number:03d}")

    def handed_on(self) -> list[Path]:
        """From the oldest on."""
        pattern = f"{self._path.name}.*Z.[0-9][0-9][0-9]*"
        return sorted(self._path.parent.glob(pattern))


class FileOutput(ServiceOutput):
    def __init__(
        self, name: str, form: FileForm, folder: Path, *, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(name)
        self._folder = folder
        self._file = LineFile(folder / form.path, form, now=now)
        self._lock = threading.Lock()

    async def send(self, messages: Sequence[Message]) -> Failures:
        lines = [line_of(message.payload) for message in messages]
        try:
            await asyncio.to_thread(self._append, lines)
        except OSError as error:
            raise DeliveryUnavailable(error.strerror or type(error).__name__) from None
        return NO_FAILURES

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def statistics(self) -> dict[str, int]:
        file = self._file
        counts = {"rotations": file.rotations, "cut_short": file.cut_short}
        return {**super().statistics(), **counts}

    def _append(self, lines: Sequence[bytes]) -> None:
        with self._lock:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._file.append(lines)

    def _close(self) -> None:
        with self._lock:
            self._file.close()


def line_of(payload: bytes) -> bytes:
    try:
        # Line breaks stand between the tokens of JSON, or not at all: formatting removes them.
        if b"\n" in payload or b"\r" in payload:
            payload = msgspec.json.format(payload, indent=-1)
        else:
            msgspec.json.decode(payload, type=msgspec.Raw)
            payload.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        payload = b'"' + base64.b64encode(payload) + b'"'
    return payload + b"\n"


def check(parameters: Parameters) -> None:
    form = read(parameters, FileForm)
    path = Path(form.path)
    if path.is_absolute() or ".." in path.parts or not path.name or not form.path.isprintable():
        raise ValueError(f"path: a file below the folder {FOLDER!r} of the data folder")


def make(name: str, parameters: Parameters, world: Surroundings) -> FileOutput:
    return FileOutput(name, read(parameters, FileForm), world.data_dir / FOLDER)


KIND = Kind(name="file", check=check, templates=lambda parameters: {}, make=make)
