"""A subscriber that counts: MQTT 3.1.1 (OASIS, 2014), no more of it than that takes.

Runs as a process of its own. It prints ``ready`` when the broker has confirmed the subscription,
and ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.frames import identify
from bench.ledger import Ledger

KEEP_ALIVE_S = 60
_CONNACK, _PUBLISH, _SUBACK = 2, 3, 9
_PINGREQ = b"\xc0\x00"


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw


def _packet(head: int, body: bytes) -> bytes:
    """All ours are shorter than 128 bytes but for long topics, which take two length bytes."""
    size = len(body)
    length = bytes((size,)) if size < 128 else bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((head,)) + length + body


def connect(
    client_id: str, username: str = "", password: str = "", *, durable: bool = False
) -> bytes:
    """3.1: protocol level 4. ``durable``: the broker keeps the session (clean session unset)."""
    flags = (0x80 if username else 0) | (0x40 if password else 0) | (0 if durable else 0x02)
    head = _text("MQTT") + bytes((4, flags)) + KEEP_ALIVE_S.to_bytes(2, "big")
    login = b"".join(_text(part) for part in (username, password) if part)
    return _packet(0x10, head + _text(client_id) + login)


def subscribe(topic: str, qos: int) -> bytes:
    """3.8."""
    return _packet(0x82, b"\x00\x01" + _text(topic) + bytes((qos,)))


class Reader:
    """Sans-IO: bytes in, messages to ``on_message``, bytes to answer out."""

    def __init__(self, topic: str, qos: int, on_message: Callable[[bytes], None]) -> None:
        self.subscribed = False
        self._topic = topic
        self._qos = qos
        self._on_message = on_message
        self._buffer = b""

    def receive(self, data: bytes) -> bytes:
        """Raises ``ConnectionError`` if the broker refuses."""
        buffer = self._buffer + data if self._buffer else data
        at, size, answers = 0, len(buffer), []
        while size - at >= 2:
            length, body = buffer[at + 1], at + 2
            if length >= 0x80:
                length, body = _long_length(buffer, at)
            end = body + length
            if body == 0 or end > size:
                break
            answers.append(self._take(buffer[at], buffer, body, end))
            at = end
        self._buffer = buffer[at:]
        return b"".join(answers)

    def _take(self, head: int, buffer: bytes, body: int, end: int) -> bytes:
        kind = head >> 4
        if kind == _PUBLISH:
            payload = body + 2 + int.from_bytes(buffer[body : body + 2], "big")
            if not head & 0b110:
                self._on_message(buffer[payload:end])
                return b""
            self._on_message(buffer[payload + 2 : end])
            return b"\x40\x02" + buffer[payload : payload + 2]
        if kind == _CONNACK:
            if buffer[body + 1]:
                raise ConnectionError(f"broker refuses the connection: {buffer[body + 1]}")
            return subscribe(self._topic, self._qos)
        if kind == _SUBACK:
            if buffer[body + 2] == 0x80:
                raise ConnectionError(f"broker refuses the subscription to {self._topic}")
            self.subscribed = True
        return b""


def _long_length(buffer: bytes, at: int) -> tuple[int, int]:
    """Length, and where the body begins; 0 if the length is not complete yet (2.2.3)."""
    length = 0
    for i in range(4):
        if at + 1 + i >= len(buffer):
            return 0, 0
        byte = buffer[at + 1 + i]
        length |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return length, at + 2 + i
    raise ConnectionError("broker sends a length of five bytes")


class _Subscription(asyncio.Protocol):
    def __init__(self, ledger: Ledger, login: bytes, topic: str, qos: int) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader = Reader(topic, qos, self._count)
        self._ledger = ledger
        self._login = login
        self._now = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._login)

    def data_received(self, data: bytes) -> None:
        self._now = time.monotonic()
        try:
            answer = self._reader.receive(data)
        except ConnectionError as error:
            self._end(error)
            self._transport.abort()
            return
        if answer:
            self._transport.write(answer)
        if self._reader.subscribed and not self.ready.done():
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("broker closed the connection"))

    def _end(self, error: Exception) -> None:
        if not self.lost.done():
            self.lost.set_exception(error)

    def ping(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_PINGREQ)

    def _count(self, message: bytes) -> None:
        self._ledger.arrived(identify(message), self._now)


async def run(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    host, _, port = options.mqtt.rpartition(":")
    password = options.password_file.read_text().strip() if options.password_file else ""
    login = connect("bench-subscriber", options.username, password, durable=not options.clean)
    ledger = Ledger(options.ledger)
    ended = loop.run_in_executor(None, sys.stdin.read)
    while not ended.done():
        _, subscription = await loop.create_connection(
            lambda: _Subscription(ledger, login, options.topic, options.qos), host, int(port)
        )
        await asyncio.wait(
            {subscription.ready, subscription.lost}, return_when=asyncio.FIRST_COMPLETED
        )
        if not subscription.ready.done():
            subscription.lost.result()
        print("ready", flush=True)
        await _stay(subscription, ended)


async def _stay(subscription: _Subscription, ended: asyncio.Future[str]) -> None:
    """Until the connection or the run ends. A broker that ends it keeps a durable session."""
    waiting: set[asyncio.Future[Any]] = {ended, subscription.lost}
    while not any(one.done() for one in waiting):
        await asyncio.wait(waiting, timeout=KEEP_ALIVE_S / 2, return_when=asyncio.FIRST_COMPLETED)
        subscription.ping()
    if subscription.lost.done():
        print(f"subscriber: {subscription.lost.exception()}", file=sys.stderr, flush=True)
        await asyncio.sleep(0.1)


def add_options(it: argparse.ArgumentParser) -> None:
    """Where and how to subscribe: also options of the generator, which starts this."""
    it.add_argument("--mqtt", default="127.0.0.1:1883", help="HOST:PORT of the broker")
    it.add_argument("--username", default="")
    it.add_argument("--password-file", type=Path)
    it.add_argument("--topic", default="bench/uplinks")
    it.add_argument("--qos", type=int, choices=(0, 1), default=1)
    it.add_argument("--clean", action="store_true", help="a session that the broker forgets")


def as_arguments(options: argparse.Namespace) -> list[str]:
    """``add_options`` undone."""
    given = [f"--mqtt={options.mqtt}", f"--topic={options.topic}", f"--qos={options.qos}"]
    given += [f"--username={options.username}"] if options.username else []
    given += [f"--password-file={options.password_file}"] if options.password_file else []
    return given + (["--clean"] if options.clean else [])


def main(arguments: Sequence[str] | None = None) -> None:
    it = argparse.ArgumentParser(prog="python -m bench.subscriber", description=__doc__)
    it.add_argument("--ledger", type=Path, required=True)
    add_options(it)
    uvloop.run(run(it.parse_args(arguments)))


if __name__ == "__main__":
    main()
