"""Class C and class B, seen from the application core: what the gateways are handed, and when."""

import msgspec
import pytest

from bittern.lorawan.class_b import next_ping_slot
from bittern.lorawan.gps_time import gps_time_us, utc_of_gps_us
from bittern.lorawan.versions import MacVersion
from bittern.network.airtime_ledger import Slot
from bittern.network.events import (
    DownlinkAcknowledged,
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkUnreported,
    DownlinkWaits,
    GatewayConnected,
)
from bittern.network.message_queue import ATTEMPTS
from bittern.network.unsolicited import HAND_OVER_S
from bittern.store.records import ParticipatingGateway, ParticipatingGateways
from bittern.types import EUI64, GatewayEUI, Instant

NEAR = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
FAR = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
RX2 = (0, 869_525_000)


async def class_c(stage, *heard_by, **profile):
    """A device of class C that was just heard."""
    device = await stage.abp(supports_class_c=True, **profile)
    device.device_class = "C"
    await stage.hear(device, device.uplink(b"x", fport=1), *heard_by)
    return device


def handed(stage):
    return [(gateway, one.phy_payload) for gateway, one in stage.gateways.transmissions]


def received(stage, device, position=-1):
    """What the device makes of a transmission to it."""
    _, transmission = stage.gateways.transmissions[position]
    return device.receive(transmission.phy_payload)


# Class C


async def test_class_c_goes_at_once_in_rx2_alone(stage):
    device = await class_c(stage)
    await stage.queue(payload=b"open", fport=7)
    [(gateway_eui, transmission)] = stage.gateways.transmissions
    assert gateway_eui == NEAR
    assert (transmission.device_class, transmission.rx1, transmission.rx2) == ("C", None, RX2)
    assert (transmission.xtime, transmission.gps_time_us) == (None, None)
    got = received(stage, device)
    assert (got.payload, got.fport, got.confirmed) == (b"open", 7, False)
    [sent] = stage.happened(DownlinkSent)
    assert (sent.device_class, sent.window) == ("C", "RX2")


async def test_before_its_first_uplink_nobody_knows_where_the_device_is(stage):
    await stage.abp(supports_class_c=True)
    await stage.queue()
    assert stage.gateways.transmissions == []
    [waits] = stage.happened(DownlinkWaits)
    assert "heard the device" in waits.reason


async def test_a_device_of_class_a_is_left_to_its_uplinks(stage):
    device = await stage.abp()
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.queue()
    await stage.pass_time(60)
    assert stage.gateways.transmissions == []


async def test_in_1_1_class_c_begins_when_the_device_says_so(stage):
    device = await stage.abp(MacVersion.LORAWAN_1_1, supports_class_c=True)
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.queue()
    await stage.pass_time(5)
    [(_, reset_conf)] = stage.gateways.transmissions
    assert reset_conf.device_class == "A"
    [session] = await stage.store.sessions_of(stage.dev_eui)
    in_c = msgspec.structs.replace(session, revision=session.revision + 1, device_class="C")
    await stage.store.advance(session, in_c)
    await stage.queue(1)
    assert len(stage.gateways.transmissions) == 2
    assert stage.gateways.transmissions[1][1].device_class == "C"


async def test_messages_follow_each_other_as_they_are_reported(stage):
    device = await class_c(stage)
    for number in range(3):
        await stage.queue(number, payload=bytes([number]))
    assert len(stage.gateways.transmissions) == 1
    stage.reporting = True
    await stage.pass_time(60)
    assert len(stage.gateways.transmissions) == 3
    for number in range(3):
        got = received(stage, device, number)
        assert (got.payload, got.fcnt) == (bytes([number]), number)
    assert await stage.store.queued(stage.dev_eui) == []


async def test_a_higher_priority_goes_first(stage):
    device = await class_c(stage)
    stage.gateways.offline.add(NEAR)
    await stage.queue(0, payload=b"later")
    await stage.queue(1, payload=b"first", priority=5)
    stage.gateways.offline.clear()
    stage.network.record(GatewayConnected(at=stage.time, gateway_eui=NEAR, station="2.0.6"))
    await stage.pass_time(0)
    assert received(stage, device).payload == b"first"


async def test_the_gateway_that_heard_the_device_best_sends(stage):
    await class_c(stage, FAR, NEAR)
    await stage.queue()
    assert [gateway for gateway, _ in stage.gateways.transmissions] == [FAR]


async def test_who_heard_the_device_is_known_after_a_restart_and_so_is_the_queue(stage):
    device = await class_c(stage)
    stage.gateways.offline.add(NEAR)
    await stage.queue(payload=b"open")
    await stage.restart()
    assert stage.gateways.transmissions == []
    stage.gateways.offline.clear()
    stage.network.record(GatewayConnected(at=stage.time, gateway_eui=NEAR, station="2.0.6"))
    await stage.pass_time(0)
    assert received(stage, device).payload == b"open"


