from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bittern.lorawan.radio import Reception
from bittern.mac.last_heard import packed
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant

APP_KEY = "000102030405060708090a0b0c0d0e0f"
NWK_KEY = "101112131415161718191a1b1c1d1e1f"
OTAA_1_0 = {"OtaaV1_0_x": {"AppKey": APP_KEY, "JoinEui": "70b3d57ed0ffff01"}}
OTAA_1_1 = {"OtaaV1_1": {"AppKey": APP_KEY, "NwkKey": NWK_KEY, "JoinEui": "70b3d57ed0ffff01"}}
ABP_1_0 = {
    "AbpV1_0_x": {
        "DevAddr": "26011bda",
        "FCntStart": 7,
        "SessionKeys": {"NwkSKey": NWK_KEY, "AppSKey": APP_KEY},
    }
}
ABP_1_1 = {
    "AbpV1_1": {
        "DevAddr": "26011bda",
        "FCntStart": 0,
        "SessionKeys": {
            "FNwkSIntKey": NWK_KEY,
            "SNwkSIntKey": NWK_KEY[::-1],
            "NwkSEncKey": APP_KEY[::-1],
            "AppSKey": APP_KEY,
        },
    }
}
DEV_EUI = DevEUI(EUI64.from_hex("70b3d57ed0000001"))


def got(api: Any, made: Any, who: str = "wireless") -> Any:
    found = getattr(api, who).get_wireless_device(
        Identifier=made["Id"], IdentifierType="WirelessDeviceId"
    )
    del found["ResponseMetadata"]
    return found


@pytest.mark.parametrize(
    ("version", "activation"),
    [("1.0.3", OTAA_1_0), ("1.1", OTAA_1_1), ("1.0.2", ABP_1_0), ("1.1", ABP_1_1)],
)
def test_a_device_is_told_as_it_was_made(api: Any, version: str, activation: Any) -> None:
    profile = api.device_profile(MacVersion=version)
    made = api.device(
        activation=activation, device_profile=profile, Name="meter", Description="cellar",
        Positioning="Disabled",
        lorawan={"FPorts": {"Fuota": 201, "Positioning": {"Gnss": 192}}},
    )  # fmt: skip
    found = got(api, made)
    assert found["Arn"] == made["Arn"]
    assert made["Arn"].endswith(f":123456789012:WirelessDevice/{made['Id']}")
    assert (found["Type"], found["Name"], found["Description"]) == ("LoRaWAN", "meter", "cellar")
    assert found["DestinationName"] == "to-70b3d57ed0000001"
    assert found["Positioning"] == "Disabled"
    lorawan = found["LoRaWAN"]
    assert lorawan["DevEui"] == "70b3d57ed0000001"
    assert lorawan["DeviceProfileId"] == profile
    assert lorawan["FPorts"] == {"Fuota": 201, "Positioning": {"Gnss": 192}}
    (kind,) = activation
    told = dict(lorawan[kind])
    told.pop("AppEui", None)
    assert told == activation[kind]


@pytest.mark.parametrize(
    ("version", "activation"), [("1.0.3", OTAA_1_0), ("1.1", OTAA_1_1), ("1.0.2", ABP_1_0)]
)
def test_keys_are_told_only_to_those_who_may_read_them(
    api: Any, version: str, activation: Any
) -> None:
    made = api.device(activation=activation, device_profile=api.device_profile(MacVersion=version))
    assert APP_KEY in str(got(api, made))
    told = str(got(api, made, "operator"))
    assert APP_KEY not in told
    assert NWK_KEY not in told
    assert next(iter(activation)) in told


def test_a_personalized_device_has_its_session(api: Any) -> None:
    api.device(activation=ABP_1_0)
    (session,) = asyncio.run(api.store.sessions_of(DEV_EUI))
    assert (str(session.dev_addr), session.fcnt_up) == ("26011bda", 6)


def test_a_device_is_found_by_its_dev_eui(api: Any, refused: Any) -> None:
    made = api.device()
    found = api.wireless.get_wireless_device(Identifier="70B3D57ED0000001", IdentifierType="DevEui")
    assert found["Id"] == made["Id"]
    for kind in ("ThingName", "SidewalkManufacturingSn", "WirelessDeviceId"):
        with refused("ResourceNotFoundException"):
            api.wireless.get_wireless_device(Identifier="nobody", IdentifierType=kind)
    with refused("ValidationException"):
        api.wireless.get_wireless_device(Identifier="nobody", IdentifierType="DevEui")


