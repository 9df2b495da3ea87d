from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

ROLE = "arn:aws:iam::123456789012:role/any"
APP_KEY = "000102030405060708090a0b0c0d0e0f"
TAGS = [{"Key": "site", "Value": "north"}, {"Key": "team", "Value": "water"}]
ARN = "arn:aws:iotwireless:eu-west-1:123456789012"


class CloudControl:
    """A client, and what its requests were about in short."""

    def __init__(self, api: Any, **options: Any) -> None:
        self.api = api
        self.client = api.client("cloudcontrol", **options)

    def create(self, kind: str, **properties: Any) -> dict[str, Any]:
        return self.event(self.client.create_resource, kind, DesiredState=json.dumps(properties))

    def made(self, kind: str, **properties: Any) -> str:
        event = self.create(kind, **properties)
        assert event["OperationStatus"] == "SUCCESS", event
        identifier: str = event["Identifier"]
        return identifier

    def read(self, kind: str, identifier: str) -> dict[str, Any]:
        found = self.client.get_resource(TypeName=self.name(kind), Identifier=identifier)
        assert found["TypeName"] == self.name(kind)
        assert found["ResourceDescription"]["Identifier"] == identifier
        model: dict[str, Any] = json.loads(found["ResourceDescription"]["Properties"])
        return model

    def patch(self, kind: str, identifier: str, *steps: dict[str, Any]) -> dict[str, Any]:
        patch = json.dumps(steps)
        return self.event(
            self.client.update_resource, kind, Identifier=identifier, PatchDocument=patch
        )

    def set(self, kind: str, identifier: str, **properties: Any) -> dict[str, Any]:
        """Each property as a whole."""
        steps = [
            {"op": "add", "path": f"/{name}", "value": value} for name, value in properties.items()
        ]
        return self.patch(kind, identifier, *steps)

    def delete(self, kind: str, identifier: str) -> dict[str, Any]:
        return self.event(self.client.delete_resource, kind, Identifier=identifier)

    def listed(self, kind: str) -> list[str]:
        found = self.client.list_resources(TypeName=self.name(kind))["ResourceDescriptions"]
        return [one["Identifier"] for one in found]

    def event(self, call: Any, kind: str, **parameters: Any) -> dict[str, Any]:
        event: dict[str, Any] = call(TypeName=self.name(kind), **parameters)["ProgressEvent"]
        return event

    @staticmethod
    def name(kind: str) -> str:
        return kind if "::" in kind else f"AWS::IoTWireless::{kind}"


@pytest.fixture
def cloud(api: Any) -> CloudControl:
    return CloudControl(api)


def lorawan_of(api: Any, **more: Any) -> dict[str, Any]:
    return {
        "DevEui": "70b3d57ed0000001",
        "DeviceProfileId": api.device_profile(),
        "ServiceProfileId": api.service_profile(),
        "OtaaV10x": {"AppKey": APP_KEY, "AppEui": "70b3d57ed0ffff01"},
        **more,
    }


def a_device(cloud: CloudControl, **more: Any) -> str:
    cloud.api.destination("plant")
    given = {"Type": "LoRaWAN", "DestinationName": "plant", "LoRaWAN": lorawan_of(cloud.api)}
    return cloud.made("WirelessDevice", **{**given, **more})


