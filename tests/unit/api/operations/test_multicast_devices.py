from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bittern.api.front import Caller
from bittern.api.policy import policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.types import EUI64, DevEUI

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle import SECRET

ACCOUNT = "123456789012"


def made(api: Any, region: str = "EU868") -> str:
    lorawan = {"RfRegion": region, "DlClass": "ClassC"}
    group_id: str = api.wireless.create_multicast_group(LoRaWAN=lorawan)["Id"]
    return group_id


def associate(api: Any, group: str, device: str) -> Any:
    return api.wireless.associate_wireless_device_with_multicast_group(
        Id=group, WirelessDeviceId=device
    )


def disassociate(api: Any, group: str, device: str) -> Any:
    return api.wireless.disassociate_wireless_device_from_multicast_group(
        Id=group, WirelessDeviceId=device
    )


def names(api: Any, group: str) -> list[str]:
    listed = api.wireless.list_wireless_devices(MulticastGroupId=group)["WirelessDeviceList"]
    return [entry["Name"] for entry in listed]


def scheduled(api: Any, group: str) -> None:
    start = datetime.fromtimestamp(api.now + 3600, UTC)
    session = {"SessionStartTime": start, "SessionTimeout": 300}
    api.wireless.start_multicast_group_session(Id=group, LoRaWAN=session)


def fleet(api: Any) -> None:
    """Three meters of one profile, one of them tagged, and a lamp of the Americas."""
    common = {
        "device_profile": api.wireless.create_device_profile(
            Name="meter", LoRaWAN={"MacVersion": "1.0.3", "RfRegion": "EU868"}
        )["Id"],
        "service_profile": api.wireless.create_service_profile(Name="basic")["Id"],
        "destination": api.destination(),
    }
    for number in range(3):
        tags = [{"Key": "site", "Value": "north"}] if number == 1 else []
        api.device(f"70b3d57ed000000{number}", Name=f"meter-{number}", Tags=tags, **common)
    other = api.device_profile(RfRegion="US915")
    api.device("70b3d57ed0000009", Name="lamp", device_profile=other)


def bulk(api: Any, group: str, query: str | None = None, **more: Any) -> Any:
    given = more if query is None else {"QueryString": query, **more}
    return api.wireless.start_bulk_associate_wireless_device_with_multicast_group(Id=group, **given)


def bulk_away(api: Any, group: str, query: str | None = None, **more: Any) -> Any:
    given = more if query is None else {"QueryString": query, **more}
    return api.wireless.start_bulk_disassociate_wireless_device_from_multicast_group(
        Id=group, **given
    )


def test_a_device_is_in_a_group_and_told_nothing(api: Any) -> None:
    group, device = made(api), api.device(Name="meter")["Id"]
    for _ in range(2):
        answer = associate(api, group, device)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    lorawan = api.wireless.get_multicast_group(Id=group)["LoRaWAN"]
    counts = lorawan["NumberOfDevicesRequested"], lorawan["NumberOfDevicesInGroup"]
    assert counts == (1, 0)
    [entry] = api.wireless.list_wireless_devices(MulticastGroupId=group)["WirelessDeviceList"]
    assert entry["Id"] == device
    assert (entry["MulticastDeviceStatus"], entry["McGroupId"]) == ("Package_Attempting", 1)
    assert "FuotaDeviceStatus" not in entry
    [plain] = api.wireless.list_wireless_devices()["WirelessDeviceList"]
    assert {"MulticastDeviceStatus", "McGroupId"}.isdisjoint(plain)


def test_a_device_leaves(api: Any, refused: Any) -> None:
    group, device = made(api), api.device()["Id"]
    associate(api, group, device)
    answer = disassociate(api, group, device)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("ResourceNotFoundException") as refusal:
        disassociate(api, group, device)
    assert refusal.resource == ("WirelessDevice", device)


