"""The live feed: every event of the network, as it happens, to whoever may open its socket.

`DATA_DIR/run/feed.sock` belongs to the server's user alone (directory 0700, socket 0600): the
file's permissions are its authentication. Each event is one JSON object on one line; EUIs and
addresses are lower-case hexadecimal, `payload` is base64. The first line says that the feed is
live. A watcher that reads too slowly loses lines, never the server's time, and is told how many.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from bittern.network.events import NetworkEvent
from bittern.network.journal import Journal
from bittern.servers.local_socket import listen
from bittern.types import EUI64, DevAddr

BUFFERED_LINES = 4096
"""What a watcher may be behind, beside what the socket itself holds."""
FAREWELL_S = 1.0
"""At the end, time for watchers to take what is still buffered."""


class Watching(msgspec.Struct, frozen=True, tag_field="event", tag="watching"):
    """The first line: from here on nothing is missed unless `Lost` says so."""

    version: str


class Lost(msgspec.Struct, frozen=True, tag_field="event", tag="lost"):
    """The watcher was too slow: `count` events are missing here."""

    count: int


FeedLine = NetworkEvent | Watching | Lost


def _plain(value: Any) -> str:
    if isinstance(value, EUI64 | DevAddr):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an event")


def _typed(kind: type, value: Any) -> Any:
    if not issubclass(kind, EUI64 | DevAddr):
        raise TypeError(f"{kind.__name__} has no place in an event")
    return kind.from_hex(value)


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder = msgspec.json.Decoder(FeedLine, dec_hook=_typed)


def encode_line(line: FeedLine) -> bytes:
    """JSON with its line feed."""
    return _encoder.encode(line) + b"\n"


def decode_line(line: bytes) -> FeedLine:
    """The inverse. Raises `msgspec.DecodeError`."""
    decoded: FeedLine = _decoder.decode(line)
    return decoded


class _Watcher:
    """What one connection has not been sent yet."""

    def __init__(self, limit: int) -> None:
        self._lines: deque[bytes] = deque()
        self._limit = limit
        self._lost = 0
        self._more = asyncio.Event()
        self._ended = False

    def offer(self, line: bytes) -> bool:
        """False: there was no room, the line is lost."""
        if len(self._lines) >= self._limit:
            self._lost += 1
            return False
        self._lines.append(line)
        self._more.set()
        return True

    def end(self) -> None:
        """Nothing more comes: `pump` returns when all is sent."""
        self._ended = True
        self._more.set()

    async def pump(self, writer: asyncio.StreamWriter) -> None:
        while self._lines or not self._ended:
            await self._more.wait()
            self._more.clear()
            writer.write(self._take())
            await writer.drain()

    def _take(self) -> bytes:
        taken = b"".join(self._lines)
        self._lines.clear()
        if self._lost:
            taken += encode_line(Lost(self._lost))
            self._lost = 0
        return taken


class Feed:
    """Listens inside its context; watches the journal only while somebody is connected."""

    def __init__(
        self,
        journal: Journal,
        path: Path,
        *,
        version: str = "",
        buffered_lines: int = BUFFERED_LINES,
    ) -> None:
        self._journal = journal
        self._path = path
        self._greeting = encode_line(Watching(version))
        self._buffered_lines = buffered_lines
        self._watchers: set[_Watcher] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._watching = contextlib.ExitStack()
        self._lines_sent = 0
        self._lines_lost = 0

    async def __aenter__(self) -> Self:
        listener = listen(self._path)
        self._server = await asyncio.start_unix_server(self._connected, sock=listener)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for watcher in self._watchers:
            watcher.end()
        if self._connections:
            late = (await asyncio.wait(self._connections, timeout=FAREWELL_S))[1]
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._watching.close()
        self._path.unlink(missing_ok=True)

    def statistics(self) -> dict[str, int]:
        return {
            "watchers": len(self._watchers),
            "lines_sent": self._lines_sent,
            "lines_lost": self._lines_lost,
        }

    def _offer(self, event: NetworkEvent) -> None:
        line = encode_line(event)
        for watcher in self._watchers:
            if watcher.offer(line):
                self._lines_sent += 1
            else:
                self._lines_lost += 1

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        watcher = _Watcher(self._buffered_lines)
        watcher.offer(self._greeting)
        try:
            with self._joined(watcher):
                await _serve(watcher, reader, writer)
        finally:
            writer.close()

    @contextlib.contextmanager
    def _joined(self, watcher: _Watcher) -> Iterator[None]:
        if not self._watchers:
            self._watching.enter_context(self._journal.watching(self._offer))
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self._watching.close()


async def _serve(
    watcher: _Watcher, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Until the watcher hangs up, or all is sent after the end."""
    tasks = [
        asyncio.create_task(watcher.pump(writer), name="feed: lines to a watcher"),
        asyncio.create_task(_hung_up(reader), name="feed: a watcher that may hang up"),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hung_up(reader: asyncio.StreamReader) -> None:
    """A watcher has nothing to say; what it says is not kept."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(4096):
            pass
