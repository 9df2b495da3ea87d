from __future__ import annotations

import pytest

from bittern.api.cloud_control.types import TYPES, ResourceType, resource_type
from bittern.api.errors import ApiError

READ_ONLY = {
    "Destination": {"/Arn"},
    "DeviceProfile": {"/Arn", "/Id"},
    "ServiceProfile": {
        "/Id",
        "/Arn",
        "/LoRaWAN/UlRate",
        "/LoRaWAN/UlBucketSize",
        "/LoRaWAN/UlRatePolicy",
        "/LoRaWAN/DlRate",
        "/LoRaWAN/DlBucketSize",
        "/LoRaWAN/DlRatePolicy",
        "/LoRaWAN/DevStatusReqFreq",
        "/LoRaWAN/ReportDevStatusBattery",
        "/LoRaWAN/ReportDevStatusMargin",
        "/LoRaWAN/ChannelMask",
        "/LoRaWAN/HrAllowed",
        "/LoRaWAN/NwkGeoLoc",
        "/LoRaWAN/TargetPer",
        "/LoRaWAN/MinGwDiversity",
    },
    "WirelessDevice": {"/ThingName", "/Id", "/Arn"},
    "WirelessGateway": {"/ThingName", "/Id", "/Arn"},
    "TaskDefinition": {"/Id", "/Arn"},
    "MulticastGroup": {
        "/Arn",
        "/Id",
        "/Status",
        "/LoRaWAN/NumberOfDevicesRequested",
        "/LoRaWAN/NumberOfDevicesInGroup",
    },
    "FuotaTask": {"/Arn", "/Id", "/FuotaTaskStatus", "/LoRaWAN/StartTime"},
    "NetworkAnalyzerConfiguration": {"/Arn"},
}
"""As in CloudFormation's schemas; but a service profile's DrMin and DrMax can be given here, as to
the API, and the name of a gateway's thing is the server's."""


@pytest.mark.parametrize("of", TYPES, ids=lambda of: of.name)
def test_what_is_read_only_follows_from_the_models(of: ResourceType) -> None:
    shown = {"".join(f"/{name}" for name in path) for path in of.read_only}
    assert shown == READ_ONLY[of.name.rpartition("::")[2]]


@pytest.mark.parametrize("of", TYPES, ids=lambda of: of.name)
def test_every_operation_of_a_type_is_modelled(of: ResourceType) -> None:
    made = [of.create, of.get, of.delete, of.list, *([of.update] if of.update else [])]
    assert {one.service.name for one in made} == {"iotwireless"}
    assert of.list.output is not None and of.listed in of.list.output.members
    assert {one.input for one in made if one.input is None} == set()
    assert of.create.output is not None and of.identifier in of.create.output.members


@pytest.mark.parametrize("of", TYPES, ids=lambda of: of.name)
def test_associations_are_modelled(of: ResourceType) -> None:
    operations = {one: of.create.service.operation(one.associate) for one in of.links}
    for link, operation in operations.items():
        assert operation.input is not None and {"Id", link.member} == {*operation.input.members}
        if link.disassociate:
            ending = of.create.service.operation(link.disassociate)
            assert ending.input is not None and {*ending.input.members} == {"Id"}


def test_types_without_an_update_are_those_that_never_change() -> None:
    without = {of.name.rpartition("::")[2] for of in TYPES if of.update is None}
    assert without == {"DeviceProfile", "ServiceProfile", "TaskDefinition"}
    assert all(not of.changeable for of in TYPES if of.update is None)


def test_a_resource_is_addressed_as_each_operation_has_it() -> None:
    device = resource_type("AWS::IoTWireless::WirelessDevice")
    by_id = {"Identifier": "x", "IdentifierType": "WirelessDeviceId"}
    assert device.addressed(device.get, "x") == by_id
    assert device.addressed(device.delete, "x") == {"Id": "x"}
    analyzer = resource_type("AWS::IoTWireless::NetworkAnalyzerConfiguration")
    assert analyzer.addressed(analyzer.get, "x") == {"ConfigurationName": "x"}


def test_properties_are_spelled_as_cloudformation_does() -> None:
    device = resource_type("AWS::IoTWireless::WirelessDevice")
    inside = device.properties_of(device.settable["LoRaWAN"])
    assert {"OtaaV10x", "OtaaV11", "AbpV10x", "AbpV11"} <= inside.keys()
    assert not {"OtaaV1_0_x", "OtaaV1_1", "AbpV1_0_x", "AbpV1_1"} & inside.keys()


def test_an_unknown_type_and_one_of_sidewalk_are_told_apart() -> None:
    with pytest.raises(ApiError) as unknown:
        resource_type("AWS::S3::Bucket")
    with pytest.raises(ApiError) as sidewalk:
        resource_type("AWS::IoTWireless::PartnerAccount")
    codes = unknown.value.code, sidewalk.value.code
    assert codes == ("TypeNotFoundException", "UnsupportedActionException")