async def test_while_no_gateway_is_connected_no_counter_and_no_attempt_is_used_up(stage):
    await class_c(stage)
    stage.gateways.offline.add(NEAR)
    await stage.queue()
    await stage.pass_time(3600)
    [message] = await stage.store.queued(stage.dev_eui)
    [session] = await stage.store.sessions_of(stage.dev_eui)
    assert (message.attempts, session.nfcnt_down) == (0, 0)
    assert len(stage.happened(DownlinkWaits)) == 1


async def test_what_one_gateway_does_not_report_the_next_sends_under_the_next_counter(stage):
    device = await class_c(stage, NEAR, FAR)
    await stage.queue(payload=b"open")
    await stage.pass_time(3)
    assert [gateway for gateway, _ in stage.gateways.transmissions] == [NEAR, FAR]
    first, second = (one.phy_payload for _, one in stage.gateways.transmissions)
    assert first != second
    got = received(stage, device)
    assert (got.payload, got.fcnt) == (b"open", 1)
    assert [event.gateway_eui for event in stage.happened(DownlinkUnreported)] == [NEAR]


async def test_what_nobody_ever_reports_is_given_up(stage):
    await class_c(stage)
    message = await stage.queue()
    await stage.pass_time(300)
    assert len(stage.gateways.transmissions) == ATTEMPTS
    [discarded] = stage.happened(DownlinkDiscarded)
    assert discarded.message_id == message.message_id
    assert len({one.downlink_id for _, one in stage.gateways.transmissions}) == ATTEMPTS


async def test_a_radio_that_is_busy_is_waited_for(stage):
    await class_c(stage)
    account = stage.network.transmitter.ledger.known(NEAR)
    if account is None:
        [route] = await stage.network.transmitter.routes_to(
            (await stage.store.sessions_of(stage.dev_eui))[0].heard_by
        )
        account = route.account
    account.book(99, [Slot(Instant(stage.time + 0.1), 1.0, 868_100_000)], stage.time)
    await stage.queue()
    assert stage.gateways.transmissions == []
    await stage.pass_time(1.5)
    assert len(stage.gateways.transmissions) == 1
    assert stage.happened(DownlinkWaits) == []


async def test_a_message_too_long_for_rx2_waits_and_says_so(stage):
    await class_c(stage)
    message = await stage.queue(payload=bytes(100))
    assert stage.gateways.transmissions == []
    [waits] = stage.happened(DownlinkWaits)
    assert waits.message_id == message.message_id
    assert "100 bytes" in waits.reason


# Confirmed


async def test_a_confirmed_message_is_sent_again_when_its_timeout_is_over(stage):
    await class_c(stage, class_c_timeout_s=20)
    await stage.queue(confirmed=True)
    await stage.report()
    await stage.pass_time(19)
    assert len(stage.gateways.transmissions) == 1
    await stage.pass_time(5)
    assert len(stage.gateways.transmissions) == 2


async def test_a_confirmed_message_is_tried_three_times_and_then_discarded(stage):
    await class_c(stage)
    message = await stage.queue(confirmed=True)
    for _ in range(ATTEMPTS + 1):
        await stage.report()
        await stage.pass_time(30)
    assert len(stage.gateways.transmissions) == ATTEMPTS
    [discarded] = stage.happened(DownlinkDiscarded)
    assert (discarded.message_id, discarded.attempts) == (message.message_id, ATTEMPTS)


async def test_an_acknowledgement_lets_the_next_message_go(stage):
    device = await class_c(stage)
    message = await stage.queue(0, confirmed=True)
    await stage.queue(1, payload=b"next")
    received(stage, device)
    await stage.report()
    await stage.hear(device, device.uplink(b"y", fport=1))
    [acknowledged] = stage.happened(DownlinkAcknowledged)
    assert acknowledged.message_id == message.message_id
    assert stage.answer(device).payload == b"next", "in the windows after the uplink"


async def test_nothing_overtakes_a_confirmed_message_that_awaits_its_acknowledgement(stage):
    await class_c(stage)
    await stage.queue(0, confirmed=True)
    await stage.queue(1)
    await stage.report()
    await stage.pass_time(7)
    assert len(stage.gateways.transmissions) == 1


# Beside the answers of class A


async def test_an_uplink_is_answered_in_its_windows_in_class_c_too(stage):
    device = await class_c(stage)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    [(_, transmission)] = stage.gateways.transmissions
    assert transmission.device_class == "A"
    assert stage.answer(device).ack


