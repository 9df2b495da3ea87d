"""The protocol that picows keeps to itself is there and takes what it is given."""

from __future__ import annotations

import asyncio
import logging

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_connect

from bittern.servers.websocket import websocket_protocol


class Shouting(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes().upper())


class Asking(WSListener):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, b"boom")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if not self.answer.done():
            self.answer.set_result(frame.get_payload_as_bytes())


def route(request: WSUpgradeRequest) -> WSListener | None:
    return Shouting() if request.path == b"/here" else None


async def serving() -> tuple[asyncio.Server, int]:
    make = websocket_protocol(
        route, logging.getLogger("test"), handshake_timeout_s=5, max_frame_bytes=1024
    )
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def test_a_listener_is_found_by_its_path() -> None:
    server, port = await serving()
    async with server, asyncio.timeout(10):
        transport, client = await ws_connect(Asking, f"ws://127.0.0.1:{port}/here")
        assert isinstance(client, Asking)
        assert await client.answer == b"BOOM"
        transport.disconnect()
        await transport.wait_disconnected()


async def test_a_path_that_nobody_serves_is_not_found() -> None:
    server, port = await serving()
    async with server, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")
        writer.close()
