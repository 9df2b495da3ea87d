from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

LORAWAN = {"RfRegion": "EU868", "DlClass": "ClassC"}
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def made(api: Any, **more: Any) -> str:
    given = {"LoRaWAN": LORAWAN | more.pop("lorawan", {}), **more}
    group_id: str = api.wireless.create_multicast_group(**given)["Id"]
    return group_id


def got(api: Any, group_id: str) -> Any:
    found = api.wireless.get_multicast_group(Id=group_id)
    del found["ResponseMetadata"]
    return found


def with_session(api: Any, group_id: str, minutes: int = 40) -> None:
    start = datetime.fromtimestamp(api.now, UTC) + timedelta(minutes=minutes)
    session = {"SessionStartTime": start, "SessionTimeout": 300}
    api.wireless.start_multicast_group_session(Id=group_id, LoRaWAN=session)


def test_a_group_is_told_as_it_was_made(api: Any) -> None:
    gateway = api.gateway()
    lorawan = {
        **LORAWAN,
        "ParticipatingGateways": {"GatewayList": [gateway], "TransmissionInterval": 1500},
        "DefaultSessionParameters": {"DlDr": 3, "DlFreq": 869525000},
    }
    answer = api.wireless.create_multicast_group(
        Name="lamps", Description="north", LoRaWAN=lorawan, Tags=[{"Key": "a", "Value": "b"}]
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = f"arn:aws:iotwireless:eu-west-1:123456789012:MulticastGroup/{answer['Id']}"
    assert answer["Arn"] == arn
    found = got(api, answer["Id"])
    assert found.pop("CreatedAt").timestamp() == api.now
    assert found == {
        "Arn": arn,
        "Id": answer["Id"],
        "Name": "lamps",
        "Description": "north",
        "Status": "Pending",
        "LoRaWAN": {**lorawan, "NumberOfDevicesRequested": 0, "NumberOfDevicesInGroup": 0},
    }
    tags = api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]


def test_what_was_not_said_is_not_told(api: Any) -> None:
    found = got(api, made(api))
    assert {"Name", "Description"}.isdisjoint(found)
    counts = {"NumberOfDevicesRequested": 0, "NumberOfDevicesInGroup": 0}
    assert found["LoRaWAN"] == LORAWAN | counts


@pytest.mark.parametrize(
    ("lorawan", "said"),
    [
        ({"DlClass": "ClassC"}, "loRaWAN.rfRegion"),
        ({"RfRegion": "EU868"}, "loRaWAN.dlClass"),
        ({"RfRegion": "EU999", "DlClass": "ClassC"}, "rfRegion"),
        ({"RfRegion": "EU868", "DlClass": "ClassA"}, "dlClass"),
        (
            {**LORAWAN, "DefaultSessionParameters": {"DlDr": 14}},
            "defaultSessionParameters.dlDr' failed to satisfy constraint: EU868 has no downlink",
        ),
        (
            {**LORAWAN, "DefaultSessionParameters": {"DlFreq": 923300000}},
            "EU868 reaches from 863000000 to 870000000 Hz",
        ),
        (
            {**LORAWAN, "ParticipatingGateways": {"TransmissionInterval": 60001}},
            "transmissionInterval",
        ),
        ({**LORAWAN, "ParticipatingGateways": {"GatewayList": ["a"] * 2}}, "same gateway twice"),
        ({**LORAWAN, "ParticipatingGateways": {"GatewayList": ["a"] * 21}}, "gatewayList"),
    ],
)
def test_what_does_not_fit_is_refused(api: Any, refused: Any, lorawan: Any, said: str) -> None:
    with refused("ValidationException") as refusal:
        api.wireless.create_multicast_group(LoRaWAN=lorawan)
    assert said in refusal.message
    assert api.wireless.list_multicast_groups()["MulticastGroupList"] == []


def test_gateways_must_be_there_and_are_told_while_they_are(api: Any, refused: Any) -> None:
    with refused("ResourceNotFoundException") as refusal:
        made(api, lorawan={"ParticipatingGateways": {"GatewayList": ["nobody"]}})
    assert refusal.resource == ("WirelessGateway", "nobody")
    gateways = [api.gateway(f"00800000a000000{number}") for number in (2, 1)]
    group = made(api, lorawan={"ParticipatingGateways": {"GatewayList": gateways}})
    chosen = got(api, group)["LoRaWAN"]["ParticipatingGateways"]
    assert chosen == {"GatewayList": gateways}
    api.wireless.delete_wireless_gateway(Id=gateways[0])
    chosen = got(api, group)["LoRaWAN"]["ParticipatingGateways"]
    assert chosen == {"GatewayList": gateways[1:]}


