"""kill -9 under load, with rules: everything accepted is at every receiver, in order per device.

Three rules see each message. One republishes it, posts it and writes it down; the receiver of the
posts answers 503 now and then. The others fail always: of one the error action tells a file, of the
other that fails too, so that its messages become dead letters.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bittern.simulator.air import Air

sys.path.insert(0, str(Path(__file__).parent))
from killed_server import (
    Server,
    Subscriber,
    accepted_messages,
    accepted_more,
    nothing_under_way,
    register,
    rows,
    simulated,
    uplinks_under_way,
)

KILLS = 4
DEVICES = 5
BETWEEN = 50
"""Messages accepted from one kill to the next."""
REFUSED_NOW_AND_THEN = 0.05

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

Seen = tuple[str, str, int]
"""MessageId, DevEUI and counter of the frame."""


class Receiver:
    """What was posted, in the order of arrival."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.put_off = 0
        self.port = 0
        self._chance = random.Random(5)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        routes = web.Application()
        routes.add_routes([web.post("/in", self._take), web.post("/never", self._reject)])
        runner = web.AppRunner(routes)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        if self._chance.random() < REFUSED_NOW_AND_THEN:
            self.put_off += 1
            return web.Response(status=503)
        self.seen.append(seen(await request.json()))
        return web.Response()

    async def _reject(self, request: web.Request) -> web.Response:
        return web.Response(status=422)


async def test_every_receiver_has_everything_in_order_however_often_the_server_is_killed(
    tmp_path: Path,
) -> None:
    server, receiver, air = Server(tmp_path), Receiver(), Air()
    devices = [simulated(number) for number in range(DEVICES)]
    async with receiver.open():
        await register(server, devices)
        await add_rules(server, f"http://127.0.0.1:{receiver.port}")
        await server.start()
        published = Subscriber(server, "bittern/uplink")
        republished = Subscriber(server, "again/#")
        with published.listening(), republished.listening():
            async with uplinks_under_way(tmp_path, devices, air):
                for _ in range(KILLS):
                    await accepted_more(server, BETWEEN)
                    assert await server.end(signal.SIGKILL) == -signal.SIGKILL
                    await server.start()
                await accepted_more(server, BETWEEN)
            await nothing_under_way(server)
            accepted = set(accepted_messages(server))

            def got() -> dict[str, list[Seen]]:
                return {
                    "published": ordered(published),
                    "republished": ordered(republished),
                    "posted": receiver.seen,
                    "file": [seen(line) for line in lines(server, "all.jsonl")],
                    "error action": [failed(line) for line in lines(server, "errors.jsonl")],
                }

            def missing() -> dict[str, int]:
                ids = {name: {one[0] for one in found} for name, found in got().items()}
                ids["dead letters"] = {letter[0] for letter in dead_letters(server)}
                return {name: len(accepted - found) for name, found in ids.items()}

            async with asyncio.timeout(60):
                while any(missing().values()) or owed(server):
                    await asyncio.sleep(0.5)
        assert await server.end(signal.SIGTERM) == 0

    assert len(accepted) >= (KILLS + 1) * BETWEEN
    for name, found in got().items():
        for device, counters in first_times(found).items():
            assert counters == sorted(counters), (name, device)
    assert {letter[1:] for letter in dead_letters(server)} == {("lost", "rejected")}
    assert len(dead_letters(server)) == len(accepted), "one dead letter each"
    assert receiver.put_off
    copies = {name: len(found) - len(accepted) for name, found in got().items()}
    print(f"{len(accepted)} messages over {KILLS} kills, second copies: {copies}")


async def add_rules(server: Server, receiver: str) -> None:
    sql = "SELECT * FROM 'bittern/uplink'"
    never = {"http": {"url": f"{receiver}/never"}}
    topic = "again/${WirelessMetadata.LoRaWAN.DevEui}"
    good = (
        {"republish": {"topic": topic, "qos": 1}},
        {"http": {"url": f"{receiver}/in"}},
        {"file": {"path": "all.jsonl"}},
    )
    for name, actions, error in (
        ("all", good, None),
        ("told", (never, never), {"file": {"path": "errors.jsonl"}}),
        ("lost", (never,), never),
    ):
        options = [one for action in actions for one in ("--action", json.dumps(action))]
        if error is not None:
            options += ["--error-action", json.dumps(error)]
        await server.command("rule", "add", name, "--sql", sql, *options)


def seen(told: dict) -> Seen:
    lorawan = told["WirelessMetadata"]["LoRaWAN"]
    return told["MessageId"], lorawan["DevEui"], lorawan["FCnt"]


def failed(told: dict) -> Seen:
    """The message that an error action was told of, for both actions at once."""
    assert told["ruleName"] == "told"
    assert len(told["failures"]) == 2
    return seen(json.loads(base64.b64decode(told["base64OriginalPayload"])))


def ordered(subscriber: Subscriber) -> list[Seen]:
    return [(message_id, *frame) for message_id, frame in subscriber.received.items()]


def lines(server: Server, name: str) -> list[dict]:
    """Up to the last line break."""
    path = server.folder / "data" / "output" / name
    text = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def first_times(found: Iterable[Seen]) -> dict[str, list[int]]:
    """Counters by device, each where it was seen first."""
    counters: dict[str, dict[int, None]] = defaultdict(dict)
    for _, device, counter in found:
        counters[device].setdefault(counter)
    return {device: list(seen) for device, seen in counters.items()}


def dead_letters(server: Server) -> list[tuple[str, str, str]]:
    found = rows(server, "SELECT message_id, rule, record FROM dead_letter")
    return [(message_id, rule, json.loads(record)["reason"]) for message_id, rule, record in found]


def owed(server: Server) -> int:
    [[outbox]] = rows(server, "SELECT count(*) FROM outbox")
    [[in_lanes]] = rows(server, "SELECT count(*) FROM lane_message")
    return outbox + in_lanes
