from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bittern.store.gateway_records import CupsContact, GatewayConnection
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("00800000a0000001"))
LORAWAN = {
    "GatewayEui": "00800000a0000001",
    "RfRegion": "US915",
    "JoinEuiFilters": [["0000000000000001", "00000000000000ff"]],
    "NetIdFilters": ["000013"],
    "SubBands": [2],
    "Beaconing": {"DataRate": 8, "Frequencies": [923300000]},
    "MaxEirp": 21.5,
}


def got(api: Any, gateway: str) -> Any:
    found = api.wireless.get_wireless_gateway(
        Identifier=gateway, IdentifierType="WirelessGatewayId"
    )
    del found["ResponseMetadata"]
    return found


def test_a_gateway_is_told_as_it_was_made(api: Any) -> None:
    made = api.wireless.create_wireless_gateway(Name="roof", Description="north", LoRaWAN=LORAWAN)
    found = got(api, made["Id"])
    assert found == {
        "Name": "roof",
        "Description": "north",
        "Id": made["Id"],
        "Arn": made["Arn"],
        "LoRaWAN": LORAWAN,
    }
    assert made["Arn"].endswith(f":WirelessGateway/{made['Id']}")


@pytest.mark.parametrize("text", ["00-80-00-00-A0-00-00-01", "00:80:00:00:a0:00:00:01"])
def test_an_eui_may_have_separators(api: Any, refused: Any, text: str) -> None:
    gateway = api.gateway(text)
    assert got(api, gateway)["LoRaWAN"]["GatewayEui"] == "00800000a0000001"
    found = api.wireless.get_wireless_gateway(Identifier=text, IdentifierType="GatewayEui")
    assert found["Id"] == gateway
    with refused("ConflictException") as refusal:
        api.gateway()
    assert refusal.resource == ("WirelessGateway", "00800000a0000001")


def test_an_eui_is_taken_once_for_all_accounts(api: Any, refused: Any) -> None:
    gateway = api.gateway()
    with refused("ConflictException"):
        api.other.create_wireless_gateway(LoRaWAN=LORAWAN)
    with refused("ResourceNotFoundException"):
        api.other.get_wireless_gateway(Identifier=gateway, IdentifierType="WirelessGatewayId")
    with refused("ResourceNotFoundException"):
        api.other.get_wireless_gateway(Identifier=str(EUI), IdentifierType="GatewayEui")
    assert api.other.list_wireless_gateways()["WirelessGatewayList"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"GatewayEui": "bad"},
        {"RfRegion": "MARS"},
        {"MaxEirp": 99},
        {"SubBands": [9]},
        {"JoinEuiFilters": [["00000000000000ff", "0000000000000001"]]},
        {"NetIdFilters": ["13"]},
        {"RfRegion": "EU868"},
        {"Beaconing": {"DataRate": 13, "Frequencies": [868100000]}},
        {"Beaconing": {"DataRate": 2}},
    ],
)
def test_what_cannot_be_is_refused(api: Any, refused: Any, given: Any) -> None:
    with refused("ValidationException"):
        api.wireless.create_wireless_gateway(LoRaWAN={**LORAWAN, **given})


def test_eui_and_region_are_needed(api: Any, refused: Any) -> None:
    for name in ("GatewayEui", "RfRegion"):
        with refused("ValidationException"):
            api.wireless.create_wireless_gateway(LoRaWAN={name: LORAWAN[name]})


def test_the_same_token_makes_one_gateway(api: Any, refused: Any) -> None:
    assert api.gateway(ClientRequestToken="x") == api.gateway(ClientRequestToken="x")
    with refused("ConflictException"):
        api.gateway(ClientRequestToken="x", Name="other")


def test_gateways_are_found(api: Any, refused: Any) -> None:
    for kind in ("WirelessGatewayId", "ThingName", "GatewayEui"):
        code = "ValidationException" if kind == "GatewayEui" else "ResourceNotFoundException"
        with refused(code):
            api.wireless.get_wireless_gateway(Identifier="nobody", IdentifierType=kind)


