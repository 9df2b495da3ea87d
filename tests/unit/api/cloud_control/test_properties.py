from __future__ import annotations

from typing import Any

import pytest

from bittern.api.cloud_control.properties import (
    changes,
    check_names,
    check_new,
    of_new,
    parsed,
    tag_changes,
    told,
)
from bittern.api.cloud_control.types import ResourceType, resource_type
from bittern.api.errors import ApiError

APP_KEY = "000102030405060708090a0b0c0d0e0f"


def of(kind: str) -> ResourceType:
    return resource_type(f"AWS::IoTWireless::{kind}")


def device(**lorawan: Any) -> dict[str, Any]:
    given = {"DevEui": "70b3d57ed0000001", "OtaaV10x": {"AppKey": APP_KEY, "AppEui": "a" * 16}}
    return {"Type": "LoRaWAN", "DestinationName": "plant", "LoRaWAN": {**given, **lorawan}}


def refused(*arguments: Any, by: Any = check_new) -> ApiError:
    with pytest.raises(ApiError) as caught:
        by(*arguments)
    return caught.value


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"text"', "[" * 100_000])
def test_properties_are_an_object(text: str) -> None:
    assert refused(text, by=parsed).code == "ValidationException"


def test_null_is_absence() -> None:
    assert parsed('{"Name": null, "Description": "all"}') == {"Description": "all"}


def test_names_are_translated_both_ways() -> None:
    given = device()
    check_new(of("WirelessDevice"), given)
    members = of_new(of("WirelessDevice"), given)
    assert members["LoRaWAN"]["OtaaV1_0_x"] == {"AppKey": APP_KEY, "AppEui": "a" * 16}
    answer = {**members, "Arn": "arn", "Sidewalk": {}, "Elsewhere": 1}
    assert told(of("WirelessDevice"), "x", answer) == {**given, "Arn": "arn", "Id": "x"}


def test_what_every_resource_has_alike_is_told_and_checked() -> None:
    assert told(of("TaskDefinition"), "x", {})["TaskDefinitionType"] == "UPDATE"
    given = {"AutoCreateTasks": True, "TaskDefinitionType": "UPDATE"}
    check_new(of("TaskDefinition"), given)
    assert of_new(of("TaskDefinition"), given) == {"AutoCreateTasks": True}
    error = refused(of("TaskDefinition"), {**given, "TaskDefinitionType": "OTHER"})
    assert error.message == "Model validation failed (#/TaskDefinitionType: must be UPDATE)"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (device() | {"Color": "red"}, "#: extraneous key [Color] is not permitted"),
        (device(Color="red"), "#/LoRaWAN: extraneous key [Color] is not permitted"),
        (device(OtaaV1_0_x={}), "#/LoRaWAN: extraneous key [OtaaV1_0_x] is not permitted"),
        (device() | {"Sidewalk": {}}, "#: extraneous key [Sidewalk] is not permitted"),
        (
            device(FPorts={"Applications": [{"FPort": 1}, {"Port": 2}]}),
            "#/LoRaWAN/FPorts/Applications: extraneous key [Port] is not permitted",
        ),
        ({"Type": "LoRaWAN"}, "#: required key [DestinationName] not found"),
        (device() | {"Id": "x"}, "#: read-only properties [/Id] are not permitted"),
        (device(DevEui="A" * 16), "#/LoRaWAN/DevEui: does not match pattern [a-f0-9]{16}"),
    ],
)
def test_a_new_resource_has_only_properties_of_its_type(model: dict[str, Any], told: str) -> None:
    assert refused(of("WirelessDevice"), model).message == f"Model validation failed ({told})"


def test_what_is_no_object_is_left_to_the_operation() -> None:
    check_names(of("WirelessDevice"), {**device(), "LoRaWAN": "text"})


def test_equal_models_need_no_update() -> None:
    assert changes(of("WirelessDevice"), device(), device()) == {}


def test_only_what_differs_is_sent() -> None:
    before = device(AbpV10x={"FCntStart": 5, "DevAddr": "01020304"}) | {"Name": "a"}
    after = device(AbpV10x={"FCntStart": 6, "DevAddr": "01020304"}) | {"Name": "b"}
    assert changes(of("WirelessDevice"), before, after) == {
        "Name": "b",
        "LoRaWAN": {"AbpV1_0_x": {"FCntStart": 6}},
    }


def test_what_is_left_out_of_an_object_is_not_refused() -> None:
    before = device(OtaaV10x={"AppKey": APP_KEY, "AppEui": "a" * 16, "JoinEui": "a" * 16})
    assert changes(of("WirelessDevice"), before, device()) == {}


def test_another_spelling_of_the_same_is_no_change() -> None:
    before = {"LoRaWAN": {"GatewayEui": "00800000a000000f", "RfRegion": "EU868"}}
    after = {"LoRaWAN": {"GatewayEui": "00-80-00-00-A0-00-00-0F", "RfRegion": "EU868"}}
    assert changes(of("WirelessGateway"), before, after) == {}
    upper = {"AppKey": APP_KEY.upper(), "AppEui": "A" * 16}
    assert changes(of("WirelessDevice"), device(), device(OtaaV10x=upper)) == {}


