"""Notices as AWS writes them."""

from __future__ import annotations

import json
import random
import uuid

import pytest

from bittern.network.notifications import (
    EVERYWHERE,
    ConnectionStatus,
    Named,
    Scope,
    Status,
    accept_details,
    connection_notice,
    delivery_notice,
    join_notice,
    request_details,
)
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant, JoinEUI, NetID


@pytest.mark.parametrize("status", ["connected", "disconnected"])
def test_a_connection_is_told_on_three_topics(status: ConnectionStatus) -> None:
    notice = connection_notice(
        status,
        gateway_eui=GatewayEUI(EUI64.from_hex("0016c001ff000001")),
        gateway_id="a1b2",
        at=Instant(1_763_690_000.5),
        randomness=random.Random(1),
    )
    root = f"$aws/iotwireless/events/connection_status/{status}/lorawan/wireless_gateways"
    assert notice.topics == (
        root,
        f"{root}/gateway_eui/0016c001ff000001",
        f"{root}/wireless_gateway_id/a1b2",
    )
    document = json.loads(notice.document)
    assert uuid.UUID(document.pop("eventId")).version == 4
    assert document == {
        "eventType": status,
        "WirelessGatewayId": "a1b2",
        "timestamp": "1763690000500",
        "LoRaWAN": {"GatewayEui": "0016c001ff000001"},
    }


DEVICE = Named("d1", DevEUI(EUI64.from_hex("70b3d57ed0000001")))
AT = Instant(1_763_690_000.5)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), ()),
        (Scope(of_all=True), ("root",)),
        (Scope(by_eui=True), ("root/eui/1",)),
        (Scope(by_id=True), ("root/id/2",)),
        (EVERYWHERE, ("root", "root/eui/1", "root/id/2")),
    ],
)
def test_a_notice_goes_where_it_is_wanted(scope: Scope, expected: tuple[str, ...]) -> None:
    assert scope.topics("root", ("eui", "1"), ("id", "2")) == expected
    assert bool(scope) == bool(expected)


def test_a_join_request_says_who_asks() -> None:
    join_eui = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
    details = request_details(DEVICE.dev_eui, join_eui, says_app_eui=True)
    notice = join_notice("join_req_received", DEVICE, details, at=AT, randomness=random.Random(1))
    root = "$aws/iotwireless/events/join/join_req_received/lorawan/wireless_devices"
    assert notice.topics == (
        root,
        f"{root}/dev_eui/70b3d57ed0000001",
        f"{root}/wireless_device_id/d1",
    )
    document = json.loads(notice.document)
    assert uuid.UUID(document.pop("eventId")).version == 4
    assert document == {
        "eventType": "join_req_received",
        "WirelessDeviceId": "d1",
        "timestamp": "1763690000500",
        "LoRaWAN": {
            "DevEui": "70b3d57ed0000001",
            "JoinEui": "70b3d57ed0ffff01",
            "AppEui": "70b3d57ed0ffff01",
        },
    }


def test_a_device_of_1_1_knows_no_app_eui() -> None:
    join_eui = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
    details = request_details(DEVICE.dev_eui, join_eui, says_app_eui=False)
    assert details.app_eui is None


def test_a_join_that_was_granted_says_what_was_given() -> None:
    details = accept_details(DEVICE.dev_eui, DevAddr.from_hex("26011bda"), NetID.from_hex("000013"))
    notice = join_notice(
        "join_accepted",
        DEVICE,
        details,
        at=AT,
        randomness=random.Random(1),
        scope=Scope(by_id=True),
    )
    assert len(notice.topics) == 1
    assert json.loads(notice.document)["LoRaWAN"] == {
        "DevEui": "70b3d57ed0000001",
        "DevAddr": "26011bda",
        "NetId": "000013",
    }


def test_a_delivery_status_says_what_is_known() -> None:
    status = Status(
        kind="failed",
        message_id="m",
        at=AT,
        fport=2,
        confirmed=True,
        fcnt_down=0,
        gateway_eui=GatewayEUI(EUI64.from_hex("0016c001ff000001")),
        attempts=3,
        reason="NotAcknowledged",
        detail="why",
    )
    notice = delivery_notice(status, DEVICE, randomness=random.Random(1))
    root = "$aws/iotwireless/events/message_delivery_status/failed/lorawan/wireless_devices"
    assert notice.topics[0] == root
    assert notice.topics[2] == f"{root}/wireless_device_id/d1"
    document = json.loads(notice.document)
    del document["eventId"]
    assert document == {
        "eventType": "failed",
        "MessageId": "m",
        "WirelessDeviceId": "d1",
        "timestamp": "1763690000500",
        "TransmitMode": 1,
        "Attempts": 3,
        "Reason": "NotAcknowledged",
        "ReasonText": "why",
        "LoRaWAN": {
            "DevEui": "70b3d57ed0000001",
            "FPort": 2,
            "FCnt": 0,
            "GatewayEui": "0016c001ff000001",
        },
    }


def test_what_is_not_known_is_not_said() -> None:
    status = Status(kind="queued", message_id="m", at=AT)
    document = json.loads(delivery_notice(status, DEVICE, randomness=random.Random(1)).document)
    assert document["LoRaWAN"] == {"DevEui": "70b3d57ed0000001"}
    assert "Reason" not in document
