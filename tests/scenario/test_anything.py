"""Whatever happens in the field, some things always hold of what is on air.

Uplinks of three devices, one of each class, messages of every kind, frames that nobody hears,
stations that drop what they are given, gateways that come and go, a server that is restarted.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bittern.gateway.station_limits import pause_after
from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.frame import DataDown, parse
from bittern.lorawan.regions import plan
from bittern.network.events import DownlinkDiscarded, DownlinkSent
from bittern.network.message_queue import ATTEMPTS
from bittern.simulator.regions import device_region
from bittern.store.records import ParticipatingGateway, ParticipatingGateways

GATEWAYS = ("roof", "yard")
DEVICES = {"meter": "A", "pump": "B", "valve": "C"}
OBSOLETE = "obsolete session"
"""The way of a station to say that it has reconnected since the uplink."""

gateways, devices = st.sampled_from(GATEWAYS), st.sampled_from(sorted(DEVICES))
steps = st.one_of(
    st.tuples(st.just("up"), devices, st.booleans()),
    st.tuples(
        st.just("queue"),
        devices,
        st.integers(0, 60),
        st.booleans(),
        st.integers(0, 2),
        st.sampled_from((None, "SEQUENTIAL", "USING_UPLINK_GATEWAY")),  # of class C
    ),
    st.tuples(st.just("passes"), st.sampled_from((0.05, 0.3, 1.0, 3.0, 20.0, 200.0))),
    st.tuples(st.just("deaf"), devices, st.booleans()),
    st.tuples(st.just("drops"), gateways, st.integers(0, 2)),
    st.tuples(st.just("connected"), gateways, st.booleans()),
    st.tuples(st.just("restart")),
)


async def three_devices(field: Any) -> None:
    for name in GATEWAYS:
        # Not further than is assumed of a gateway that is not measured yet.
        await field.add_gateway(name, gps=True, latency_s=0.02 if name == "roof" else 0.05)
    for name, device_class in DEVICES.items():
        device = await field.add_device(name, device_class=device_class)
        if device_class == "B":
            device.desk.tell_ping_slots(1)
            await field.up(name)
            await field.passes(5)
            device.device_class = "B"
        await field.up(name)
        await field.passes(5)
    field.begin()
    field.last_up = {}


async def take(field: Any, step: tuple[Any, ...], sent: list[str]) -> None:
    match step:
        case ("up", name, confirmed):
            # Nobody sends again while its windows are open.
            await field.passes(max(field.last_up.get(name, 0.0) + 4 - field.time, 0.0))
            await field.up(name, confirmed=confirmed)
            field.last_up[name] = field.time
            await field.passes(0.25)
        case ("queue", name, size, confirmed, priority, mode):
            payload = f"{len(sent)}:".ljust(size, ".").encode()
            message = await field.queue(
                name,
                payload,
                confirmed=confirmed,
                priority=priority,
                participating=_participating(field, mode if name == "valve" else None),
            )
            sent.append(message.message_id)
        case ("passes", seconds):
            await field.passes(seconds)
        case ("deaf", name, deaf):
            (field.deaf.add if deaf else field.deaf.discard)(name)
        case ("drops", name, count):
            field.gateways[name].drops = count
        case ("connected", name, up):
            gateway = field.gateways[name]
            if up and gateway.lns is None:
                await field.passes(5)  # after whatever was on air
                gateway.connect()
            elif not up:
                gateway.disconnect()
        case ("restart",):
            await field.restart()


def _participating(field: Any, mode: str | None) -> ParticipatingGateways | None:
    if mode is None:
        return None
    at = device_region(field.region).rx2_frequency_hz
    listed = tuple(ParticipatingGateway(one.eui, at) for one in field.gateways.values())
    return ParticipatingGateways(mode=mode, gateways=listed, interval_s=5)


# What always holds


def no_counter_is_used_for_two_frames(field: Any) -> None:
    frames = defaultdict(set)
    for _, _, sent in field.transmissions:
        frame = parse(sent.phy_payload)
        assert isinstance(frame, DataDown)
        frames[sent.dev_eui, frame.fcnt16].add(sent.phy_payload)
    assert all(len(different) == 1 for different in frames.values())


def no_radio_sends_two_frames_at_once(field: Any) -> None:
    for name in GATEWAYS:
        for (_, end), (start, _) in pairwise(sorted(times_on_air(field, name))):
            assert end <= start, field.on_air()


def every_band_rests(field: Any) -> None:
    """As the station would have it, which drops what comes too early."""
    region = plan(field.region)
    resting: dict[tuple[str, int, int], float] = {}
    for name, connection, sent in field.transmissions:
        pause = pause_after(region.station_region, sent.frequency_hz)
        if pause is not None:
            share = name, connection, pause.share
            assert sent.at_us / 1e6 >= resting.get(share, 0.0), field.on_air()
            resting[share] = sent.at_us / 1e6 + airtime(field, sent) * pause.factor


def nothing_reaches_a_station_too_late(field: Any) -> None:
    for gateway in field.gateways.values():
        dropped = [one for one in gateway.station.dropped if not one.startswith("uplink")]
        assert [reason for reason in dropped if reason != OBSOLETE] == []


def no_device_complains(field: Any) -> None:
    assert field.air.complaints == []


def no_message_is_tried_too_often(field: Any) -> None:
    """One attempt is one frame, or a frame by each gateway of a sequence."""
    tries = defaultdict(int)
    for event in field.happened(DownlinkSent):
        if event.message_id is not None:
            tries[event.message_id] += 1
    assert all(count <= ATTEMPTS * len(GATEWAYS) for count in tries.values())


def times_on_air(field: Any, name: str) -> list[tuple[float, float]]:
    return [
        (sent.at_us / 1e6, sent.at_us / 1e6 + airtime(field, sent))
        for gateway, _, sent in field.transmissions
        if gateway == name
    ]


def airtime(field: Any, sent: Any) -> float:
    data_rate = plan(field.region).data_rates[sent.data_rate]
    return time_on_air_s(data_rate, len(sent.phy_payload), crc=False)


async def no_message_is_lost(field: Any, queued: list[str]) -> None:
    """It was sent, or given up and that was told, or it still waits."""
    sent = {event.message_id for event in field.happened(DownlinkSent)}
    discarded = {event.message_id for event in field.happened(DownlinkDiscarded)}
    waiting = {
        message.message_id
        for name in field.devices
        for message in await field.store.queued(field.dev_eui(name))
    }
    assert set(queued) <= sent | discarded | waiting


async def every_message_arrives_in_the_end(field: Any) -> None:
    """Once everybody listens and uplinks come, nothing stays behind."""
    field.deaf.clear()
    await field.passes(4)
    for gateway in field.gateways.values():
        gateway.drops = 0
        if gateway.lns is None:
            gateway.connect()
    for _ in range(120):
        await field.passes(60)
        queues = [await field.store.queued(field.dev_eui(name)) for name in field.devices]
        if not any(queues):
            return
        for name in field.devices:
            await field.up(name)
    raise AssertionError(f"still queued: {queues}")


OVERTAKING = [
    ("queue", "valve", 0, False, 0, None),
    ("drops", "roof", 2),
    ("up", "meter", False),
    ("restart",),
    ("up", "meter", False),
    ("up", "valve", True),
]
"""It becomes known that a message was lost while an answer to its device is under way."""


@pytest.mark.parametrize(
    ("region", "examples"), [("EU868", 30), ("US915", 30), ("AU915", 10), ("AS923-1", 10)]
)
def test_whatever_happens(region: str, examples: int, a_field: Any) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(script=st.lists(steps, max_size=25))
    @example(script=OVERTAKING)
    def whatever(script: list[tuple[Any, ...]]) -> None:
        asyncio.run(played(script))

    async def played(script: list[tuple[Any, ...]]) -> None:
        field = await a_field(region)
        await three_devices(field)
        queued: list[str] = []
        for step in script:
            await take(field, step, queued)
        await no_message_is_lost(field, queued)
        await every_message_arrives_in_the_end(field)
        no_counter_is_used_for_two_frames(field)
        no_radio_sends_two_frames_at_once(field)
        every_band_rests(field)
        nothing_reaches_a_station_too_late(field)
        no_device_complains(field)
        no_message_is_tried_too_often(field)

    whatever()
