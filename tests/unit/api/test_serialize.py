from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.api import serialize
from bittern.types import EUI64

sys.path.insert(0, str(Path(__file__).parent))
from oracle import OPERATIONS, operation_of, understood

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def written(operation: str, of: str = "iotwireless", **result: Any) -> serialize.Response:
    return serialize.response(operation_of(operation, of), result, "r-1")


def test_a_creation_answers_201_with_its_members() -> None:
    response = written("CreateDestination", Arn="arn", Name="d")
    assert response.status == 201
    assert msgspec.json.decode(response.body) == {"Arn": "arn", "Name": "d"}
    assert response.headers == {"Content-Type": "application/json", "x-amzn-RequestId": "r-1"}


def test_a_deletion_answers_204_with_nothing() -> None:
    response = serialize.response(operation_of("DeleteDestination"), None, "r-1")
    assert (response.status, response.body) == (204, b"")
    assert "Content-Type" not in response.headers


def test_an_operation_without_an_output_answers_with_nothing() -> None:
    response = serialize.response(operation_of("Publish", "iot-data"), None, "r-1")
    assert (response.status, response.body) == (200, b"")


def test_an_output_that_is_empty_is_an_object() -> None:
    assert written("ListDestinations").body == b"{}"
    assert written("ListDestinations", NextToken=None).body == b"{}"


def test_timestamps_are_written_as_the_model_has_each() -> None:
    task = msgspec.json.decode(
        written("GetFuotaTask", CreatedAt=MOMENT, LoRaWAN={"StartTime": MOMENT}).body
    )
    assert task["CreatedAt"] == MOMENT.timestamp()
    assert task["LoRaWAN"]["StartTime"] == "2026-01-02T03:04:05.678000Z"


def test_a_position_is_the_whole_body() -> None:
    response = written("GetResourcePosition", GeoJsonPayload=b'{"type":"Point"}')
    assert response.body == b'{"type":"Point"}'


def test_a_position_that_nobody_knows_is_nothing() -> None:
    assert written("GetResourcePosition").body == b""


def test_every_operation_of_every_service_can_be_served() -> None:
    for operation in OPERATIONS:
        serialize.prepare(operation)


def test_a_result_may_set_the_status() -> None:
    assert written("DeleteCommand", "iot", statusCode=202).status == 202


def test_sts_answers_in_xml() -> None:
    operation = operation_of("GetCallerIdentity", "sts")
    result = {"UserId": "a<b", "Account": "123456789012", "Arn": "arn:\x01&"}
    response = serialize.response(operation, result, "r-1")
    assert response.headers["Content-Type"] == "text/xml"
    assert understood(operation, response) == {**result, "Arn": "arn:\ufffd&"}


def test_cloud_control_answers_in_its_own_json() -> None:
    response = written("ListResources", "cloudcontrol", TypeName="T")
    assert response.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert serialize.response(operation_of("GetResource", "cloudcontrol"), None, "r").body == b"{}"


@pytest.mark.parametrize(
    ("operation", "of", "result"),
    [
        ("CreateDestination", "iotwireless", {"Id": "x"}),
        ("CreateDestination", "iotwireless", {"Name": EUI64(bytes(8))}),
        ("CreateDestination", "iotwireless", {"Name": b"x"}),
        ("DeleteDestination", "iotwireless", {"Name": "x"}),
        ("GetWirelessDeviceStatistics", "iotwireless", {"LoRaWAN": {"FPort": "2"}}),
        ("GetWirelessDeviceStatistics", "iotwireless", {"LoRaWAN": {"FPort": True}}),
        ("GetFuotaTask", "iotwireless", {"CreatedAt": 5}),
        ("GetFuotaTask", "iotwireless", {"CreatedAt": datetime(2026, 1, 1)}),
        ("GetResourcePosition", "iotwireless", {"GeoJsonPayload": "text"}),
        ("GetResourcePosition", "iotwireless", {"Position": b"x"}),
        ("DescribeThing", "iot", {"version": 1.5}),
        ("DescribeAccountAuditConfiguration", "iot", {"auditCheckConfigurations": {1: {}}}),
        ("GetWirelessDeviceStatistics", "iotwireless", {"LoRaWAN": {"Gateways": [{"Snr": "1"}]}}),
        ("GetDeviceProfile", "iotwireless", {"LoRaWAN": {"SupportsClassB": 1}}),
        ("DeleteCommand", "iot", {"statusCode": "200"}),
        ("GetCallerIdentity", "sts", {"User": "x"}),
        ("GetCallerIdentity", "sts", {"UserId": 5}),
    ],
)
def test_a_result_that_breaks_its_promise_is_our_mistake(
    operation: str, of: str, result: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        written(operation, of, **result)
