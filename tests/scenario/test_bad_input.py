"""What devices and gateways should not say: what comes of it on air, and what is told of it.

Lines are frames, as in the other files: seconds, who sends, in which window, to whom, what.
Whatever is wrong is an event with the name of the problem, a line in the log and a count for the
metrics.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import msgspec
import pytest

from bittern.lorawan.radio import Reception
from bittern.lorawan.versions import MacVersion
from bittern.mac.commands.notices import CommandProblem
from bittern.network.events import (
    DownlinkSent,
    FrameRefused,
    JoinAnswered,
    MacCommandIgnored,
    MacRequestDeclined,
    MacRequestUnanswered,
    UplinkDelivered,
)
from bittern.testing import examples
from bittern.types import Refusal

RX2_HZ = 868_500_000


async def heard_as(field: Any, gateway: Any, name: str, **claimed: Any) -> None:
    """The last frame of the device, as the gateway's message claims to have heard it."""
    roof = field.gateways["roof"].station
    sent = field.devices[name].sent
    text = roof.hear(sent, field.clock_us(), field.time, -80, 8.0)
    gateway.to_server(json.dumps(json.loads(text) | claimed))
    await field.passes(10)


async def session_of(field: Any, name: str) -> Any:
    [session] = await field.store.sessions_of(field.dev_eui(name))
    return session


async def a_device_that_is_asked(field: Any) -> Any:
    """It has joined, and its profile has RX2 elsewhere, which only RXParamSetupReq can tell."""
    await field.add_gateway("roof")
    device = await field.add_device("meter", joins=True, rx2_frequency_hz=RX2_HZ)
    await field.join("meter")
    await field.passes(10)
    field.begin()
    await field.up("meter")
    await field.passes(10)
    return device


def say(device: Any, commands: bytes) -> None:
    """In place of what the device would answer."""
    device.desk._answers[:] = [commands]
    device.desk._sticky.clear()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING, "bittern.network")
    return caplog


# Answers


async def test_an_answer_cut_short_is_no_answer_and_the_request_is_repeated(field_eu868, log):
    """RXParamSetupAns without its status, at the end of FOpts."""
    field = field_eu868
    device = await a_device_that_is_asked(field)
    before = (await session_of(field, "meter")).radio
    say(device, b"\x05")
    await field.up("meter", b"cut")
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 meter  up   FCnt 0
  2.000 roof   RX2  meter FCnt 0 RxParamSetupReq
 10.000 meter  up   FCnt 1
 11.000 roof   RX1  meter FCnt 1 RxParamSetupReq
