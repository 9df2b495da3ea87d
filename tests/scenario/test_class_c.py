"""Class C on air. Every line is a frame: seconds, who sends, in which window, to whom, what.

A frame for class C leaves as soon as it has reached its gateway: 20 ms on the way and 20 ms in the
station, unless a test says otherwise.
"""

from __future__ import annotations

import pytest

from bittern.lorawan.versions import MacVersion
from bittern.network.events import DownlinkDiscarded, DownlinkUnreported, DownlinkWaits
from bittern.store.records import ParticipatingGateway, ParticipatingGateways


async def a_valve(field, **profile):
    """A device of class C in US915 that has been heard, with nothing left to be told."""
    await field.add_device("valve", device_class="C", **profile)
    for _ in range(2):
        await field.up("valve")
        await field.passes(10)
    field.begin()


async def test_a_message_is_sent_the_moment_it_is_queued(field_us915):
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field)
    await field.queue("valve", b"open")
    await field.passes(10)
    await field.queue("valve", b"close")
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 1 open
 10.040 roof   RX2  valve FCnt 2 close
"""
    )


async def test_messages_queue_up_behind_each_other_and_do_not_overlap(field_us915):
    """A frame of this size takes 289 ms at SF12 and 500 kHz."""
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field)
    for payload in (b"one", b"two", b"three"):
        await field.queue("valve", payload)
    await field.queue("valve", b"alarm", priority=9)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 1 one
  0.389 roof   RX2  valve FCnt 2 alarm
  0.738 roof   RX2  valve FCnt 3 two
  1.086 roof   RX2  valve FCnt 4 three
"""
    )
    assert field.gateways["roof"].station.dropped == []


async def test_a_confirmed_message_waits_for_its_acknowledgement(field_us915):
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field)
    await field.queue("valve", b"open", confirmed=True)
    await field.queue("valve", b"next")
    await field.passes(3)
    await field.up("valve", b"is open")
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 1 confirmed open
  3.000 valve  up   FCnt 2 ack
  4.000 roof   RX1  valve FCnt 2 next
"""
    )


async def test_without_acknowledgement_it_is_sent_three_times_and_given_up(field_us915):
    """The profile grants the device 8 seconds after the end of the frame."""
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field)
    message = await field.queue("valve", b"open", confirmed=True)
    field.deaf.add("valve")
    await field.passes(60)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 1 not heard
  8.389 roof   RX2  valve FCnt 2 not heard
 16.738 roof   RX2  valve FCnt 3 not heard
"""
    )
    [discarded] = field.happened(DownlinkDiscarded)
    assert discarded.message_id == message.message_id


async def test_a_retry_does_not_overtake_the_answer_to_an_uplink(field_us915):
    """The roof never reports the message. When that is known, the answer is with a gateway for its
    window at 2.0 s, under a lower counter than the retry gets."""
    field = field_us915
    await field.add_gateway("roof")
    await field.add_gateway("yard", latency_s=0.05)
    await a_valve(field)
    field.gateways["roof"].drops = 1
    await field.queue("valve", b"open")
    await field.passes(1.0)
    await field.up("valve", confirmed=True)
    await field.passes(10)
    [unreported] = field.happened(DownlinkUnreported)
    assert unreported.at - field._zero == pytest.approx(1.384, abs=0.001)
    assert (
        field.on_air()
        == """
  1.000 valve  up   FCnt 2 confirmed
  2.000 roof   RX1  valve FCnt 2 ack
  2.070 roof   RX2  valve FCnt 3 open
"""
    )
    assert field.air.complaints == []


async def test_a_device_that_heard_only_the_second_try_acknowledges_that_one(field_us915):
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field)
    field.deaf.add("valve")
    await field.queue("valve", b"open", confirmed=True)
    await field.passes(5)
    field.deaf.clear()
    await field.passes(5)
    await field.up("valve", b"is open")
    await field.passes(60)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 1 not heard
  8.389 roof   RX2  valve FCnt 2 confirmed open
 10.000 valve  up   FCnt 2 ack
"""
    )
    assert await field.store.queued(field.dev_eui("valve")) == []


async def test_a_station_that_drops_a_frame_says_nothing_so_the_next_gateway_sends(field_us915):
    field = field_us915
    roof, yard = await field.add_gateway("roof"), await field.add_gateway("yard")
    await a_valve(field)
    roof.drops = 1
    await field.queue("valve", b"open")
    await field.passes(10)
    assert (
        field.on_air()
        == """
  1.424 yard   RX2  valve FCnt 2 open
