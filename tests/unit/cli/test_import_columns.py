from __future__ import annotations

import pytest

from bittern.cli.import_columns import COLUMNS, Columns, RowFault, device_input
from bittern.lorawan.versions import MacVersion

OF_1_0 = MacVersion.LORAWAN_1_0_3
OF_1_1 = MacVersion.LORAWAN_1_1
EUI = "70b3d57ed0000001"
KEY = "01" * 16


def refused(fields: dict[str, str], version: MacVersion = OF_1_0) -> str:
    with pytest.raises(RowFault) as caught:
        device_input(fields, version)
    return str(caught.value)


def test_columns_are_known_however_they_are_written() -> None:
    columns = Columns.of(["dev_eui", " Device Profile ", "service-profile-id", "tag:Site"])
    assert columns.names == ["DevEui", "DeviceProfileId", "ServiceProfileId", "tag:Site"]
    assert Columns.of(COLUMNS).names == list(COLUMNS)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (["DevEui", "Colour", ""], "no such column: Colour, (empty)"),
        (["Name"], "names no column DevEui"),
        (["DevEui", "dev eui"], "more than one column DevEui"),
    ],
)
def test_a_header_that_is_none_is_told(header: list[str], told: str) -> None:
    with pytest.raises(ValueError, match="column") as caught:
        Columns.of(header)
    assert told in str(caught.value)


def test_a_row_has_as_many_cells_as_there_are_columns() -> None:
    columns = Columns.of(["DevEui", "Name"])
    assert columns.fields([f" {EUI} ", ""]) == {"DevEui": EUI}
    with pytest.raises(RowFault, match="3 cells under 2 columns"):
        columns.fields([EUI, "a", "b"])


def test_a_joining_device_of_1_0() -> None:
    fields = {"DevEui": EUI, "AppEui": EUI, "AppKey": KEY, "GenAppKey": KEY, "Name": "pump"}
    assert device_input(fields | {"DeviceProfileId": "p", "DestinationName": "d"}, OF_1_0) == {
        "Type": "LoRaWAN",
        "Name": "pump",
        "DestinationName": "d",
        "LoRaWAN": {
            "DevEui": EUI,
            "DeviceProfileId": "p",
            "OtaaV1_0_x": {"AppEui": EUI, "AppKey": KEY, "GenAppKey": KEY},
        },
    }


def test_the_older_name_of_the_join_eui_is_that_of_1_1_too() -> None:
    fields = {"DevEui": EUI, "AppEui": EUI, "AppKey": KEY, "NwkKey": KEY}
    wanted = {"JoinEui": EUI, "AppKey": KEY, "NwkKey": KEY}
    assert device_input(fields, OF_1_1)["LoRaWAN"]["OtaaV1_1"] == wanted
    assert "AppEui: not the same" in refused(fields | {"JoinEui": EUI[::-1]}, OF_1_1)


def test_a_personalized_device_is_known_by_its_address() -> None:
    fields = {"DevAddr": "26011bda", "NwkSKey": KEY, "AppSKey": KEY, "FCntStart": "7"}
    assert device_input(fields, OF_1_0)["LoRaWAN"]["AbpV1_0_x"] == {
        "DevAddr": "26011bda",
        "FCntStart": 7,
        "SessionKeys": {"NwkSKey": KEY, "AppSKey": KEY},
    }


def test_a_personalized_device_of_1_1_has_four_keys() -> None:
    keys = dict.fromkeys(("FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey"), KEY)
    given = device_input({"DevAddr": "26011bda", **keys}, OF_1_1)
    assert given["LoRaWAN"]["AbpV1_1"] == {"DevAddr": "26011bda", "SessionKeys": keys}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("OTAA", "OtaaV1_0_x"),
        ("otaa v1.1", "OtaaV1_1"),
        ("OtaaV1_0_x", "OtaaV1_0_x"),
        ("AbpV1_1", "AbpV1_1"),
        ("ABP 1.0.x", "AbpV1_0_x"),
        ("ABP", "AbpV1_0_x"),
    ],
)
def test_activation_has_many_spellings(text: str, kind: str) -> None:
    assert kind in device_input({"Activation": text}, OF_1_0)["LoRaWAN"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Activation": "manual"}, "Activation: OTAA or ABP"),
        ({"NwkKey": KEY}, "NwkKey: not of OtaaV1_0_x"),
        ({"DevAddr": "26011bda", "AppKey": KEY}, "AppKey: not of AbpV1_0_x"),
        ({"DevAddr": "26011bda", "FCntStart": "-1"}, "FCntStart: not a whole number"),
        ({"FPorts": "{"}, "FPorts: not JSON"),
        ({"Tags": "north"}, "Tags: KEY=VALUE"),
    ],
)
def test_a_row_that_is_no_device_names_the_column(fields: dict[str, str], told: str) -> None:
    text = refused(fields)
    assert told in text
    assert KEY not in text


def test_tags_and_ports() -> None:
    given = device_input(
        {"tag:Site": "north", "Tags": "floor=2; note=a=b;", "FPorts": '{"Fuota": 201}'}, OF_1_0
    )
    assert given["Tags"] == [
        {"Key": "Site", "Value": "north"},
        {"Key": "floor", "Value": "2"},
        {"Key": "note", "Value": "a=b"},
    ]
    assert given["LoRaWAN"]["FPorts"] == {"Fuota": 201}
