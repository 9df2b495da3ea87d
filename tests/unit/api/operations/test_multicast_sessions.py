from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def made(api: Any, dl_class: str = "ClassC", **lorawan: Any) -> str:
    given = {"RfRegion": "EU868", "DlClass": dl_class, **lorawan}
    group_id: str = api.wireless.create_multicast_group(LoRaWAN=given)["Id"]
    return group_id


def after(api: Any, seconds: float) -> datetime:
    return datetime.fromtimestamp(api.now, UTC) + timedelta(seconds=seconds)


def start(api: Any, group: str, **more: Any) -> Any:
    given = {"SessionStartTime": after(api, 3600), "SessionTimeout": 300, **more}
    return api.wireless.start_multicast_group_session(Id=group, LoRaWAN=given)


def session(api: Any, group: str) -> Any:
    return api.wireless.get_multicast_group_session(Id=group)["LoRaWAN"]


def test_a_session_is_told_as_it_was_started(api: Any) -> None:
    group = made(api, "ClassB")
    answer = start(api, group, DlDr=3, DlFreq=869525000, SessionTimeout=256, PingSlotPeriod=128)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert session(api, group) == {
        "DlDr": 3,
        "DlFreq": 869525000,
        "SessionStartTime": after(api, 3600),
        "SessionTimeout": 256,
        "PingSlotPeriod": 128,
    }


@pytest.mark.parametrize(("region", "dl_dr", "dl_freq"), [("EU868", 0, 869525000),
                                                          ("US915", 8, 923300000)])  # fmt: skip
def test_what_is_not_said_is_as_the_region_has_it(
    api: Any, region: str, dl_dr: int, dl_freq: int
) -> None:
    group = made(api, RfRegion=region)
    start(api, group)
    told = session(api, group)
    assert (told["DlDr"], told["DlFreq"]) == (dl_dr, dl_freq)
    assert "PingSlotPeriod" not in told


def test_what_is_not_said_is_as_the_group_has_it(api: Any) -> None:
    group = made(api, DefaultSessionParameters={"DlDr": 5, "DlFreq": 868100000})
    start(api, group)
    assert (session(api, group)["DlDr"], session(api, group)["DlFreq"]) == (5, 868100000)
    start(api, group, DlDr=0)
    assert (session(api, group)["DlDr"], session(api, group)["DlFreq"]) == (0, 868100000)


@pytest.mark.parametrize(("asked_s", "told_s"), [(60, 64), (300, 512), (64800, 32768)])
def test_a_timeout_is_one_that_devices_can_be_told(api: Any, asked_s: int, told_s: int) -> None:
    group = made(api)
    start(api, group, SessionTimeout=asked_s)
    assert session(api, group)["SessionTimeout"] == told_s


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SessionTimeout": 172801}, "sessionTimeout"),
        ({"SessionTimeout": 64801}, "at most 64800 seconds in a group of ClassC"),
        ({"DlDr": 16}, "dlDr"),
        ({"DlDr": 12}, "EU868 has no downlink data rate 12"),
        ({"DlFreq": 1000000001}, "dlFreq"),
        ({"DlFreq": 915000000}, "EU868 reaches from"),
        ({"PingSlotPeriod": 128}, "must be absent in a group of ClassC"),
    ],
)
def test_what_cannot_be_is_refused(api: Any, refused: Any, given: Any, said: str) -> None:
    group = made(api)
    with refused("ValidationException") as refusal:
        start(api, group, **given)
    assert said in refusal.message
    with refused("ResourceNotFoundException"):
        session(api, group)


def test_a_session_starts_in_half_an_hour_to_two_days(api: Any, refused: Any) -> None:
    group = made(api)
    for seconds, said in ((1799, "at least 30 minutes"), (48 * 3600 + 1, "at most 48 hours")):
        with refused("ValidationException") as refusal:
            start(api, group, SessionStartTime=after(api, seconds))
        assert "loRaWAN.sessionStartTime" in refusal.message
        assert said in refusal.message
    for seconds in (1800, 48 * 3600):
        start(api, group, SessionStartTime=after(api, seconds))


def test_start_and_timeout_are_needed(api: Any, refused: Any) -> None:
    group = made(api)
    for given in ({"SessionTimeout": 60}, {"SessionStartTime": after(api, 3600)}, {}):
        with refused("ValidationException") as refusal:
            api.wireless.start_multicast_group_session(Id=group, LoRaWAN=given)
        assert "must not be null" in refusal.message


def test_a_session_takes_the_place_of_an_earlier_one(api: Any) -> None:
    group = made(api)
    start(api, group)
    with api.later(3600):
        assert api.wireless.get_multicast_group(Id=group)["Status"] == "In_Session"
        start(api, group)
        assert api.wireless.get_multicast_group(Id=group)["Status"] == "Session_Attempting"
        assert session(api, group)["SessionStartTime"] == after(api, 3600)


def test_a_session_is_cancelled_once(api: Any, refused: Any) -> None:
    group = made(api)
    start(api, group)
    answer = api.wireless.cancel_multicast_group_session(Id=group)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    for refuse in (
        api.wireless.cancel_multicast_group_session,
        api.wireless.get_multicast_group_session,
    ):
        with refused("ResourceNotFoundException") as refusal:
            refuse(Id=group)
        assert refusal.resource == ("MulticastGroupSession", group)
    assert api.wireless.get_multicast_group(Id=group)["Status"] == "Pending"


def test_a_session_that_is_over_is_told_no_more(api: Any, refused: Any) -> None:
    group = made(api)
    start(api, group)
    with api.later(3600 + 512), refused("ResourceNotFoundException"):
        session(api, group)


def test_a_group_of_an_active_update_has_no_session_of_its_own(api: Any, refused: Any) -> None:
    group = made(api)
    task = api.wireless.create_fuota_task(
        FirmwareUpdateImage="s3://images/a", FirmwareUpdateRole="role"
    )["Id"]
    api.wireless.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=group)
    start(api, group)
    api.wireless.cancel_multicast_group_session(Id=group)
    api.wireless.start_fuota_task(Id=task)
    for refuse in (start, lambda _, one: api.wireless.cancel_multicast_group_session(Id=one)):
        with refused("ConflictException") as refusal:
            refuse(api, group)
        assert f"takes part in the firmware update {task}" in refusal.message


def test_no_device_is_said_to_be_in_a_session(api: Any) -> None:
    group, device = made(api), api.device()["Id"]
    api.wireless.associate_wireless_device_with_multicast_group(Id=group, WirelessDeviceId=device)
    start(api, group)
    with api.later(3600):
        [entry] = api.wireless.list_wireless_devices(MulticastGroupId=group)["WirelessDeviceList"]
        assert entry["MulticastDeviceStatus"] == "Package_Attempting"
        lorawan = api.wireless.get_multicast_group(Id=group)["LoRaWAN"]
        assert lorawan["NumberOfDevicesInGroup"] == 0


def test_nothing_is_sent_and_none_is_said_to_be(api: Any, refused: Any) -> None:
    group = made(api)
    data = {"PayloadData": "aGVsbG8=", "WirelessMetadata": {"LoRaWAN": {"FPort": 2}}}
    start(api, group)
    with refused("ResourceNotFoundException"):
        api.wireless.send_data_to_multicast_group(Id="nothing", **data)
    for seconds in (0, 3600):
        with api.later(seconds), refused("ValidationException") as refusal:
            api.wireless.send_data_to_multicast_group(Id=group, **data)
        assert "does not transmit to multicast groups" in refusal.message
    assert asyncio.run(api.store.waiting()) == []