@pytest.mark.parametrize(
    ("version", "activation", "said"),
    [
        ("1.0.3", OTAA_1_1, "LoRaWAN 1.0.3"),
        ("1.1", OTAA_1_0, "LoRaWAN 1.1"),
        ("1.0.3", {}, "Exactly one"),
        ("1.0.3", {**OTAA_1_0, **ABP_1_0}, "Exactly one"),
        ("1.0.3", {"OtaaV1_0_x": {"AppKey": APP_KEY}}, "joinEui"),
        ("1.0.3", {"OtaaV1_0_x": {"JoinEui": "70b3d57ed0ffff01"}}, "appKey"),
        (
            "1.0.3",
            {"OtaaV1_0_x": {**OTAA_1_0["OtaaV1_0_x"], "AppEui": "70b3d57ed0ffff02"}},
            "older name",
        ),
        ("1.0.3", {"AbpV1_0_x": {"DevAddr": "26011bda"}}, "sessionKeys"),
        ("1.0.3", {"OtaaV1_0_x": {"AppKey": "zz", "JoinEui": "70b3d57ed0ffff01"}}, "appKey"),
    ],
)
def test_an_activation_must_be_whole_and_that_of_the_profile(
    api: Any, refused: Any, version: str, activation: Any, said: str
) -> None:
    profile = api.device_profile(MacVersion=version)
    with refused("ValidationException") as refusal:
        api.device(activation=activation, device_profile=profile)
    assert said in refusal.message
    assert APP_KEY not in refusal.message


def test_a_device_of_a_profile_without_join_does_not_join(api: Any, refused: Any) -> None:
    with refused("ValidationException"):
        api.device(device_profile=api.device_profile(SupportsJoin=False))


def test_what_it_names_must_be_there(api: Any, refused: Any) -> None:
    for given, kind in (
        ({"device_profile": "nothing"}, "DeviceProfile"),
        ({"service_profile": "nothing"}, "ServiceProfile"),
        ({"destination": "nothing"}, "Destination"),
    ):
        eui = f"70b3d57ed00000{len(kind):02x}"
        with refused("ResourceNotFoundException") as refusal:
            api.device(eui, **given)
        assert refusal.resource == (kind, "nothing")


def test_a_dev_eui_is_taken_once(api: Any, refused: Any) -> None:
    api.device()
    with refused("ConflictException") as refusal:
        api.device(destination="to-70b3d57ed0000001")
    assert refusal.resource == ("WirelessDevice", "70b3d57ed0000001")


def test_the_same_token_makes_one_device(api: Any, refused: Any) -> None:
    same = {
        "destination": api.destination(),
        "device_profile": api.device_profile(),
        "service_profile": api.service_profile(),
        "ClientRequestToken": "once",
    }
    assert api.device(**same)["Id"] == api.device(**same)["Id"]
    with refused("ConflictException"):
        api.device(Name="other", **same)


def test_sidewalk_and_what_is_missing_are_refused(api: Any, refused: Any) -> None:
    given: Any
    for given in (
        {"Type": "Sidewalk", "Sidewalk": {}},
        {"Type": "LoRaWAN"},
        {"Type": "LoRaWAN", "LoRaWAN": {"DevEui": "70b3d57ed0000001"}},
        {"Type": "LoRaWAN", "LoRaWAN": {"DevEui": "zz"}},
    ):
        with refused("ValidationException"):
            api.wireless.create_wireless_device(DestinationName="plant", **given)
    with refused("ValidationException"):
        api.device(Name="a<b")


