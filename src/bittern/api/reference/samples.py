"""Examples of operations: an input that the model allows, as boto3 and aws-cli are told it.

What the model requires is in them, and what makes the first steps of a user; the values are of the
documentation ranges where there are any, and never anybody's key.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bittern.api.model import Operation, Shape

Input = dict[str, Any]

ENDPOINT = "http://localhost:8080"
UUID = "3f2e1d0c-5b4a-4968-8776-655443322110"
_LINE = 60
_HOUR = datetime(2030, 1, 2, 3, 0, tzinfo=UTC)
_KEY = "000102030405060708090a0b0c0d0e0f"
_DEVICE = {
    "DevEui": "70b3d57ed0000001",
    "DeviceProfileId": UUID,
    "ServiceProfileId": UUID,
    "OtaaV1_0_x": {"AppKey": _KEY, "JoinEui": "70b3d57ed0000000"},
}
_SQL = "SELECT PayloadData, WirelessMetadata.LoRaWAN.FPort AS port"
_POINT = {"type": "Point", "coordinates": [13.4, 52.5]}

_MORE: Mapping[str, Input] = {
    "CreateWirelessDevice": {"Name": "meter", "LoRaWAN": _DEVICE},
    "CreateWirelessGateway": {
        "Name": "roof",
        "LoRaWAN": {"GatewayEui": "0016c001ff000001", "RfRegion": "EU868"},
    },
    "CreateDeviceProfile": {"LoRaWAN": {"MacVersion": "1.0.3", "RfRegion": "EU868"}},
    "CreateServiceProfile": {"LoRaWAN": {"AddGwMetadata": True}},
    "CreateDestination": {"Name": "plant", "ExpressionType": "RuleName", "Expression": "meters"},
    "SendDataToWirelessDevice": {
        "TransmitMode": 1,
        "PayloadData": "SGVsbG8=",
        "WirelessMetadata": {"LoRaWAN": {"FPort": 2}},
    },
    "CreateKeysAndCertificate": {"setAsActive": True},
    "GetServiceEndpoint": {"ServiceType": "CUPS"},
    "UpdateResourcePosition": {"GeoJsonPayload": json.dumps(_POINT).encode()},
    "CreateTopicRule": {
        "ruleName": "meters",
        "topicRulePayload": {
            "sql": _SQL,
            "actions": [
                {
                    "republish": {
                        "roleArn": "arn:aws:iam::000000000000:role/bittern",
                        "topic": "meters/${WirelessDeviceId}",
                    }
                }
            ],
        },
    },
    "Publish": {"topic": "plant/lamp", "payload": b'{"on": true}'},
    "CreateThing": {"attributePayload": {"attributes": {"site": "north"}}},
    "ListWirelessDevices": {"MaxResults": 100},
    "UpdateWirelessDevice": {"Name": "meter 7"},
    "UpdateWirelessGateway": {"Name": "roof"},
    "UpdateDestination": {"Expression": "meters"},
    "GetResourceEventConfiguration": {"IdentifierType": "WirelessDeviceId"},
    "UpdateResourceEventConfiguration": {
        "IdentifierType": "WirelessDeviceId",
        "Join": {"WirelessDeviceIdEventTopic": "Enabled"},
    },
    "CreateResource": {"TypeName": "AWS::IoTWireless::Destination"},
}
"""What is told beside what is required, or in place of it."""

_BY_SHAPE: Mapping[str, Any] = {
    "RoleArn": "arn:aws:iam::000000000000:role/bittern",
    "AmazonResourceName": f"arn:aws:iotwireless:us-east-1:000000000000:WirelessDevice/{UUID}",
    "AwsArn": "arn:aws:iam::000000000000:role/bittern",
    "Principal": "arn:aws:iot:us-east-1:000000000000:cert/" + "0" * 64,
    "PolicyTarget": "arn:aws:iot:us-east-1:000000000000:cert/" + "0" * 64,
    "CertificateId": "0" * 64,
    "DestinationName": "plant",
    "RuleName": "meters",
    "DevEui": "70b3d57ed0000001",
    "GatewayEui": "0016c001ff000001",
    "PayloadData": "SGVsbG8=",
    "FirmwareUpdateImage": "s3://images/app.bin",
    "FirmwareUpdateRole": "arn:aws:iam::000000000000:role/bittern",
    "TagKey": "site",
    "TagValue": "north",
    "PolicyDocument": '{"Version": "2012-10-17", "Statement": []}',
    "PolicyVersionId": "1",
    "Topic": "plant/lamp",
    "TypeName": "AWS::IoTWireless::Destination",
    "PatchDocument": '[{"op": "replace", "path": "/Expression", "value": "meters"}]',
    "Properties": '{"Name": "plant"}',
    "ResultName": "meter",
    "MessageId": "6011dd36-0043d6eb-0072-0008",
}


def sample(operation: Operation) -> Input:
    """Members of the operation's input."""
    more = _MORE.get(operation.name, {})
    if operation.input is None:
        return {}
    required = {
        name: _value(name, operation.input.members[name])
        for name in operation.input.required_members
        if name not in more
    }
    return required | dict(more)


