from __future__ import annotations

from typing import Any

import pytest

LORAWAN = {
    "SupportsClassB": True,
    "ClassBTimeout": 10,
    "PingSlotPeriod": 128,
    "PingSlotDr": 3,
    "PingSlotFreq": 8695250,
    "SupportsClassC": True,
    "ClassCTimeout": 20,
    "MacVersion": "1.0.3",
    "RegParamsRevision": "RP002-1.0.1",
    "RxDelay1": 1,
    "RxDrOffset1": 2,
    "RxDataRate2": 3,
    "RxFreq2": 8695250,
    "FactoryPresetFreqsList": [8671000, 8673000],
    "MaxEirp": 14,
    "MaxDutyCycle": 10,
    "RfRegion": "EU868",
    "SupportsJoin": True,
    "Supports32BitFCnt": True,
}


def test_a_profile_is_told_as_it_was_made(api: Any) -> None:
    made = api.wireless.create_device_profile(Name="meter", LoRaWAN=LORAWAN)
    assert made["Arn"].endswith(f":DeviceProfile/{made['Id']}")
    found = api.wireless.get_device_profile(Id=made["Id"])
    assert (found["Id"], found["Arn"], found["Name"]) == (made["Id"], made["Arn"], "meter")
    assert found["LoRaWAN"] == LORAWAN


@pytest.mark.parametrize(
    "given",
    [
        {"MacVersion": "2.0"},
        {"RfRegion": "MARS"},
        {"RegParamsRevision": "X"},
        {"MaxEirp": 99},
        {"RxFreq2": 868_100_000},
    ],
)
def test_what_cannot_be_is_refused(api: Any, refused: Any, given: Any) -> None:
    with refused("ValidationException"):
        api.wireless.create_device_profile(LoRaWAN={**LORAWAN, **given})


def test_a_profile_is_one_of_lorawan(api: Any, refused: Any) -> None:
    for given in ({"Sidewalk": {}}, {}, {"Name": "a^b", "LoRaWAN": LORAWAN}):
        with refused("ValidationException"):
            api.wireless.create_device_profile(**given)


def test_the_same_token_makes_one_profile(api: Any, refused: Any) -> None:
    made = [
        api.wireless.create_device_profile(LoRaWAN=LORAWAN, ClientRequestToken="x")["Id"]
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with refused("ConflictException"):
        api.wireless.create_device_profile(Name="b", LoRaWAN=LORAWAN, ClientRequestToken="x")


def test_profiles_are_listed_page_by_page(api: Any) -> None:
    made = sorted(api.device_profile() for _ in range(3))
    first = api.wireless.list_device_profiles(MaxResults=2)
    last = api.wireless.list_device_profiles(MaxResults=2, NextToken=first["NextToken"])
    listed = first["DeviceProfileList"] + last["DeviceProfileList"]
    assert [one["Id"] for one in listed] == made
    assert "NextToken" not in last
    assert (
        api.wireless.list_device_profiles(DeviceProfileType="Sidewalk")["DeviceProfileList"] == []
    )
    assert api.other.list_device_profiles()["DeviceProfileList"] == []


def test_a_profile_in_use_stays(api: Any, refused: Any) -> None:
    profile = api.device_profile()
    device = api.device(device_profile=profile)
    with refused("ConflictException") as refusal:
        api.wireless.delete_device_profile(Id=profile)
    assert refusal.resource == ("DeviceProfile", profile)
    api.wireless.delete_wireless_device(Id=device["Id"])
    api.wireless.delete_device_profile(Id=profile)
    with refused("ResourceNotFoundException"):
        api.wireless.delete_device_profile(Id=profile)


def test_another_account_sees_nothing(api: Any, refused: Any) -> None:
    profile = api.device_profile()
    for refuse in (api.other.get_device_profile, api.other.delete_device_profile):
        with refused("ResourceNotFoundException"):
            refuse(Id=profile)