def given_of(api: Any, kind: str) -> dict[str, Any]:
    """The properties of a resource, and what it needs beside it."""
    match kind:
        case "Destination":
            return {
                "Name": "plant",
                "ExpressionType": "MqttTopic",
                "Expression": "plant/up",
                "Description": "all of it",
                "RoleArn": ROLE,
            }
        case "DeviceProfile":
            lorawan = {
                "MacVersion": "1.0.3",
                "RegParamsRevision": "RP002-1.0.1",
                "RfRegion": "EU868",
                "SupportsJoin": True,
                "RxFreq2": 8695250,
                "FactoryPresetFreqsList": [8681000, 8683000],
            }
            return {"Name": "meter", "LoRaWAN": lorawan}
        case "ServiceProfile":
            return {"Name": "best", "LoRaWAN": {"AddGwMetadata": True, "DrMax": 5}}
        case "WirelessDevice":
            api.destination("plant")
            ports = {"Applications": [{"FPort": 5, "Type": "SemtechGeolocation"}]}
            return {
                "Type": "LoRaWAN",
                "Name": "meter 1",
                "Description": "in the cellar",
                "DestinationName": "plant",
                "LoRaWAN": lorawan_of(api, FPorts=ports),
                "Positioning": "Enabled",
            }
        case "WirelessGateway":
            lorawan = {
                "GatewayEui": "00800000a0000001",
                "RfRegion": "US915",
                "SubBands": [1],
                "MaxEirp": 16.0,
            }
            return {"Name": "roof", "Description": "north", "LoRaWAN": lorawan}
        case "TaskDefinition":
            versions = {
                "CurrentVersion": {"PackageVersion": "1.0.0", "Station": "2.0.5", "Model": "linux"},
                "UpdateVersion": {"PackageVersion": "1.0.1", "Station": "2.0.6", "Model": "linux"},
            }
            lorawan = {"UpdateSignature": "bm8gc2lnbmF0dXJl", "SigKeyCrc": 3434210794, **versions}
            update = {
                "UpdateDataSource": "s3://bucket/fw.bin",
                "UpdateDataRole": ROLE,
                "LoRaWAN": lorawan,
            }
            return {"Name": "fix", "AutoCreateTasks": False, "Update": update}
        case "MulticastGroup":
            lorawan = {"RfRegion": "EU868", "DlClass": "ClassC"}
            return {"Name": "lamps", "Description": "all", "LoRaWAN": lorawan}
        case "FuotaTask":
            return {
                "Name": "fix",
                "Description": "all",
                "LoRaWAN": {"RfRegion": "EU868"},
                "FirmwareUpdateImage": "s3://bucket/fw.bin",
                "FirmwareUpdateRole": ROLE,
                "RedundancyPercent": 10,
            }
        case _:
            return {"Name": "watch", "Description": "two", "TraceContent": {"LogLevel": "INFO"}}


KINDS = (
    "Destination",
    "DeviceProfile",
    "ServiceProfile",
    "WirelessDevice",
    "WirelessGateway",
    "TaskDefinition",
    "MulticastGroup",
    "FuotaTask",
    "NetworkAnalyzerConfiguration",
)


def assert_holds(model: Any, given: Any) -> None:
    """All that was given is there as it was given; there may be more."""
    if isinstance(given, dict):
        for name, value in given.items():
            assert_holds(model[name], value)
    else:
        assert model == given


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_read_as_it_was_made(api: Any, cloud: CloudControl, kind: str) -> None:
    given = given_of(api, kind) | {"Tags": TAGS}
    identifier = cloud.made(kind, **given)
    model = cloud.read(kind, identifier)
    assert_holds(model, given)
    assert model["Arn"].startswith(ARN) and model["Arn"].endswith(f"/{identifier}")
    assert "Sidewalk" not in model and "CreatedAt" not in model
    assert cloud.patch(kind, identifier)["OperationStatus"] == "SUCCESS"
    assert cloud.set(kind, identifier, **given)["OperationStatus"] == "SUCCESS"
    assert cloud.read(kind, identifier) == model


@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_is_listed_until_it_is_deleted(
    api: Any, cloud: CloudControl, refused: Any, kind: str
) -> None:
    identifier = cloud.made(kind, **given_of(api, kind))
    assert identifier in cloud.listed(kind)
    assert identifier not in CloudControl(api, access_key_id="AKIDOTHER").listed(kind)
    assert cloud.delete(kind, identifier)["OperationStatus"] == "SUCCESS"
    assert identifier not in cloud.listed(kind)
    with refused("ResourceNotFoundException"):
        cloud.read(kind, identifier)
    event = cloud.delete(kind, identifier)
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "NotFound")


