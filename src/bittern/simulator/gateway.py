"""A simulated gateway: a ``Station`` on real websockets, with a place in the ``Air``.

It finds and keeps its server as the genuine one does: discovery, then the data connection; when
that breaks, the same URI again after 1, 2, 4, 8 and 16 seconds, then discovery anew.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from bittern.simulator.air import Air
from bittern.simulator.credentials import BadCredentials, Credentials, check_server_name
from bittern.simulator.radio import Emission
from bittern.simulator.station import RadioTransmission, Station, StationRejected
from bittern.types import GatewayEUI

RECONNECT_S = (1, 2, 4, 8, 16)
"""Waits before the same data URI is tried again."""
REDISCOVER_S = (0, 10, 20, 30, 40, 50, 60)
"""Waits before discovery; the last one repeats."""
MAX_MESSAGE_SIZE = 40 * 1024
TIMESYNC_S = 5.0

log = logging.getLogger(__name__)


class _Connection(WSListener):
    """Passes whole text messages on; breaks as the genuine one does on what it cannot take."""

    def __init__(
        self, on_text: Callable[[str], None], on_binary: Callable[[bytes], None] | None = None
    ) -> None:
        self._on_text = on_text
        self._on_binary = on_binary
        self.closed_by_server: str | None = None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            self.closed_by_server = f"{frame.get_close_code()} {frame.get_close_reason()}"
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif not frame.fin or frame.payload_size > MAX_MESSAGE_SIZE:
            transport.disconnect(graceful=False)
        elif frame.msg_type is WSMsgType.TEXT:
            self._on_text(frame.get_payload_as_utf8_text())
        elif frame.msg_type is WSMsgType.BINARY and self._on_binary is not None:
            self._on_binary(frame.get_payload_as_bytes())


class SimulatedGateway:
    """Runs between ``async with``; ``configured`` is set while it has a ``router_config``.

    ``home`` holds ``tc.uri tc.trust tc.crt tc.key``. ``pause`` waits between attempts.
    """

    def __init__(
        self,
        *,
        gateway_eui: GatewayEUI,
        home: Path,
        air: Air,
        chance: random.Random,
        pps: bool = False,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.station = Station(gateway_eui, chance, pps)
        self.configured = asyncio.Event()
        self.rejection: str | None = None
        """Why the server did not take the gateway, when it last said so."""
        self._home = home
        self._air = air
        self._pause = pause
        self._transport: WSTransport | None = None
        self._task: asyncio.Task[None] | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def gateway_eui(self) -> GatewayEUI:
        return self.station.gateway_eui

    async def __aenter__(self) -> Self:
        name = f"simulated gateway {self.gateway_eui}"
        self._task = asyncio.create_task(self._live(), name=name)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # Connections

    async def _live(self) -> None:
        attempt = 0
        while True:
            await self._pause(REDISCOVER_S[min(attempt, len(REDISCOVER_S) - 1)])
            attempt += 1
            try:
                uri = await self._discover()
                if await self._stay_connected(uri):
                    attempt = 0
            except StationRejected as rejected:
                self.rejection = rejected.reason
                log.warning("gateway %s was rejected: %s", self.gateway_eui, rejected)
            except (BadCredentials, OSError, WSError, TimeoutError) as error:
                log.warning("gateway %s cannot discover: %s", self.gateway_eui, error)

    async def _discover(self) -> str:
        """Ask ``/router-info`` for the data URI.

        A genuine station waits for the answer without end; so does this one.
        """
        credentials = Credentials.read(self._home)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def take(text: str) -> None:
            if not answer.done():
                answer.set_result(text)

        transport = await self._connect(credentials, f"{credentials.uri}/router-info", take)
        gone = asyncio.create_task(transport.wait_disconnected())
        try:
            transport.send(WSMsgType.TEXT, self.station.discovery_request().encode())
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ConnectionError("closed without an answer to discovery")
            return self.station.read_discovery(answer.result())
        finally:
            gone.cancel()
            _close(transport)

    async def _stay_connected(self, uri: str) -> bool:
        """True if the server took the gateway at least once."""
        served = False
        waits = iter(RECONNECT_S)
        while True:
            try:
                if await self._serve(uri):
                    served, waits = True, iter(RECONNECT_S)
            except (BadCredentials, OSError, WSError, TimeoutError) as error:
                log.info("gateway %s lost its server: %s", self.gateway_eui, error)
            wait_s = next(waits, None)
            if wait_s is None:
                return served
            await self._pause(wait_s)

    async def _serve(self, uri: str) -> bool:
        """One data connection, until it ends; True if it brought a ``router_config``."""
        credentials = Credentials.read(self._home)
        transport = await self._connect(credentials, uri, self._take)
        self._transport = transport
        asking = asyncio.create_task(self._ask_for_time())
        try:
            transport.send(WSMsgType.TEXT, self.station.version().encode())
            await transport.wait_disconnected()
            return self.configured.is_set()
        finally:
            asking.cancel()
            self.configured.clear()
            self._transport = None
            _close(transport)

    async def _connect(
        self, credentials: Credentials, uri: str, on_text: Callable[[str], None]
    ) -> WSTransport:
        parts = urlsplit(uri)
        tls = credentials.tls() if parts.scheme == "wss" else None
        transport, _ = await ws_connect(
            lambda: _Connection(on_text, self._take_binary),
            uri,
            ssl_context=tls,
            extra_headers=credentials.headers(),
            max_redirects=0,
        )
        if tls is not None:
            certificate = transport.underlying_transport.get_extra_info("peercert")
            try:
                check_server_name(certificate, parts.hostname or "")
            except BadCredentials:
                _close(transport)
                raise
        return transport

    async def _ask_for_time(self) -> None:
        while True:
            await self.configured.wait()
            question = self.station.timesync(self._air.clock_us())
            if question is None:
                return
            self._say(question)
            await self._pause(TIMESYNC_S)

    # Messages

    def _take(self, text: str) -> None:
        try:
            planned = self.station.receive(text, self._air.clock_us())
        except StationRejected as rejected:
            self.rejection = rejected.reason
            if self._transport is not None:
                _close(self._transport)
            return
        if self.station.plan is not None:
            self.rejection = None
            self.configured.set()
        if planned is not None:
            self._at(planned)
        answers, self.station.to_say = self.station.to_say, []
        for answer in answers:
            self._say(answer)

    def _take_binary(self, frame: bytes) -> None:
        for answer in self.station.remote.type_in(frame):
            self._say(answer)

    def _at(self, planned: RadioTransmission) -> None:
        """Send it when its moment comes."""
        loop = asyncio.get_running_loop()
        wait_s = max(0.0, (planned.at_us - self._air.clock_us()) / 1e6)

        def send() -> None:
            self._timers.discard(timer)
            self._air.transmit(planned)
            report = self.station.transmitted(planned)
            if report is not None:
                self._say(report)

        timer = loop.call_later(wait_s, send)
        self._timers.add(timer)

    def hear(self, emission: Emission, ended_us: int, rssi_dbm: int, snr_db: float) -> None:
        """The ``Antenna`` of this gateway."""
        text = self.station.hear(emission, ended_us, time.time(), rssi_dbm, snr_db)
        if text is not None:
            self._say(text)

    def _say(self, said: str | bytes) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            kind = WSMsgType.TEXT if isinstance(said, str) else WSMsgType.BINARY
            self._transport.send(kind, said)


def _close(transport: WSTransport) -> None:
    if not transport.is_disconnected:
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
