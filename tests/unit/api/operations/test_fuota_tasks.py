from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bittern.types import Instant

GIVEN = {
    "FirmwareUpdateImage": "s3://images/lamps.bin",
    "FirmwareUpdateRole": "arn:aws:iam::123456789012:role/images",
}
FULL = {
    **GIVEN,
    "Name": "lamps",
    "Description": "north",
    "RedundancyPercent": 0,
    "FragmentSizeBytes": 200,
    "FragmentIntervalMS": 1500,
    "Descriptor": "AQEAAA==",
}


def made(api: Any, **more: Any) -> str:
    task_id: str = api.wireless.create_fuota_task(**{**GIVEN, **more})["Id"]
    return task_id


def got(api: Any, task: str) -> Any:
    found = api.wireless.get_fuota_task(Id=task)
    del found["ResponseMetadata"]
    return found


def with_device(api: Any, **more: Any) -> tuple[str, str]:
    task, device = made(api, **more), api.device()["Id"]
    api.wireless.associate_wireless_device_with_fuota_task(Id=task, WirelessDeviceId=device)
    return task, device


def after(api: Any, seconds: float) -> datetime:
    return datetime.fromtimestamp(api.now, UTC) + timedelta(seconds=seconds)


def status_of_device(api: Any, task: str) -> str:
    [entry] = api.wireless.list_wireless_devices(FuotaTaskId=task)["WirelessDeviceList"]
    status: str = entry["FuotaDeviceStatus"]
    return status


def begun(api: Any, task: str, **more: Any) -> None:
    """As it will be once something is sent."""
    before = asyncio.run(api.store.fuota_task(task))
    session = msgspec.structs.replace(before.session, begun_at=Instant(api.now), **more)
    changed = msgspec.structs.replace(before, session=session, revision=before.revision + 1)
    assert asyncio.run(api.store.replace_fuota_task(before, changed))


def test_a_task_is_told_as_it_was_made(api: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    answer = api.wireless.create_fuota_task(LoRaWAN={"RfRegion": "EU868"}, Tags=tags, **FULL)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    arn = f"arn:aws:iotwireless:eu-west-1:123456789012:FuotaTask/{answer['Id']}"
    assert answer["Arn"] == arn
    found = got(api, answer["Id"])
    assert found.pop("CreatedAt").timestamp() == api.now
    assert found == {
        "Arn": arn,
        "Id": answer["Id"],
        "Status": "Pending",
        "LoRaWAN": {"RfRegion": "EU868"},
        **FULL,
    }
    assert api.wireless.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags


def test_what_was_not_said_is_not_told(api: Any) -> None:
    assert set(got(api, made(api))) == {"Arn", "Id", "Status", "CreatedAt", *GIVEN}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"FirmwareUpdateImage": "https://images.example/a"}, "of the form s3://BUCKET/KEY"),
        ({"FirmwareUpdateImage": "s3://images/"}, "firmwareUpdateImage"),
        ({"FragmentSizeBytes": 256}, "fragmentSizeBytes"),
        ({"RedundancyPercent": 101}, "redundancyPercent"),
        ({"Descriptor": "not base64"}, "descriptor"),
        ({"Descriptor": "AAAA" * 84}, "descriptor"),
        ({"LoRaWAN": {"RfRegion": "EU999"}}, "rfRegion"),
    ],
)
def test_what_could_never_be_sent_is_refused(api: Any, refused: Any, given: Any, said: str) -> None:
    with refused("ValidationException") as refusal:
        made(api, **given)
    assert said in refusal.message
    task = made(api)
    with refused("ValidationException"):
        api.wireless.update_fuota_task(Id=task, **given)


def test_the_same_token_makes_one_task(api: Any, refused: Any) -> None:
    assert made(api, ClientRequestToken="once") == made(api, ClientRequestToken="once")
    with refused("ConflictException"):
        made(api, ClientRequestToken="once", Name="other")