def boto3_text(operation: Operation) -> str:
    """As a script has it."""
    from botocore import xform_name

    service = operation.service.name
    client = f'boto3.client("{service}", endpoint_url="{ENDPOINT}")'
    given = sample(operation)
    arguments = "".join(f"\n    {name}={_python(value)}," for name, value in given.items())
    call = f"client.{xform_name(operation.name)}({arguments}{arguments and chr(10)})"
    return f"import boto3\n\nclient = {client}\nanswer = {call}\n"


def cli_text(operation: Operation) -> str:
    """As a shell has it."""
    from botocore import xform_name

    service, name = operation.service.name, xform_name(operation.name, "-")
    lines = [f"aws --endpoint-url {ENDPOINT} {service} {name}"]
    members = operation.input.members if operation.input is not None else {}
    lines += [_option(key, members[key], value) for key, value in sample(operation).items()]
    if operation.output is not None and "payload" in operation.output.serialization:
        lines.append("answer.bin")  # where a streamed body goes
    return " \\\n    ".join(lines) + "\n"


def _option(name: str, shape: Shape, value: Any) -> str:
    from botocore import xform_name

    option = "--lorawan" if name == "LoRaWAN" else f"--{xform_name(name, '-')}"
    match value:
        case bool():
            return option if value else f"--no-{option[2:]}"
        case bytes():
            text = base64.b64encode(value).decode()
        case datetime():
            text = value.isoformat()
        case str() | int() | float():
            text = str(value)
        case list() if all(isinstance(one, str) for one in value):
            return " ".join([option, *map(shlex.quote, value)])
        case _:
            text = json.dumps(value)
    return f"{option} {shlex.quote(text)}"


def _python(value: Any, margin: str = "    ") -> str:
    """A literal, over several lines where it is a box of boxes."""
    inner = margin + "    "
    match value:
        case dict():
            items = [f"{json.dumps(key)}: {_python(one, inner)}" for key, one in value.items()]
        case list():
            items = [_python(one, inner) for one in value]
        case datetime():
            return json.dumps(value.isoformat())
        case bytes():
            return f"b{value.decode()!r}"
        case str():
            return json.dumps(value)
        case _:
            return repr(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    if sum(map(len, items)) < _LINE:
        return f"{opening}{', '.join(items)}{closing}"
    lines = "".join(f"\n{inner}{item}," for item in items)
    return f"{opening}{lines}\n{margin}{closing}"


def _value(name: str, shape: Shape) -> Any:
    if shape.name in _BY_SHAPE:
        return _BY_SHAPE[shape.name]
    match shape.type_name:
        case "structure":
            return {one: _value(one, shape.members[one]) for one in shape.required_members}
        case "list":
            return [_value(name, shape.member)] * max(1, shape.metadata.get("min", 1))
        case "map":
            return {_value(name, shape.key): _value(name, shape.value)}
        case "boolean":
            return True
        case "timestamp":
            return _HOUR
        case "blob":
            return b"{}"
        case "string":
            return _text(name, shape)
        case _:
            return max(1, shape.metadata.get("min", 1))


def _text(name: str, shape: Shape) -> str:
    if shape.enum:
        return str(next(one for one in shape.enum if "Sidewalk" not in one))
    if name.endswith(("Id", "Identifier")):
        return UUID
    return "north"
