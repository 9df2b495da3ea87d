"""Class A on air: answers in RX1 and RX2, by whoever can. Every line is a frame: seconds, who
sends, in which window, to whom, what.
"""

from __future__ import annotations

from bittern.network.airtime_ledger import Obstacle
from bittern.network.events import DownlinkUnreported, DownlinkWaits


async def a_meter(field, **profile):
    await field.add_device("meter", **profile)
    field.begin()


async def test_a_device_joins_and_is_answered(field_eu868):
    """The network adds its five channels by the CFList, so nothing is left to be told."""
    field = field_eu868
    await field.add_gateway("roof")
    await field.add_device("meter", joins=True)
    await field.join("meter")
    await field.passes(30)
    await field.up("meter", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   join-request
  5.000 roof   RX1  meter joined
 30.000 meter  up   FCnt 0 confirmed
 31.000 roof   RX1  meter FCnt 0 ack
"""
    )


async def test_a_message_waits_for_an_uplink(field_eu868):
    field = field_eu868
    await field.add_gateway("roof")
    await a_meter(field)
    await field.queue("meter", b"report hourly")
    await field.passes(600)
    await field.up("meter")
    await field.passes(10)
    assert (
        field.on_air()
        == """
600.000 meter  up   FCnt 0
601.000 roof   RX1  meter FCnt 0 report hourly
"""
    )


async def test_by_a_slow_link_the_answer_goes_in_rx2(field_eu868):
    """0.45 s each way: at 0.65 s, when all copies are in, RX1 cannot be reached any more."""
    field = field_eu868
    await field.add_gateway("ship", latency_s=0.45)
    await a_meter(field)
    await field.up("meter", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0 confirmed
  2.000 ship   RX2  meter FCnt 0 ack
"""
    )
    assert field.gateways["ship"].station.dropped == []


async def test_by_a_link_slower_than_rx2_nothing_is_sent_and_that_is_told(field_eu868):
    field = field_eu868
    await field.add_gateway("ship", latency_s=1.2)
    await a_meter(field)
    await field.up("meter", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0 confirmed
"""
    )
    [waits] = field.happened(DownlinkWaits)
    assert waits.reason == Obstacle.TOO_LATE


async def test_a_nearer_gateway_that_hears_less_answers_in_time(field_eu868):
    field = field_eu868
    await field.add_gateway("ship", latency_s=1.2)
    await field.add_gateway("roof")
    field.heard_by["meter"] = {"ship": 9.0, "roof": -2.0}
    await a_meter(field)
    # The copy by way of the ship comes a second later, and is late.
    await field.up("meter", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0 confirmed
  1.000 roof   RX1  meter FCnt 0 ack
"""
    )


async def test_a_device_that_is_hardly_heard_is_answered_at_sf12_in_rx2(field_eu868):
    field = field_eu868
    await field.add_gateway("roof")
    field.heard_by["meter"] = {"roof": -6.5}
    await a_meter(field)
    await field.up("meter", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0 confirmed
  2.000 roof   RX2  meter FCnt 0 ack
"""
    )


async def test_a_message_that_its_gateway_dropped_goes_with_the_next_answer(field_eu868):
    """By the other gateway, although it hears the device less; and under a new counter."""
    field = field_eu868
    roof = await field.add_gateway("roof")
    await field.add_gateway("yard")
    field.heard_by["meter"] = {"roof": 9.0, "yard": 4.0}
    await a_meter(field)
    roof.drops = 1
    message = await field.queue("meter", b"hello")
    await field.up("meter")
    await field.passes(60)
    [unreported] = field.happened(DownlinkUnreported)
    assert unreported.gateway_eui == roof.eui
    [waiting] = await field.store.queued(field.dev_eui("meter"))
    assert (waiting.message_id, waiting.attempts) == (message.message_id, 1)
    await field.up("meter")
    await field.passes(60)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0
 60.000 meter  up   FCnt 1
 61.000 yard   RX1  meter FCnt 1 hello
"""
    )
    assert await field.store.queued(field.dev_eui("meter")) == []


async def test_two_devices_at_the_same_moment_share_two_gateways(field_eu868):
    """Both are heard best by the roof; one radio sends one frame at a time."""
    field = field_eu868
    await field.add_gateway("roof")
    await field.add_gateway("yard")
    for name in ("one", "two"):
        await field.add_device(name)
        field.heard_by[name] = {"roof": 9.0, "yard": 5.0}
    field.begin()
    await field.up("one", confirmed=True)
    await field.up("two", confirmed=True)
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 one    up   FCnt 0 confirmed
  0.000 two    up   FCnt 0 confirmed
  1.000 roof   RX1  one FCnt 0 ack
  1.000 yard   RX1  two FCnt 0 ack
"""
    )


async def test_two_devices_at_the_same_moment_share_the_windows_of_one_gateway(field_us915):
    field = field_us915
    await field.add_gateway("roof")
    for name in ("one", "two"):
        await field.add_device(name)
        for _ in range(2):
            await field.up(name)
            await field.passes(10)
    field.begin()
    await field.up("one", confirmed=True)
    await field.passes(0.005)
    await field.up("two", confirmed=True)
    await field.passes(10)
    answers = [line.split()[1:4] for line in field.on_air().strip().splitlines()[2:]]
    assert sorted(window for _, window, _ in answers) == ["RX1", "RX2"]
    assert field.gateways["roof"].station.dropped == []


async def test_while_its_band_rests_a_gateway_answers_in_the_other(field_eu868):
    """1 % at 868 MHz: after 36 ms on air at SF7 the station is silent there for 3.6 s, and drops
    what it is given. RX2 is in a band of its own."""
    field = field_eu868
    await field.add_gateway("roof")
    await a_meter(field)
    field.devices["meter"].radio.enabled = {0, 1, 2}
    for _ in range(2):
        await field.up("meter", confirmed=True)
        await field.passes(3)
    windows = [line.split()[2] for line in field.on_air().strip().splitlines()]
    assert windows == ["up", "RX1", "up", "RX2"]


async def test_the_queue_survives_the_server(field_eu868):
    field = field_eu868
    await field.add_gateway("roof")
    await a_meter(field)
    await field.queue("meter", b"hello", confirmed=True)
    field.deaf.add("meter")
    await field.up("meter")
    await field.passes(60)
    await field.restart()
    await field.passes(30)
    field.deaf.clear()
    await field.up("meter")
    await field.passes(30)
    await field.up("meter")
    await field.passes(30)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0
  1.000 roof   RX1  meter FCnt 0 not heard
 90.000 meter  up   FCnt 1
 91.000 roof   RX1  meter FCnt 1 confirmed hello
120.000 meter  up   FCnt 2 ack
"""
    )
    assert await field.store.queued(field.dev_eui("meter")) == []