def test_tasks_are_listed_page_by_page(api: Any, refused: Any) -> None:
    tasks = sorted(made(api, Name=f"t{number}") for number in range(5))
    ids: list[str] = []
    token: dict[str, Any] = {}
    for size in (2, 2, 1):
        page = api.wireless.list_fuota_tasks(MaxResults=2, **token)
        assert len(page["FuotaTaskList"]) == size
        ids += [one["Id"] for one in page["FuotaTaskList"]]
        token = {"NextToken": page.get("NextToken")}
    assert ids == tasks
    assert token == {"NextToken": None}
    first = api.wireless.list_fuota_tasks(MaxResults=1)
    assert set(first["FuotaTaskList"][0]) == {"Id", "Arn", "Name"}
    with refused("ValidationException"):
        api.other.list_fuota_tasks(MaxResults=1, NextToken=first["NextToken"])


def test_another_account_sees_nothing(api: Any, refused: Any) -> None:
    task = made(api)
    assert api.other.list_fuota_tasks()["FuotaTaskList"] == []
    for refuse in (
        api.other.get_fuota_task,
        api.other.update_fuota_task,
        api.other.delete_fuota_task,
        api.other.start_fuota_task,
        api.other.list_multicast_groups_by_fuota_task,
    ):
        with refused("ResourceNotFoundException") as refusal:
            refuse(Id=task)
        assert refusal.resource == ("FuotaTask", task)


