from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bittern.api.message import Request
from bittern.api.model import service
from bittern.api.resources import resource_of
from bittern.api.router import route

sys.path.insert(0, str(Path(__file__).parent))
from oracle import operation_of, written

WIRELESS = "arn:aws:iotwireless:eu-west-1:123456789012:"


def resource(operation: str, of: str = "iotwireless", **parameters: Any) -> str | None:
    made = operation_of(operation, of)
    return resource_of(route(made.service, written(made, parameters)), "eu-west-1", "123456789012")


@pytest.mark.parametrize(
    ("operation", "parameters", "rest"),
    [
        ("UpdateWirelessDevice", {"Id": "x"}, "WirelessDevice/x"),
        (
            "GetWirelessDevice",
            {"Identifier": "x", "IdentifierType": "WirelessDeviceId"},
            "WirelessDevice/x",
        ),
        (
            "GetWirelessGateway",
            {"Identifier": "x", "IdentifierType": "WirelessGatewayId"},
            "WirelessGateway/x",
        ),
        ("CreateWirelessGatewayTask", {"Id": "x"}, "WirelessGateway/x"),
        ("GetDestination", {"Name": "d"}, "Destination/d"),
        (
            "DisassociateWirelessDeviceFromFuotaTask",
            {"Id": "f", "WirelessDeviceId": "w"},
            "FuotaTask/f",
        ),
        (
            "GetResourceLogLevel",
            {"ResourceIdentifier": "g", "ResourceType": "WirelessGateway"},
            "WirelessGateway/g",
        ),
    ],
)
def test_the_path_names_the_resource(operation: str, parameters: dict[str, str], rest: str) -> None:
    assert resource(operation, **parameters) == WIRELESS + rest


def test_other_services_have_their_own_names() -> None:
    assert (
        resource("Publish", "iot-data", topic="a/b")
        == "arn:aws:iot:eu-west-1:123456789012:topic/a/b"
    )
    assert (
        resource("GetTopicRule", "iot", ruleName="r") == "arn:aws:iot:eu-west-1:123456789012:rule/r"
    )


def test_tags_name_their_resource_in_the_query() -> None:
    assert resource("ListTagsForResource", ResourceArn="arn:x") == "arn:x"


@pytest.mark.parametrize("kind", ["DevEui", "ThingName", "Nonsense"])
def test_by_another_identifier_it_is_not_known_which_one_is_meant(kind: str) -> None:
    assert resource("GetWirelessDevice", Identifier="x", IdentifierType=kind) is None
    assert resource("GetResourceLogLevel", ResourceIdentifier="x", ResourceType="*") is None
    assert resource("TagResource", "iot", resourceArn="arn:x", tags=[]) is None


def test_lists_and_creations_have_none() -> None:
    assert resource("ListWirelessDevices") == "*"
    assert resource("CreateDestination", Name="d") == "*"
    assert resource("CreateResource", "cloudcontrol", TypeName="T") == "*"


@pytest.mark.parametrize(
    "query",
    ["resourceArn=arn:mine", "identifierType=WirelessDeviceId", "resourceType=WirelessDevice"],
)
def test_a_parameter_that_the_operation_does_not_know_decides_nothing(query: str) -> None:
    """Else it would be allowed what is allowed on another resource."""
    request = Request("DELETE", "/multicast-groups/m", query, {})
    found = route(service("iotwireless"), request)
    assert resource_of(found, "eu-west-1", "123456789012") == WIRELESS + "MulticastGroup/m"
    listing = route(service("iotwireless"), Request("GET", "/wireless-devices", query, {}))
    assert resource_of(listing, "eu-west-1", "123456789012") == "*"


CERTIFICATE = "arn:aws:iot:eu-west-1:123456789012:cert/abc"


@pytest.mark.parametrize(
    ("operation", "parameters", "rest"),
    [
        ("DescribeThing", {"thingName": "pump"}, "thing/pump"),
        ("AttachThingPrincipal", {"thingName": "pump", "principal": "p"}, "thing/pump"),
        ("GetPolicyVersion", {"policyName": "p", "policyVersionId": "1"}, "policy/p"),
        ("AttachPolicy", {"policyName": "p", "target": CERTIFICATE}, "policy/p"),
        ("ListTargetsForPolicy", {"policyName": "p"}, "policy/p"),
        ("DetachPrincipalPolicy", {"policyName": "p", "principal": CERTIFICATE}, "policy/p"),
        ("EnableTopicRule", {"ruleName": "r"}, "rule/r"),
        ("ListAttachedPolicies", {"target": CERTIFICATE}, "cert/abc"),
    ],
)
def test_things_policies_and_rules_have_theirs(
    operation: str, parameters: dict[str, str], rest: str
) -> None:
    named = resource(operation, "iot", **parameters)
    assert named == f"arn:aws:iot:eu-west-1:123456789012:{rest}"