def test_group_and_device_must_be_there(api: Any, refused: Any) -> None:
    group, device = made(api), api.device()["Id"]
    for ask in (associate, disassociate):
        with refused("ResourceNotFoundException") as refusal:
            ask(api, "nothing", device)
        assert refusal.resource == ("MulticastGroup", "nothing")
        with refused("ResourceNotFoundException") as refusal:
            ask(api, group, "nobody")
        assert refusal.resource == ("WirelessDevice", "nobody")


def test_device_and_group_are_of_one_region(api: Any, refused: Any) -> None:
    group, device = made(api, "US915"), api.device()["Id"]
    with refused("ValidationException") as refusal:
        associate(api, group, device)
    assert "the device is of EU868, the MulticastGroup of US915" in refusal.message


def test_a_device_has_four_groups(api: Any, refused: Any) -> None:
    groups, device = [made(api) for _ in range(5)], api.device()["Id"]
    for group in groups[:4]:
        associate(api, group, device)
    with refused("ConflictException") as refusal:
        associate(api, groups[4], device)
    assert refusal.resource == ("WirelessDevice", device)
    associate(api, groups[3], device)
    numbers = [
        api.wireless.list_wireless_devices(MulticastGroupId=group)["WirelessDeviceList"][0][
            "McGroupId"
        ]
        for group in groups[:4]
    ]
    assert numbers == [1, 2, 3, 4]


def test_nobody_enters_or_leaves_once_a_session_is_scheduled(api: Any, refused: Any) -> None:
    group, inside = made(api), api.device("70b3d57ed0000001")["Id"]
    outside = api.device("70b3d57ed0000002")["Id"]
    associate(api, group, inside)
    scheduled(api, group)
    with refused("ConflictException") as refusal:
        associate(api, group, outside)
    assert refusal.resource == ("MulticastGroup", group)
    # What the model has no conflict for is told as a validation error.
    for ask in (lambda: disassociate(api, group, inside), lambda: bulk(api, group)):
        with refused("ValidationException") as refusal:
            ask()
        assert "is Session_Attempting" in refusal.message
    with refused("ValidationException"):
        bulk_away(api, group)
    with api.later(3600 + 512):
        associate(api, group, outside)


def test_a_device_of_a_group_stays_in_its_region(api: Any, refused: Any) -> None:
    group, device = made(api), api.device()["Id"]
    elsewhere = {"DeviceProfileId": api.device_profile(RfRegion="US915")}
    associate(api, group, device)
    with refused("ValidationException") as refusal:
        api.wireless.update_wireless_device(Id=device, LoRaWAN=elsewhere)
    assert "takes part in multicast groups or firmware updates of EU868" in refusal.message
    here = {"DeviceProfileId": api.device_profile()}
    api.wireless.update_wireless_device(Id=device, LoRaWAN=here)
    disassociate(api, group, device)
    api.wireless.update_wireless_device(Id=device, LoRaWAN=elsewhere)


def test_a_deleted_device_leaves_its_groups(api: Any) -> None:
    group, device = made(api), api.device()["Id"]
    associate(api, group, device)
    api.wireless.delete_wireless_device(Id=device)
    lorawan = api.wireless.get_multicast_group(Id=group)["LoRaWAN"]
    assert lorawan["NumberOfDevicesRequested"] == 0


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("DeviceName: meter-*", ["meter-0", "meter-1", "meter-2"]),
        ("DeviceName: meter-1 OR DevEui: 70B3D57ED0000002", ["meter-1", "meter-2"]),
        ("DeviceProfileName: meter AND NOT DeviceName: *-0", ["meter-1", "meter-2"]),
        ("ServiceProfileName: basic DestinationName: plant", ["meter-0", "meter-1", "meter-2"]),
        ("tags.site: n*", ["meter-1"]),
        ("ThingName: *", []),
        ("DeviceName: lamp", []),
        ("DeviceName: nobody", []),
    ],
)
def test_a_query_chooses_devices_of_the_region(api: Any, query: str, chosen: list[str]) -> None:
    fleet(api)
    group = made(api)
    answer = bulk(api, group, query)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert names(api, group) == chosen
    everybody = made(api)
    bulk(api, everybody)
    bulk_away(api, everybody, query)
    left = [name for name in ("meter-0", "meter-1", "meter-2") if name not in chosen]
    assert names(api, everybody) == left