def test_an_update_changes_what_it_names(api: Any) -> None:
    task = made(api, Name="old", Description="stays")
    answer = api.wireless.update_fuota_task(
        Id=task,
        Name="new",
        FirmwareUpdateImage="s3://images/other.bin",
        LoRaWAN={"RfRegion": "US915"},
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    found = got(api, task)
    assert (found["Name"], found["Description"]) == ("new", "stays")
    assert found["FirmwareUpdateImage"] == "s3://images/other.bin"
    assert found["LoRaWAN"] == {"RfRegion": "US915"}


def test_the_region_of_a_task_with_devices_stays(api: Any, refused: Any) -> None:
    task, _ = with_device(api, LoRaWAN={"RfRegion": "EU868"})
    with refused("ConflictException") as refusal:
        api.wireless.update_fuota_task(Id=task, LoRaWAN={"RfRegion": "US915"})
    assert refusal.resource == ("FuotaTask", task)


def test_a_task_that_is_started_waits_and_then_is_over(api: Any, refused: Any) -> None:
    task, _ = with_device(api)
    start = after(api, 3600)
    answer = api.wireless.start_fuota_task(Id=task, LoRaWAN={"StartTime": start})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    found = got(api, task)
    assert (found["Status"], found["LoRaWAN"]) == ("FuotaSession_Waiting", {"StartTime": start})
    with api.later(3600 + 599):
        assert got(api, task)["Status"] == "FuotaSession_Waiting"
    with api.later(1):
        assert got(api, task)["Status"] == "FuotaDone"
        assert status_of_device(api, task) == "Initial"
        for refuse in (api.wireless.start_fuota_task, api.wireless.update_fuota_task):
            with refused("ConflictException") as refusal:
                refuse(Id=task)
            assert "is FuotaDone: it can be changed while it is Pending" in refusal.message


def test_a_task_starts_in_half_an_hour_at_the_earliest(api: Any, refused: Any) -> None:
    task, _ = with_device(api)
    with refused("ValidationException") as refusal:
        api.wireless.start_fuota_task(Id=task, LoRaWAN={"StartTime": after(api, 1799)})
    assert "loRaWAN.startTime" in refusal.message
    api.wireless.start_fuota_task(Id=task)
    assert got(api, task)["LoRaWAN"] == {"StartTime": after(api, 1800)}
    with refused("ConflictException") as refusal:
        api.wireless.start_fuota_task(Id=task)
    assert refusal.resource == ("FuotaTask", task)


def test_a_task_without_devices_is_not_started(api: Any, refused: Any) -> None:
    task = made(api)
    with refused("ConflictException") as refusal:
        api.wireless.start_fuota_task(Id=task)
    assert "has neither devices nor multicast groups" in refusal.message
    with refused("ResourceNotFoundException"):
        api.wireless.start_fuota_task(Id="nothing")


def test_a_device_takes_part_in_one_task_at_a_time(api: Any) -> None:
    task, device = with_device(api)
    other = made(api)
    api.wireless.associate_wireless_device_with_fuota_task(Id=other, WirelessDeviceId=device)
    api.wireless.start_fuota_task(Id=task)
    api.wireless.start_fuota_task(Id=other)
    assert status_of_device(api, task) == "Initial"
    assert status_of_device(api, other) == "Device_exist_in_conflict_fuota_task"


def test_a_started_task_makes_its_groups_busy(api: Any, refused: Any) -> None:
    lorawan = {"RfRegion": "EU868", "DlClass": "ClassC"}
    group = api.wireless.create_multicast_group(LoRaWAN=lorawan)["Id"]
    task = made(api)
    api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    assert api.wireless.get_multicast_group(Id=group)["Status"] == "Pending"
    api.wireless.start_fuota_task(Id=task)
    assert api.wireless.get_multicast_group(Id=group)["Status"] == "Session_Attempting"
    with refused("ConflictException"):
        api.wireless.associate_wireless_device_with_multicast_group(
            Id=group, WirelessDeviceId=api.device()["Id"]
        )
    with api.later(1800 + 600):
        assert api.wireless.get_multicast_group(Id=group)["Status"] == "Pending"


def test_a_group_that_is_busy_is_told(api: Any, refused: Any) -> None:
    lorawan = {"RfRegion": "EU868", "DlClass": "ClassC"}
    group = api.wireless.create_multicast_group(LoRaWAN=lorawan)["Id"]
    tasks = [made(api), made(api)]
    for task in tasks:
        api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    api.wireless.start_multicast_group_session(
        Id=group, LoRaWAN={"SessionStartTime": after(api, 1800), "SessionTimeout": 60}
    )
    with refused("ConflictException") as refusal:
        api.wireless.start_fuota_task(Id=tasks[0])
    assert refusal.resource == ("MulticastGroup", group)
    api.wireless.cancel_multicast_group_session(Id=group)
    api.wireless.start_fuota_task(Id=tasks[0])
    with refused("ConflictException") as refusal:
        api.wireless.start_fuota_task(Id=tasks[1])
    assert "takes part in another firmware update" in refusal.message


def test_a_session_that_begun_is_told_and_ends(api: Any) -> None:
    lorawan = {"RfRegion": "EU868", "DlClass": "ClassC"}
    group = api.wireless.create_multicast_group(LoRaWAN=lorawan)["Id"]
    task = made(api)
    api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    api.wireless.start_fuota_task(Id=task)
    begun(api, task)
    with api.later(86_400):
        assert got(api, task)["Status"] == "In_FuotaSession"
        assert api.wireless.get_multicast_group(Id=group)["Status"] == "In_Session"
        begun(api, task, ended_at=Instant(api.now))
        assert got(api, task)["Status"] == "FuotaDone"
        assert api.wireless.get_multicast_group(Id=group)["Status"] == "Pending"


def test_a_task_is_deleted_with_its_tags_and_its_log_level(api: Any, refused: Any) -> None:
    task = made(api, Tags=[{"Key": "a", "Value": "b"}])
    named = {"ResourceIdentifier": task, "ResourceType": "FuotaTask"}
    api.wireless.put_resource_log_level(LogLevel="INFO", **named)
    answer = api.wireless.delete_fuota_task(Id=task)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    for refuse in (api.wireless.get_fuota_task, api.wireless.delete_fuota_task):
        with refused("ResourceNotFoundException"):
            refuse(Id=task)
    for kind in ("tags", "logs"):
        assert asyncio.run(api.store.notes("123456789012", kind, "FuotaTask/")) == []


def test_a_task_is_deleted_in_any_state_but_under_way(api: Any, refused: Any) -> None:
    waiting, _ = with_device(api)
    api.wireless.start_fuota_task(Id=waiting)
    api.wireless.delete_fuota_task(Id=waiting)
    with refused("ResourceNotFoundException"):
        got(api, waiting)
    running = made(api)
    device = api.wireless.list_wireless_devices()["WirelessDeviceList"][0]["Id"]
    api.wireless.associate_wireless_device_with_fuota_task(Id=running, WirelessDeviceId=device)
    api.wireless.start_fuota_task(Id=running)
    begun(api, running)
    for _ in range(2):
        api.wireless.delete_fuota_task(Id=running)
        assert got(api, running)["Status"] == "Delete_Waiting"
    with refused("ConflictException"):
        api.wireless.update_fuota_task(Id=running, Name="late")