"""
    )
    [unreported] = field.happened(DownlinkUnreported)
    assert unreported.gateway_eui == roof.eui
    assert yard.station.dropped == []


async def test_a_message_waits_for_a_gateway_and_goes_when_it_is_there(field_us915):
    field = field_us915
    roof = await field.add_gateway("roof")
    await a_valve(field)
    roof.disconnect()
    await field.queue("valve", b"open")
    await field.passes(60)
    assert len(field.happened(DownlinkWaits)) == 1
    roof.connect()
    await field.passes(5)
    assert (
        field.on_air()
        == """
 60.060 roof   RX2  valve FCnt 1 open
"""
    )


async def test_a_message_outlives_the_server(field_us915):
    """The gateway is back five seconds later, and the message follows its router_config."""
    field = field_us915
    roof = await field.add_gateway("roof")
    await a_valve(field)
    roof.disconnect()
    await field.queue("valve", b"open")
    await field.restart()
    await field.passes(7)
    assert (
        field.on_air()
        == """
  5.060 roof   RX2  valve FCnt 1 open
"""
    )


async def test_an_uplink_is_answered_first_in_its_own_windows(field_us915):
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field)
    await field.up("valve", confirmed=True)
    await field.passes(0.5)
    await field.queue("valve", b"open")
    await field.passes(5)
    assert (
        field.on_air()
        == """
  0.000 valve  up   FCnt 2 confirmed
  1.000 roof   RX1  valve FCnt 1 ack
  1.070 roof   RX2  valve FCnt 2 open
"""
    )


async def test_a_confirmed_message_in_an_answer_has_its_time_too(field_us915):
    """The gateway that knew the device is gone; the next uplink is heard by another one."""
    field = field_us915
    roof = await field.add_gateway("roof")
    await field.add_gateway("yard")
    field.heard_by["valve"] = {"roof": 5.0}
    await a_valve(field)
    roof.disconnect()
    await field.queue("valve", b"open", confirmed=True)
    field.deaf.add("valve")
    field.heard_by["valve"] = {"yard": 5.0}
    await field.up("valve")
    await field.passes(15)
    assert (
        field.on_air()
        == """
  0.000 valve  up   FCnt 2
  1.000 yard   RX1  valve FCnt 1 not heard
  9.072 yard   RX2  valve FCnt 2 not heard
"""
    )


async def test_it_goes_by_the_gateway_that_hears_the_device_now(field_us915):
    field = field_us915
    await field.add_gateway("roof")
    await field.add_gateway("yard")
    field.heard_by["valve"] = {"roof": -5.0, "yard": -7.0}
    await a_valve(field)
    await field.queue("valve", b"one")
    await field.passes(10)
    field.heard_by["valve"] = {"yard": 3.0}
    await field.up("valve")
    await field.passes(10)
    await field.queue("valve", b"two")
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 1 one
 10.000 valve  up   FCnt 2
 20.040 yard   RX2  valve FCnt 2 two
"""
    )


async def test_in_europe_a_gateway_rests_after_each_frame_as_its_duty_cycle_has_it(field_eu868):
    """10 % at 869.525 MHz: after 1.155 s on air at SF12 it is silent until 11.55 s have passed."""
    field = field_eu868
    await field.add_gateway("roof")
    await field.add_device("valve", device_class="C")
    await field.up("valve")
    await field.passes(20)
    field.begin()
    for payload in (b"one", b"two", b"three"):
        await field.queue("valve", payload)
    await field.passes(60)
    assert (
        field.on_air()
        == """
  0.040 roof   RX2  valve FCnt 0 one
 11.641 roof   RX2  valve FCnt 1 two
 23.241 roof   RX2  valve FCnt 2 three
"""
    )
    assert field.gateways["roof"].station.dropped == []


# Gateways that were chosen


def chosen(field, mode, *names, interval_s=60):
    listed = tuple(ParticipatingGateway(field.gateways[name].eui, 923_300_000) for name in names)
    return ParticipatingGateways(mode=mode, gateways=listed, interval_s=interval_s)


async def test_chosen_gateways_send_one_after_the_other(field_us915):
    """Each time under a counter of its own: who hears several of them hears the message anew."""
    field = field_us915
    for name in ("roof", "yard", "gate"):
        await field.add_gateway(name)
    await a_valve(field)
    one_by_one = chosen(field, "SEQUENTIAL", "gate", "yard", interval_s=30)
    await field.queue("valve", b"open", participating=one_by_one)
    await field.passes(100)
    assert (
        field.on_air()
        == """
  0.040 gate   RX2  valve FCnt 1 open
 30.389 yard   RX2  valve FCnt 2 open
"""
    )