@pytest.mark.parametrize("kind", KINDS)
def test_tags_of_every_type_change(api: Any, cloud: CloudControl, kind: str) -> None:
    identifier = cloud.made(kind, **given_of(api, kind), Tags=TAGS)
    after = [{"Key": "team", "Value": "air"}, {"Key": "year", "Value": "1"}]
    assert cloud.set(kind, identifier, Tags=after)["OperationStatus"] == "SUCCESS"
    assert cloud.read(kind, identifier)["Tags"] == after
    event = cloud.patch(kind, identifier, {"op": "remove", "path": "/Tags"})
    assert event["OperationStatus"] == "SUCCESS"
    assert "Tags" not in cloud.read(kind, identifier)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    (
        "Destination",
        {"Description": "new", "Expression": "other/up", "ExpressionType": "MqttTopic"},
    ),
    ("WirelessDevice", {"Name": "new", "Description": "new", "Positioning": "Disabled"}),
    ("WirelessGateway", {"Name": "new", "Description": "new"}),
    ("MulticastGroup", {"Name": "new", "LoRaWAN": {"RfRegion": "US915", "DlClass": "ClassB"}}),
    ("FuotaTask", {"Name": "new", "FirmwareUpdateImage": "s3://bucket/other.bin"}),
    ("NetworkAnalyzerConfiguration", {"TraceContent": {"LogLevel": "ERROR"}, "Description": "b"}),
]


def test_tags_are_in_the_order_in_which_they_were_given(api: Any, cloud: CloudControl) -> None:
    identifier = cloud.made("ServiceProfile", Tags=TAGS[::-1])
    assert cloud.read("ServiceProfile", identifier)["Tags"] == TAGS[::-1]
    cloud.patch(
        "ServiceProfile", identifier, {"op": "replace", "path": "/Tags/0/Value", "value": "air"}
    )
    expected = [{"Key": "team", "Value": "air"}, TAGS[0]]
    assert cloud.read("ServiceProfile", identifier)["Tags"] == expected


@pytest.mark.parametrize(("kind", "properties"), CHANGES)
def test_what_may_change_changes(
    api: Any, cloud: CloudControl, kind: str, properties: dict[str, Any]
) -> None:
    identifier = cloud.made(kind, **given_of(api, kind))
    before = cloud.read(kind, identifier)
    event = cloud.set(kind, identifier, **properties)
    assert event["OperationStatus"] == "SUCCESS", event
    after = cloud.read(kind, identifier)
    assert_holds(after, properties)
    assert after["Arn"] == before["Arn"]
    assert json.loads(event["ResourceModel"]) == after
    untouched = before.keys() - properties.keys()
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Destination", "/Name", "other"),
        ("DeviceProfile", "/Name", "other"),
        ("DeviceProfile", "/LoRaWAN/RfRegion", "US915"),
        ("ServiceProfile", "/LoRaWAN/AddGwMetadata", False),
        ("WirelessDevice", "/LoRaWAN/DevEui", "70b3d57ed0000002"),
        ("WirelessDevice", "/LoRaWAN/OtaaV10x/AppKey", "f" * 32),
        ("WirelessDevice", "/Type", "Sidewalk"),
        ("WirelessGateway", "/LoRaWAN/RfRegion", "EU868"),
        ("TaskDefinition", "/AutoCreateTasks", True),
        ("TaskDefinition", "/Update/UpdateDataSource", "s3://bucket/other"),
        ("NetworkAnalyzerConfiguration", "/Name", "other"),
    ],
)
def test_what_never_changes_is_not_updatable(
    api: Any, cloud: CloudControl, kind: str, path: str, value: Any
) -> None:
    identifier = cloud.made(kind, **given_of(api, kind))
    before = cloud.read(kind, identifier)
    event = cloud.patch(kind, identifier, {"op": "replace", "path": path, "value": value})
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "NotUpdatable")
    assert path.split("/")[1] in event["StatusMessage"]
    assert str(value) not in event["StatusMessage"]
    assert cloud.read(kind, identifier) == before


def test_keys_come_back_only_to_those_who_may_read_them(api: Any, cloud: CloudControl) -> None:
    identifier = a_device(cloud, Tags=TAGS)
    assert cloud.read("WirelessDevice", identifier)["LoRaWAN"]["OtaaV10x"]["AppKey"] == APP_KEY
    operator = CloudControl(api, access_key_id="AKIDOPERATOR")
    told = operator.read("WirelessDevice", identifier)
    assert "AppKey" not in told["LoRaWAN"]["OtaaV10x"]
    event = operator.set("WirelessDevice", identifier, Name="new")
    assert event["OperationStatus"] == "SUCCESS"
    assert APP_KEY not in event["ResourceModel"]
    token = event["RequestToken"]
    for client, expected in ((operator, False), (cloud, True)):
        event = client.client.get_resource_request_status(RequestToken=token)["ProgressEvent"]
        assert (APP_KEY in event["ResourceModel"]) is expected


