from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.model import ShapeResolver

from bittern.api import validate
from bittern.api.errors import VALIDATION, ApiError

sys.path.insert(0, str(Path(__file__).parent))
from oracle import OPERATIONS, operation_of

KEY = "00112233445566778899AABBCCDDEEFF"


def told(operation: str, of: str = "iotwireless", **parameters: Any) -> str:
    with pytest.raises(ApiError) as refusal:
        validate.check(operation_of(operation, of), parameters)
    assert refusal.value.code == VALIDATION
    return refusal.value.message


def test_what_the_model_allows_passes() -> None:
    device = {"DevEui": "0004a30b001a2b3c", "OtaaV1_0_x": {"AppKey": KEY, "JoinEui": "0" * 16}}
    validate.check(
        operation_of("CreateWirelessDevice"),
        {"Type": "LoRaWAN", "DestinationName": "d-1", "LoRaWAN": device, "Tags": []},
    )


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        (
            "GetDestination",
            {"Name": "a b"},
            "1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+",
        ),
        (
            "ListDestinations",
            {"MaxResults": 251},
            "1 validation error detected: Value '251' at 'maxResults' failed to satisfy "
            "constraint: Member must have value less than or equal to 250",
        ),
        (
            "ListDestinations",
            {"MaxResults": -1},
            "1 validation error detected: Value '-1' at 'maxResults' failed to satisfy "
            "constraint: Member must have value greater than or equal to 0",
        ),
        (
            "GetWirelessGateway",
            {"Identifier": "g", "IdentifierType": "Name"},
            "1 validation error detected: Value 'Name' at 'identifierType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [GatewayEui, WirelessGatewayId, "
            "ThingName]",
        ),
        (
            "GetWirelessDevice",
            {"Identifier": "d"},
            "1 validation error detected: Value null at 'identifierType' failed to satisfy "
            "constraint: Member must not be null",
        ),
        (
            "TagResource",
            {"ResourceArn": "arn", "Tags": [{"Key": "", "Value": "v"}]},
            "1 validation error detected: Value '' at 'tags.1.member.key' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1",
        ),
    ],
)
def test_what_it_does_not_is_told_in_the_words_of_aws(
    operation: str, parameters: dict[str, Any], message: str
) -> None:
    assert told(operation, **parameters) == message


def test_everything_that_is_wrong_is_told_at_once() -> None:
    message = told(
        "CreateWirelessDevice",
        Type="Zigbee",
        LoRaWAN={"DevEui": "zz", "AbpV1_0_x": {"FCntStart": 70_000}},
    )
    assert message.startswith("4 validation errors detected: ")
    for place in (
        "'type'",
        "'destinationName'",
        "'loRaWAN.devEui'",
        "'loRaWAN.abpV1_0_x.fCntStart'",
    ):
        assert place in message


SECRETS = [
    ("OtaaV1_0_x", {"AppKey": "x" + KEY}),
    ("OtaaV1_0_x", {"GenAppKey": "topsecret"}),
    ("OtaaV1_1", {"NwkKey": "topsecret"}),
    ("AbpV1_0_x", {"SessionKeys": {"NwkSKey": "topsecret", "AppSKey": "topsecret"}}),
    (
        "AbpV1_1",
        {"SessionKeys": dict.fromkeys(["FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey"], "topsecret")},
    ),
]


@pytest.mark.parametrize(("block", "keys"), SECRETS)
def test_a_key_is_never_told_back(block: str, keys: dict[str, Any]) -> None:
    message = told(
        "CreateWirelessDevice", Type="LoRaWAN", DestinationName="d", LoRaWAN={block: keys}
    )
    assert "Value at" in message
    assert "topsecret" not in message
    assert KEY not in message


@pytest.mark.parametrize("value", [KEY, "-".join(KEY[i : i + 2] for i in range(0, 32, 2))])
def test_a_key_in_the_wrong_field_is_not_told_back_either(value: str) -> None:
    message = told(
        "CreateWirelessDevice", Type="LoRaWAN", DestinationName="d", LoRaWAN={"DevEui": value}
    )
    assert "Value at 'loRaWAN.devEui'" in message


def test_the_members_that_hold_secrets_are_known() -> None:
    secret, seen = set(), set()

    def walk(shape: Any) -> None:
        if shape.name in seen:
            return
        seen.add(shape.name)
        parts = validate._parts(shape)
        if not parts and validate.holds_secret(shape):
            secret.add(shape.name)
        for part in parts:
            walk(part)

    for operation in OPERATIONS:
        if operation.service.name == "iotwireless":
            for shape in (operation.input, operation.output):
                walk(shape)
    assert secret == {
        "AppKey", "AppSKey", "AppServerPrivateKey", "ApplicationServerPublicKey", "FNwkSIntKey",
        "Fingerprint", "GenAppKey", "NwkKey", "NwkSEncKey", "NwkSKey", "SNwkSIntKey",
    }  # fmt: skip


def test_a_long_value_is_cut() -> None:
    message = told("GetDestination", Name="n" * 5000)
    assert len(message) < 500
    assert "pattern" not in message, "what is too long is not matched"


def test_a_message_about_a_thousand_mistakes_stays_short() -> None:
    message = told("TagResource", ResourceArn="arn", Tags=[{"Key": "", "Value": ""}] * 1000)
    assert message.startswith("1 validation error detected: Value at 'tags'") or len(message) < 9000


def test_a_union_has_exactly_one_member() -> None:
    shape = ShapeResolver(
        {
            "One": {
                "type": "structure",
                "union": True,
                "members": {"A": {"shape": "Text"}, "B": {"shape": "Text"}},
            },
            "Text": {"type": "string"},
        }
    ).get_shape_by_name("One")
    checker = validate._compiled(shape, {})
    assert checker is not None
    for value, count in (({"A": "x"}, 0), ({}, 1), ({"A": "x", "B": "y"}, 1)):
        problems: list[str] = []
        checker(value, ("Choice",), problems)
        assert len(problems) == count


def test_a_shape_that_holds_itself_is_checked_all_the_way() -> None:
    shape = ShapeResolver(
        {
            "Tree": {
                "type": "structure",
                "members": {"Child": {"shape": "Tree"}, "Name": {"shape": "Name"}},
            },
            "Name": {"type": "string", "max": 2},
        }
    ).get_shape_by_name("Tree")
    checker = validate._compiled(shape, {})
    assert checker is not None
    problems: list[str] = []
    checker({"Child": {"Child": {"Name": "long"}}}, (), problems)
    assert len(problems) == 1
    assert "'child.child.name'" in problems[0]


def test_maps_are_checked_by_key_and_value() -> None:
    message = told(
        "CreateThing", "iot", thingName="t", attributePayload={"attributes": {"a b": "c d"}}
    )
    assert "attributes.key" in message
    assert "attributes.value" in message
