"""Which events are published, by boto3."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bittern.types import EUI64, DevEUI

OFF_OF_ALL = {
    "DeviceRegistrationState": {"Sidewalk": {"WirelessDeviceEventTopic": "Disabled"}},
    "Proximity": {"Sidewalk": {"WirelessDeviceEventTopic": "Disabled"}},
    "MessageDeliveryStatus": {"Sidewalk": {"WirelessDeviceEventTopic": "Disabled"}},
    "Join": {"LoRaWAN": {"WirelessDeviceEventTopic": "Disabled"}},
    "ConnectionStatus": {"LoRaWAN": {"WirelessGatewayEventTopic": "Disabled"}},
}
SIDEWALK = {"Sidewalk": {"AmazonIdEventTopic": "Disabled"}}
OFF_OF_DEVICE = {
    "DeviceRegistrationState": {**SIDEWALK, "WirelessDeviceIdEventTopic": "Disabled"},
    "Proximity": {**SIDEWALK, "WirelessDeviceIdEventTopic": "Disabled"},
    "MessageDeliveryStatus": {**SIDEWALK, "WirelessDeviceIdEventTopic": "Disabled"},
    "Join": {
        "LoRaWAN": {"DevEuiEventTopic": "Disabled"},
        "WirelessDeviceIdEventTopic": "Disabled",
    },
}
JOINS = {"LoRaWAN": {"DevEuiEventTopic": "Enabled"}}
CONNECTIONS = {"WirelessGatewayIdEventTopic": "Enabled"}


def of_all(client: Any) -> Any:
    found = client.get_event_configuration_by_resource_types()
    del found["ResponseMetadata"]
    return found


def of_one(client: Any, identifier: str, kind: str) -> Any:
    found = client.get_resource_event_configuration(Identifier=identifier, IdentifierType=kind)
    del found["ResponseMetadata"]
    return found


def notes(api: Any) -> list[str]:
    found = asyncio.run(api.store.notes("123456789012", "events"))
    return [note.name for note in found]


def device_listed(client: Any, **page: Any) -> Any:
    return client.list_event_configurations(ResourceType="WirelessDevice", **page)


def test_what_nobody_has_said_is_as_the_configuration_has_it(api: Any) -> None:
    found = of_all(api.wireless)
    assert found["ConnectionStatus"]["LoRaWAN"]["WirelessGatewayEventTopic"] == "Enabled"
    assert {**found, "ConnectionStatus": OFF_OF_ALL["ConnectionStatus"]} == OFF_OF_ALL


def test_an_account_decides_for_its_own_resources(api: Any) -> None:
    update = api.wireless.update_event_configuration_by_resource_types
    update(ConnectionStatus=OFF_OF_ALL["ConnectionStatus"])
    assert of_all(api.wireless) == OFF_OF_ALL
    update(Join={"LoRaWAN": {"WirelessDeviceEventTopic": "Enabled"}})
    found = of_all(api.wireless)
    assert found["Join"]["LoRaWAN"]["WirelessDeviceEventTopic"] == "Enabled"
    assert found["ConnectionStatus"] == OFF_OF_ALL["ConnectionStatus"]
    other = of_all(api.other)
    assert other["Join"] == OFF_OF_ALL["Join"]
    assert other["ConnectionStatus"] != OFF_OF_ALL["ConnectionStatus"]


def test_a_device_is_told_by_either_of_its_names(api: Any) -> None:
    made = api.device()
    update = api.wireless.update_resource_event_configuration
    assert of_one(api.wireless, made["Id"], "WirelessDeviceId") == OFF_OF_DEVICE
    update(Identifier="70b3d57ed0000001", IdentifierType="DevEui", Join=JOINS)
    update(
        Identifier=made["Id"],
        IdentifierType="WirelessDeviceId",
        MessageDeliveryStatus={"WirelessDeviceIdEventTopic": "Enabled"},
    )
    found = of_one(api.wireless, made["Id"], "WirelessDeviceId")
    assert found == of_one(api.wireless, "70B3D57ED0000001", "DevEui")
    assert found["Join"] == {
        "LoRaWAN": {"DevEuiEventTopic": "Enabled"},
        "WirelessDeviceIdEventTopic": "Disabled",
    }
    assert found["MessageDeliveryStatus"]["WirelessDeviceIdEventTopic"] == "Enabled"


def test_a_gateway_has_its_connection(api: Any) -> None:
    gateway = api.gateway()
    api.wireless.update_resource_event_configuration(
        Identifier="00800000a0000001", IdentifierType="GatewayEui", ConnectionStatus=CONNECTIONS
    )
    found = of_one(api.wireless, gateway, "WirelessGatewayId")
    assert found["ConnectionStatus"] == {
        "LoRaWAN": {"GatewayEuiEventTopic": "Disabled"},
        "WirelessGatewayIdEventTopic": "Enabled",
    }
    assert "Join" not in found
    [entry] = api.wireless.list_event_configurations(ResourceType="WirelessGateway")[
        "EventConfigurationsList"
    ]
    assert (entry["Identifier"], entry["IdentifierType"]) == (gateway, "WirelessGatewayId")
    assert entry["Events"] == found


def test_only_what_is_told_of_is_listed_page_by_page(api: Any) -> None:
    ids = sorted(api.device(f"70b3d57ed000000{number}")["Id"] for number in range(5))
    for identity in ids:
        api.wireless.update_resource_event_configuration(
            Identifier=identity, IdentifierType="WirelessDeviceId", Join=JOINS
        )
    api.gateway()
    api.wireless.update_event_configuration_by_resource_types(
        Join={"LoRaWAN": {"WirelessDeviceEventTopic": "Enabled"}}
    )
    api.wireless.update_resource_event_configuration(
        Identifier=ids[1],
        IdentifierType="WirelessDeviceId",
        Join={"LoRaWAN": {"DevEuiEventTopic": "Disabled"}},
    )
    api.wireless.delete_wireless_device(Id=ids[3])
    assert not [note for note in notes(api) if ids[3] in note]
    first = device_listed(api.wireless, MaxResults=2)
    rest = device_listed(api.wireless, MaxResults=2, NextToken=first["NextToken"])
    listed = [*first["EventConfigurationsList"], *rest["EventConfigurationsList"]]
    assert [one["Identifier"] for one in listed] == [ids[0], ids[2], ids[4]]
    assert "NextToken" not in rest
    assert device_listed(api.other)["EventConfigurationsList"] == []
    partners = api.wireless.list_event_configurations(ResourceType="SidewalkAccount")
    assert partners["EventConfigurationsList"] == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"Proximity": {"WirelessDeviceIdEventTopic": "Enabled"}},
        {"DeviceRegistrationState": {"Sidewalk": {"AmazonIdEventTopic": "Enabled"}}},
        {"MessageDeliveryStatus": {"Sidewalk": {"AmazonIdEventTopic": "Enabled"}}},
        {"ConnectionStatus": CONNECTIONS},
    ],
)
def test_what_a_device_does_not_have_cannot_be_enabled(
    api: Any, refused: Any, wanted: dict[str, Any]
) -> None:
    made = {"Identifier": api.device()["Id"], "IdentifierType": "WirelessDeviceId"}
    with refused("ValidationException"):
        api.wireless.update_resource_event_configuration(**made, Join=JOINS, **wanted)
    off = msgspec.json.decode(msgspec.json.encode(wanted).replace(b"Enabled", b"Disabled"))
    api.wireless.update_resource_event_configuration(**made, **off)
    assert of_one(api.wireless, *made.values()) == OFF_OF_DEVICE


def test_sidewalk_cannot_be_enabled_for_all(api: Any, refused: Any) -> None:
    update = api.wireless.update_event_configuration_by_resource_types
    with refused("ValidationException") as refusal:
        update(Proximity={"Sidewalk": {"WirelessDeviceEventTopic": "Enabled"}})
    assert "Sidewalk" in refusal.message
    update(Proximity={"Sidewalk": {"WirelessDeviceEventTopic": "Disabled"}})


def test_a_resource_must_be_there_and_be_ones_own(api: Any, refused: Any) -> None:
    device = api.device()["Id"]
    for client, identifier, kind in (
        (api.wireless, "nobody", "WirelessDeviceId"),
        (api.wireless, "nobody", "WirelessGatewayId"),
        (api.wireless, "ffffffffffffffff", "DevEui"),
        (api.wireless, "ffffffffffffffff", "GatewayEui"),
        (api.wireless, "amazon", "PartnerAccountId"),
        (api.other, device, "WirelessDeviceId"),
        (api.other, "70b3d57ed0000001", "DevEui"),
    ):
        with refused("ResourceNotFoundException"):
            of_one(client, identifier, kind)
        with refused("ResourceNotFoundException"):
            client.update_resource_event_configuration(Identifier=identifier, IdentifierType=kind)
    for wrong in ({"Identifier": "zz", "IdentifierType": "DevEui"},):
        with refused("ValidationException"):
            api.wireless.get_resource_event_configuration(**wrong)
    with refused("ValidationException"):
        of_one(api.wireless, device, "SerialNumber")
    with refused("ValidationException"):
        api.wireless.list_event_configurations(ResourceType="Thing")


def test_a_status_must_be_one(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        api.wireless.update_event_configuration_by_resource_types(
            Join={"LoRaWAN": {"WirelessDeviceEventTopic": "On"}}
        )


def test_what_was_said_of_a_device_that_another_program_removed_is_not_listed(api: Any) -> None:
    made = api.device()
    api.wireless.update_resource_event_configuration(
        Identifier=made["Id"], IdentifierType="WirelessDeviceId", Join=JOINS
    )
    asyncio.run(api.store.remove_device(DevEUI(EUI64.from_hex("70b3d57ed0000001"))))
    assert device_listed(api.wireless)["EventConfigurationsList"] == []
