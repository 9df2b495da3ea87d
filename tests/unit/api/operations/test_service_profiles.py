from __future__ import annotations

from typing import Any

LORAWAN = {
    "AddGwMetadata": False,
    "DrMin": 1,
    "DrMax": 5,
    "PrAllowed": True,
    "RaAllowed": False,
    "TxPowerIndexMin": 1,
    "TxPowerIndexMax": 7,
    "NbTransMin": 1,
    "NbTransMax": 3,
}


def test_a_profile_is_told_as_it_was_made(api: Any) -> None:
    made = api.wireless.create_service_profile(Name="standard", LoRaWAN=LORAWAN)
    assert made["Arn"].endswith(f":ServiceProfile/{made['Id']}")
    found = api.wireless.get_service_profile(Id=made["Id"])
    assert (found["Name"], found["Arn"]) == ("standard", made["Arn"])
    assert found["LoRaWAN"].items() >= LORAWAN.items()
    assert found["LoRaWAN"]["DevStatusReqFreq"] == 24
    assert found["LoRaWAN"]["HrAllowed"] is False


def test_bounds_are_in_order(api: Any, refused: Any) -> None:
    for low, high in (("DrMin", "DrMax"), ("TxPowerIndexMin", "TxPowerIndexMax")):
        with refused("ValidationException"):
            api.wireless.create_service_profile(LoRaWAN={low: 4, high: 3})
    with refused("ValidationException"):
        api.wireless.create_service_profile(LoRaWAN={"DrMax": 16})


def test_the_same_token_makes_one_profile(api: Any, refused: Any) -> None:
    make = api.wireless.create_service_profile
    made = [make(Name="a", ClientRequestToken="x")["Id"] for _ in range(2)]
    assert made[0] == made[1]
    with refused("ConflictException"):
        make(Name="b", ClientRequestToken="x")


def test_profiles_are_listed_page_by_page(api: Any) -> None:
    made = sorted(api.service_profile() for _ in range(3))
    first = api.wireless.list_service_profiles(MaxResults=2)
    last = api.wireless.list_service_profiles(MaxResults=2, NextToken=first["NextToken"])
    listed = first["ServiceProfileList"] + last["ServiceProfileList"]
    assert [one["Id"] for one in listed] == made
    assert api.other.list_service_profiles()["ServiceProfileList"] == []


def test_a_profile_in_use_stays(api: Any, refused: Any) -> None:
    profile = api.service_profile()
    device = api.device(service_profile=profile)
    with refused("ConflictException") as refusal:
        api.wireless.delete_service_profile(Id=profile)
    assert refusal.resource == ("ServiceProfile", profile)
    api.wireless.delete_wireless_device(Id=device["Id"])
    api.wireless.delete_service_profile(Id=profile)
    with refused("ResourceNotFoundException"):
        api.wireless.get_service_profile(Id=profile)


def test_another_account_sees_nothing(api: Any, refused: Any) -> None:
    profile = api.service_profile()
    for refuse in (api.other.get_service_profile, api.other.delete_service_profile):
        with refused("ResourceNotFoundException"):
            refuse(Id=profile)
