from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from bittern.api import errors
from bittern.api.errors import ApiError
from bittern.api.front import Call, Caller, Front, Handler
from bittern.api.message import Request, Response
from bittern.api.model import Operation
from bittern.api.policy import Policy, policy, ready
from bittern.api.sigv4 import SecretAccessKey
from bittern.types import Instant

sys.path.insert(0, str(Path(__file__).parent))
from oracle import ACCESS_KEY_ID, NOW, SECRET, at, client, operation_of, signed

ACCOUNT = "123456789012"

KEY = "00112233445566778899aabbccddeeff"
LISTING = '{"Statement": {"Effect": "Allow", "Action": "iotwireless:List*", "Resource": "*"}}'


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    """boto3 signs at the time of the tests."""
    with at(NOW):
        yield


class Recorded:
    """Handlers that note what they are called with and answer as they are told."""

    def __init__(self, **results: Any) -> None:
        self.results = results
        self.calls: list[tuple[Call, dict[str, Any]]] = []

    async def __call__(self, call: Call, parameters: dict[str, Any]) -> Mapping[str, Any] | None:
        self.calls.append((call, parameters))
        result = self.results.get(call.operation.name)
        if isinstance(result, Exception):
            raise result
        return result


SERVED = [
    ("iotwireless", "GetWirelessDevice"),
    ("iotwireless", "CreateDestination"),
    ("iotwireless", "DeleteDestination"),
    ("iotwireless", "GetResourcePosition"),
    ("iotwireless", "UpdateResourcePosition"),
    ("iotwireless", "ListWirelessDevices"),
    ("iot", "CreateTopicRule"),
    ("iot-data", "Publish"),
    ("sts", "GetCallerIdentity"),
    ("cloudcontrol", "GetResource"),
]


def front(handler: Handler, allowed: Policy | None = None, **options: Any) -> Front:
    caller = Caller(
        account=ACCOUNT,
        access_key_id=ACCESS_KEY_ID,
        arn=f"arn:aws:iam::{ACCOUNT}:user/me",
        policy=allowed or ready("administrator"),
        secret=SecretAccessKey(SECRET),
    )

    async def credentials(access_key_id: str) -> Caller | None:
        return caller if access_key_id == ACCESS_KEY_ID else None

    return Front(dict.fromkeys(SERVED, handler), credentials, region="eu-west-1", **options)


def answered(made: Front, request: Request, now: float = NOW) -> Response:
    return asyncio.run(made.answer(request, now=Instant(now), request_id="r-1"))


def code_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response
    assert error["ResponseMetadata"]["RequestId"] == "r-1"
    return str(error["Error"]["Code"])


DEVICE = {
    "Type": "LoRaWAN",
    "Id": "w-1",
    "LoRaWAN": {"DevEui": "0004a30b001a2b3c", "OtaaV1_0_x": {"AppKey": KEY}},
}


def test_boto3_calls_an_operation_and_gets_its_result() -> None:
    handler = Recorded(GetWirelessDevice=DEVICE)
    boto = client("iotwireless", front(handler))
    result = boto.get_wireless_device(Identifier="w/1", IdentifierType="WirelessDeviceId")
    assert result.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    assert result == DEVICE
    [(call, parameters)] = handler.calls
    assert parameters == {"Identifier": "w/1", "IdentifierType": "WirelessDeviceId"}
    assert (call.account, call.region, call.now) == (ACCOUNT, "eu-west-1", NOW)
    assert call.arn("WirelessDevice/w-1") == (
        "arn:aws:iotwireless:eu-west-1:123456789012:WirelessDevice/w-1"
    )


def test_one_front_speaks_for_all_services() -> None:
    handler = Recorded(
        GetCallerIdentity={"Account": ACCOUNT, "UserId": "u", "Arn": "arn"},
        GetResource={"TypeName": "T", "ResourceDescription": {"Identifier": "i"}},
    )
    made = front(handler)
    assert client("sts", made).get_caller_identity()["Account"] == ACCOUNT
    found = client("cloudcontrol", made).get_resource(
        TypeName="AWS::IoTWireless::Destination", Identifier="i"
    )
    assert found["ResourceDescription"]["Identifier"] == "i"
    client("iot-data", made).publish(topic="a/b", payload=b"\x00", qos=1)
    client("iot", made).create_topic_rule(
        ruleName="r", topicRulePayload={"sql": "SELECT * FROM 'a'", "actions": []}
    )
    assert [call.operation.name for call, _ in handler.calls] == [
        "GetCallerIdentity", "GetResource", "Publish", "CreateTopicRule",
    ]  # fmt: skip
    assert handler.calls[2][1] == {"topic": "a/b", "payload": b"\x00", "qos": 1}


def test_positions_go_and_come_as_they_are() -> None:
    handler = Recorded(GetResourcePosition={"GeoJsonPayload": b'{"type":"Point"}'})
    boto = client("iotwireless", front(handler))
    where = {"ResourceIdentifier": str(UUID(int=1)), "ResourceType": "WirelessDevice"}
    boto.update_resource_position(**where, GeoJsonPayload=b"{}")
    assert handler.calls[0][1] == {**where, "GeoJsonPayload": b"{}"}
    assert boto.get_resource_position(**where)["GeoJsonPayload"].read() == b'{"type":"Point"}'