def test_no_key_is_kept_of_a_request(api: Any, cloud: CloudControl) -> None:
    identifier = a_device(cloud)
    cloud.patch(
        "WirelessDevice",
        identifier,
        {"op": "replace", "path": "/LoRaWAN/OtaaV10x/AppKey", "value": "f" * 32},
    )
    cloud.create("WirelessDevice", Type="LoRaWAN", LoRaWAN={"OtaaV10x": {"AppKey": "e" * 33}})
    assert len(notes(api)) > 3
    for key in (APP_KEY, "f" * 32, "e" * 32):
        assert not [body for body in notes(api) if key in body]


def test_both_permissions_are_needed(api: Any, cloud: CloudControl, refused: Any) -> None:
    identifier = cloud.made("Destination", **given_of(api, "Destination"))
    only_front = CloudControl(api, access_key_id="AKIDFRONT")
    event = only_front.create("ServiceProfile", Name="x")
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "AccessDenied")
    assert "iotwireless:CreateServiceProfile" in event["StatusMessage"]
    for event in (
        only_front.set("Destination", identifier, Description="x"),
        only_front.delete("Destination", identifier),
    ):
        assert event["ErrorCode"] == "AccessDenied"
    with refused("AccessDeniedException"):
        only_front.read("Destination", identifier)
    with refused("AccessDeniedException"):
        only_front.listed("Destination")
    only_back = CloudControl(api, access_key_id="AKIDBACK")
    with refused("AccessDeniedException") as refusal:
        only_back.create("ServiceProfile", Name="x")
    assert "cloudformation:CreateResource" in refusal.message
    assert cloud.read("Destination", identifier)["Description"] == "all of it"
    assert cloud.listed("ServiceProfile") == []


def test_another_account_sees_neither_resources_nor_requests(
    api: Any, cloud: CloudControl, refused: Any
) -> None:
    event = cloud.create("Destination", **given_of(api, "Destination"))
    other = CloudControl(api, access_key_id="AKIDOTHER")
    with refused("ResourceNotFoundException"):
        other.read("Destination", "plant")
    assert other.set("Destination", "plant", Description="mine")["ErrorCode"] == "NotFound"
    with refused("RequestTokenNotFoundException"):
        other.client.get_resource_request_status(RequestToken=event["RequestToken"])
    seen = other.client.list_resource_requests()["ResourceRequestStatusSummaries"]
    assert [one["ErrorCode"] for one in seen] == ["NotFound"]


def test_a_taken_name_already_exists(api: Any, cloud: CloudControl) -> None:
    given = given_of(api, "Destination")
    cloud.made("Destination", **given)
    event = cloud.create("Destination", **given)
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "AlreadyExists")
    assert "Identifier" not in event and "ResourceModel" not in event


def test_what_is_in_use_is_a_conflict(api: Any, cloud: CloudControl) -> None:
    a_device(cloud)
    event = cloud.delete("Destination", "plant")
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "ResourceConflict")


@pytest.mark.parametrize(
    ("kind", "properties", "told"),
    [
        ("Destination", {"Name": "x"}, "required key [ExpressionType] not found"),
        ("Destination", {"Name": "a b", "Color": 1}, "extraneous key [Color]"),
        ("DeviceProfile", {"LoRaWAN": {"MacVersion": "9.9.9"}}, "loRaWAN.macVersion"),
        ("DeviceProfile", {"LoRaWAN": {"MaxEirp": "high"}}, "Member must be a whole number"),
        ("WirelessGateway", {"LoRaWAN": {"GatewayEui": "zz", "RfRegion": "EU868"}}, "gatewayEui"),
    ],
)
def test_a_model_that_is_not_valid_is_an_invalid_request(
    cloud: CloudControl, kind: str, properties: dict[str, Any], told: str
) -> None:
    event = cloud.create(kind, **properties)
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "InvalidRequest")
    assert told in event["StatusMessage"]


def test_types_and_versions_that_are_not_known_are_refused(
    cloud: CloudControl, refused: Any
) -> None:
    with refused("TypeNotFoundException"):
        cloud.create("AWS::S3::Bucket")
    with refused("UnsupportedActionException"):
        cloud.listed("PartnerAccount")
    with refused("TypeNotFoundException"):
        cloud.client.list_resources(
            TypeName="AWS::IoTWireless::Destination", TypeVersionId="00000001"
        )
    with refused("InvalidRequestException"):
        cloud.client.create_resource(TypeName="AWS::IoTWireless::Destination", DesiredState="{")


