from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest

from bittern.api.operations import Notify
from bittern.mac.session import Session
from bittern.network.messages import LoRaWANMetadata, UplinkMessage
from bittern.testing import examples
from bittern.types import EUI64, DevAddr, DevEUI

DEV_EUI = DevEUI(EUI64.from_hex("70b3d57ed0000001"))


def owed(api: Any) -> list[Any]:
    found: list[Any] = asyncio.run(api.store.owed(0, 10))
    return found


def test_hello_is_owed_to_the_destination_of_the_device(api: Any) -> None:
    destination = api.destination("yard", ExpressionType="RuleName", Expression="nowhere")
    device = api.device(destination=destination)["Id"]
    told = api.wireless.test_wireless_device(Id=device)
    # The rule is missing, which only its dead letter tells.
    assert told["Result"] == "Test succeeded. one message is sent with payload: hello"
    [message] = owed(api)
    assert (message.destination, message.dev_eui, message.lane) == ("yard", DEV_EUI, "")
    assert message.created_at == api.now
    document = json.loads(message.document)
    assert document["PayloadData"] == "SGVsbG8="
    assert (document["MessageId"], document["WirelessDeviceId"]) == (message.message_id, device)
    lorawan = document["WirelessMetadata"]["LoRaWAN"]
    assert (lorawan["DevEui"], lorawan["DevAddr"]) == (str(DEV_EUI), "00000000")
    assert (lorawan["FCnt"], lorawan["FPort"]) == (0, 1)
    assert (lorawan["Frequency"], lorawan["DataRate"]) == ("868100000", "5")
    assert (lorawan["SpreadingFactor"], lorawan["Bandwidth"]) == (7, 125)
    assert lorawan["Timestamp"] == "2026-01-02T03:00:30.000Z"


def test_it_has_the_members_of_an_uplink_in_their_types(api: Any) -> None:
    api.wireless.test_wireless_device(Id=api.device()["Id"])
    [message] = owed(api)
    document = msgspec.json.decode(message.document)
    told = msgspec.convert(document, UplinkMessage, strict=True)
    required = {one.name for one in msgspec.structs.fields(LoRaWANMetadata) if one.required}
    lorawan = document["WirelessMetadata"]["LoRaWAN"]
    assert required <= set(lorawan)
    assert set(lorawan) - set(LoRaWANMetadata.__struct_fields__) == set()
    assert msgspec.json.decode(msgspec.json.encode(told)) == document


def test_an_activated_device_is_told_by_its_session(api: Any) -> None:
    device = api.device(device_profile=api.device_profile(RfRegion="US915"))["Id"]

    def session(address: int, **more: Any) -> Session:
        return msgspec.structs.replace(
            examples.session(generation=address),
            dev_eui=DEV_EUI,
            dev_addr=DevAddr.from_int(address),
            **more,
        )

    api.store._sessions = {
        (DEV_EUI, 1): session(1, fcnt_up=77),
        (DEV_EUI, 2): session(2, pending=True),
    }
    api.wireless.test_wireless_device(Id=device)
    lorawan = json.loads(owed(api)[0].document)["WirelessMetadata"]["LoRaWAN"]
    assert (lorawan["DevAddr"], lorawan["FCnt"]) == ("00000001", 77)
    assert (lorawan["Frequency"], lorawan["DataRate"]) == ("902300000", "3")


@pytest.mark.parametrize("wanted", [True, False])
def test_gateways_are_there_where_the_service_profile_wants_them(api: Any, wanted: bool) -> None:
    service = api.wireless.create_service_profile(LoRaWAN={"AddGwMetadata": wanted})["Id"]
    api.wireless.test_wireless_device(Id=api.device(service_profile=service)["Id"])
    lorawan = json.loads(owed(api)[0].document)["WirelessMetadata"]["LoRaWAN"]
    assert lorawan.get("Gateways") == ([] if wanted else None)


def test_deliveries_are_woken_at_once(api: Any) -> None:
    device = api.device()["Id"]
    woken: list[int] = []
    object.__setattr__(api.services, "notify", Notify(lambda: woken.append(len(api.store._outbox))))
    api.wireless.test_wireless_device(Id=device)
    assert woken == [1]


def test_a_device_of_somebody_else_is_not_there(api: Any, refused: Any) -> None:
    device = api.device()["Id"]
    for client, identity in ((api.other, device), (api.wireless, "nothing")):
        with refused("ResourceNotFoundException"):
            client.test_wireless_device(Id=identity)
    assert owed(api) == []