async def test_while_an_uplink_is_answered_nothing_else_is_sent(stage):
    device = await class_c(stage)
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True))
    await stage.queue(payload=b"open")
    await stage.pass_time(1.9)
    assert len(stage.gateways.transmissions) == 1, "RX2 is still to come"
    stage.answer(device)
    stage.reporting = True
    await stage.pass_time(20)
    assert len(stage.gateways.transmissions) == 2
    assert received(stage, device).payload == b"open"


async def test_a_slow_gateway_is_not_overtaken_by_the_answer_to_an_uplink(stage):
    """What FAR was given is on air 1.25 s later; RX1 opens before that, RX2 after it."""
    stage.gateways.round_trips_s[FAR] = 2.4
    device = await class_c(stage, FAR)
    await stage.queue()
    first = stage.gateways.transmissions[-1]
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), at_once=True)
    second = stage.gateways.transmissions[-1]
    assert (first[0], second[0]) == (FAR, NEAR)
    assert (second[1].rx1, second[1].rx2) == (None, RX2)


async def test_a_frame_whose_place_an_answer_has_taken_is_not_sent_after_it(stage, monkeypatch):
    device = await class_c(stage)
    advance = stage.store.advance

    async def slow(before, after, *effects):
        stored = await advance(before, after, *effects)
        monkeypatch.undo()
        await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), at_once=True)
        return stored

    monkeypatch.setattr(stage.store, "advance", slow)
    stage.reporting = True
    await stage.queue(payload=b"open")
    await stage.pass_time(10)
    assert len(stage.gateways.transmissions) == 1
    got = received(stage, device)
    assert (got.fcnt, got.ack, got.payload) == (1, True, b"open")
    assert await stage.store.queued(stage.dev_eui) == []


async def test_a_message_that_is_lost_with_an_answer_goes_again_without_one(stage):
    device = await class_c(stage)
    stage.gateways.offline.add(NEAR)
    await stage.queue(payload=b"open")
    stage.gateways.offline.clear()
    await stage.hear(device, device.uplink(b"x", fport=1))
    await stage.pass_time(10)
    classes = [one.device_class for _, one in stage.gateways.transmissions]
    assert classes[:2] == ["A", "C"]
    assert received(stage, device).payload == b"open"


async def test_a_message_under_way_is_not_sent_once_more_with_an_answer(stage):
    device = await class_c(stage)
    await stage.queue(payload=b"open")
    await stage.pass_time(1.5)  # on air as long, and not reported yet
    await stage.hear(device, device.uplink(b"x", fport=1, confirmed=True), at_once=True)
    answer = stage.gateways.transmissions[-1][1]
    assert answer.device_class == "A"
    received(stage, device, 0)
    got = received(stage, device, 1)
    assert (got.ack, got.payload) == (True, b"")


# Gateways that were chosen


def chosen(mode, *gateways, interval_s=60):
    listed = tuple(ParticipatingGateway(eui, 869_525_000) for eui in gateways)
    return ParticipatingGateways(mode=mode, gateways=listed, interval_s=interval_s)


async def test_concurrent_gateways_send_the_same_frame_at_the_same_time(stage):
    device = await class_c(stage)
    await stage.queue(payload=b"open", participating=chosen("CONCURRENT", NEAR, FAR))
    assert [gateway for gateway, _ in handed(stage)] == [NEAR, FAR]
    first, second = (one for _, one in stage.gateways.transmissions)
    assert first.phy_payload == second.phy_payload
    assert first.downlink_id != second.downlink_id
    assert received(stage, device).payload == b"open"
    await stage.report(0)
    await stage.report(1)
    await stage.pass_time(30)
    assert len(stage.gateways.transmissions) == 2
    assert await stage.store.queued(stage.dev_eui) == []


async def test_of_concurrent_gateways_one_that_reports_is_enough(stage):
    await class_c(stage)
    await stage.queue(participating=chosen("CONCURRENT", NEAR, FAR))
    await stage.report(1)
    await stage.pass_time(60)
    assert len(stage.gateways.transmissions) == 2
    assert await stage.store.queued(stage.dev_eui) == []


async def test_sequential_gateways_send_one_after_the_other(stage):
    device = await class_c(stage)
    await stage.queue(participating=chosen("SEQUENTIAL", FAR, NEAR, interval_s=100))
    assert [gateway for gateway, _ in handed(stage)] == [FAR]
    assert received(stage, device).fcnt == 0
    await stage.report()
    await stage.pass_time(99)
    assert len(stage.gateways.transmissions) == 1
    await stage.pass_time(10)
    assert [gateway for gateway, _ in handed(stage)] == [FAR, NEAR]
    assert received(stage, device).fcnt == 1
    await stage.report()
    assert await stage.store.queued(stage.dev_eui) == []


