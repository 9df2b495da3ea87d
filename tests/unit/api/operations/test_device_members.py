from __future__ import annotations

from typing import Any


def group_of(api: Any) -> str:
    lorawan = {"RfRegion": "EU868", "DlClass": "ClassC"}
    group_id: str = api.wireless.create_multicast_group(LoRaWAN=lorawan)["Id"]
    return group_id


def task_of(api: Any) -> str:
    task_id: str = api.wireless.create_fuota_task(
        FirmwareUpdateImage="s3://images/a", FirmwareUpdateRole="role"
    )["Id"]
    return task_id


def listed(api: Any, **wanted: Any) -> list[str]:
    found = api.wireless.list_wireless_devices(**wanted)["WirelessDeviceList"]
    return [entry["LoRaWAN"]["DevEui"][-1] for entry in found]


def fill(api: Any, count: int = 5) -> tuple[str, str]:
    """A group of all, a task of every second one."""
    group, task = group_of(api), task_of(api)
    common = {"device_profile": api.device_profile(), "service_profile": api.service_profile()}
    for number in range(count):
        device = api.device(f"70b3d57ed000000{number}", **common)["Id"]
        api.wireless.associate_wireless_device_with_multicast_group(
            Id=group, WirelessDeviceId=device
        )
        if number % 2 == 0:
            api.wireless.associate_wireless_device_with_fuota_task(Id=task, WirelessDeviceId=device)
    api.device("70b3d57ed000000f", **common)
    return group, task


def test_members_are_listed_with_their_status(api: Any) -> None:
    group, task = fill(api)
    assert listed(api, MulticastGroupId=group) == list("01234")
    assert listed(api, FuotaTaskId=task) == list("024")
    both = {"FuotaTaskId": task, "MulticastGroupId": group}
    assert listed(api, **both) == list("024")
    entry = api.wireless.list_wireless_devices(**both)["WirelessDeviceList"][0]
    assert entry["MulticastDeviceStatus"] == "Package_Attempting"
    assert entry["McGroupId"] == 1
    assert entry["FuotaDeviceStatus"] == "Initial"
    assert listed(api) == list("01234f")


def test_other_filters_hold_too(api: Any) -> None:
    group, _ = fill(api)
    named = "to-70b3d57ed0000003"
    assert listed(api, MulticastGroupId=group, DestinationName=named) == ["3"]
    assert listed(api, MulticastGroupId=group, DeviceProfileId="other") == []
    assert listed(api, MulticastGroupId=group, ServiceProfileId="other") == []
    assert listed(api, MulticastGroupId=group, WirelessDeviceType="Sidewalk") == []
    assert listed(api, MulticastGroupId=group, WirelessDeviceType="LoRaWAN") == list("01234")


def test_members_are_listed_page_by_page(api: Any, refused: Any, monkeypatch: Any) -> None:
    group, task = fill(api)
    monkeypatch.setattr("bittern.api.operations.device_members.PAGE", 2)
    for wanted, every in (({"MulticastGroupId": group}, "01234"), ({"FuotaTaskId": task}, "024")):
        found = ""
        token: dict[str, Any] = {}
        while True:
            page = api.wireless.list_wireless_devices(MaxResults=2, **wanted, **token)
            found += "".join(one["LoRaWAN"]["DevEui"][-1] for one in page["WirelessDeviceList"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert found == every
        with refused("ValidationException"):
            api.wireless.list_wireless_devices(MaxResults=2, **token)


def test_nobody_is_a_member_of_what_is_not_there_or_not_theirs(api: Any) -> None:
    group, task = fill(api)
    assert listed(api, MulticastGroupId="nothing") == []
    assert listed(api, FuotaTaskId="nothing") == []
    assert listed(api, MulticastGroupId=group, FuotaTaskId="nothing") == []
    for wanted in ({"MulticastGroupId": group}, {"FuotaTaskId": task}):
        assert api.other.list_wireless_devices(**wanted)["WirelessDeviceList"] == []
    assert listed(api, MulticastGroupId=group_of(api)) == []


def test_devices_of_a_group_are_those_of_its_task(api: Any) -> None:
    group, _ = fill(api)
    task = task_of(api)
    api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    found = api.wireless.list_wireless_devices(FuotaTaskId=task)["WirelessDeviceList"]
    assert [entry["FuotaDeviceStatus"] for entry in found] == ["Initial"] * 5
    assert "McGroupId" not in found[0]
