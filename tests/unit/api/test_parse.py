from __future__ import annotations

import base64
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bittern.api import parse, router
from bittern.api.errors import VALIDATION, ApiError
from bittern.api.message import Request
from bittern.api.model import service

sys.path.insert(0, str(Path(__file__).parent))
from oracle import OPERATIONS, operation_of, written


def parsed(request: Request, name: str = "iotwireless") -> dict[str, Any]:
    return parse.parameters(request, router.route(service(name), request))


def refused(request: Request, name: str = "iotwireless") -> str:
    with pytest.raises(ApiError) as refusal:
        parsed(request, name)
    assert refusal.value.code == VALIDATION
    return refusal.value.message


def round_trip(operation: str, of: str = "iotwireless", **parameters: Any) -> None:
    assert parsed(written(operation_of(operation, of), parameters), of) == parameters


def test_members_come_from_path_query_header_and_body() -> None:
    round_trip("GetWirelessDevice", Identifier="a/b *", IdentifierType="DevEui")
    round_trip("UntagResource", ResourceArn="arn:x y", TagKeys=["a", "b c"])
    round_trip("AttachThingPrincipal", "iot", thingName="t", principal="arn:p")
    round_trip(
        "SendDataToWirelessDevice",
        Id="w",
        TransmitMode=1,
        PayloadData="AQ==",
        WirelessMetadata={"LoRaWAN": {"FPort": 2}},
    )


def test_all_three_timestamps_are_read() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    round_trip("StartFuotaTask", Id="f", LoRaWAN={"StartTime": moment})
    round_trip(
        "GetMetrics",
        SummaryMetricQueries=[{"QueryId": "q", "StartTimestamp": moment, "EndTimestamp": moment}],
    )
    round_trip("ListAuditTasks", "iot", startTime=moment, endTime=moment)


def test_a_document_may_be_the_whole_body() -> None:
    round_trip(
        "UpdateResourcePosition",
        ResourceIdentifier="w",
        ResourceType="WirelessDevice",
        GeoJsonPayload=b'{"type": "Point"}',
    )
    round_trip(
        "CreateTopicRule",
        "iot",
        ruleName="r",
        topicRulePayload={"sql": "SELECT *", "actions": [], "ruleDisabled": False},
        tags="a=b",
    )
    round_trip("Publish", "iot-data", topic="a/b", qos=1, payload=b"\x00\xff")


def test_a_header_may_hold_json() -> None:
    round_trip("Publish", "iot-data", topic="t", userProperties=[{"a": "b"}])
    header = {"x-amz-mqtt5-user-properties": base64.b64encode(b"{").decode()}
    assert "userProperties" in refused(Request("POST", "/topics/t", "", header), "iot-data")


def test_cloud_control_has_all_members_in_the_body() -> None:
    round_trip(
        "ListResources", "cloudcontrol", TypeName="AWS::IoTWireless::Destination", MaxResults=3
    )


def test_sts_has_a_form() -> None:
    round_trip(
        "AssumeRole", "sts", RoleArn="arn:é", RoleSessionName="s", Tags=[{"Key": "k", "Value": "v"}]
    )


def test_of_a_repeated_parameter_the_first_counts() -> None:
    request = Request("GET", "/wireless-devices", "maxResults=1&maxResults=2&unknown=3", {})
    assert parsed(request) == {"MaxResults": 1}


def test_a_query_does_not_reach_into_the_body() -> None:
    body = b'{"Name": "n", "Identifier": "x"}'
    assert parsed(Request("PATCH", "/destinations/d", "Name=q&Expression=q", {}, body)) == {
        "Name": "d"
    }


def test_every_operation_of_every_service_can_be_read() -> None:
    for operation in OPERATIONS:
        parse.prepare(operation)


def test_what_is_wrong_is_told_with_its_place() -> None:
    request = Request("POST", "/wireless-devices", "", {}, b'{"LoRaWAN": {"DevEui": 5}}')
    assert "Value at 'loRaWAN.devEui' failed" in refused(request)
    request = Request("POST", "/wireless-devices", "", {}, b'{"Tags": [{"Key": 1}]}')
    assert "'tags.1.member.key'" in refused(request)
    assert "'maxResults'" in refused(Request("GET", "/wireless-devices", "maxResults=x", {}))


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b'{"LoRaWAN":' * 100_000, b"null"]
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    assert "Request" in refused(Request("POST", "/wireless-devices", "", {}, body))


def test_a_value_is_not_told_back_when_its_type_is_wrong() -> None:
    body = b'{"LoRaWAN": {"OtaaV1_0_x": {"AppKey": ["00112233445566778899aabbccddeeff"]}}}'
    assert "0011" not in refused(Request("POST", "/wireless-devices", "", {}, body))


def test_a_header_that_is_not_utf_8_is_refused() -> None:
    request = Request("PUT", "/things/t/principals", "", {"x-amzn-principal": "\udcff"})
    assert "principal" in refused(request, "iot")