"""
    )
    [ignored] = field.happened(MacCommandIgnored)
    assert ignored.problem is CommandProblem.UNREADABLE
    assert "RXParamSetupAns" in ignored.command
    assert (await session_of(field, "meter")).radio == before
    assert field.network.journal.mac_problems == {"unreadable": 1}
    assert "mac_ignored" in log.text
    assert "problem=unreadable" in log.text
    assert [event.payload for event in field.happened(UplinkDelivered)] == [b"on", b"cut"]
    await field.up("meter")
    await field.passes(10)
    assert (await session_of(field, "meter")).radio.rx2_frequency_hz == RX2_HZ, "answered in full"


async def test_an_answer_too_long_counts_up_to_where_it_is_wrong(field_eu868):
    """Nobody can tell a byte too many from a command; what comes before it is good."""
    field = field_eu868
    device = await a_device_that_is_asked(field)
    say(device, b"\x05\x07\x7f")
    await field.up("meter")
    await field.passes(10)
    [ignored] = field.happened(MacCommandIgnored)
    assert (ignored.problem, ignored.command) == (
        CommandProblem.UNREADABLE,
        "unknown CID 0x7f at byte 2",
    )
    assert (await session_of(field, "meter")).radio.rx2_frequency_hz == RX2_HZ


@pytest.mark.parametrize(
    "answer",
    [
        b"\x03\x07",
        b"\x04",
        b"\x05\x07",
        b"\x06\xff\x0a",
        b"\x07\x03",
        b"\x08",
        b"\x0a\x03",
        b"\x11\x03",
        b"\x13\x01",
    ],
    ids=lambda answer: f"CID {answer[0]:#04x}",
)
async def test_an_answer_that_nobody_asked_for_changes_nothing(field_eu868, log, answer):
    field = field_eu868
    await field.add_gateway("roof")
    device = await field.add_device("meter")
    await field.up("meter")
    await field.passes(10)
    before = await session_of(field, "meter")
    say(device, answer)
    await field.up("meter")
    await field.passes(10)
    after = await session_of(field, "meter")
    assert (after.radio, after.requests, after.status) == (before.radio, (), before.status)
    [ignored] = field.happened(MacCommandIgnored)
    assert ignored.problem is CommandProblem.NOT_ASKED
    assert field.network.journal.mac_problems == {"answer_not_asked_for": 1}
    assert "problem=answer_not_asked_for" in log.text
    assert field.happened(DownlinkSent) == [], "and it is owed nothing"


async def test_a_device_that_never_answers_is_asked_ever_more_seldom(field_eu868, log):
    field = field_eu868
    device = await a_device_that_is_asked(field)
    for _ in range(40):
        say(device, b"")
        await field.up("meter")
        await field.passes(10)
    asked = [line for line in field.on_air().splitlines() if "RxParamSetupReq" in line]
    assert 4 <= len(asked) <= 8
    [told] = field.happened(MacRequestUnanswered)
    assert told.request.startswith("RXParamSetupReq")
    assert field.network.journal.events["mac_unanswered"] == 1
    assert "mac_unanswered" in log.text


async def test_a_refused_link_adr_req_changes_no_belief_and_is_not_asked_again(field_eu868, log):
    """The device is made for nothing faster than DR3, and says so."""
    field = field_eu868
    adr = msgspec.structs.replace(examples.SERVICE_PROFILE, dev_status_req_freq=0)
    field.store._service_profiles[adr.id] = adr
    await field.add_gateway("roof")
    field.heard_by["meter"] = {"roof": 15.0}
    device = await field.add_device("meter")
    device.adr, device.radio.data_rate, device.radio.max_data_rate = True, 0, 3
    believed = []
    for _ in range(60):
        await field.up("meter")
        await field.passes(10)
        believed.append((await session_of(field, "meter")).radio.data_rate)
    assert set(believed) == {0, 3}, "the next slower one was taken"
    assert device.radio.data_rate == 3
    declined = field.happened(MacRequestDeclined)
    assert declined != []
    assert len({one.request for one in declined}) == len(declined), "nothing twice"
    assert field.network.journal.events["mac_declined"] == len(declined)
    assert "mac_declined" in log.text
    assert field.air.complaints == []


# Data rates and frequencies


@pytest.mark.parametrize("confirmed", [False, True])
async def test_a_data_rate_that_is_in_no_table_is_refused(field_eu868, log, confirmed):
    field = field_eu868
    roof = await field.add_gateway("roof")
    device = await field.add_device("meter")
    device.uplink(b"x", 1, confirmed)
    await heard_as(field, roof, "meter", DR=15)
    [refused] = field.happened(FrameRefused)
    assert (refused.refusal, refused.reason) == (
        Refusal.WRONG_REGION,
        "EU868 has no data rate 15",
    )
    assert refused.gateway_eui == roof.eui
    assert field.network.journal.refusals == {"wrong_region": 1}
    assert "refusal=wrong_region" in log.text
    assert field.on_air().strip() == "", "nobody answers it"
    assert (await session_of(field, "meter")).fcnt_up == -1


async def test_a_data_rate_of_downlinks_is_no_uplinks(field_us915):
    field = field_us915
    roof = await field.add_gateway("roof")
    device = await field.add_device("meter")
    device.uplink(b"x", 1)
    await heard_as(field, roof, "meter", DR=10)
    [refused] = field.happened(FrameRefused)
    assert (refused.refusal, refused.reason) == (
        Refusal.WRONG_REGION,
        "DR10 of US915 is for downlinks alone",
    )
    assert refused.fcnt16 == 0


async def test_a_data_rate_that_a_channel_lacks_has_no_rx1_but_rx2(field_us915):
    """DR5 of US915 is LR-FHSS, which no channel of 125 kHz carries; the MIC says who it was."""
    field = field_us915
    roof = await field.add_gateway("roof")
    device = await field.add_device("meter")
    device.uplink(b"x", 1, confirmed=True)
    await heard_as(field, roof, "meter", DR=4)
    [sent] = field.happened(DownlinkSent)
    assert sent.ack


async def test_a_frame_on_a_frequency_of_another_region_is_refused(field_eu868, log):
    """And a join-request likewise: whoever says so is configured for another region."""
    field = field_eu868
    roof = await field.add_gateway("roof")
    device = await field.add_device("meter")
    newcomer = await field.add_device("newcomer", joins=True)
    device.uplink(b"x", 1)
    await heard_as(field, roof, "meter", Freq=915_200_000)
    newcomer.join_request()
    await heard_as(field, roof, "newcomer", Freq=902_300_000)
    assert [(one.refusal, one.reason) for one in field.happened(FrameRefused)] == [
        (Refusal.WRONG_REGION, "915200000 Hz is outside EU868"),
        (Refusal.WRONG_REGION, "902300000 Hz is outside EU868"),
    ]
    assert field.network.journal.refusals == {"wrong_region": 2}
    assert log.text.count("refusal=wrong_region") == 2
    assert field.on_air().strip() == ""
    await field.up("meter")
    await field.passes(10)
    assert [event.fcnt for event in field.happened(UplinkDelivered)] == [1]


async def test_a_frame_heard_by_a_gateway_of_another_region_is_refused(field_eu868):
    field = field_eu868
    await field.add_gateway("roof")
    device = await field.add_device("meter")
    field.region = "US915"
    port = await field.add_gateway("port")
    device.uplink(b"x", 1)
    await heard_as(field, port, "meter")
    [refused] = field.happened(FrameRefused)
    assert (refused.refusal, refused.gateway_eui) == (Refusal.WRONG_REGION, port.eui)


@pytest.mark.parametrize("joins", [False, True])
async def test_a_gateway_of_another_region_that_hears_best_does_not_spoil_the_good_copy(
    field_us915, joins
):
    """The port is of AU915, which has the frequency too: what the device is of decides."""
    field = field_us915
    roof = await field.add_gateway("roof")
    device = await field.add_device("meter", joins=joins)
    field.region = "AU915"
    port = await field.add_gateway("port")
    field.region = "US915"
    phy_payload = device.join_request() if joins else device.uplink(b"x", 1, confirmed=True)
    for gateway, snr_db, data_rate in ((port, 9.0, 2), (roof, 1.0, 0)):
        reception = Reception(
            gateway.eui,
            915_900_000,
            data_rate,
            -80,
            snr_db,
            field.time,
            gateway.station.xtime(0),
            0,
        )
        field.deduplicator.add(phy_payload, reception, field.time)
    await field.passes(0.3)
    assert field.happened(FrameRefused) == []
    [answer] = field.happened(JoinAnswered if joins else DownlinkSent)
    assert answer.gateway_eui == roof.eui


async def test_a_device_of_another_region_on_a_frequency_of_both_is_refused(field_us915):
    """AU915 and US915 overlap: what the session says decides, and both regions are named."""
    field = field_us915
    roof = await field.add_gateway("roof")
    device = await field.add_device("meter")
    session = await session_of(field, "meter")
    await field.store.advance(
        session, msgspec.structs.replace(session, region="AU915", revision=session.revision + 1)
    )
    device.uplink(b"x", 1)
    await heard_as(field, roof, "meter", Freq=916_800_000, DR=2)
    [refused] = field.happened(FrameRefused)
    assert (refused.refusal, refused.reason, refused.dev_eui) == (
        Refusal.WRONG_REGION,
        "heard in US915, but its device is of AU915",
        device.dev_eui,
    )


# Classes


async def test_ping_slots_of_a_device_whose_profile_lacks_class_b_are_not_confirmed(
    field_eu868, log
):
    """It claims them, sets the bit all the same, and is served in class A."""
    field = field_eu868
    await field.add_gateway("roof", gps=True)
    device = await field.add_device("pump")
    field.begin()
    device.desk.tell_ping_slots(0)
    await field.up("pump")
    await field.passes(10)
    device.device_class = "B"
    await field.up("pump")
    await field.passes(10)
    await field.queue("pump", b"on")
    await field.passes(100)
    await field.up("pump")
    await field.passes(10)
    assert (
        field.on_air()
        == """
  0.000 pump   up   FCnt 0
 10.000 pump   up   FCnt 1
