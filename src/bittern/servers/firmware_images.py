"""Update images: found, checked, and read to a gateway piece by piece.

An image is a file below the folder of images, or an object of an S3-compatible store that is kept
in a file. Nothing is served unless one of the server's public keys says that it is what was signed,
whatever the gateway would make of it. Files are hashed once, and again when they have changed.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from bittern.config import Firmware
from bittern.errors import ImageError, ImageRejected, ImageUnavailable
from bittern.gateway.cups import IMAGE_LIMIT
from bittern.pki.firmware_keys import keys_of_crc
from bittern.pki.firmware_signatures import digest, verify
from bittern.servers.cups import Image
from bittern.servers.firmware_s3 import SCHEME, S3Images
from bittern.store.gateway_records import FirmwareDefinition
from bittern.types import Instant

CHUNK_SIZE = 64 * 1024
HASHED_AT_ONCE = 1 << 20
WAIT_S = 40.0
"""A station ends a connection that is silent for 60 s: what takes longer is there the next time."""
PREPARED_AT_ONCE = 2
"""Images fetched or hashed at the same time: the threads are everybody's."""
SETTLED_S = 60.0
"""A file that changed since then and does not fit may still be on its way here."""
REMEMBERED = 256


class Identity(NamedTuple):
    """Of the content of a file, as far as the file system tells."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


class _Found(NamedTuple):
    """A file that was hashed."""

    folder: Path
    name: str
    identity: Identity
    digest: bytes
    changed_at: float


class FirmwareImages:
    """An async context manager: what is being fetched is given up at its end."""

    def __init__(
        self,
        settings: Firmware,
        folder: Path,
        *,
        now: Callable[[], Instant],
        wait_s: float = WAIT_S,
        s3: S3Images | None = None,
    ) -> None:
        """``folder`` is the installation's own: keys, kept objects, images unless configured."""
        self.images = settings.images or folder
        self.keys = folder / "keys"
        self._limit = min(settings.max_image_bytes, IMAGE_LIMIT)
        self._s3 = s3 or S3Images(folder / "cache", settings.s3_endpoint, limit=self._limit)
        self._now = now
        self._wait_s = wait_s
        self._hashes: OrderedDict[Identity, bytes] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[_Found]] = {}
        self._turn = asyncio.Semaphore(PREPARED_AT_ONCE)
        self._stop = threading.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def image(self, definition: FirmwareDefinition) -> Image:
        """The image, checked. Raises `ImageRejected` or `ImageUnavailable`."""
        publics = await asyncio.to_thread(keys_of_crc, self.keys, definition.key_crc)
        if not publics:
            raise ImageUnavailable(
                f"the server has no public key with CRC {definition.key_crc} in {self.keys}:"
                " `bittern gateway firmware key add` puts it there"
            )
        found = await self._found(definition.source)
        if not any(verify(found.digest, definition.signature, public) for public in publics):
            raise self._unfit(definition, found)
        return Image(found.identity.size, _chunks(found))

    async def digest(self, source: str) -> bytes:
        """SHA-512 of what would be served. Raises `ImageUnavailable`."""
        return (await self._found(source)).digest

    def _unfit(self, definition: FirmwareDefinition, found: _Found) -> ImageError:
        reason = f"{definition.source} is not what was signed by key {definition.key_crc}"
        if 0 <= self._now() - found.changed_at < SETTLED_S:
            return ImageUnavailable(f"{reason}; it has just changed, so it may not be complete")
        return ImageRejected(reason)

    async def _found(self, source: str) -> _Found:
        """Many gateways ask for one image; it is looked for once."""
        task = self._under_way.get(source)
        if task is None:
            task = asyncio.create_task(self._find(source), name=f"prepare image {source}")
            self._under_way[source] = task
            task.add_done_callback(lambda done: self._done(source, done))
        done, _ = await asyncio.wait((task,), timeout=self._wait_s)
        if not done:
            raise ImageUnavailable(f"{source} is still being fetched, for the next time")
        if task.cancelled():
            raise ImageUnavailable("the server is shutting down")
        return task.result()

    def _done(self, source: str, task: asyncio.Task[_Found]) -> None:
        self._under_way.pop(source, None)
        if not task.cancelled():
            task.exception()  # if nobody waits any more, it is not worth a line in the log

    async def _find(self, source: str) -> _Found:
        async with self._turn:
            return await asyncio.to_thread(self._find_blocking, source)

    # In a thread

    def _find_blocking(self, source: str) -> _Found:
        folder, name = self.images, source
        try:
            if source.startswith(SCHEME):
                folder, name = self._s3.folder, self._s3.kept(source, self._now(), self._stop)
            with open_below(folder, name) as file:
                return self._hashed(folder, name, file)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ImageUnavailable(f"image {source} in {folder}: {reason}") from None

    def _hashed(self, folder: Path, name: str, file: BinaryIO) -> _Found:
        status = os.fstat(file.fileno())
        identity = _identity(status)
        if not 1 <= identity.size <= self._limit:
            raise ImageUnavailable(
                f"image {name} has {identity.size} bytes; 1 to {self._limit} are served"
                " (firmware.max_image_bytes)"
            )
        known = self._hashes.get(identity)
        if known is None:
            known = digest(_until(file, self._stop))
            if _identity(os.fstat(file.fileno())) != identity:
                raise ImageUnavailable(f"image {name} changed while it was read")
            self._hashes[identity] = known
            while len(self._hashes) > REMEMBERED:
                self._hashes.popitem(last=False)
        return _Found(folder, name, identity, known, status.st_mtime)


def open_below(folder: Path, name: str) -> BinaryIO:
    """A regular file below the folder, by a relative path with ``/``.

    Each step of the path is opened from the one before, without following links: nothing that is
    moved about meanwhile leads out of the folder. Raises OSError.
    """
    parts = name.split("/")
    if not all(parts) or any(part in (".", "..") for part in parts) or "\0" in name:
        raise OSError("not a path below the folder of images")
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_DIRECTORY | _NO_LINK, dir_fd=directory)
            os.close(directory)
            directory = inner
        # Without O_NONBLOCK, opening a pipe would wait for whoever writes into it.
        descriptor = os.open(parts[-1], os.O_NONBLOCK | _NO_LINK, dir_fd=directory)
    finally:
        os.close(directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return os.fdopen(descriptor, "rb")


_NO_LINK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def _identity(status: os.stat_result) -> Identity:
    return Identity(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def _until(file: BinaryIO, stop: threading.Event) -> Iterator[bytes]:
    while piece := file.read(HASHED_AT_ONCE):
        if stop.is_set():
            raise ImageUnavailable("the server is shutting down")
        yield piece


async def _chunks(found: _Found) -> AsyncIterator[bytes]:
    """Exactly the bytes that were checked, as far as they are still there.

    The file is opened when the first is wanted: who never asks leaves nothing open. Raises
    `ImageUnavailable`; the connection ends then before the length that was told.
    """
    try:
        file = await asyncio.to_thread(open_below, found.folder, found.name)
    except OSError as error:
        raise ImageUnavailable(f"image {found.name} is gone: {error.strerror or error}") from None
    try:
        left = found.identity.size
        while left:
            if _identity(os.fstat(file.fileno())) != found.identity:
                raise ImageUnavailable(f"image {found.name} changed while it was served")
            chunk = await asyncio.to_thread(file.read, min(CHUNK_SIZE, left))
            if not chunk:
                raise ImageUnavailable(f"image {found.name} ended early")
            left -= len(chunk)
            yield chunk
    finally:
        with suppress(OSError):
            file.close()