def test_gateways_are_listed_page_by_page(api: Any) -> None:
    made = [api.gateway(f"00800000a000000{number}") for number in range(3)]
    first = api.wireless.list_wireless_gateways(MaxResults=2)
    last = api.wireless.list_wireless_gateways(MaxResults=2, NextToken=first["NextToken"])
    listed = first["WirelessGatewayList"] + last["WirelessGatewayList"]
    assert [one["Id"] for one in listed] == made
    assert "NextToken" not in last


def test_an_update_leaves_what_it_does_not_name_and_clears_what_is_empty(
    api: Any, refused: Any
) -> None:
    gateway = api.wireless.create_wireless_gateway(Name="roof", LoRaWAN=LORAWAN)["Id"]
    api.wireless.update_wireless_gateway(Id=gateway, Description="new", NetIdFilters=[])
    found = got(api, gateway)
    assert (found["Name"], found["Description"]) == ("roof", "new")
    assert "NetIdFilters" not in found["LoRaWAN"]
    assert found["LoRaWAN"]["JoinEuiFilters"] == LORAWAN["JoinEuiFilters"]
    api.wireless.update_wireless_gateway(Id=gateway, MaxEirp=10.0, JoinEuiFilters=[])
    assert got(api, gateway)["LoRaWAN"]["MaxEirp"] == 10.0
    with refused("ResourceNotFoundException"):
        api.wireless.update_wireless_gateway(Id="nobody")
    with refused("ValidationException"):
        api.wireless.update_wireless_gateway(Id=gateway, MaxEirp=31.0)


def test_a_gateway_is_deleted(api: Any, refused: Any) -> None:
    gateway = api.gateway()
    with refused("ResourceNotFoundException"):
        api.other.delete_wireless_gateway(Id=gateway)
    api.wireless.delete_wireless_gateway(Id=gateway)
    with refused("ResourceNotFoundException"):
        api.wireless.delete_wireless_gateway(Id=gateway)


def test_statistics_are_of_the_connection(api: Any, refused: Any) -> None:
    gateway = api.gateway()
    found = api.wireless.get_wireless_gateway_statistics(WirelessGatewayId=gateway)
    assert found["ConnectionStatus"] == "Disconnected"
    assert "LastUplinkReceivedAt" not in found
    seen = GatewayConnection(
        connected=True, changed_at=Instant(5.0), last_uplink_at=Instant(1_700_000_000.25)
    )
    asyncio.run(api.store.put_gateway_state(EUI, seen))
    found = api.wireless.get_wireless_gateway_statistics(WirelessGatewayId=gateway)
    assert found["WirelessGatewayId"] == gateway
    assert found["ConnectionStatus"] == "Connected"
    assert found["LastUplinkReceivedAt"] == "2023-11-14T22:13:20.250000000Z"
    (entry,) = api.wireless.list_wireless_gateways()["WirelessGatewayList"]
    assert entry["LastUplinkReceivedAt"] == found["LastUplinkReceivedAt"]
    with refused("ResourceNotFoundException"):
        api.wireless.get_wireless_gateway_statistics(WirelessGatewayId="nobody")


def test_the_firmware_is_what_the_gateway_told_last(api: Any, refused: Any) -> None:
    gateway = api.gateway()
    ask = api.wireless.get_wireless_gateway_firmware_information
    assert ask(Id=gateway)["LoRaWAN"] == {}
    asyncio.run(
        api.store.put_gateway_state(
            EUI, GatewayConnection(connected=True, changed_at=Instant(5.0), station="2.0.5")
        )
    )
    asyncio.run(
        api.store.put_gateway_state(
            EUI, CupsContact(at=Instant(6.0), station="2.0.6", model="roof", package="1.1")
        )
    )
    version = ask(Id=gateway)["LoRaWAN"]["CurrentVersion"]
    assert version == {"PackageVersion": "1.1", "Model": "roof", "Station": "2.0.6"}
    with refused("ResourceNotFoundException"):
        ask(Id="nobody")
