"""A way to a receiver that is closed, slow, busy, or loses the receiver's answers.

For receivers that forget everything when they are stopped: what is in front of them is.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_LONGER = 60
"""Times 0.05 s."""


class Way(Enum):
    OPEN = auto()
    SLOW = auto()
    """Each piece takes `delay_s` longer."""
    BUSY = auto()
    """`busy` is the answer to whatever comes."""
    LOSES_ANSWERS = auto()
    """What is sent arrives, and the connection ends before the answer."""


class Proxy:
    """A TCP port in front of another. The port stays the same while it is closed."""

    def __init__(self, port: int, behind: int, *, busy: bytes = BUSY, delay_s: float = 0.1) -> None:
        self.port = port
        self.way = Way.OPEN
        self.spoiled = dict.fromkeys(("closed", *(way.name.lower() for way in Way)), 0)
        """What met with trouble, by its kind: connections cut, or pieces."""
        self._behind = behind
        self._busy = busy
        self._delay_s = delay_s
        self._accepting: asyncio.Task[None] | None = None
        self._connections: dict[asyncio.Task[None], socket.socket] = {}

    async def __aenter__(self) -> Proxy:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(listener))

    async def close(self) -> None:
        """Whoever is connected is cut off."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
            self._accepting = None
        connections = dict(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for connection in connections.values():
            connection.close()

    async def restart(self, pause_s: float = 0.4) -> None:
        """Gone for a while."""
        self.spoiled["closed"] += len(self._connections)
        await self.close()
        await asyncio.sleep(pause_s)
        await self.open()

    async def slow(self) -> None:
        await self._for_a_while(Way.SLOW)

    async def be_busy(self) -> None:
        await self._for_a_while(Way.BUSY)

    async def lose_answers(self) -> None:
        await self._for_a_while(Way.LOSES_ANSWERS)

    async def _for_a_while(self, way: Way, seconds: float = 0.5) -> None:
        """Or longer, until it was met: there may be a pause in what comes."""
        self.way, met = way, self.spoiled[way.name.lower()]
        await asyncio.sleep(seconds)
        for _ in range(_LONGER):
            if self.spoiled[way.name.lower()] == met:
                await asyncio.sleep(0.05)
        self.way = Way.OPEN

    def _spoil(self) -> None:
        self.spoiled[self.way.name.lower()] += 1

    async def _accept(self, listener: socket.socket) -> None:
        """Not by `asyncio.Server`: one that is closed while it accepts loses the connection."""
        with listener:
            while True:
                connection, _ = await asyncio.get_running_loop().sock_accept(listener)
                task = asyncio.create_task(self._serve(connection))
                self._connections[task] = connection
                task.add_done_callback(self._connections.pop)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            async with _connected(self._behind) as (behind_reader, behind):
                ways = {
                    asyncio.ensure_future(self._there(reader, behind, writer)),
                    asyncio.ensure_future(self._back(behind_reader, writer)),
                }
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # Cut off, by either end or by `close`.
        finally:
            writer.transport.abort()

    async def _there(
        self,
        reader: asyncio.StreamReader,
        behind: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
    ) -> None:
        while piece := await reader.read(65_536):
            if self.way is Way.BUSY:
                self._spoil()
                writer.write(self._busy)
                await writer.drain()
                return
            if self.way is Way.SLOW:
                self._spoil()
                await asyncio.sleep(self._delay_s)
            behind.write(piece)
            await behind.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65_536):
            if self.way is Way.LOSES_ANSWERS:
                self._spoil()
                return
            writer.write(piece)
            await writer.drain()


@asynccontextmanager
async def _connected(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