def test_a_resource_may_be_named_by_an_object(api: Any, cloud: CloudControl, refused: Any) -> None:
    cloud.made("Destination", **given_of(api, "Destination"))
    name = "AWS::IoTWireless::Destination"
    for identifier in ('{"Name": "plant"}', '{"/properties/Name": "plant"}'):
        found = cloud.client.get_resource(TypeName=name, Identifier=identifier)
        assert found["ResourceDescription"]["Identifier"] == "plant"
    for identifier in ('{"Id": "plant"}', '{"Name": 5}', "{", '{"Name": "plant", "More": "x"}'):
        with refused("InvalidRequestException"):
            cloud.client.get_resource(TypeName=name, Identifier=identifier)


def test_a_patch_that_does_not_fit_changes_nothing(api: Any, cloud: CloudControl) -> None:
    cloud.made("Destination", **given_of(api, "Destination"))
    before = cloud.read("Destination", "plant")
    event = cloud.patch(
        "Destination",
        "plant",
        {"op": "replace", "path": "/Description", "value": "new"},
        {"op": "test", "path": "/Expression", "value": "else"},
    )
    assert event["ErrorCode"] == "InvalidRequest"
    assert "Operation 2 of the patch document" in event["StatusMessage"]
    assert cloud.read("Destination", "plant") == before


def test_a_request_may_be_asked_for_again(api: Any, cloud: CloudControl, refused: Any) -> None:
    state = json.dumps(given_of(api, "ServiceProfile"))
    asked = {"TypeName": "AWS::IoTWireless::ServiceProfile", "ClientToken": "once"}
    events = [
        cloud.client.create_resource(DesiredState=state, **asked)["ProgressEvent"] for _ in range(2)
    ]
    assert events[0] == events[1]
    assert len(cloud.listed("ServiceProfile")) == 1
    with refused("ClientTokenConflictException"):
        cloud.client.create_resource(DesiredState="{}", **asked)
    with refused("ClientTokenConflictException"):
        cloud.client.delete_resource(Identifier="x", **asked)
    with api.later(86_401):
        again = cloud.client.create_resource(DesiredState=state, **asked)["ProgressEvent"]
    assert again["Identifier"] != events[0]["Identifier"]


def test_requests_are_told_for_a_day(api: Any, cloud: CloudControl, refused: Any) -> None:
    event = cloud.create("ServiceProfile", Name="x")
    token = event["RequestToken"]
    told = cloud.client.get_resource_request_status(RequestToken=token)
    assert told["ProgressEvent"] == event
    assert told["HooksProgressEvent"] == []
    cloud.delete("ServiceProfile", event["Identifier"])
    told = cloud.client.get_resource_request_status(RequestToken=token)["ProgressEvent"]
    assert told.keys() == event.keys() - {"ResourceModel"}
    waiter = cloud.client.get_waiter("resource_request_success")
    waiter.wait(RequestToken=token)
    with refused("InvalidRequestException") as refusal:
        cloud.client.cancel_resource_request(RequestToken=token)
    assert "is SUCCESS and can no longer be cancelled" in refusal.message
    with refused("RequestTokenNotFoundException"):
        cloud.client.cancel_resource_request(RequestToken="nobody")
    with api.later(86_401), refused("RequestTokenNotFoundException"):
        cloud.client.get_resource_request_status(RequestToken=token)


def test_requests_are_listed_page_by_page_and_filtered(api: Any, cloud: CloudControl) -> None:
    made = [cloud.made("ServiceProfile", Name=str(number)) for number in range(4)]
    cloud.delete("ServiceProfile", made[0])
    cloud.delete("ServiceProfile", made[0])

    def listed(size: int, **wanted: Any) -> list[dict[str, Any]]:
        paginator = cloud.client.get_paginator("list_resource_requests")
        pages = paginator.paginate(
            ResourceRequestStatusFilter=wanted, PaginationConfig={"PageSize": size}
        )
        found = [page["ResourceRequestStatusSummaries"] for page in pages]
        assert all(len(page) <= size for page in found)
        return [one for page in found for one in page]

    every = listed(2)
    assert len({one["RequestToken"] for one in every}) == len(every) == 6
    assert not any("ResourceModel" in one for one in every)
    assert len(listed(3, Operations=["CREATE"])) == 4
    assert len(listed(1, Operations=["DELETE"])) == 2
    failed = listed(5, OperationStatuses=["FAILED"], Operations=["DELETE", "UPDATE"])
    assert [one["ErrorCode"] for one in failed] == ["NotFound"]
    with api.later(86_401):
        assert listed(2) == []


