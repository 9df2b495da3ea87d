"""Class B on air: a device finds the beacon, tells its ping slots, and is reached in them.

The stations have a pulse per second and ask the server for the time; who has none is no gateway for
class B.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.versions import MacVersion
from bittern.network.airtime_ledger import Obstacle
from bittern.network.events import DownlinkDiscarded, DownlinkSent, DownlinkWaits
from bittern.simulator.ping_slots import slot_beginning
from bittern.store.records import ParticipatingGateway, ParticipatingGateways


async def a_pump(field, periodicity=1, **profile):
    """A device in class B: it has asked the time, told its ping slots, and locked to the beacon."""
    device = await field.add_device("pump", device_class="B", **profile)
    device.desk.ask_device_time()
    device.desk.tell_ping_slots(periodicity)
    await field.up("pump")
    await field.passes(10)
    assert device.desk.ping_slot_periodicity == periodicity
    device.find_beacon()
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
    device.lose_beacon()
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


async def test_beacons_and_slots_are_where_the_profile_wants_them(field_eu868):
    """The device is told once, and a message goes where its slots are now."""
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await a_pump(
        field,
        ping_slot_frequency_hz=868_300_000,
        ping_slot_data_rate=4,
        beacon_frequency_hz=869_100_000,
    )
    assert device.desk.ping_slot_channel == (868_300_000, 4)
    assert device.desk.beacon_frequency_hz == 869_100_000
    await field.queue("pump", b"on")
    await field.passes(5)
    [sent] = [sent for _, _, sent in field.transmissions if sent.window == "PING"]
    assert (sent.frequency_hz, sent.modulation.spreading_factor) == (868_300_000, 8)
    assert field.air.complaints == []


async def test_a_gateway_without_gps_tells_the_time_of_the_server(field_eu868):
    """Better than none: the device looks for the beacon a little longer."""
    field = field_eu868
    await field.add_gateway("roof", latency_s=0.1)
    device = await field.add_device("pump", device_class="B")
    device.desk.ask_device_time()
    await field.up("pump")
    ended_at = field.time
    await field.passes(10)
    told_us = device.desk.device_time_gps_s * 1_000_000
    assert 0 <= told_us - gps_time_us(ended_at) + 1_000_000 / 256 < 110_000


async def test_a_device_of_1_0_2_asks_when_the_beacon_comes(field_eu868):
    """It may wake up early by the step of 30 ms, and by what the way to the server takes."""
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await field.add_device("pump", device_class="B", mac_version=MacVersion.LORAWAN_1_0_2)
    device.desk.ask_beacon_timing()
    await field.up("pump")
    ended_us = gps_time_us(field.time)
    await field.passes(10)
    delay, channel = device.desk.beacon_timing
    assert channel == 0
    # RX1 comes a second later, and the frame takes 46 ms, or as much longer as it says more.
    off_us = (ended_us + 1_046_000 + delay * 30_000) % 128_000_000
    assert 128_000_000 - off_us < 60_000 or off_us < 60_000


@pytest.mark.parametrize("timeout_s", [3, 20])
async def test_the_profile_says_how_long_an_acknowledgement_is_awaited(field_eu868, timeout_s):
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    await a_pump(field, class_b_timeout_s=timeout_s)
    field.deaf.add("pump")
    await field.queue("pump", b"on", confirmed=True)
    await field.passes(120)
    times = [float(line.split()[0]) for line in field.on_air().strip().splitlines()]
    assert len(times) == 3, "then it is given up"
    for earlier, later in pairwise(times):
        # A slot every two seconds; a third one may be gone before the frame can be made.
        assert timeout_s < later - earlier < timeout_s + 5
    assert len(field.happened(DownlinkDiscarded)) == 1


def chosen(field, mode, *names, interval_s=60):
    listed = tuple(ParticipatingGateway(field.gateways[name].eui, 869_525_000) for name in names)
    return ParticipatingGateways(mode=mode, gateways=listed, interval_s=interval_s)


async def test_chosen_gateways_send_in_slots_one_after_the_other(field_eu868):
    field = field_eu868
    for name in ("roof", "yard"):
        await field.add_gateway(name, gps=True)
    await a_pump(field)
    both = chosen(field, "SEQUENTIAL", "yard", "roof", interval_s=30)
    await field.queue("pump", b"on", participating=both)
    await field.passes(100)
    lines = [line.split(maxsplit=2) for line in field.on_air().strip().splitlines()]
    assert [(who, what) for _, who, what in lines] == [
        ("yard", "PING pump FCnt 1 on"),
        ("roof", "PING pump FCnt 2 on"),
    ]
    assert 30 < float(lines[1][0]) - float(lines[0][0]) < 33
    assert field.air.complaints == []


async def test_chosen_gateways_send_in_the_same_slot(field_eu868):
    """Both begin to the microsecond, so the device takes them for one; ours takes the first."""
    field = field_eu868
    for name in ("roof", "yard"):
        await field.add_gateway(name, gps=True)
    await a_pump(field)
    await field.queue("pump", b"on", participating=chosen(field, "CONCURRENT", "roof", "yard"))
    await field.passes(30)
    first, second = [line.split(maxsplit=3) for line in field.on_air().strip().splitlines()]
    assert first[0] == second[0]
    assert {first[1], second[1]} == {"roof", "yard"}
    assert first[3] == "pump FCnt 1 on"
    one, other = [sent for _, _, sent in field.transmissions if sent.window == "PING"]
    assert one.phy_payload == other.phy_payload


async def test_the_gateway_of_the_uplink_sends_in_a_slot(field_eu868):
    field = field_eu868
    for name in ("roof", "yard"):
        await field.add_gateway(name, gps=True)
    field.heard_by["pump"] = {"yard": 3.0}
    await a_pump(field)
    by_uplink = chosen(field, "USING_UPLINK_GATEWAY", "roof")
    await field.queue("pump", b"on", participating=by_uplink)
    await field.passes(10)
    assert [line.split()[1:] for line in field.on_air().strip().splitlines()] == [
        ["yard", "PING", "pump", "FCnt", "1", "on"]
    ]