def test_profiles_and_devices_are_chosen_by_their_ids(api: Any) -> None:
    fleet(api)
    listed = api.wireless.list_wireless_devices()["WirelessDeviceList"]
    device = api.wireless.get_wireless_device(
        Identifier=listed[0]["Id"], IdentifierType="WirelessDeviceId"
    )
    for field, value in (
        ("DeviceProfileId", device["LoRaWAN"]["DeviceProfileId"]),
        ("ServiceProfileId", device["LoRaWAN"]["ServiceProfileId"]),
    ):
        group = made(api)
        bulk(api, group, f"{field}: {value}")
        assert names(api, group) == ["meter-0", "meter-1", "meter-2"]
    group = made(api)
    bulk(api, group, f"WirelessDeviceId: {device['Id']}")
    assert names(api, group) == ["meter-0"]


def test_tags_choose_too(api: Any) -> None:
    fleet(api)
    for tags, chosen in (
        ([{"Key": "site", "Value": "north"}], ["meter-1"]),
        ([{"Key": "site", "Value": "n*"}], []),
        ([{"Key": "site", "Value": "north"}, {"Key": "a", "Value": "b"}], []),
    ):
        group = made(api)
        bulk(api, group, Tags=tags)
        assert names(api, group) == chosen
    group = made(api)
    bulk(api, group, "DeviceName: meter-0", Tags=[{"Key": "site", "Value": "north"}])
    assert names(api, group) == []


def test_a_query_that_is_not_understood_says_where(api: Any, refused: Any) -> None:
    fleet(api)
    group = made(api)
    for ask in (bulk, bulk_away):
        with refused("ValidationException") as refusal:
            ask(api, group, "DeviceName: meter-* AND Colour: red")
        assert "'queryString'" in refusal.message
        assert "the field 'Colour' is not known" in refusal.message
    assert names(api, group) == []


def test_more_than_a_page_is_chosen(api: Any, monkeypatch: Any) -> None:
    fleet(api)
    monkeypatch.setattr("bittern.api.operations.multicast_devices.PAGE", 1)
    group = made(api)
    bulk(api, group, "DeviceName: meter-*")
    assert names(api, group) == ["meter-0", "meter-1", "meter-2"]
    bulk_away(api, group, "NOT DeviceName: meter-1")
    assert names(api, group) == ["meter-1"]


def test_those_without_room_stay_outside(api: Any) -> None:
    fleet(api)
    for _ in range(4):
        bulk(api, made(api), "DeviceName: meter-1")
    group = made(api)
    bulk(api, group)
    assert names(api, group) == ["meter-0", "meter-2"]


def test_devices_of_others_are_not_chosen(api: Any) -> None:
    fleet(api)
    lorawan = {"RfRegion": "EU868", "DlClass": "ClassC"}
    group = api.other.create_multicast_group(LoRaWAN=lorawan)["Id"]
    api.other.start_bulk_associate_wireless_device_with_multicast_group(Id=group)
    members = asyncio.run(api.store.group_devices(group))
    assert members == []


def test_group_and_device_must_both_be_allowed(api: Any, refused: Any, monkeypatch: Any) -> None:
    group, device = made(api), api.device()["Id"]
    only_groups = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "iotwireless:*", "Resource": "arn:aws:iotwireless:*:*:MulticastGroup/*"}]}"""

    async def limited(access_key_id: str) -> Caller | None:
        secret = SecretAccessKey(SECRET)
        arn = f"arn:aws:iam::{ACCOUNT}:user/limited"
        return Caller(ACCOUNT, access_key_id, arn, policy(only_groups), secret)

    monkeypatch.setattr(api.front, "_credentials", limited)
    with refused("AccessDeniedException") as refusal:
        associate(api, group, device)
    assert f"WirelessDevice/{device}" in refusal.message
    assert (
        asyncio.run(api.store.group_device(group, DevEUI(EUI64.from_hex("70b3d57ed0000001"))))
        is None
    )
