"""Over real connections: the door is about what the operating system has to keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bittern.servers.door import Door

ASK = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


class House:
    """A server that says who has asked, behind a door."""

    def __init__(self, connections: int, silence_s: float) -> None:
        self._server = web.Server(self._answer)
        self.door = Door(self._server, connections=connections, silence_s=silence_s)
        self.port = 0
        self._visits: list[Visit] = []

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.door.asked(request)
        return web.Response(text="welcome")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[House]:
        server = await asyncio.get_running_loop().create_server(self.door, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            for visit in self._visits:
                visit.leave()
            server.close()
            await self._server.shutdown(1.0)

    async def visit(self, source: str) -> Visit:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0)
        )
        self._visits.append(Visit(reader, writer))
        return self._visits[-1]


class Visit:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, what: bytes = ASK) -> bytes:
        """What is answered; nothing: the door is shut."""
        try:
            self._writer.write(what)
            await self._writer.drain()
            return await asyncio.wait_for(self._reader.read(4096), 5.0)
        except ConnectionError:
            return b""

    def leave(self) -> None:
        self._writer.close()


async def test_whoever_asks_is_answered_as_often_as_it_asks() -> None:
    async with House(10, 0.05).listening() as house:
        visit = await house.visit("127.0.0.1")
        assert b"welcome" in await visit.ask()
        await asyncio.sleep(0.1)
        assert b"welcome" in await visit.ask()


async def test_whoever_asks_nothing_is_sent_away() -> None:
    async with House(10, 0.05).listening() as house:
        silent, slow = await house.visit("127.0.0.1"), await house.visit("127.0.0.1")
        assert await silent.ask(b"") == b""
        assert await slow.ask(ASK[:-2]) == b""


async def test_one_network_has_half_of_the_room() -> None:
    async with House(4, 5.0).listening() as house:
        inside = [await house.visit("127.0.0.1") for _ in range(2)]
        for visit in inside:
            assert b"welcome" in await visit.ask()
        third = await house.visit("127.0.0.1")
        assert await third.ask() == b""
        others = [await house.visit(f"127.0.0.{number}") for number in (2, 3)]
        for visit in others:
            assert b"welcome" in await visit.ask()
        full = await house.visit("127.0.0.4")
        assert await full.ask() == b""
        assert house.door.turned_away == 2
        inside[0].leave()
        await asyncio.sleep(0.05)
        again = await house.visit("127.0.0.4")
        assert b"welcome" in await again.ask()
