from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bittern.types import EUI64, GatewayEUI

EUI = GatewayEUI(EUI64.from_hex("00800000a0000001"))
LORAWAN = {
    "UpdateSignature": "AAECAwQFBgcICQ==",
    "SigKeyCrc": 3434210794,
    "CurrentVersion": {"PackageVersion": "1.0.0", "Model": "roof", "Station": "2.0.5"},
    "UpdateVersion": {"PackageVersion": "1.1.0", "Model": "roof"},
}
UPDATE = {
    "UpdateDataSource": "s3://bucket/image",
    "UpdateDataRole": "arn:aws:iam::123456789012:role/any",
    "LoRaWAN": LORAWAN,
}


def definition(api: Any, **more: Any) -> str:
    made: str = api.wireless.create_wireless_gateway_task_definition(
        **{"AutoCreateTasks": False, "Update": UPDATE, **more}
    )["Id"]
    return made


def test_a_definition_is_told_as_it_was_made(api: Any) -> None:
    identity = definition(api, Name="spring", AutoCreateTasks=True)
    found = api.wireless.get_wireless_gateway_task_definition(Id=identity)
    assert found["Arn"].endswith(f":WirelessGatewayTaskDefinition/{identity}")
    assert (found["Name"], found["AutoCreateTasks"]) == ("spring", True)
    assert found["Update"] == UPDATE


@pytest.mark.parametrize(
    "lorawan",
    [
        {},
        {name: value for name, value in LORAWAN.items() if name != "SigKeyCrc"},
        {**LORAWAN, "UpdateSignature": "!!"},
        {**LORAWAN, "UpdateSignature": "AA=="},
        {**LORAWAN, "UpdateVersion": {}},
        {**LORAWAN, "UpdateVersion": LORAWAN["CurrentVersion"]},
    ],
)
def test_what_no_task_could_carry_out_is_refused(api: Any, refused: Any, lorawan: Any) -> None:
    with refused("ValidationException"):
        definition(api, Update={**UPDATE, "LoRaWAN": lorawan})


def test_an_update_is_needed_whole(api: Any, refused: Any) -> None:
    for update in ({}, {"LoRaWAN": LORAWAN}, {"UpdateDataSource": "x"}):
        with refused("ValidationException"):
            definition(api, Update=update)
    with refused("ValidationException"):
        api.wireless.create_wireless_gateway_task_definition(AutoCreateTasks=True)


def test_the_same_token_makes_one_definition(api: Any, refused: Any) -> None:
    made = [definition(api, ClientRequestToken="x") for _ in range(2)]
    assert made[0] == made[1]
    with refused("ConflictException"):
        definition(api, ClientRequestToken="x", Name="other")


def test_definitions_are_listed_page_by_page(api: Any) -> None:
    made = sorted(definition(api) for _ in range(3))
    ask = api.wireless.list_wireless_gateway_task_definitions
    first = ask(MaxResults=2, TaskDefinitionType="UPDATE")
    last = ask(MaxResults=2, TaskDefinitionType="UPDATE", NextToken=first["NextToken"])
    listed = first["TaskDefinitions"] + last["TaskDefinitions"]
    assert [one["Id"] for one in listed] == made
    assert listed[0]["LoRaWAN"]["UpdateVersion"] == LORAWAN["UpdateVersion"]
    assert api.other.list_wireless_gateway_task_definitions()["TaskDefinitions"] == []


def test_a_gateway_has_one_task_at_a_time(api: Any, refused: Any) -> None:
    gateway, identity = api.gateway(), definition(api)
    create = api.wireless.create_wireless_gateway_task
    made = create(Id=gateway, WirelessGatewayTaskDefinitionId=identity)
    assert (made["WirelessGatewayTaskDefinitionId"], made["Status"]) == (identity, "PENDING")
    found = api.wireless.get_wireless_gateway_task(Id=gateway)
    assert found["WirelessGatewayId"] == gateway
    assert found["TaskCreatedAt"] == "2026-01-02T03:00:30.000000000Z"
    with refused("ConflictException"):
        create(Id=gateway, WirelessGatewayTaskDefinitionId=identity)
    before = asyncio.run(api.store.firmware_task(EUI))
    after = msgspec.structs.replace(before, status="FAILED")
    asyncio.run(api.store.replace_firmware_task(before, after))
    assert api.wireless.get_wireless_gateway_task(Id=gateway)["Status"] == "FAILED"
    create(Id=gateway, WirelessGatewayTaskDefinitionId=identity)
    assert api.wireless.get_wireless_gateway_task(Id=gateway)["Status"] == "PENDING"


def test_a_task_is_deleted(api: Any, refused: Any) -> None:
    gateway, identity = api.gateway(), definition(api)
    for refuse in (
        api.wireless.get_wireless_gateway_task,
        api.wireless.delete_wireless_gateway_task,
    ):
        with refused("ResourceNotFoundException"):
            refuse(Id=gateway)
        with refused("ResourceNotFoundException"):
            refuse(Id="nobody")
    api.wireless.create_wireless_gateway_task(Id=gateway, WirelessGatewayTaskDefinitionId=identity)
    with refused("ValidationException"):
        api.wireless.delete_wireless_gateway_task_definition(Id=identity)
    api.wireless.delete_wireless_gateway_task(Id=gateway)
    api.wireless.delete_wireless_gateway_task_definition(Id=identity)
    with refused("ResourceNotFoundException"):
        api.wireless.get_wireless_gateway_task_definition(Id=identity)
    with refused("ResourceNotFoundException"):
        api.wireless.create_wireless_gateway_task(
            Id=gateway, WirelessGatewayTaskDefinitionId=identity
        )


def test_an_id_is_spelled_as_policies_spell_it(api: Any, refused: Any) -> None:
    """Another spelling would pass a policy that denies this one definition."""
    identity = definition(api)
    with refused("ResourceNotFoundException"):
        api.wireless.get_wireless_gateway_task_definition(Id=identity.upper())
