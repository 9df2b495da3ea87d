"""kill -9 under load, again and again: nothing is accepted twice, nothing accepted is lost.

What the store accepted is not asked of the server: a trigger in its database notes every message in
the very transaction that accepts the frame. What was delivered is what a durable MQTT subscriber
received. Devices at the other end complain of every downlink counter that goes back.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from itertools import pairwise
from pathlib import Path

import pytest

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

KILLS = 10
DEVICES = 8

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


async def test_nothing_is_lost_or_accepted_twice_when_the_server_is_killed(tmp_path: Path) -> None:
    server = Server(tmp_path)
    devices = [simulated(number) for number in range(DEVICES)]
    await register(server, devices)
    await server.start()
    subscriber = Subscriber(server, "bittern/uplink")
    air = Air()
    counters: list[dict[bytes, tuple[int, int]]] = []
    with subscriber.listening():
        async with uplinks_under_way(tmp_path, devices, air):
            for _ in range(KILLS):
                await accepted_more(server, 100)
                assert await server.end(signal.SIGKILL) == -signal.SIGKILL
                counters.append(stored_counters(server))
                await server.start()
            await accepted_more(server, 100)
        await nothing_under_way(server)
        await everything_delivered(server, subscriber)
    assert await server.end(signal.SIGTERM) == 0
    counters.append(stored_counters(server))

    accepted = accepted_messages(server)
    assert len(accepted) >= KILLS * 100
    assert set(accepted) <= set(subscriber.received), "accepted, but never delivered"
    frames = [subscriber.received[message_id] for message_id in accepted]
    assert len(frames) == len(set(frames)), "one frame was accepted twice"
    for before, after in pairwise(counters):
        for dev_eui, (up, down) in before.items():
            assert after[dev_eui][0] >= up
            assert after[dev_eui][1] >= down
    assert not [complaint for complaint in air.complaints if "counter" in str(complaint)]
    print(f"{len(accepted)} frames accepted over {KILLS} kills, {subscriber.copies} copies")


async def everything_delivered(server: Server, subscriber: Subscriber) -> None:
    async with asyncio.timeout(60):
        while not set(accepted_messages(server)) <= set(subscriber.received):
            await asyncio.sleep(0.2)


def stored_counters(server: Server) -> dict[bytes, tuple[int, int]]:
    found = rows(server, "SELECT dev_eui, fcnt_up, nfcnt_down FROM session")
    return {dev_eui: (up, down) for dev_eui, up, down in found}
