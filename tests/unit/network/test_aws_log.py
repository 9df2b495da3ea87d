"""Lines of AWS's log."""

import json

import pytest

from bittern.network.aws_log import entry_of, line_of
from bittern.network.events import (
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkUnreported,
    DownlinkWaits,
    FrameRefused,
    GatewayConnected,
    GatewayRefused,
    JoinAnswered,
    JoinReceived,
    UplinkDelivered,
)
from bittern.testing.examples import DEV_ADDR, DEV_EUI, GATEWAY_EUI
from bittern.types import Instant, Refusal

AT = Instant(1_767_322_830.25)
OF = {"at": AT, "dev_eui": DEV_EUI}
UPLINK = UplinkDelivered(
    **OF,
    dev_addr=DEV_ADDR,
    fcnt=7,
    fport=1,
    payload=b"secret",
    confirmed=False,
    frequency_hz=868_100_000,
    data_rate=5,
    gateways=((GATEWAY_EUI, -80, 7.25),),
    message_id="m",
)
DOWNLINK = DownlinkSent(
    **OF,
    downlink_id=1,
    fcnt_down=3,
    fport=1,
    confirmed=False,
    ack=False,
    gateway_eui=GATEWAY_EUI,
    message_id="d",
)


def joined(**more):
    return JoinAnswered(**OF, dev_addr=DEV_ADDR, dev_nonce=1, gateway_eui=GATEWAY_EUI, **more)


def refused(refusal=Refusal.MIC_MISMATCH, **more):
    return FrameRefused(at=AT, refusal=refusal, reason="it does not fit", **more)


def gateway_refused(refusal=Refusal.CERTIFICATE_REVOKED, eui=GATEWAY_EUI):
    return GatewayRefused(at=AT, refusal=refusal, reason="it is not the one", gateway_eui=eui)


@pytest.mark.parametrize(
    ("event", "name", "level", "message_id"),
    [
        (UPLINK, "Uplink_Data", "INFO", "m"),
        (DOWNLINK, "Downlink_Data", "INFO", "d"),
        (DownlinkDiscarded(**OF, message_id="d", attempts=3), "Downlink_Data", "ERROR", "d"),
        (
            DownlinkUnreported(**OF, downlink_id=1, gateway_eui=GATEWAY_EUI),
            "Downlink_Data",
            "ERROR",
            None,
        ),
        (JoinReceived(**OF, gateway_eui=GATEWAY_EUI), "Join", "INFO", None),
        (JoinReceived(**OF, gateway_eui=GATEWAY_EUI, rejoin_type=1), "Rejoin", "INFO", None),
        (joined(), "Join", "INFO", None),
        (joined(rejoin_type=0), "Rejoin", "INFO", None),
        (refused(dev_eui=DEV_EUI), "Join", "ERROR", None),
        (refused(dev_eui=DEV_EUI, dev_addr=DEV_ADDR), "Uplink_Data", "ERROR", None),
        (refused(Refusal.RJ_COUNT_REPLAYED, dev_eui=DEV_EUI), "Rejoin", "ERROR", None),
        (gateway_refused(), "Certificate", "ERROR", None),
    ],
)
def test_what_aws_has_a_line_for_becomes_one(event, name, level, message_id):
    entry = entry_of(event)
    assert (entry.event, entry.level, entry.message_id) == (name, level, message_id)
    assert entry.at == AT


@pytest.mark.parametrize(
    "event",
    [
        refused(),
        gateway_refused(eui=None),
        gateway_refused(Refusal.STATION_TOO_OLD),
        GatewayConnected(at=AT, gateway_eui=GATEWAY_EUI, station="2.0.6"),
        DownlinkWaits(**OF, message_id="d", reason="later"),
    ],
)
def test_what_aws_has_no_line_for_or_nobody_owns_is_left_out(event):
    assert entry_of(event) is None


def test_a_line_of_a_device_has_the_members_of_aws_and_no_payload():
    line = line_of(entry_of(UPLINK), "device-1")
    assert json.loads(line) == {
        "timestamp": "2026-01-02T03:00:30.250Z",
        "resource": "WirelessDevice",
        "wirelessDeviceId": "device-1",
        "wirelessDeviceType": "LoRaWAN",
        "devEui": str(DEV_EUI),
        "event": "Uplink_Data",
        "logLevel": "INFO",
        "messageId": "m",
        "message": "Uplink received. FCnt: 7",
    }


def test_a_line_of_a_gateway_has_the_members_of_aws():
    line = line_of(entry_of(gateway_refused()), "gateway-1")
    assert json.loads(line) == {
        "timestamp": "2026-01-02T03:00:30.250Z",
        "resource": "WirelessGateway",
        "wirelessGatewayId": "gateway-1",
        "wirelessGatewayType": "LoRaWAN",
        "gatewayEui": str(GATEWAY_EUI),
        "event": "Certificate",
        "logLevel": "ERROR",
        "message": "certificate_revoked: it is not the one",
    }