def test_devices_are_listed_by_what_they_have(api: Any) -> None:
    profile, service, destination = api.device_profile(), api.service_profile(), api.destination()
    one = api.device("70b3d57ed0000001", device_profile=profile)
    two = api.device("70b3d57ed0000002", service_profile=service)
    three = api.device("70b3d57ed0000003", destination=destination, Name="three")

    def listed(**wanted: Any) -> list[str]:
        found = api.wireless.list_wireless_devices(**wanted)["WirelessDeviceList"]
        return [entry["Id"] for entry in found]

    assert listed() == [one["Id"], two["Id"], three["Id"]]
    assert listed(WirelessDeviceType="LoRaWAN") == listed()
    assert listed(DeviceProfileId=profile) == [one["Id"]]
    assert listed(ServiceProfileId=service) == [two["Id"]]
    assert listed(DestinationName=destination) == [three["Id"]]
    for empty in ("FuotaTaskId", "MulticastGroupId", "DeviceProfileId"):
        assert listed(**{empty: "nothing"}) == []
    assert listed(WirelessDeviceType="Sidewalk") == []
    assert api.other.list_wireless_devices()["WirelessDeviceList"] == []
    entry = api.wireless.list_wireless_devices()["WirelessDeviceList"][2]
    assert entry == {
        "Arn": three["Arn"],
        "Id": three["Id"],
        "Type": "LoRaWAN",
        "Name": "three",
        "DestinationName": destination,
        "LoRaWAN": {"DevEui": "70b3d57ed0000003"},
    }


def test_devices_are_listed_page_by_page_with_their_filter(api: Any, refused: Any) -> None:
    profile = api.device_profile()
    for number in range(5):
        api.device(f"70b3d57ed000000{number}", device_profile=profile)
    first = api.wireless.list_wireless_devices(MaxResults=3, DeviceProfileId=profile)
    assert len(first["WirelessDeviceList"]) == 3
    with refused("ValidationException"):
        api.wireless.list_wireless_devices(MaxResults=3, NextToken=first["NextToken"])
    last = api.wireless.list_wireless_devices(
        MaxResults=3, DeviceProfileId=profile, NextToken=first["NextToken"]
    )
    assert len(last["WirelessDeviceList"]) == 2
    assert "NextToken" not in last
    with refused("ValidationException"):
        api.wireless.list_wireless_devices(MaxResults=251)


def test_an_update_changes_what_may_change(api: Any) -> None:
    made = api.device(Name="old", Description="stays", lorawan={"FPorts": {"Fuota": 201}})
    before = got(api, made)
    profile, service = api.device_profile(), api.service_profile()
    api.wireless.update_wireless_device(
        Id=made["Id"],
        Name="new",
        DestinationName=api.destination(),
        Positioning="Enabled",
        LoRaWAN={
            "DeviceProfileId": profile,
            "ServiceProfileId": service,
            "FPorts": {
                "Positioning": {"Stream": 199},
                "Applications": [{"FPort": 9, "Type": "SemtechGeolocation"}],
            },
        },
    )
    after = got(api, made)
    assert (after["Name"], after["Description"]) == ("new", "stays")
    assert (after["DestinationName"], after["Positioning"]) == ("plant", "Enabled")
    lorawan = after["LoRaWAN"]
    assert (lorawan["DeviceProfileId"], lorawan["ServiceProfileId"]) == (profile, service)
    assert lorawan["FPorts"] == {
        "Fuota": 201,
        "Positioning": {"Stream": 199},
        "Applications": [{"FPort": 9, "Type": "SemtechGeolocation"}],
    }
    assert lorawan["OtaaV1_0_x"] == before["LoRaWAN"]["OtaaV1_0_x"]


def test_the_counter_to_expect_can_be_set(api: Any, refused: Any) -> None:
    made = api.device(activation=ABP_1_0)
    api.wireless.update_wireless_device(Id=made["Id"], LoRaWAN={"AbpV1_0_x": {"FCntStart": 40}})
    assert got(api, made)["LoRaWAN"]["AbpV1_0_x"]["FCntStart"] == 40
    (session,) = asyncio.run(api.store.sessions_of(DEV_EUI))
    assert session.fcnt_up == 39
    with refused("ValidationException"):
        api.wireless.update_wireless_device(Id=made["Id"], LoRaWAN={"AbpV1_1": {"FCntStart": 1}})
    otaa = api.device("70b3d57ed0000002")
    with refused("ValidationException"):
        api.wireless.update_wireless_device(Id=otaa["Id"], LoRaWAN={"AbpV1_0_x": {"FCntStart": 1}})


