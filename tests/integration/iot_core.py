"""AWS IoT Core's door in front of an MQTT broker: what it asks of a client, and what it drops.

TLS 1.2 with a client's certificate, the name in SNI, ALPN; at most 100 publications in a second
(what is more it drops without a word), 128 KiB, 7 slashes and 256 bytes of a topic, no quality of
service 2: over these it closes the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from pathlib import Path

from bittern.errors import MqttProtocolError
from bittern.outputs.mqtt.packets import PacketStream

ALPN = "x-amzn-mqtt-ca"
PER_S = 100
PUBLISH = 3


class IotCore:
    """An async context manager. Takes only clients that know port 443's protocol by its name."""

    def __init__(self, port: int, behind: int, folder: Path) -> None:
        self.port = port
        self.names: list[str | None] = []
        """What clients asked for by SNI."""
        self.taken = 0
        self.dropped = 0
        self.closed = 0
        self._behind = behind
        self._times: deque[float] = deque()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.maximum_version = ssl.TLSVersion.TLSv1_2
        self._tls.load_cert_chain(folder / "own.pem", folder / "own.key")
        self._tls.load_verify_locations(folder / "clients.pem")
        self._tls.verify_mode = ssl.CERT_REQUIRED
        self._tls.set_alpn_protocols([ALPN])
        self._tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> IotCore:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self._tls
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)
        tls = writer.get_extra_info("ssl_object")
        try:
            if tls.selected_alpn_protocol() != ALPN:
                return
            behind_reader, behind = await asyncio.open_connection("127.0.0.1", self._behind)
            back = asyncio.create_task(_pump(behind_reader, writer))
            try:
                await self._there(reader, behind)
            finally:
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
                behind.transport.abort()
        except (OSError, MqttProtocolError):
            self.closed += 1
        finally:
            writer.transport.abort()

    async def _there(self, reader: asyncio.StreamReader, behind: asyncio.StreamWriter) -> None:
        stream = PacketStream(1 << 20)
        while data := await reader.read(65_536):
            for first, body in stream.feed(data):
                if first >> 4 != PUBLISH or self._takes(first, body):
                    behind.write(bytes((first,)) + _length(len(body)) + body)
            await behind.drain()

    def _takes(self, first: int, body: bytes) -> bool:
        """False: it is dropped. Raises `MqttProtocolError` over which the connection ends."""
        end = 2 + int.from_bytes(body[:2], "big")
        topic, qos = body[2:end], first >> 1 & 3
        payload = len(body) - end - (2 if qos else 0)
        if qos > 1 or payload > 128 * 1024 or topic.count(b"/") > 7 or len(topic) > 256:
            raise MqttProtocolError("beyond the limits")
        now = asyncio.get_running_loop().time()
        while self._times and self._times[0] <= now - 1:
            self._times.popleft()
        if len(self._times) >= PER_S:
            self.dropped += 1
            return False
        self._times.append(now)
        self.taken += 1
        return True


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()


def _length(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