def test_a_presigned_address_works() -> None:
    identity = {"Account": ACCOUNT, "UserId": "u", "Arn": "arn"}
    made = front(Recorded(GetCallerIdentity=identity))
    boto = client("sts", made)
    url = boto.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    origin, _, target = url.partition("//")[2].partition("/")
    request = Request.of("GET", "/" + target, [("Host", origin)])
    assert answered(made, request, NOW).status == 200
    assert answered(made, request, NOW + 61).status == 403


def test_what_a_handler_refuses_is_told() -> None:
    boto = client(
        "iotwireless", front(Recorded(GetWirelessDevice=errors.not_found("WirelessDevice", "w")))
    )
    with pytest.raises(boto.exceptions.ResourceNotFoundException) as refused:
        boto.get_wireless_device(Identifier="w", IdentifierType="WirelessDeviceId")
    assert refused.value.response["ResourceId"] == "w"
    assert refused.value.response["ResourceType"] == "WirelessDevice"


@pytest.mark.parametrize(
    "fault",
    [RuntimeError(f"the key is {KEY}"), KeyError(KEY), ApiError("Unheard", KEY), RecursionError()],
)
def test_a_fault_of_ours_is_not_told_but_noted(fault: Exception) -> None:
    noted: list[tuple[Operation | None, str, Exception]] = []
    made = front(Recorded(GetWirelessDevice=fault), on_fault=lambda *what: noted.append(what))
    request = signed(
        operation_of("GetWirelessDevice"), {"Identifier": "w", "IdentifierType": "DevEui"}
    )
    response = answered(made, request)
    assert (response.status, response.error) == (500, errors.INTERNAL)
    assert KEY.encode() not in response.body
    if not isinstance(fault, ApiError):
        assert noted == [(operation_of("GetWirelessDevice"), "r-1", fault)]


def test_a_result_that_the_model_does_not_have_is_a_fault_of_ours() -> None:
    made = front(Recorded(GetWirelessDevice={"Secret": KEY}))
    boto = client("iotwireless", made)
    assert code_of(boto.get_wireless_device, Identifier="w", IdentifierType="DevEui") == (
        "InternalServerException"
    )


def test_what_the_model_does_not_allow_never_reaches_a_handler() -> None:
    handler = Recorded()
    boto = client("iotwireless", front(handler), parameter_validation=False)
    assert code_of(boto.get_wireless_device, Identifier="w", IdentifierType="Name") == (
        "ValidationException"
    )
    assert handler.calls == []


def test_an_operation_without_a_handler_is_told_to_be_none() -> None:
    boto = client("iotwireless", front(Recorded()))
    assert code_of(boto.list_destinations) == "ValidationException"


@pytest.mark.parametrize(
    ("service", "options", "code"),
    [
        ("iotwireless", {"secret": "wrong"}, "InvalidSignatureException"),
        ("iotwireless", {"access_key_id": "AKOTHER"}, "UnrecognizedClientException"),
        ("iotwireless", {"now": lambda: NOW + 400}, "InvalidSignatureException"),
        ("sts", {"secret": "wrong"}, "SignatureDoesNotMatch"),
        ("sts", {"access_key_id": "AKOTHER"}, "InvalidClientTokenId"),
        ("ec2", {}, "InvalidSignatureException"),
    ],
)
def test_who_is_not_who_he_says_gets_nowhere(
    service: str, options: dict[str, Any], code: str
) -> None:
    handler = Recorded()
    if service == "ec2":
        request = signed(operation_of("ListWirelessDevices"), {})
        moved = request.headers["authorization"].replace("/iotwireless/", "/ec2/")
        request = Request("GET", request.path, "", {**request.headers, "authorization": moved})
        assert answered(front(handler), request).error == code
        return
    boto = client(service, front(handler), **options)
    call = boto.list_wireless_devices if service == "iotwireless" else boto.get_caller_identity
    assert code_of(call) == code
    assert handler.calls == []


def test_an_unsigned_request_gets_nowhere() -> None:
    response = answered(front(Recorded()), Request("GET", "/wireless-devices", "", {"host": "x"}))
    assert (response.status, response.error) == (403, errors.MISSING_TOKEN)


def test_who_may_not_is_told_so_before_anything_is_read() -> None:
    handler = Recorded()
    boto = client("iotwireless", front(handler, ready("reader")))
    assert code_of(boto.delete_destination, Name="d") == "AccessDeniedException"
    assert code_of(boto.delete_destination, Name="no name") == "AccessDeniedException"
    boto.list_wireless_devices()
    assert len(handler.calls) == 1