120.000 pump   up   FCnt 2
121.000 roof   RX1  pump FCnt 0 on
"""
    )
    assert device.desk.ping_slot_periodicity is None
    commands = [event.command.partition("(")[0] for event in field.happened(MacCommandIgnored)]
    assert commands == ["PingSlotInfoReq", "FCtrl.ClassB", "FCtrl.ClassB"]
    assert field.network.journal.mac_problems == {"class_not_in_profile": 3}
    assert "problem=class_not_in_profile" in log.text
    assert (await session_of(field, "pump")).device_class == "A"


async def test_class_c_of_a_device_whose_profile_lacks_it_is_confirmed_as_class_a(field_eu868, log):
    field = field_eu868
    await field.add_gateway("roof")
    device = await field.add_device("valve", mac_version=MacVersion.LORAWAN_1_1)
    for _ in range(2):
        await field.up("valve")
        await field.passes(10)
    field.begin()
    device.desk.indicate_class("C")
    await field.up("valve")
    await field.passes(10)
    await field.queue("valve", b"open")
    await field.passes(90)
    await field.up("valve")
    await field.passes(10)
    told = [line.split(maxsplit=1)[1] for line in field.on_air().strip().splitlines()]
    assert told[0].startswith("valve  up")
    assert "DeviceModeConf" in told[1]
    assert told[2].startswith("valve  up"), "nothing was sent in between"
    assert told[3].endswith("open")
    assert device.device_class == "A"
    [ignored] = field.happened(MacCommandIgnored)
    assert ignored.problem is CommandProblem.CLASS_NOT_IN_PROFILE
    assert field.network.journal.mac_problems == {"class_not_in_profile": 1}
    assert "problem=class_not_in_profile" in log.text
    assert field.air.complaints == []
