from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import pytest

from bittern.types import EUI64, DevEUI

DEV_EUI = DevEUI(EUI64.from_hex("70b3d57ed0000001"))


def send(api: Any, device: str, payload: bytes = b"\x01\x02", **lorawan: Any) -> str:
    made = api.wireless.send_data_to_wireless_device(
        Id=device,
        TransmitMode=lorawan.pop("mode", 0),
        PayloadData=base64.b64encode(payload).decode(),
        WirelessMetadata={"LoRaWAN": {"FPort": 2, **lorawan}},
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    found: str = made["MessageId"]
    return found


def test_a_message_is_queued(api: Any) -> None:
    message_id = send(api, api.device()["Id"], mode=1)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", message_id)
    (queued,) = asyncio.run(api.store.queued(DEV_EUI))
    assert (queued.message_id, queued.payload) == (message_id, b"\x01\x02")
    assert (queued.fport, queued.confirmed) == (2, True)


def test_the_queue_is_told_without_payloads(api: Any) -> None:
    device, gateway = api.device()["Id"], api.gateway()
    chosen = {
        "DownlinkMode": "SEQUENTIAL",
        "GatewayList": [{"GatewayId": gateway, "DownlinkFrequency": 869525000}],
        "TransmissionInterval": 5,
    }
    message_id = send(api, device, ParticipatingGateways=chosen)
    (entry,) = api.wireless.list_queued_messages(Id=device)["DownlinkQueueMessagesList"]
    assert entry == {
        "MessageId": message_id,
        "TransmitMode": 0,
        "ReceivedAt": "2026-01-02T03:00:30.000000000Z",
        "LoRaWAN": {"FPort": 2, "ParticipatingGateways": chosen},
    }
    listed = api.wireless.list_queued_messages(Id=device, WirelessDeviceType="Sidewalk")
    assert listed["DownlinkQueueMessagesList"] == []


def test_ten_messages_are_shown_unless_more_are_wanted(api: Any) -> None:
    device = api.device()["Id"]
    sent = []
    for _ in range(12):
        api.now += 0.25
        sent.append(send(api, device))
    first = api.wireless.list_queued_messages(Id=device)
    last = api.wireless.list_queued_messages(Id=device, NextToken=first["NextToken"])
    pages = [page["DownlinkQueueMessagesList"] for page in (first, last)]
    assert [len(page) for page in pages] == [10, 2]
    assert [one["MessageId"] for page in pages for one in page] == sent
    assert "NextToken" not in last


def test_messages_are_deleted_one_by_one_or_all(api: Any, refused: Any) -> None:
    device = api.device()["Id"]
    one, *_ = [send(api, device) for _ in range(3)]
    api.wireless.delete_queued_messages(Id=device, MessageId=one)
    assert len(asyncio.run(api.store.queued(DEV_EUI))) == 2
    with refused("ResourceNotFoundException"):
        api.wireless.delete_queued_messages(Id=device, MessageId=one)
    api.wireless.delete_queued_messages(Id=device, MessageId="*")
    api.wireless.delete_queued_messages(Id=device, MessageId="*")
    assert asyncio.run(api.store.queued(DEV_EUI)) == []


@pytest.mark.parametrize(
    "given",
    [
        {"PayloadData": "!!", "WirelessMetadata": {"LoRaWAN": {"FPort": 1}}},
        {"PayloadData": "AQ==", "WirelessMetadata": {"LoRaWAN": {"FPort": 224}}},
        {"PayloadData": "AQ==", "WirelessMetadata": {"LoRaWAN": {}}},
        {"PayloadData": "AQ==", "WirelessMetadata": {"Sidewalk": {}}},
        {"PayloadData": "AQ=="},
        {"PayloadData": "AQ==", "TransmitMode": 7, "WirelessMetadata": {"LoRaWAN": {"FPort": 1}}},
    ],
)
def test_what_cannot_be_sent_is_refused(api: Any, refused: Any, given: Any) -> None:
    device = api.device()["Id"]
    with refused("ValidationException"):
        api.wireless.send_data_to_wireless_device(**{"Id": device, "TransmitMode": 0, **given})


def test_devices_and_gateways_must_be_there(api: Any, refused: Any) -> None:
    device = api.device()["Id"]
    with refused("ResourceNotFoundException"):
        send(api, "nobody")
    chosen = {
        "DownlinkMode": "CONCURRENT",
        "GatewayList": [{"GatewayId": "nobody", "DownlinkFrequency": 869525000}],
        "TransmissionInterval": 1,
    }
    with refused("ResourceNotFoundException") as refusal:
        send(api, device, ParticipatingGateways=chosen)
    assert refusal.resource == ("WirelessGateway", "nobody")
    with refused("ResourceNotFoundException"):
        api.other.list_queued_messages(Id=device)
    with refused("ResourceNotFoundException"):
        api.other.delete_queued_messages(Id=device, MessageId="*")