def test_names_are_not_taken_for_another_spelling() -> None:
    before = {"Name": "ab", "Expression": "x", "ExpressionType": "MqttTopic", "RoleArn": "r"}
    error = refused(of("Destination"), before, before | {"Name": "AB"}, by=changes)
    assert error.code == "NotUpdatableException"


def test_every_property_that_cannot_change_is_named() -> None:
    after = device(DevEui="70b3d57ed0000002", OtaaV10x={"AppKey": "f" * 32, "AppEui": "b" * 16})
    error = refused(of("WirelessDevice"), device(), after, by=changes)
    for path in ("/LoRaWAN/DevEui", "/LoRaWAN/OtaaV10x/AppKey", "/LoRaWAN/OtaaV10x/AppEui"):
        assert path in error.message
    assert "f" * 32 not in error.message


def test_read_only_properties_may_go_but_not_change() -> None:
    before = {"LoRaWAN": {"RfRegion": "EU868", "NumberOfDevicesInGroup": 2}, "Status": "Pending"}
    after = {"LoRaWAN": {"RfRegion": "EU868"}}
    assert changes(of("MulticastGroup"), before, after) == {}
    error = refused(of("MulticastGroup"), before, after | {"Status": "In_Session"}, by=changes)
    assert "[/Status]" in error.message


def test_what_is_taken_away_is_emptied() -> None:
    lorawan = {"RfRegion": "EU868", "DlClass": "ClassC", "DefaultSessionParameters": {"DlDr": 1}}
    before = {"Name": "a", "Description": "b", "LoRaWAN": lorawan}
    after = {"Name": "a", "LoRaWAN": {"RfRegion": "EU868", "DlClass": "ClassC"}}
    assert changes(of("MulticastGroup"), before, after) == {
        "Description": "",
        "LoRaWAN": {"DefaultSessionParameters": {}},
    }


def test_what_has_no_empty_value_is_not_taken_away() -> None:
    image = {"FirmwareUpdateImage": "s3://b/k", "FirmwareUpdateRole": "r"}
    error = refused(of("FuotaTask"), image | {"RedundancyPercent": 5}, image, by=changes)
    assert error.code == "NotUpdatableException"
    error = refused(of("DeviceProfile"), {"Name": "a"}, {}, by=changes)
    assert error.code == "NotUpdatableException"
    assert refused(of("Destination"), {"Name": "a"}, by=check_names).message.endswith(
        "(#: required key [ExpressionType] not found)"
    )


def test_a_gateways_filters_stand_beside_lorawan_in_its_update() -> None:
    before = {"LoRaWAN": {"RfRegion": "EU868", "NetIdFilters": ["000001"], "MaxEirp": 14.0}}
    after = {"LoRaWAN": {"RfRegion": "EU868", "MaxEirp": 16.0}}
    changed = changes(of("WirelessGateway"), before, after)
    assert changed == {"NetIdFilters": [], "MaxEirp": 16.0}


def test_some_lists_change_by_what_is_added_and_removed() -> None:
    before = {"Name": "n", "WirelessDevices": ["a", "b"], "WirelessGateways": ["x", "y"]}
    after = {"Name": "n", "WirelessDevices": ["b", "c"], "WirelessGateways": ["y", "x"]}
    changed = changes(of("NetworkAnalyzerConfiguration"), before, after)
    assert changed == {"WirelessDevicesToAdd": ["c"], "WirelessDevicesToRemove": ["a"]}
    gone = changes(of("NetworkAnalyzerConfiguration"), before, {"Name": "n"})
    assert gone == {
        "WirelessDevicesToRemove": ["a", "b"],
        "WirelessGatewaysToRemove": ["x", "y"],
    }
    odd = {"Name": "n", "WirelessDevices": "a"}
    error = refused(of("NetworkAnalyzerConfiguration"), before, odd, by=changes)
    assert error.code == "ValidationException"


def test_an_object_that_becomes_something_else_is_refused() -> None:
    after = device() | {"LoRaWAN": ["x"]}
    error = refused(of("WirelessDevice"), device(), after, by=changes)
    assert error.message == "Model validation failed (#/LoRaWAN: must be an object)"


def test_tags_are_compared_by_key() -> None:
    def tags(**pairs: str) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in pairs.items()]}

    to_set, to_remove = tag_changes(tags(a="1", b="2", c="3"), tags(c="4", b="2", d="5"))
    assert to_set == [{"Key": "c", "Value": "4"}, {"Key": "d", "Value": "5"}]
    assert to_remove == ["a"]
    assert tag_changes(tags(a="1"), {}) == ([], ["a"])
    assert tag_changes(tags(a="1", b="2"), tags(b="2", a="1")) == ([], [])


@pytest.mark.parametrize(
    "tags",
    ["text", [1], [{"Key": "a"}], [{"Key": "a", "Value": "1"}] * 2, [{"Key": [], "Value": 1}]],
)
def test_what_are_no_tags_is_refused(tags: Any) -> None:
    assert refused({}, {"Tags": tags}, by=tag_changes).code == "ValidationException"