async def test_chosen_gateways_send_at_the_same_time(field_us915):
    """The device takes the first, and knows the second by its counter."""
    field = field_us915
    for name in ("roof", "yard"):
        await field.add_gateway(name)
    await a_valve(field)
    at_once = chosen(field, "CONCURRENT", "roof", "yard")
    await field.queue("valve", b"open", participating=at_once)
    await field.passes(100)
    first, second = field.on_air().strip().splitlines()
    assert first == "0.040 roof   RX2  valve FCnt 1 open"
    assert second.strip().startswith("0.040 yard   RX2  valve complains")
    assert "counter" in second


async def test_the_gateway_of_the_uplink_sends_at_the_frequency_chosen_for_it(field_us915):
    """Of the list only what it says of that gateway counts."""
    field = field_us915
    for name in ("roof", "yard"):
        await field.add_gateway(name)
    field.heard_by["valve"] = {"yard": 3.0}
    await a_valve(field)
    by_uplink = chosen(field, "USING_UPLINK_GATEWAY", "roof", "yard")
    await field.queue("valve", b"open", participating=by_uplink)
    await field.passes(60)
    assert (
        field.on_air()
        == """
  0.040 yard   RX2  valve FCnt 1 open
"""
    )


async def test_each_chosen_gateway_sends_where_it_was_told_to(field_us915):
    """A device that listens elsewhere does not hear it: that is the operator's choice."""
    field = field_us915
    for name in ("roof", "yard"):
        await field.add_gateway(name)
    await a_valve(field)
    listed = tuple(
        ParticipatingGateway(field.gateways[name].eui, frequency_hz)
        for name, frequency_hz in (("roof", 926_300_000), ("yard", 923_300_000))
    )
    one_by_one = ParticipatingGateways(mode="SEQUENTIAL", gateways=listed, interval_s=10)
    await field.queue("valve", b"open", participating=one_by_one)
    await field.passes(60)
    sent = [(name, one.frequency_hz) for name, _, one in field.transmissions[-2:]]
    assert sent == [("roof", 926_300_000), ("yard", 923_300_000)]
    first, second = field.on_air().strip().splitlines()
    assert "outside_windows" in first
    assert second.split()[1:] == ["yard", "RX2", "valve", "FCnt", "2", "open"]


@pytest.mark.parametrize(("timeout_s", "again_at"), [(3, "3.389"), (30, "30.389")])
async def test_the_profile_says_how_long_an_acknowledgement_is_awaited(
    field_us915, timeout_s, again_at
):
    field = field_us915
    await field.add_gateway("roof")
    await a_valve(field, class_c_timeout_s=timeout_s)
    field.deaf.add("valve")
    await field.queue("valve", b"open", confirmed=True)
    await field.passes(timeout_s + 10)
    field.deaf.clear()
    first, again = field.on_air().strip().splitlines()[:2]
    assert first.split() == ["0.040", "roof", "RX2", "valve", "FCnt", "1", "not", "heard"]
    assert again.split()[:2] == [again_at, "roof"]


# Devices that say in which class they are


async def test_a_device_of_1_1_is_in_class_c_from_its_word_on(field_us915):
    """And in class A again from its next one: then a message waits for an uplink. In LoRaWAN 1.1
    messages count apart from what has none."""
    field = field_us915
    await field.add_gateway("roof")
    await field.add_device("valve", device_class="C", mac_version=MacVersion.LORAWAN_1_1)
    valve = field.devices["valve"]
    valve.device_class = "A"
    for _ in range(3):
        await field.up("valve")
        await field.passes(10)
    field.begin()
    await field.queue("valve", b"one")
    await field.passes(100)
    assert field.on_air() == "\n\n", "it was not asked for class C"
    valve.desk.indicate_class("C")
    await field.up("valve")
    await field.passes(10)
    await field.queue("valve", b"two")
    await field.passes(10)
    valve.desk.indicate_class("A")
    await field.up("valve")
    await field.passes(10)
    await field.queue("valve", b"three")
    await field.passes(70)
    await field.up("valve")
    await field.passes(10)
    assert (
        field.on_air()
        == """
100.000 valve  up   FCnt 3
101.000 roof   RX1  valve FCnt 0 DeviceModeConf one
110.040 roof   RX2  valve FCnt 1 two
120.000 valve  up   FCnt 4
121.000 roof   RX1  valve FCnt 1 DeviceModeConf
200.000 valve  up   FCnt 5
201.000 roof   RX1  valve FCnt 2 three
"""
    )