def test_a_device_does_not_become_one_of_another_version(api: Any, refused: Any) -> None:
    made = api.device()
    profile = api.device_profile(MacVersion="1.1")
    with refused("ValidationException"):
        api.wireless.update_wireless_device(Id=made["Id"], LoRaWAN={"DeviceProfileId": profile})


def test_an_update_names_what_is_there(api: Any, refused: Any) -> None:
    made = api.device()
    with refused("ResourceNotFoundException"):
        api.wireless.update_wireless_device(Id="nobody")
    with refused("ResourceNotFoundException"):
        api.wireless.update_wireless_device(Id=made["Id"], DestinationName="nothing")
    with refused("ResourceNotFoundException"):
        api.other.update_wireless_device(Id=made["Id"])


def test_a_device_is_deleted_with_its_tags(api: Any, refused: Any) -> None:
    made = api.device(Tags=[{"Key": "a", "Value": "b"}])
    with refused("ResourceNotFoundException"):
        api.other.delete_wireless_device(Id=made["Id"])
    answer = api.wireless.delete_wireless_device(Id=made["Id"])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("ResourceNotFoundException"):
        api.wireless.delete_wireless_device(Id=made["Id"])
    assert asyncio.run(api.store.notes("123456789012", "tags", "WirelessDevice/")) == []


def test_a_device_that_was_never_heard_has_no_statistics(api: Any, refused: Any) -> None:
    made = api.device()
    found = api.wireless.get_wireless_device_statistics(WirelessDeviceId=made["Id"])
    del found["ResponseMetadata"]
    assert found == {"WirelessDeviceId": made["Id"]}
    with refused("ResourceNotFoundException"):
        api.wireless.get_wireless_device_statistics(WirelessDeviceId="nobody")


def test_the_last_uplink_is_told_with_nine_digits(api: Any) -> None:
    made = api.device(activation=ABP_1_0)
    (session,) = asyncio.run(api.store.sessions_of(DEV_EUI))
    radio = msgspec.structs.replace(session.radio, data_rate=5)
    heard = msgspec.structs.replace(
        session, revision=session.revision + 1, last_uplink_at=Instant(1_700_000_000.5), radio=radio
    )
    asyncio.run(api.store.advance(session, heard))
    found = api.wireless.get_wireless_device_statistics(WirelessDeviceId=made["Id"])
    assert found["LastUplinkReceivedAt"] == "2023-11-14T22:13:20.500000000Z"
    assert found["LoRaWAN"]["DataRate"] == 5
    assert "Gateways" not in found["LoRaWAN"]
    (entry,) = api.wireless.list_wireless_devices()["WirelessDeviceList"]
    assert entry["LastUplinkReceivedAt"] == found["LastUplinkReceivedAt"]


@pytest.mark.parametrize(("fport", "told"), [(2, 2), (None, 225)])
def test_how_the_last_uplink_was_heard_is_told_in_numbers(
    api: Any, fport: int | None, told: int
) -> None:
    made = api.device(activation=ABP_1_0)
    (session,) = asyncio.run(api.store.sessions_of(DEV_EUI))
    reception = Reception(
        gateway_eui=GatewayEUI(EUI64.from_hex("0016c001ff000001")),
        frequency_hz=868_300_000,
        data_rate=4,
        rssi_dbm=-97,
        snr_db=-3.5,
        received_at=Instant(1_700_000_000.0),
        xtime=1,
        rctx=0,
    )
    heard = msgspec.structs.replace(
        session,
        revision=session.revision + 1,
        last_uplink_at=Instant(1_700_000_000.0),
        last_heard=packed(fport, [reception]),
    )
    asyncio.run(api.store.advance(session, heard))
    found = api.wireless.get_wireless_device_statistics(WirelessDeviceId=made["Id"])
    assert found["LoRaWAN"] == {
        "DevEui": str(DEV_EUI),
        "FPort": told,
        "DataRate": 4,
        "Frequency": 868300000,
        "Timestamp": "2023-11-14T22:13:20.000000000Z",
        "Gateways": [{"GatewayEui": "0016c001ff000001", "Snr": -3.5, "Rssi": -97.0}],
    }