def test_resources_are_listed_page_by_page(api: Any, cloud: CloudControl) -> None:
    made = {cloud.made("ServiceProfile", Name=str(number)) for number in range(5)}
    pages = cloud.client.get_paginator("list_resources").paginate(
        TypeName="AWS::IoTWireless::ServiceProfile", PaginationConfig={"PageSize": 2}
    )
    shown = [page["ResourceDescriptions"] for page in pages]
    assert [len(page) for page in shown] == [2, 2, 1]
    found = [one for page in shown for one in page]
    assert {one["Identifier"] for one in found} == made
    for one in found:
        model = json.loads(one["Properties"])
        assert model["Id"] == one["Identifier"] and model["Arn"].startswith(ARN)


def test_a_resource_is_told_in_the_words_in_which_it_was_given(
    api: Any, cloud: CloudControl
) -> None:
    """Terraform would make a new profile for each word that differs."""
    lorawan = {
        "MacVersion": "1.0.3",
        "RegParamsRevision": "Regional Parameters v1.0.3rA",
        "RfRegion": "AS923",
        "SupportsJoin": True,
    }
    profile = cloud.made("DeviceProfile", LoRaWAN=lorawan)
    assert_holds(cloud.read("DeviceProfile", profile), {"LoRaWAN": lorawan})
    told = api.wireless.get_device_profile(Id=profile)["LoRaWAN"]
    assert (told["RfRegion"], told["RegParamsRevision"]) == ("AS923-1", "RP001-1.0.3-RevA")
    otaa = {"AppKey": APP_KEY.upper(), "AppEui": "70B3D57ED0FFFF01"}
    given = lorawan_of(api, DeviceProfileId=profile, OtaaV10x=otaa)
    identifier = a_device(cloud, LoRaWAN=given)
    assert_holds(cloud.read("WirelessDevice", identifier), {"LoRaWAN": given})
    lower = {"op": "add", "path": "/LoRaWAN/OtaaV10x/AppKey", "value": APP_KEY}
    assert cloud.patch("WirelessDevice", identifier, lower)["OperationStatus"] == "SUCCESS"
    assert cloud.read("WirelessDevice", identifier)["LoRaWAN"]["OtaaV10x"]["AppKey"] == APP_KEY
    gateway = {"GatewayEui": "00-80-00-00-A0-00-00-0F", "RfRegion": "US902"}
    made = cloud.made("WirelessGateway", LoRaWAN=gateway)
    assert_holds(cloud.read("WirelessGateway", made), {"LoRaWAN": gateway})
    assert not [note for note in notes(api) if APP_KEY in note.lower()]
    cloud.delete("WirelessGateway", made)
    assert not [note for note in notes(api) if "US902" in note]


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_needed_cannot_be_taken_away(
    api: Any, cloud: CloudControl, value: str | None
) -> None:
    identifier = a_device(cloud)
    event = cloud.set("WirelessDevice", identifier, DestinationName=value)
    assert event["OperationStatus"] == "FAILED", event
    assert cloud.read("WirelessDevice", identifier)["DestinationName"] == "plant"


def test_null_is_no_order(api: Any, cloud: CloudControl) -> None:
    group = cloud.made("MulticastGroup", **given_of(api, "MulticastGroup"))
    cloud.set("MulticastGroup", group, AssociateWirelessDevice=None)
    assert "AssociateWirelessDevice" not in cloud.read("MulticastGroup", group)


def notes(api: Any) -> list[str]:
    return [note.body for note in api.store._notes.values()]


