"""Thousands of gateways that come back whenever they are disconnected, as genuine stations do.

A station whose data connection breaks opens it again after 1, 2, 4, 8 and 16 s, then asks discovery
again; after a failure there it waits 10, 20 .. 60 s. All of ours break at the same moment and wait
without jitter: that is the storm which a server has to withstand.
"""

from __future__ import annotations

import asyncio
import functools
import random
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.fleet import Fleet
from bittern.errors import BitternError
from bittern.simulator.credentials import Credentials, check_server_name
from bittern.simulator.station import Station
from bittern.types import EUI64, GatewayEUI

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long a station waits for a connection and for each answer (its TC_TIMEOUT)."""
AGAIN_S = (1.0, 2.0, 4.0, 8.0, 16.0)
DISCOVER_AGAIN_S = 10.0
"""More after each failure, up to six times as much."""
READ_BUFFER_BYTES = 4096
LOOK_S = 0.05


def source_address(index: int, addresses: int) -> str:
    """One of 127.0.0.1 .. 127.0.0.N: each has ports of its own, and one has too few."""
    return f"127.0.0.{1 + index % addresses}"


@dataclass(slots=True)
class Tally:
    """What came of attempts since the last storm began."""

    connected_at: list[float] = field(default_factory=list)
    """Monotonic clock, for each data connection that has its configuration."""
    took_s: list[float] = field(default_factory=list)
    """For each of them, from the first packet to the configuration."""
    handshakes: int = 0
    resumed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Attempts that came to nothing, by what went wrong."""

    def clear(self) -> None:
        self.connected_at.clear()
        self.took_s.clear()
        self.failures.clear()
        self.handshakes = self.resumed = 0


class _Listener(WSListener):
    """One websocket: its first text, and its end."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[str] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            if not self.answer.done():
                self.answer.set_result(frame.get_payload_as_utf8_text())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.answer.done():
            self.answer.set_exception(ConnectionError("closed before the answer"))
            self.answer.exception()  # whoever waits is told; where nobody does, nothing is amiss
        if not self.gone.done():
            self.gone.set_result(None)


class HerdGateway:
    """One gateway; ``keep`` is its task."""

    def __init__(
        self,
        station: Station,
        credentials: Credentials,
        source: str,
        tally: Tally,
        *,
        resumes: bool,
    ) -> None:
        self._station = station
        self._uri = credentials.uri
        self._source = source
        self._resumes = resumes
        self._tally = tally
        self._tls = credentials.tls()
        self._wrap = self._tls.wrap_bio
        self._knows_server = False
        self._data: WSTransport | None = None

    @property
    def is_connected(self) -> bool:
        return self._data is not None and not self._data.is_disconnected

    def send(self, message: bytes) -> None:
        assert self._data is not None
        self._data.send(WSMsgType.TEXT, message)

    def cut(self) -> None:
        """As if the network between had failed."""
        if self._data is not None:
            self._data.disconnect(False)

    async def keep(self) -> None:
        """Discover, connect, stay, and again, until cancelled."""
        failures = 0
        while True:
            uri = await self._tried(self._discover)
            if uri is not None:
                failures = 0
                await self._stay(uri)
            else:
                failures += 1
                await asyncio.sleep(DISCOVER_AGAIN_S * min(failures, 6))

    async def _stay(self, uri: str) -> None:
        """As long as there is a server at this address."""
        pauses = iter((0.0, *AGAIN_S))
        while (pause_s := next(pauses, None)) is not None:
            await asyncio.sleep(pause_s)
            data = await self._tried(functools.partial(self._attach, uri))
            if data is not None:
                await data.gone
                self._data = None
                pauses = iter(AGAIN_S)

    async def _tried(self, attempt: Callable[[], Awaitable[T]]) -> T | None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await attempt()
        except (OSError, WSError, BitternError) as error:  # TimeoutError is an OSError
            self._tally.failures[explained(error)] += 1
            return None

    async def _discover(self) -> str:
        transport, listener = await self._open(f"{self._uri}/router-info")
        try:
            transport.send(WSMsgType.TEXT, self._station.discovery_request().encode())
            return self._station.read_discovery(await listener.answer)
        finally:
            transport.disconnect()

    async def _attach(self, uri: str) -> _Listener:
        began = time.monotonic()
        transport, listener = await self._open(uri)
        try:
            transport.send(WSMsgType.TEXT, self._station.version().encode())
            if '"router_config"' not in await listener.answer:
                raise ConnectionError("answer to the version is not router_config")
        except BaseException:
            transport.disconnect(False)
            raise
        self._data = transport
        now = time.monotonic()
        self._tally.took_s.append(now - began)
        self._tally.connected_at.append(now)
        return listener

    async def _open(self, uri: str) -> tuple[WSTransport, _Listener]:
        transport, listener = await ws_connect(
            _Listener,
            uri,
            ssl_context=self._tls,
            websocket_handshake_timeout=PATIENCE_S,
            max_redirects=0,
            read_buffer_init_size=READ_BUFFER_BYTES,
            # Its buffers of 512 KiB for each connection are not for thousands in one process.
            use_aiofastnet=False,
            ssl_handshake_timeout=PATIENCE_S,
            local_addr=(self._source, 0),
        )
        self._after_handshake(transport.underlying_transport, uri)
        assert isinstance(listener, _Listener)
        return transport, listener

    def _after_handshake(self, transport: asyncio.BaseTransport, uri: str) -> None:
        session: ssl.SSLObject = transport.get_extra_info("ssl_object")
        self._tally.handshakes += 1
        self._tally.resumed += bool(session.session_reused)
        if not self._knows_server:
            check_server_name(transport.get_extra_info("peercert"), urlsplit(uri).hostname or "")
            self._knows_server = True
        if self._resumes:
            # Neither uvloop nor asyncio hands a session on to `wrap_bio`.
            self._tls.wrap_bio = functools.partial(  # type: ignore[method-assign]
                self._wrap, session=session.session
            )


def explained(error: Exception) -> str:
    """Short, and the same for the same cause."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'reason', None) or type(error).__name__}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).partition("(")[0].strip() or type(error).__name__


class Herd:
    """All gateways of a fleet, from ``start`` to ``end``."""

    def __init__(self, files: Path, fleet: Fleet, *, addresses: int, resume: float) -> None:
        """``resume``: the part of them that resumes TLS sessions."""
        self.tally = Tally()
        self.gateways = [
            HerdGateway(
                Station(GatewayEUI(EUI64(eui)), random.Random(int(eui))),
                Credentials.read(files / str(eui)),
                source_address(index, addresses),
                self.tally,
                resumes=resumes(index, resume),
            )
            for index, eui in enumerate(map(fleet.gateway_eui, range(fleet.gateways)))
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """All at once."""
        self._tasks = [asyncio.create_task(gateway.keep()) for gateway in self.gateways]

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for gateway in self.gateways:
            gateway.cut()

    @property
    def connected(self) -> int:
        return sum(gateway.is_connected for gateway in self.gateways)

    async def all_connected(self, within_s: float) -> bool:
        """Wait for it. Raises whatever a gateway's task has failed with."""
        until = time.monotonic() + within_s
        while self.connected < len(self.gateways):
            if time.monotonic() > until:
                return False
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(LOOK_S)
        return True


def resumes(index: int, part: float) -> bool:
    """Spread evenly: of any number of gateways in a row, about this part."""
    return int((index + 1) * part) > int(index * part)
