"""boto3's ``cloudcontrol`` over HTTP, used as Terraform's awscc and Pulumi's aws-native use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from bittern.testing.program import Program

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ROLE = "arn:aws:iam::000000000000:role/bittern"
APP_KEY = "000102030405060708090a0b0c0d0e0f"
TAGS = [{"Key": "site", "Value": "north"}]
TYPES = [
    f"AWS::IoTWireless::{kind}"
    for kind in (
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
]
COMPLETE = {
    "AWS::IoTWireless::Destination": {"Arn"},
    "AWS::IoTWireless::WirelessGateway": {"Arn", "Id"},
    "AWS::IoTWireless::MulticastGroup": {"Arn", "Id", "Status"},
    "AWS::IoTWireless::FuotaTask": {"Arn", "Id", "FuotaTaskStatus"},
    "AWS::IoTWireless::TaskDefinition": {"Arn", "Id", "TaskDefinitionType"},
}
"""What the server adds to the properties of a type that has no defaults."""


class Stack:
    """Resources, made as the clients do: ask, wait for the request, read."""

    def __init__(self, endpoint: str, key: dict[str, str]) -> None:
        self._options: dict[str, Any] = {
            "endpoint_url": endpoint,
            "region_name": "eu-west-1",
            "aws_access_key_id": key["id"],
            "aws_secret_access_key": key["secret_access_key"],
            "config": Config(retries={"max_attempts": 1}),
        }
        self.cloud = self.client("cloudcontrol")

    def client(self, service: str) -> Any:
        return boto3.client(service, **self._options)

    async def call(self, call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        """Beside the event loop, which reads what the server has to say."""
        return await asyncio.to_thread(lambda: call(**parameters))

    async def create(self, name: str, given: dict[str, Any]) -> str:
        asked = await self.call(
            self.cloud.create_resource, TypeName=name, DesiredState=json.dumps(given)
        )
        return (await self.awaited(asked))["Identifier"]

    async def update(self, name: str, identifier: str, patch: list[dict[str, Any]]) -> None:
        asked = await self.call(
            self.cloud.update_resource,
            TypeName=name,
            Identifier=identifier,
            PatchDocument=json.dumps(patch),
        )
        await self.awaited(asked)

    async def delete(self, name: str, identifier: str) -> None:
        asked = await self.call(self.cloud.delete_resource, TypeName=name, Identifier=identifier)
        await self.awaited(asked)

    async def awaited(self, asked: dict[str, Any]) -> dict[str, Any]:
        token = asked["ProgressEvent"]["RequestToken"]
        waiter = self.cloud.get_waiter("resource_request_success")
        await self.call(waiter.wait, RequestToken=token, WaiterConfig={"Delay": 1})
        told = await self.call(self.cloud.get_resource_request_status, RequestToken=token)
        event: dict[str, Any] = told["ProgressEvent"]
        return event

    async def read(self, name: str, identifier: str) -> dict[str, Any]:
        found = await self.call(self.cloud.get_resource, TypeName=name, Identifier=identifier)
        model: dict[str, Any] = json.loads(found["ResourceDescription"]["Properties"])
        return model

    async def listed(self, name: str) -> set[str]:
        found = await self.call(self.cloud.list_resources, TypeName=name)
        return {one["Identifier"] for one in found["ResourceDescriptions"]}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stacks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Stack]]:
    """One server for all, and a client for each of the ready policies."""
    program = Program(tmp_path_factory.mktemp("stack"))
    async with program.serving() as ready:
        yield {
            policy: Stack(ready["api"], await program.json("access-key", "add", "--policy", policy))
            for policy in ("administrator", "operator", "reader")
        }


@pytest.fixture
def stack(stacks: dict[str, Stack]) -> Stack:
    return stacks["administrator"]


def assert_holds(model: Any, given: Any) -> None:
    """All that was given is told as it was given: a client that compares sees no difference."""
    if isinstance(given, dict):
        for name, value in given.items():
            assert_holds(model[name], value)
    else:
        assert model == given


async def needed(stack: Stack) -> dict[str, str]:
    """What a device refers to, made over the same API; by the names of its properties."""
    destination = {
        "Name": f"plant-{uuid4()}",
        "ExpressionType": "MqttTopic",
        "Expression": "plant/up",
        "RoleArn": ROLE,
    }
    profile = {"MacVersion": "1.0.3", "RfRegion": "EU868", "SupportsJoin": True}
    create = stack.create
    return {
        "DestinationName": await create("AWS::IoTWireless::Destination", destination),
        "DeviceProfileId": await create("AWS::IoTWireless::DeviceProfile", {"LoRaWAN": profile}),
        "ServiceProfileId": await create("AWS::IoTWireless::ServiceProfile", {"Name": "any"}),
    }


async def device(stack: Stack, dev_eui: str) -> dict[str, Any]:
    refers = await needed(stack)
    lorawan = {
        "DevEui": dev_eui,
        "DeviceProfileId": refers["DeviceProfileId"],
        "ServiceProfileId": refers["ServiceProfileId"],
        "OtaaV10x": {"AppKey": APP_KEY, "AppEui": "70b3d57ed0ffff01"},
    }
    return {"Type": "LoRaWAN", "DestinationName": refers["DestinationName"], "LoRaWAN": lorawan}


async def properties(stack: Stack, name: str) -> dict[str, Any]:
    """Of a new resource of the type."""
    versions = {
        "CurrentVersion": {"PackageVersion": "1.0.0", "Station": "2.0.5", "Model": "linux"},
        "UpdateVersion": {"PackageVersion": "1.0.1", "Station": "2.0.6", "Model": "linux"},
    }
    match name.rpartition("::")[2]:
        case "Destination":
            given = {"ExpressionType": "RuleName", "Expression": "all", "RoleArn": ROLE}
            return {"Name": "rule", **given}
        case "DeviceProfile":
            return {"Name": "meter", "LoRaWAN": {"MacVersion": "1.0.4", "RfRegion": "US915"}}
        case "ServiceProfile":
            return {"Name": "best", "LoRaWAN": {"AddGwMetadata": True}}
        case "WirelessDevice":
            return {"Name": "meter 1", **await device(stack, "70b3d57ed0000001")}
        case "WirelessGateway":
            return {"LoRaWAN": {"GatewayEui": "00800000a0000001", "RfRegion": "US915"}}
        case "TaskDefinition":
            lorawan = {"UpdateSignature": "bm8gc2lnbmF0dXJl", "SigKeyCrc": 3434210794, **versions}
            source = {"UpdateDataSource": "s3://bucket/fw.bin", "UpdateDataRole": ROLE}
            return {"AutoCreateTasks": False, "Update": {**source, "LoRaWAN": lorawan}}
        case "MulticastGroup":
            return {"Name": "lamps", "LoRaWAN": {"RfRegion": "EU868", "DlClass": "ClassC"}}
        case "FuotaTask":
            image = {"FirmwareUpdateImage": "s3://bucket/fw.bin", "FirmwareUpdateRole": ROLE}
            return {"Name": "fix", "LoRaWAN": {"RfRegion": "EU868"}, **image}
        case _:
            devices = [await stack.create(TYPES[3], await device(stack, "70b3d57ed0000002"))]
            content = {"WirelessDeviceFrameInfo": "ENABLED", "LogLevel": "INFO"}
            return {"Name": "watch", "TraceContent": content, "WirelessDevices": devices}


@pytest.mark.parametrize("name", TYPES)
async def test_a_resource_lives_from_its_creation_to_its_deletion(stack: Stack, name: str) -> None:
    given = await properties(stack, name) | {"Tags": TAGS}
    identifier = await stack.create(name, given)
    assert identifier in await stack.listed(name)
    model = await stack.read(name, identifier)
    assert_holds(model, given)
    if name in COMPLETE:
        assert model.keys() == given.keys() | COMPLETE[name]

    tags = [*TAGS, {"Key": "team", "Value": "water"}]
    await stack.update(name, identifier, [{"op": "replace", "path": "/Tags", "value": tags}])
    assert await stack.read(name, identifier) == model | {"Tags": tags}
    if name.endswith(("DeviceProfile", "ServiceProfile", "TaskDefinition")):
        with pytest.raises(WaiterError, match="FAILED"):
            await stack.update(name, identifier, [{"op": "add", "path": "/Name", "value": "new"}])
        assert await stack.read(name, identifier) == model | {"Tags": tags}
    else:
        described = [{"op": "add", "path": "/Description", "value": "new"}]
        await stack.update(name, identifier, described)
        assert await stack.read(name, identifier) == model | {"Tags": tags, "Description": "new"}

    await stack.delete(name, identifier)
    assert identifier not in await stack.listed(name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        await stack.read(name, identifier)


async def test_both_apis_have_the_same_resources(stack: Stack) -> None:
    name = "AWS::IoTWireless::WirelessDevice"
    identifier = await stack.create(name, await device(stack, "70b3d57ed0000003"))
    wireless = stack.client("iotwireless")
    by_eui = {"Identifier": "70b3d57ed0000003", "IdentifierType": "DevEui"}
    found = await stack.call(wireless.get_wireless_device, **by_eui)
    assert found["Id"] == identifier
    assert found["LoRaWAN"]["OtaaV1_0_x"]["AppKey"] == APP_KEY
    await stack.call(wireless.update_wireless_device, Id=identifier, Name="by another")
    assert (await stack.read(name, identifier))["Name"] == "by another"


async def test_keys_are_told_to_those_who_may_read_them(stacks: dict[str, Stack]) -> None:
    owner, operator = stacks["administrator"], stacks["operator"]
    name = "AWS::IoTWireless::WirelessDevice"
    identifier = await operator.create(name, await device(operator, "70b3d57ed0000004"))
    told = [(await one.read(name, identifier))["LoRaWAN"] for one in (owner, operator)]
    assert [one["OtaaV10x"].get("AppKey") for one in told] == [APP_KEY, None]


async def test_a_reader_may_read(stacks: dict[str, Stack]) -> None:
    reader = stacks["reader"]
    name = "AWS::IoTWireless::ServiceProfile"
    identifier = await stacks["administrator"].create(name, {"Name": "any"})
    assert identifier in await reader.listed(name)
    assert (await reader.read(name, identifier))["Name"] == "any"
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await reader.create(name, {"Name": "mine"})


async def test_a_failed_request_says_why(stack: Stack) -> None:
    taken = (await needed(stack))["DestinationName"]
    name = "AWS::IoTWireless::Destination"
    given = {"Name": taken, "ExpressionType": "RuleName", "Expression": "x", "RoleArn": ROLE}
    asked = await stack.call(
        stack.cloud.create_resource,
        TypeName=name,
        DesiredState=json.dumps(given),
        ClientToken="again",
    )
    event = asked["ProgressEvent"]
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "AlreadyExists")
    failed = {"OperationStatuses": ["FAILED"]}
    listed = await stack.call(
        stack.cloud.list_resource_requests, ResourceRequestStatusFilter=failed
    )
    assert event in listed["ResourceRequestStatusSummaries"]
    with pytest.raises(ClientError, match="ClientTokenConflictException"):
        await stack.call(
            stack.cloud.delete_resource, TypeName=name, Identifier=taken, ClientToken="again"
        )
    with pytest.raises(ClientError, match="TypeNotFoundException"):
        await stack.listed("AWS::S3::Bucket")