def test_the_same_token_makes_one_group(api: Any, refused: Any) -> None:
    assert made(api, ClientRequestToken="once") == made(api, ClientRequestToken="once")
    with refused("ConflictException"):
        made(api, ClientRequestToken="once", Name="other")
    assert len(api.wireless.list_multicast_groups()["MulticastGroupList"]) == 1


def test_groups_are_listed_page_by_page(api: Any, refused: Any) -> None:
    groups = sorted(made(api, Name=f"g{number}") for number in range(5))
    ids: list[str] = []
    token: dict[str, Any] = {}
    for size in (2, 2, 1):
        page = api.wireless.list_multicast_groups(MaxResults=2, **token)
        assert len(page["MulticastGroupList"]) == size
        ids += [one["Id"] for one in page["MulticastGroupList"]]
        token = {"NextToken": page.get("NextToken")}
    assert ids == groups
    assert token == {"NextToken": None}
    first = api.wireless.list_multicast_groups(MaxResults=1)
    assert set(first["MulticastGroupList"][0]) == {"Id", "Arn", "Name"}
    with refused("ValidationException"):
        api.other.list_multicast_groups(MaxResults=1, NextToken=first["NextToken"])
    with refused("ValidationException"):
        api.wireless.list_multicast_groups(MaxResults=251)


def test_another_account_sees_nothing(api: Any, refused: Any) -> None:
    group = made(api)
    device = api.device()["Id"]
    assert api.other.list_multicast_groups()["MulticastGroupList"] == []
    session = {"SessionStartTime": NOW, "SessionTimeout": 60}
    for ask in (
        lambda: api.other.get_multicast_group(Id=group),
        lambda: api.other.update_multicast_group(Id=group, Name="mine"),
        lambda: api.other.delete_multicast_group(Id=group),
        lambda: api.other.start_multicast_group_session(Id=group, LoRaWAN=session),
        lambda: api.other.get_multicast_group_session(Id=group),
        lambda: api.other.cancel_multicast_group_session(Id=group),
        lambda: api.other.start_bulk_associate_wireless_device_with_multicast_group(Id=group),
        lambda: api.other.start_bulk_disassociate_wireless_device_from_multicast_group(Id=group),
        lambda: api.other.send_data_to_multicast_group(
            Id=group, PayloadData="AA==", WirelessMetadata={"LoRaWAN": {"FPort": 1}}
        ),
    ):
        with refused("ResourceNotFoundException") as refusal:
            ask()
        assert refusal.resource == ("MulticastGroup", group)
    with refused("ResourceNotFoundException") as refusal:
        api.other.associate_wireless_device_with_multicast_group(Id=group, WirelessDeviceId=device)
    assert refusal.resource == ("WirelessDevice", device)


