from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from bittern.cli.event_text import EVENTS, line_of
from bittern.mac.commands.notices import CommandProblem
from bittern.network.events import (
    DownlinkAcknowledged,
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkTransmitted,
    DownlinkUnreported,
    DownlinkWaits,
    FrameRefused,
    GatewayConnected,
    GatewayDisconnected,
    GatewayRefused,
    JoinAnswered,
    JoinReceived,
    MacCommandIgnored,
    MacRequestDeclined,
    MacRequestUnanswered,
    NetworkEvent,
    UplinkDelivered,
    UplinkRepeated,
)
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant, Refusal

AT = Instant(1_800_000_000.125)
DEVICE = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
ADDRESS = DevAddr.from_hex("26011bda")
UPLINK = UplinkDelivered(
    at=AT,
    dev_eui=DEVICE,
    dev_addr=ADDRESS,
    fcnt=7,
    fport=2,
    payload=b"\x01\x02",
    confirmed=True,
    frequency_hz=868_100_000,
    data_rate=5,
    gateways=((GATEWAY, -42, 9.5), (GATEWAY, -90, 1.0)),
    destination="default",
)
LINES = [
    (
        UPLINK,
        "70b3d57ed0000001  FCnt 7 FPort 2 0102 confirmed 868.1 MHz DR5 -42 dBm 9.5 dB by"
        " 0016c001ff000001 +1 to default",
    ),
    (UplinkRepeated(at=AT, dev_eui=DEVICE, fcnt=7), "70b3d57ed0000001  FCnt 7"),
    (
        JoinAnswered(at=AT, dev_eui=DEVICE, dev_addr=ADDRESS, dev_nonce=5, gateway_eui=GATEWAY),
        "70b3d57ed0000001  DevAddr 26011bda DevNonce 5 by 0016c001ff000001",
    ),
    (
        FrameRefused(
            at=AT, refusal=Refusal.MIC_MISMATCH, reason="no session fits", dev_addr=ADDRESS
        ),
        "26011bda          mic_mismatch: no session fits",
    ),
    (
        DownlinkSent(
            at=AT,
            dev_eui=DEVICE,
            downlink_id=1,
            fcnt_down=3,
            fport=None,
            confirmed=True,
            ack=True,
            gateway_eui=GATEWAY,
            message_id="m",
        ),
        "70b3d57ed0000001  FCnt 3 confirmed ACK m by 0016c001ff000001",
    ),
    (
        DownlinkTransmitted(
            at=AT,
            dev_eui=DEVICE,
            downlink_id=1,
            gateway_eui=GATEWAY,
            frequency_hz=869_525_000,
            data_rate=0,
        ),
        "70b3d57ed0000001  869.525 MHz DR0 by 0016c001ff000001",
    ),
    (
        DownlinkUnreported(at=AT, dev_eui=DEVICE, downlink_id=7, gateway_eui=GATEWAY),
        "70b3d57ed0000001  downlink 7 by 0016c001ff000001",
    ),
    (DownlinkAcknowledged(at=AT, dev_eui=DEVICE, message_id="m"), "70b3d57ed0000001  m"),
    (
        DownlinkWaits(at=AT, dev_eui=DEVICE, message_id=None, reason="too long"),
        "70b3d57ed0000001  too long",
    ),
    (
        DownlinkDiscarded(at=AT, dev_eui=DEVICE, message_id="m", attempts=8),
        "70b3d57ed0000001  m after 8 attempts",
    ),
    (
        JoinReceived(at=AT, dev_eui=DEVICE, rejoin_type=2, gateway_eui=GATEWAY),
        "70b3d57ed0000001  rejoin 2 by 0016c001ff000001",
    ),
    (
        GatewayConnected(at=AT, gateway_eui=GATEWAY, station="2.0.6", peer="10.0.0.1:5"),
        "0016c001ff000001  station 2.0.6 10.0.0.1:5",
    ),
    (
        GatewayDisconnected(at=AT, gateway_eui=GATEWAY, reason="no pong"),
        "0016c001ff000001  no pong",
    ),
    (
        GatewayRefused(at=AT, refusal=Refusal.UNKNOWN_GATEWAY, reason="not registered"),
        "-                 unknown_gateway: not registered",
    ),
    (
        MacCommandIgnored(
            at=AT,
            dev_eui=DEVICE,
            command="DutyCycleAns()",
            problem=CommandProblem.NOT_ASKED,
        ),
        "70b3d57ed0000001  answer_not_asked_for: DutyCycleAns()",
    ),
    (
        MacRequestDeclined(at=AT, dev_eui=DEVICE, request="BeaconFreqReq", answer="BeaconFreqAns"),
        "70b3d57ed0000001  BeaconFreqReq was answered by BeaconFreqAns",
    ),
    (
        MacRequestUnanswered(at=AT, dev_eui=DEVICE, request="DevStatusReq()", attempts=3),
        "70b3d57ed0000001  DevStatusReq() has no answer after 3 attempts",
    ),
]


@pytest.mark.parametrize(("event", "told"), LINES, ids=lambda one: type(one).__name__)
def test_line_tells_who_and_what(event: NetworkEvent, told: str) -> None:
    time, name, rest = line_of(event).plain.split(maxsplit=2)
    assert time.endswith(":00.125")
    assert name == event.__struct_config__.tag
    assert rest == told


def test_a_rejoin_is_told_with_its_type_and_counter() -> None:
    event = JoinAnswered(
        at=AT, dev_eui=DEVICE, dev_addr=ADDRESS, dev_nonce=5, rejoin_type=2, gateway_eui=None
    )
    assert line_of(event).plain.endswith("DevAddr 26011bda rejoin 2 RJcount 5")


def test_a_message_that_is_too_late_says_so() -> None:
    event = DownlinkDiscarded(at=AT, dev_eui=DEVICE, message_id="m", attempts=1, expired=True)
    assert line_of(event).plain.endswith("m expired after 1 attempts")


def test_a_message_that_is_too_long_says_so() -> None:
    event = DownlinkDiscarded(at=AT, dev_eui=DEVICE, message_id="m", attempts=0, size=300)
    assert line_of(event).plain.endswith("m 300 bytes are too long")


def test_every_event_has_a_line() -> None:
    assert {type(event) for event, _ in LINES} == set(get_args(NetworkEvent))
    assert len(EVENTS) == len(LINES)


def test_a_downlink_in_another_window_says_which() -> None:
    sent = next(event for event, _ in LINES if isinstance(event, DownlinkSent))
    for device_class, window in (("A", "RX2"), ("C", "RX2"), ("B", "PING")):
        other = msgspec.structs.replace(sent, device_class=device_class, window=window)
        assert f"m class {device_class} {window} by" in line_of(other).plain


def test_date_is_told_where_lines_are_kept() -> None:
    assert line_of(UPLINK, with_date=True).plain.startswith("2027-01-1")


def test_uplink_without_port_and_payload_says_so() -> None:
    bare = msgspec.structs.replace(
        UPLINK, fport=None, payload=b"", confirmed=False, destination=None
    )
    assert "FCnt 7 no FPort - 868.1 MHz" in line_of(bare).plain