def test_a_policy_may_be_about_one_resource() -> None:
    text = (
        '{"Statement": [{"Effect": "Allow", "Action": "iotwireless:*", "Resource":'
        ' "arn:aws:iotwireless:*:123456789012:WirelessDevice/w-1"}]}'
    )
    handler = Recorded(GetWirelessDevice=DEVICE)
    get = client("iotwireless", front(handler, policy(text))).get_wireless_device
    get(Identifier="w-1", IdentifierType="WirelessDeviceId")
    assert (
        code_of(get, Identifier="w-2", IdentifierType="WirelessDeviceId") == "AccessDeniedException"
    )
    assert code_of(get, Identifier="0004a30b001a2b3c", IdentifierType="DevEui") == (
        "AccessDeniedException"
    )


def test_the_region_that_a_client_signs_for_decides_nothing() -> None:
    text = (
        '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny",'
        ' "Action": "*", "Resource": "arn:aws:iotwireless:eu-west-1:*:Destination/d"}]}'
    )
    handler = Recorded()
    boto = client("iotwireless", front(handler, policy(text)), region="us-east-1")
    assert code_of(boto.delete_destination, Name="d") == "AccessDeniedException"
    boto.delete_destination(Name="e")
    assert [call.region for call, _ in handler.calls] == ["eu-west-1"]


def test_a_handler_knows_whether_it_may_tell_keys() -> None:
    for name, expected in (("administrator", True), ("operator", False), ("reader", False)):
        handler = Recorded(GetWirelessDevice=DEVICE)
        boto = client("iotwireless", front(handler, ready(name)))
        boto.get_wireless_device(Identifier="w", IdentifierType="DevEui")
        call = handler.calls[0][0]
        assert call.reads_keys is expected
        assert call.may_read_keys_of(call.arn("WirelessDevice/w")) is expected


def test_a_handler_may_ask_for_more() -> None:
    handler = Recorded(GetWirelessDevice=DEVICE)
    client("iotwireless", front(handler, ready("reader"))).get_wireless_device(
        Identifier="w", IdentifierType="DevEui"
    )
    call = handler.calls[0][0]
    call.require(call.arn("WirelessDevice/w"))
    with pytest.raises(ApiError, match="iotwireless:DeleteWirelessDevice"):
        call.require(call.arn("WirelessDevice/w"), "iotwireless:DeleteWirelessDevice")


def test_a_recorded_change_is_carried_out_once_and_a_recorded_question_is_harmless() -> None:
    handler = Recorded(GetWirelessDevice=DEVICE)
    made = front(handler)
    change = signed(operation_of("DeleteDestination"), {"Name": "d"})
    question = signed(
        operation_of("GetWirelessDevice"), {"Identifier": "w", "IdentifierType": "DevEui"}
    )
    assert [answered(made, change, NOW + after).status for after in (0, 1, 60)] == [204, 204, 403]
    assert [answered(made, question, NOW + after).status for after in (0, 1, 60)] == [200] * 3


def test_a_retry_that_boto3_signs_anew_passes() -> None:
    made = front(Recorded())
    for after in (0, 1, 30):
        request = signed(operation_of("DeleteDestination"), {"Name": "d"}, now=NOW + after)
        assert answered(made, request, NOW + after).status == 204


def test_who_has_proved_its_secret_is_told_of_whether_it_may_or_not() -> None:
    told: list[tuple[str, float]] = []

    def on_verified(caller: Caller, now: Instant) -> None:
        told.append((caller.access_key_id, now))

    made = front(Recorded(), policy(LISTING), on_verified=on_verified)
    asked = {"Identifier": "w-1", "IdentifierType": "WirelessDeviceId"}
    request = signed(operation_of("GetWirelessDevice"), asked)
    forged = signed(operation_of("GetWirelessDevice"), asked, secret="another")
    assert answered(made, request).status == 403
    assert answered(made, forged).status == 403
    assert told == [(ACCESS_KEY_ID, NOW)]


def test_a_forged_signature_is_not_remembered() -> None:
    made = front(Recorded())
    good = signed(operation_of("DeleteDestination"), {"Name": "d"})
    forged = Request("DELETE", "/destinations/e", "", good.headers)
    assert answered(made, forged).status == 403
    assert answered(made, good, NOW + 10).status == 204


def test_a_handler_that_the_model_does_not_know_is_refused_at_once() -> None:
    with pytest.raises(KeyError):
        Front({("iotwireless", "CreateGateway"): Recorded()}, credentials=None, region="r")  # type: ignore[arg-type]


def test_neither_callers_nor_calls_print_secrets() -> None:
    handler = Recorded(GetWirelessDevice=DEVICE)
    client("iotwireless", front(handler)).get_wireless_device(
        Identifier="w", IdentifierType="DevEui"
    )
    assert SECRET not in repr(handler.calls[0][0])


@given(
    st.sampled_from(["GET", "POST", "DELETE", "", "é"]),
    st.text(max_size=40),
    st.dictionaries(st.text(max_size=10) | st.just("authorization"), st.text(max_size=40)),
    st.binary(max_size=40),
)
def test_whatever_comes_is_answered_and_never_with_500(
    method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    request = Request.of(method, target, headers.items(), body)
    response = answered(front(Recorded()), request)
    assert 400 <= response.status < 500