def test_an_update_changes_what_it_names(api: Any) -> None:
    lorawan = {
        "ParticipatingGateways": {"TransmissionInterval": 100},
        "DefaultSessionParameters": {"DlDr": 3},
    }
    group = made(api, Name="old", Description="stays", lorawan=lorawan)
    answer = api.wireless.update_multicast_group(
        Id=group, Name="new", LoRaWAN={"DlClass": "ClassB", "ParticipatingGateways": {}}
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    found = got(api, group)
    assert (found["Name"], found["Description"]) == ("new", "stays")
    assert (found["LoRaWAN"]["RfRegion"], found["LoRaWAN"]["DlClass"]) == ("EU868", "ClassB")
    assert found["LoRaWAN"]["DefaultSessionParameters"] == {"DlDr": 3}
    assert "ParticipatingGateways" not in found["LoRaWAN"]


def test_an_update_must_fit_what_stays(api: Any, refused: Any) -> None:
    group = made(api, lorawan={"DefaultSessionParameters": {"DlFreq": 869525000}})
    with refused("ValidationException") as refusal:
        api.wireless.update_multicast_group(Id=group, LoRaWAN={"RfRegion": "US915"})
    assert "US915 reaches from" in refusal.message
    assert got(api, group)["LoRaWAN"]["RfRegion"] == "EU868"


def test_the_region_of_a_group_with_devices_stays(api: Any, refused: Any) -> None:
    group, device = made(api), api.device()["Id"]
    api.wireless.associate_wireless_device_with_multicast_group(Id=group, WirelessDeviceId=device)
    with refused("ConflictException") as refusal:
        api.wireless.update_multicast_group(Id=group, LoRaWAN={"RfRegion": "US915"})
    assert refusal.resource == ("MulticastGroup", group)
    api.wireless.update_multicast_group(Id=group, LoRaWAN={"RfRegion": "EU868"})


def test_the_clock_moves_a_group(api: Any) -> None:
    group = made(api)
    with_session(api, group)
    assert got(api, group)["Status"] == "Session_Attempting"
    with api.later(40 * 60):
        assert got(api, group)["Status"] == "In_Session"
    with api.later(512):
        assert got(api, group)["Status"] == "Pending"


def test_a_group_with_a_session_is_not_changed(api: Any, refused: Any) -> None:
    group = made(api)
    with_session(api, group)
    with refused("ConflictException") as refusal:
        api.wireless.update_multicast_group(Id=group, Name="late")
    assert "is Session_Attempting: it can be changed while it is Pending" in refusal.message
    api.wireless.cancel_multicast_group_session(Id=group)
    api.wireless.update_multicast_group(Id=group, Name="now")


def test_a_group_is_deleted_with_its_tags(api: Any, refused: Any) -> None:
    group = made(api, Tags=[{"Key": "a", "Value": "b"}])
    with_session(api, group)
    answer = api.wireless.delete_multicast_group(Id=group)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    for refuse in (api.wireless.get_multicast_group, api.wireless.delete_multicast_group):
        with refused("ResourceNotFoundException"):
            refuse(Id=group)
    assert asyncio.run(api.store.notes("123456789012", "tags", "MulticastGroup/")) == []


def test_a_group_of_a_firmware_update_is_not_deleted(api: Any, refused: Any) -> None:
    group = made(api)
    task = api.wireless.create_fuota_task(
        FirmwareUpdateImage="s3://images/a", FirmwareUpdateRole="role"
    )["Id"]
    api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    with refused("ConflictException") as refusal:
        api.wireless.delete_multicast_group(Id=group)
    assert refusal.resource == ("MulticastGroup", group)
    api.wireless.delete_fuota_task(Id=task)
    api.wireless.delete_multicast_group(Id=group)


def test_a_group_whose_keys_a_device_has_waits(api: Any, refused: Any) -> None:
    group, device = made(api), api.device()["Id"]
    api.wireless.associate_wireless_device_with_multicast_group(Id=group, WirelessDeviceId=device)
    [member] = asyncio.run(api.store.group_devices(group))
    assert asyncio.run(api.store.move_group_device(member, "Multicast_Setup_Ready"))
    assert got(api, group)["LoRaWAN"]["NumberOfDevicesInGroup"] == 1
    for _ in range(2):
        api.wireless.delete_multicast_group(Id=group)
        assert got(api, group)["Status"] == "Delete_Waiting"
    with refused("ConflictException"):
        api.wireless.update_multicast_group(Id=group, Name="late")
    with refused("ConflictException"):
        with_session(api, group)
    task = api.wireless.create_fuota_task(
        FirmwareUpdateImage="s3://images/a", FirmwareUpdateRole="role"
    )["Id"]
    with refused("ConflictException"):
        api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    api.wireless.delete_wireless_device(Id=device)
    api.wireless.delete_multicast_group(Id=group)
    with refused("ResourceNotFoundException"):
        got(api, group)


def test_a_change_that_others_made_meanwhile_is_no_loss(api: Any, monkeypatch: Any) -> None:
    group = made(api, Name="old")
    replace = api.store.replace_multicast_group
    beaten: list[Any] = []

    async def slow(before: Any, after: Any) -> bool:
        if not beaten:
            beaten.append(before)
            other = msgspec.structs.replace(before, description="theirs", revision=1)
            assert await replace(before, other)
        return bool(await replace(before, after))

    monkeypatch.setattr(api.store, "replace_multicast_group", slow)
    api.wireless.update_multicast_group(Id=group, Name="mine")
    found = got(api, group)
    assert (found["Name"], found["Description"]) == ("mine", "theirs")


def test_who_is_always_late_is_told(api: Any, refused: Any, monkeypatch: Any) -> None:
    async def late(before: Any, after: Any) -> bool:
        return False

    group = made(api)
    monkeypatch.setattr(api.store, "replace_multicast_group", late)
    with refused("ConflictException") as refusal:
        api.wireless.update_multicast_group(Id=group, Name="mine")
    assert "is being changed by others" in refusal.message
