from __future__ import annotations

from typing import Any, cast

import pytest

from bittern.api.cloud_control.underlying import Underlying
from bittern.api.errors import ApiError
from bittern.api.front import Call, Caller
from bittern.api.model import service
from bittern.api.policy import policy
from bittern.api.sigv4 import SecretAccessKey
from bittern.types import Instant

ACCOUNT = "123456789012"
ARN = f"arn:aws:iotwireless:eu-west-1:{ACCOUNT}"
KEY = "00112233445566778899aabbccddeeff"


class Recording:
    """Operations that answer with what they were asked."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        self.answer = answer
        self.asked: list[tuple[Call, dict[str, Any]]] = []

    async def __call__(self, services: Any, call: Call, parameters: dict[str, Any]) -> Any:
        self.asked.append((call, parameters))
        return self.answer


def underlying(handler: Any, allowed: str, resource: str = "*") -> Underlying:
    text = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", '
        f'"Action": "{allowed}", "Resource": "{resource}"}}]}}'
    )
    caller = Caller(ACCOUNT, "AKID", "arn:user", policy(text), SecretAccessKey("x"))
    operation = service("cloudcontrol").operation("GetResource")
    call = Call(operation, caller, "eu-west-1", "request", Instant(0))
    names = ("GetWirelessDevice", "CreateWirelessDevice", "UntagResource", "DeleteDestination")
    return Underlying(dict.fromkeys(names, handler), cast(Any, None), call)


async def test_an_operation_is_carried_out_as_the_caller() -> None:
    handler = Recording({"Id": "x", "LoRaWAN": {"DevEui": "a" * 16}})
    run = underlying(handler, "iotwireless:GetWirelessDevice", f"{ARN}:WirelessDevice/x")
    answer = await run.named("GetWirelessDevice", Identifier="x", IdentifierType="WirelessDeviceId")
    assert answer == {"Id": "x", "LoRaWAN": {"DevEui": "a" * 16}}
    call, parameters = handler.asked[0]
    assert (call.operation.action, call.caller) == (
        "iotwireless:GetWirelessDevice",
        run.call.caller,
    )
    assert parameters == {"Identifier": "x", "IdentifierType": "WirelessDeviceId"}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetWirelessDevice", {"Identifier": "y", "IdentifierType": "WirelessDeviceId"}),
        ("GetWirelessDevice", {"Identifier": "x", "IdentifierType": "DevEui"}),
        ("UntagResource", {"ResourceArn": f"{ARN}:WirelessDevice/y", "TagKeys": ["a"]}),
        ("DeleteDestination", {"Name": "plant"}),
    ],
)
async def test_what_the_policy_has_not_is_refused(
    operation: str, parameters: dict[str, Any]
) -> None:
    handler = Recording()
    run = underlying(handler, "iotwireless:*", f"{ARN}:WirelessDevice/x")
    with pytest.raises(ApiError) as refused:
        await run.named(operation, **parameters)
    assert refused.value.code == "AccessDeniedException"
    assert f"perform: iotwireless:{operation}" in refused.value.message
    assert handler.asked == []


async def test_the_resource_of_tags_is_where_a_request_has_it() -> None:
    handler = Recording()
    run = underlying(handler, "iotwireless:UntagResource", f"{ARN}:WirelessDevice/x")
    asked = {"ResourceArn": f"{ARN}:WirelessDevice/x", "TagKeys": ["a", "b"]}
    assert await run.named("UntagResource", **asked) == {}
    assert handler.asked[0][1] == asked


@pytest.mark.parametrize(
    ("lorawan", "told"),
    [
        ({"DevEui": "zz"}, "Value 'zz' at 'loRaWAN.devEui' failed"),
        ({"FPorts": {"Applications": [{"FPort": "x"}]}}, "Member must be a whole number"),
        ({"OtaaV1_0_x": {"AppKey": KEY + "0"}}, "at 'loRaWAN.otaaV1_0_x.appKey' failed"),
    ],
)
async def test_what_the_model_does_not_allow_is_refused_without_keys(
    lorawan: dict[str, Any], told: str
) -> None:
    handler = Recording()
    given = {"Type": "LoRaWAN", "DestinationName": "plant", "LoRaWAN": lorawan}
    with pytest.raises(ApiError) as refused:
        await underlying(handler, "iotwireless:*").named("CreateWirelessDevice", **given)
    assert refused.value.code == "ValidationException"
    assert told in refused.value.message and KEY not in refused.value.message
    assert handler.asked == []


async def test_what_is_not_offered_is_told_so() -> None:
    with pytest.raises(ApiError) as refused:
        await underlying(Recording(), "*").named("GetPartnerAccount", PartnerAccountId="x")
    assert refused.value.code == "UnsupportedActionException"
