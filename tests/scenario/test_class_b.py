"""Class B on air: a device finds the beacon, tells its ping slots, and is reached in them.

The stations have a pulse per second and ask the server for the time; who has none is no gateway for
class B.
"""

from __future__ import annotations

from itertools import pairwise

from bittern.lorawan.gps_time import gps_time_us
from bittern.network.airtime_ledger import Obstacle
from bittern.network.events import DownlinkSent, DownlinkWaits
from bittern.simulator.ping_slots import slot_beginning


async def a_pump(field, periodicity=1):
    """A device in class B: it has asked the time, told its ping slots, and locked to the beacon."""
    device = await field.add_device("pump", device_class="B")
    device.desk.ask_device_time()
    device.desk.tell_ping_slots(periodicity)
    await field.up("pump")
    await field.passes(10)
    assert device.desk.ping_slot_periodicity == periodicity
    device.device_class = "B"
    await field.up("pump")
    await field.passes(10)
    field.begin()
    return device


async def test_a_message_is_sent_in_the_next_ping_slot(field_eu868):
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await a_pump(field)
    await field.queue("pump", b"on")
    await field.passes(5)
    [line] = field.on_air().strip().splitlines()
    seconds, who, window, what = line.split(maxsplit=3)
    assert (who, window, what) == ("roof", "PING", "pump FCnt 1 on")
    assert float(seconds) < 2 + 0.6, "a slot every two seconds"
    [sent] = [event for event in field.happened(DownlinkSent) if event.window == "PING"]
    assert sent.device_class == "B"
    assert device.device_class == "B"
    assert field.air.complaints == []
    assert field.gateways["roof"].station.dropped == []


async def test_the_device_learns_the_time_that_its_slots_are_counted_by(field_eu868):
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await field.add_device("pump", device_class="B")
    device.desk.ask_device_time()
    await field.up("pump")
    ended_at = field.time
    await field.passes(10)
    told_us = device.desk.device_time_gps_s * 1_000_000
    assert abs(told_us - gps_time_us(ended_at)) < 30_000, "half a slot would be too much"


async def test_messages_follow_each_other_from_slot_to_slot(field_eu868):
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    await a_pump(field, periodicity=4)
    for payload in (b"one", b"two", b"three"):
        await field.queue("pump", payload)
    await field.passes(128)
    lines = [line.split(maxsplit=3) for line in field.on_air().strip().splitlines()]
    assert [what for *_, what in lines] == [
        "pump FCnt 1 one",
        "pump FCnt 2 two",
        "pump FCnt 3 three",
    ]
    times = [float(seconds) for seconds, *_ in lines]
    assert all(15 < later - earlier < 33 for earlier, later in pairwise(times))
    assert field.air.complaints == []


async def test_of_two_gateways_the_one_with_gps_time_sends(field_eu868):
    field = field_eu868
    await field.add_gateway("roof")
    await field.add_gateway("tower", gps=True)
    field.heard_by["pump"] = {"roof": 9.0, "tower": 2.0}
    await a_pump(field)
    await field.queue("pump", b"on")
    await field.passes(10)
    assert [line.split()[1:] for line in field.on_air().strip().splitlines()] == [
        ["tower", "PING", "pump", "FCnt", "1", "on"]
    ]


async def test_without_gps_time_a_message_waits_for_an_uplink(field_eu868):
    field = field_eu868
    await field.add_gateway("roof")
    await a_pump(field)
    await field.queue("pump", b"on")
    await field.passes(60)
    [waits] = field.happened(DownlinkWaits)
    assert waits.reason == Obstacle.NO_GPS_TIME
    await field.up("pump")
    await field.passes(10)
    assert (
        field.on_air()
        == """
 60.000 pump   up   FCnt 2
 61.000 roof   RX1  pump FCnt 1 on
"""
    )


async def test_a_slot_that_a_station_dropped_is_made_good_in_a_later_one(field_eu868):
    field = field_eu868
    roof = await field.add_gateway("roof", gps=True)
    await a_pump(field)
    roof.drops = 1
    await field.queue("pump", b"on")
    await field.passes(20)
    assert [line.split()[1:] for line in field.on_air().strip().splitlines()] == [
        ["roof", "PING", "pump", "FCnt", "2", "on"]
    ]


async def test_an_uplink_shortly_before_a_slot_is_answered_after_it(field_eu868):
    """Whatever comes first carries the lower counter: a device takes counters in their order."""
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await a_pump(field, periodicity=3)
    await field.queue("pump", b"on")
    for _ in range(1000):
        sent = [event for event in field.happened(DownlinkSent) if event.window == "PING"]
        if sent:
            break
        await field.passes(0.05)
    await field.up("pump", confirmed=True)
    await field.passes(10)
    what = [line.split(maxsplit=2)[2] for line in field.on_air().strip().splitlines()]
    assert what == ["up   FCnt 2 confirmed", "PING pump FCnt 1 on", "RX1  pump FCnt 2 ack"]
    assert field.air.complaints == []
    assert device.session.nfcnt_down == 2


async def test_a_device_that_has_lost_the_beacon_is_in_class_a_again(field_eu868):
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await a_pump(field)
    device.device_class = "A"
    await field.up("pump")
    await field.passes(10)
    field.begin()
    await field.queue("pump", b"on")
    await field.passes(300)
    await field.up("pump")
    await field.passes(10)
    assert (
        field.on_air()
        == """
300.000 pump   up   FCnt 3
301.000 roof   RX1  pump FCnt 1 on
"""
    )


async def test_ping_slots_hop_where_the_region_does(field_us915):
    field = field_us915
    await field.add_gateway("roof", gps=True)
    device = await a_pump(field, periodicity=7)
    for number in range(3):
        await field.queue("pump", f"number {number}".encode())
    await field.passes(4 * 128)
    assert len(field.on_air().strip().splitlines()) == 3
    assert field.air.complaints == []
    begun_us = gps_time_us(field.time) - 4 * 128_000_000
    slots = [
        at_us
        for at_us in range(begun_us - begun_us % 10_000, begun_us + 4 * 128_000_000, 10_000)
        if slot_beginning(at_us, device.session.dev_addr, 7)
    ]
    assert len(slots) == 4