async def test_a_sequence_is_one_attempt(stage):
    await class_c(stage)
    await stage.queue(participating=chosen("SEQUENTIAL", FAR, NEAR, interval_s=10), confirmed=True)
    stage.reporting = True
    await stage.pass_time(15)
    [message] = await stage.store.queued(stage.dev_eui)
    assert len(stage.gateways.transmissions) == 2
    assert message.attempts == 1


async def test_a_sequence_ends_with_the_acknowledgement(stage):
    device = await class_c(stage)
    await stage.queue(participating=chosen("SEQUENTIAL", FAR, NEAR, interval_s=100), confirmed=True)
    received(stage, device)
    await stage.report()
    await stage.hear(device, device.uplink(b"y", fport=1))
    await stage.pass_time(300)
    assert len(stage.gateways.transmissions) == 1


async def test_a_chosen_gateway_need_not_have_heard_the_device(stage):
    device = await stage.abp(supports_class_c=True)
    await stage.queue(payload=b"open", participating=chosen("CONCURRENT", FAR))
    assert [gateway for gateway, _ in handed(stage)] == [FAR]
    assert received(stage, device).payload == b"open"


async def test_a_chosen_gateway_sends_at_the_frequency_chosen_for_it(stage):
    await class_c(stage)
    at = ParticipatingGateway(NEAR, 868_300_000)
    listed = ParticipatingGateways(mode="USING_UPLINK_GATEWAY", gateways=(at,))
    await stage.queue(participating=listed)
    assert stage.gateways.transmissions[0][1].rx2 == (0, 868_300_000)


# Class B


async def class_b(stage, *heard_by, periodicity=0, gps=True):
    """A device that has told its ping slots and is in class B."""
    device = await stage.abp(supports_class_b=True)
    gps_us = gps_time_us(Instant(stage.time + 10)) if gps else None
    await stage.hear(device, device.uplink(b"x", fport=1), *heard_by, gps_time_us=gps_us)
    [session] = await stage.store.sessions_of(stage.dev_eui)
    radio = msgspec.structs.replace(session.radio, ping_slot_periodicity=periodicity)
    in_b = msgspec.structs.replace(
        session, revision=session.revision + 1, radio=radio, device_class="B"
    )
    await stage.store.advance(session, in_b)
    return device


@pytest.mark.parametrize("periodicity", [0, 3, 7])
async def test_class_b_goes_in_the_next_ping_slot_of_the_device(stage, periodicity):
    device = await class_b(stage, periodicity=periodicity)
    queued_at = stage.time
    await stage.queue(payload=b"open")
    await stage.pass_time(300)
    [(gateway_eui, transmission), *_] = stage.gateways.transmissions
    assert (gateway_eui, transmission.device_class) == (NEAR, "B")
    assert (transmission.rx1, transmission.rx2) == ((3, 869_525_000), None)
    earliest = next_ping_slot(gps_time_us(queued_at), device.session.dev_addr, periodicity)
    following = next_ping_slot(earliest.gps_time_us + 1, device.session.dev_addr, periodicity)
    assert transmission.gps_time_us in (earliest.gps_time_us, following.gps_time_us)
    [sent, *_] = stage.happened(DownlinkSent)
    assert sent.window == "PING"
    slot_at = utc_of_gps_us(transmission.gps_time_us)
    assert 0.05 < slot_at - sent.at <= HAND_OVER_S + 0.01
    assert device.receive(transmission.phy_payload).payload == b"open"


async def test_class_b_goes_by_gateways_that_have_gps_time(stage):
    await class_b(stage, gps=False)
    await stage.queue()
    await stage.pass_time(300)
    assert stage.gateways.transmissions == []
    [waits] = stage.happened(DownlinkWaits)
    assert "GPS" in waits.reason


async def test_class_b_without_report_goes_in_a_later_slot_under_a_new_counter(stage):
    device = await class_b(stage)
    await stage.queue(payload=b"open")
    await stage.pass_time(30)
    first, second = (one for _, one in stage.gateways.transmissions[:2])
    assert second.gps_time_us > first.gps_time_us
    assert second.phy_payload != first.phy_payload
    assert device.receive(second.phy_payload).fcnt == 1


async def test_after_class_b_ends_the_device_is_left_to_its_uplinks(stage):
    device = await class_b(stage)
    await stage.hear(device, device.uplink(b"y", fport=1))
    await stage.queue()
    await stage.pass_time(300)
    assert stage.gateways.transmissions == []
