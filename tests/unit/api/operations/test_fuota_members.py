from __future__ import annotations

from typing import Any


def made(api: Any, **more: Any) -> str:
    given = {"FirmwareUpdateImage": "s3://images/a", "FirmwareUpdateRole": "role", **more}
    task_id: str = api.wireless.create_fuota_task(**given)["Id"]
    return task_id


def group_of(api: Any, region: str = "EU868", who: str = "wireless") -> str:
    lorawan = {"RfRegion": region, "DlClass": "ClassC"}
    group_id: str = getattr(api, who).create_multicast_group(LoRaWAN=lorawan)["Id"]
    return group_id


def add_device(api: Any, task: str, device: str) -> Any:
    return api.wireless.associate_wireless_device_with_fuota_task(Id=task, WirelessDeviceId=device)


def drop_device(api: Any, task: str, device: str) -> Any:
    return api.wireless.disassociate_wireless_device_from_fuota_task(
        Id=task, WirelessDeviceId=device
    )


def add_group(api: Any, task: str, group: str) -> Any:
    return api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)


def drop_group(api: Any, task: str, group: str) -> Any:
    return api.wireless.disassociate_multicast_group_from_fuota_task(
        Id=task, MulticastGroupId=group
    )


def groups(api: Any, task: str, **more: Any) -> list[str]:
    page = api.wireless.list_multicast_groups_by_fuota_task(Id=task, **more)
    return [one["Id"] for one in page["MulticastGroupList"]]


def test_a_device_enters_and_leaves(api: Any, refused: Any) -> None:
    task, device = made(api), api.device()["Id"]
    for _ in range(2):
        assert add_device(api, task, device)["ResponseMetadata"]["HTTPStatusCode"] == 204
    [entry] = api.wireless.list_wireless_devices(FuotaTaskId=task)["WirelessDeviceList"]
    assert (entry["Id"], entry["FuotaDeviceStatus"]) == (device, "Initial")
    assert drop_device(api, task, device)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("ResourceNotFoundException") as refusal:
        drop_device(api, task, device)
    assert refusal.resource == ("WirelessDevice", device)


def test_a_group_enters_and_leaves(api: Any, refused: Any) -> None:
    task, group = made(api), group_of(api)
    for _ in range(2):
        assert add_group(api, task, group)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert groups(api, task) == [group]
    assert drop_group(api, task, group)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert groups(api, task) == []
    with refused("ResourceNotFoundException") as refusal:
        drop_group(api, task, group)
    assert refusal.resource == ("MulticastGroup", group)


def test_what_it_names_must_be_there_and_theirs(api: Any, refused: Any) -> None:
    task, device, group = made(api), api.device()["Id"], group_of(api)
    foreign = group_of(api, who="other")
    for ask, name, kind in (
        (add_device, "nobody", "WirelessDevice"),
        (drop_device, "nobody", "WirelessDevice"),
        (add_group, foreign, "MulticastGroup"),
        (drop_group, foreign, "MulticastGroup"),
    ):
        with refused("ResourceNotFoundException") as refusal:
            ask(api, task, name)
        assert refusal.resource == (kind, name)
    for ask, name in (
        (add_device, device),
        (drop_device, device),
        (add_group, group),
        (drop_group, group),
    ):
        with refused("ResourceNotFoundException") as refusal:
            ask(api, "nothing", name)
        assert refusal.resource == ("FuotaTask", "nothing")
    with refused("ResourceNotFoundException"):
        groups(api, "nothing")


def test_a_task_has_devices_or_groups(api: Any, refused: Any) -> None:
    task, device, group = made(api), api.device()["Id"], group_of(api)
    add_device(api, task, device)
    with refused("ConflictException") as refusal:
        add_group(api, task, group)
    assert refusal.resource == ("FuotaTask", task)
    drop_device(api, task, device)
    add_group(api, task, group)
    with refused("ConflictException"):
        add_device(api, task, device)


def test_regions_agree(api: Any, refused: Any) -> None:
    task = made(api, LoRaWAN={"RfRegion": "US915"})
    with refused("ValidationException") as refusal:
        add_device(api, task, api.device()["Id"])
    assert "the device is of EU868, the FuotaTask of US915" in refusal.message
    with refused("ValidationException") as refusal:
        add_group(api, task, group_of(api))
    assert "the group is of EU868, the FuotaTask of US915" in refusal.message
    add_group(api, task, group_of(api, "US915"))


def test_nobody_enters_or_leaves_once_a_session_is_scheduled(api: Any, refused: Any) -> None:
    by_device, device = made(api), api.device()["Id"]
    by_group, group = made(api), group_of(api)
    add_device(api, by_device, device)
    add_group(api, by_group, group)
    for task in (by_device, by_group):
        api.wireless.start_fuota_task(Id=task)
    for ask, task, name in (
        (add_device, by_device, device),
        (drop_device, by_device, device),
        (add_group, by_group, group),
        (drop_group, by_group, group),
    ):
        with refused("ConflictException") as refusal:
            ask(api, task, name)
        assert "is FuotaSession_Waiting" in refusal.message
    with api.later(1800 + 600):
        drop_device(api, by_device, device)
        drop_group(api, by_group, group)
        with refused("ConflictException"):
            add_device(api, by_device, device)


def test_groups_are_listed_page_by_page(api: Any) -> None:
    task = made(api)
    ids = sorted(group_of(api) for _ in range(3))
    for one in ids:
        add_group(api, task, one)
    first = api.wireless.list_multicast_groups_by_fuota_task(Id=task, MaxResults=2)
    assert first["MulticastGroupList"] == [{"Id": one} for one in ids[:2]]
    assert groups(api, task, NextToken=first["NextToken"]) == ids[2:]