def test_a_thing_follows_its_property(api: Any, cloud: CloudControl) -> None:
    iot = api.client("iot")
    things = [iot.create_thing(thingName=name)["thingArn"] for name in ("one", "two")]
    identifier = a_device(cloud, ThingArn=things[0])
    model = cloud.read("WirelessDevice", identifier)
    assert (model["ThingName"], model["ThingArn"]) == ("one", things[0])
    event = cloud.set("WirelessDevice", identifier, ThingArn=things[1])
    assert event["OperationStatus"] == "SUCCESS", event
    assert cloud.read("WirelessDevice", identifier)["ThingName"] == "two"
    cloud.patch("WirelessDevice", identifier, {"op": "remove", "path": "/ThingArn"})
    assert "ThingName" not in cloud.read("WirelessDevice", identifier)


def test_a_resource_whose_association_fails_is_named(api: Any, cloud: CloudControl) -> None:
    given = given_of(api, "WirelessGateway")
    nobody = "arn:aws:iot:eu-west-1:123456789012:thing/nobody"
    event = cloud.create("WirelessGateway", **given, ThingArn=nobody)
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "NotFound")
    assert cloud.listed("WirelessGateway") == [event["Identifier"]]


def test_lists_of_an_analyzer_become_what_is_wanted(api: Any, cloud: CloudControl) -> None:
    kind = "NetworkAnalyzerConfiguration"
    devices = [a_device(cloud), api.device("70b3d57ed0000009")["Id"]]
    gateway = api.gateway()
    cloud.made(kind, Name="watch", WirelessDevices=devices[:1], WirelessGateways=[gateway])
    event = cloud.set(kind, "watch", WirelessDevices=devices[1:])
    assert event["OperationStatus"] == "SUCCESS", event
    model = cloud.read(kind, "watch")
    assert (model["WirelessDevices"], model["WirelessGateways"]) == (devices[1:], [gateway])
    cloud.patch(kind, "watch", {"op": "remove", "path": "/WirelessGateways"})
    assert not cloud.read(kind, "watch")["WirelessGateways"]


@pytest.mark.parametrize("kind", ["MulticastGroup", "FuotaTask"])
def test_a_device_is_taken_in_and_let_go(api: Any, cloud: CloudControl, kind: str) -> None:
    device = a_device(cloud)
    given = given_of(api, kind) | {"AssociateWirelessDevice": device}
    identifier = cloud.made(kind, **given)
    assert_holds(cloud.read(kind, identifier), given)
    members = {f"{kind}Id": identifier}

    def inside() -> list[str]:
        found = api.wireless.list_wireless_devices(**members)["WirelessDeviceList"]
        return [one["Id"] for one in found]

    assert inside() == [device]
    event = cloud.patch(
        kind,
        identifier,
        {"op": "move", "from": "/AssociateWirelessDevice", "path": "/DisassociateWirelessDevice"},
    )
    assert event["OperationStatus"] == "SUCCESS", event
    assert inside() == []
    model = cloud.read(kind, identifier)
    assert model["DisassociateWirelessDevice"] == device
    assert "AssociateWirelessDevice" not in model


def test_a_group_that_waits_for_its_devices_is_still_being_deleted(
    api: Any, cloud: CloudControl
) -> None:
    """Its devices have its keys: that state is what the radio part makes, so it is set here."""
    group = cloud.made(
        "MulticastGroup",
        **given_of(api, "MulticastGroup"),
        AssociateWirelessDevice=a_device(cloud),
    )
    settle(api, group, "Multicast_Setup_Attempting", "Multicast_Setup_Ready")
    event = cloud.delete("MulticastGroup", group)
    assert event["OperationStatus"] == "IN_PROGRESS"
    token = event["RequestToken"]
    status = cloud.client.get_resource_request_status
    assert status(RequestToken=token)["ProgressEvent"]["OperationStatus"] == "IN_PROGRESS"
    let_go(api, group)
    assert status(RequestToken=token)["ProgressEvent"]["OperationStatus"] == "SUCCESS"


def settle(api: Any, group_id: str, *statuses: Any) -> None:
    async def moved() -> None:
        for status in statuses:
            for before in await api.store.group_devices(group_id):
                assert await api.store.move_group_device(before, status)

    asyncio.run(moved())


def let_go(api: Any, group_id: str) -> None:
    async def removed() -> None:
        group = await api.store.multicast_group(group_id)
        devices = [one.dev_eui for one in await api.store.group_devices(group_id)]
        await api.store.remove_group_devices(group, devices)
        assert await api.store.remove_multicast_group(await api.store.multicast_group(group_id))

    asyncio.run(removed())
