"""Every error that the model has of an operation is given by it, or there is a reason why not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bittern.api import errors
from bittern.api.errors import ApiError
from bittern.api.front import Call, Front

sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "unit/api/operations"))
from api_asking import ALL, EVERYTHING, Name, call, caller, each, model, refusal
from api_cases import CASES, NOT_FOUND
from api_site import credentials
from api_world import POLICY, RULE, World
from oracle import NOW, signed, understood

CONFLICT = "ConflictException"
INTERNAL = ("InternalServerException", "InternalFailureException", "InternalException")
BY_TABLE = {
    "AccessDeniedException": "test_api_operations, by policy",
    "ThrottlingException": "here, of the shell",
    **dict.fromkeys(INTERNAL, "here, of a fault"),
}
"""Errors that any operation gives, shown for all of them."""

NEVER: Mapping[str, str] = {
    "ServiceUnavailableException": "whatever does not work is told as an internal error",
    "UnauthorizedException": "who may not is told AccessDeniedException, as IAM does",
    "ConflictingResourceUpdateException": "rules are stored in one step, the last one stays",
    CONFLICT: "only of two requests at the same moment",
    NOT_FOUND: "it names nothing that could be absent",
    "LimitExceededException": "there is no such limit here",
    "CertificateStateException": "every state that a caller may name is taken",
    "ValidationException": "nothing can be wrong in it",
    "InvalidRequestException": "nothing can be wrong in it",
}
"""Why an operation without a case below does not give it."""

Provoke = Callable[[World], Mapping[str, Any]]


def _again(name: Name) -> Provoke:
    """What was done once cannot be done again."""

    def provoke(w: World) -> Mapping[str, Any]:
        parameters = CASES[name](w).parameters
        call(caller(w.api, name, EVERYTHING), name, parameters)
        return parameters

    return provoke


def _taken_thing(w: World) -> str:
    w.client.associate_wireless_device_with_thing(Id=w.new_device(), ThingArn=w.thing_arn)
    return w.thing_arn


def _certificate_of_another(w: World) -> Mapping[str, Any]:
    w.client.associate_wireless_gateway_with_certificate(
        Id=w.new_gateway(), IotCertificateId=w.certificate
    )
    return dict(Id=w.gateway, IotCertificateId=w.certificate)


def _used(w: World, kind: str) -> Mapping[str, Any]:
    name = getattr(w, kind)
    w.new_device(**{kind: name})
    return {"Name" if kind == "destination" else "Id": name}


def _group_of_task(w: World) -> str:
    """It has a device that knows its keys no more than the task has begun."""
    w.client.start_fuota_task(Id=w.task_with_group, LoRaWAN=w.start())
    return w.group


def _many_tags(w: World) -> Mapping[str, Any]:
    asked = dict(CASES["iotwireless", "TagResource"](w).parameters)
    w.client.tag_resource(**asked | {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(50)]})
    return asked


def _many_rule_tags(w: World) -> Mapping[str, Any]:
    asked = dict(CASES["iot", "TagResource"](w).parameters)
    w.iot.tag_resource(**asked | {"tags": [{"Key": f"k{n}", "Value": "v"} for n in range(50)]})
    return asked


def _many_versions(w: World) -> Mapping[str, Any]:
    for _ in range(4):
        w.iot.create_policy_version(policyName=w.policy, policyDocument=POLICY)
    return dict(policyName=w.policy, policyDocument=POLICY)


def _attach_many(w: World, member: str) -> Mapping[str, Any]:
    for _ in range(10):
        w.iot.attach_policy(policyName=w.new_policy(), target=w.certificate_arn)
    return {"policyName": w.policy, member: w.certificate_arn}


def _policy_of_certificate(w: World) -> Mapping[str, Any]:
    w.iot.attach_policy(policyName=w.policy, target=w.certificate_arn)
    w.iot.update_certificate(certificateId=w.certificate, newStatus="INACTIVE")
    return dict(certificateId=w.certificate)


def _revoked(w: World) -> Mapping[str, Any]:
    w.iot.update_certificate(certificateId=w.certificate, newStatus="REVOKED")
    return dict(certificateId=w.certificate, newStatus="ACTIVE")


def _same_pem(w: World) -> Mapping[str, Any]:
    pem = w.foreign_pem()
    w.iot.register_certificate_without_ca(certificatePem=pem)
    return dict(certificatePem=pem)


WIRELESS: Mapping[tuple[str, str], Provoke] = {
    ("CreateDestination", CONFLICT): _again(("iotwireless", "CreateDestination")),
    ("DeleteDestination", CONFLICT): lambda w: _used(w, "destination"),
    ("DeleteDeviceProfile", CONFLICT): lambda w: _used(w, "device_profile"),
    ("DeleteServiceProfile", CONFLICT): lambda w: _used(w, "service_profile"),
    ("CreateWirelessDevice", CONFLICT): _again(("iotwireless", "CreateWirelessDevice")),
    ("CreateWirelessGateway", CONFLICT): _again(("iotwireless", "CreateWirelessGateway")),
    ("CreateWirelessGatewayTask", CONFLICT): _again(("iotwireless", "CreateWirelessGatewayTask")),
    ("AssociateWirelessGatewayWithCertificate", CONFLICT): _certificate_of_another,
    ("AssociateWirelessDeviceWithThing", CONFLICT): lambda w: dict(
        Id=w.device, ThingArn=_taken_thing(w)
    ),
    ("AssociateWirelessGatewayWithThing", CONFLICT): lambda w: dict(
        Id=w.gateway, ThingArn=_taken_thing(w)
    ),
    ("UpdateMulticastGroup", CONFLICT): lambda w: dict(Id=w.group_in_session, Name="other"),
    ("StartMulticastGroupSession", CONFLICT): lambda w: dict(
        Id=_group_of_task(w), LoRaWAN=w.session()
    ),
    ("CancelMulticastGroupSession", CONFLICT): lambda w: dict(Id=_group_of_task(w)),
    ("AssociateWirelessDeviceWithMulticastGroup", CONFLICT): lambda w: dict(
        Id=w.group_in_session, WirelessDeviceId=w.device
    ),
    ("StartFuotaTask", CONFLICT): lambda w: dict(Id=w.started_task, LoRaWAN=w.start()),
    ("UpdateFuotaTask", CONFLICT): lambda w: dict(Id=w.started_task, Name="other"),
    ("AssociateWirelessDeviceWithFuotaTask", CONFLICT): lambda w: dict(
        Id=w.started_task, WirelessDeviceId=w.new_device()
    ),
    ("DisassociateWirelessDeviceFromFuotaTask", CONFLICT): lambda w: dict(
        Id=w.started_task, WirelessDeviceId=w.device
    ),
    ("AssociateMulticastGroupWithFuotaTask", CONFLICT): lambda w: dict(
        Id=w.started_task, MulticastGroupId=w.group
    ),
    ("DisassociateMulticastGroupFromFuotaTask", CONFLICT): lambda w: dict(
        MulticastGroupId=_group_of_task(w), Id=w.task_with_group
    ),
    ("TagResource", "TooManyTagsException"): _many_tags,
    ("CreateNetworkAnalyzerConfiguration", CONFLICT): _again(
        ("iotwireless", "CreateNetworkAnalyzerConfiguration")
    ),
    ("CreateMulticastGroup", NOT_FOUND): lambda w: dict(
        LoRaWAN={
            "RfRegion": "EU868",
            "DlClass": "ClassC",
            "ParticipatingGateways": {"GatewayList": ["nobody"], "TransmissionInterval": 1000},
        }
    ),
}

IOT: Mapping[tuple[str, str], Provoke] = {
    ("RegisterCertificateWithoutCA", "ResourceAlreadyExistsException"): _same_pem,
    ("RegisterCertificateWithoutCA", "CertificateValidationException"): lambda w: dict(
        certificatePem="no certificate"
    ),
    ("RegisterCertificateWithoutCA", "CertificateStateException"): lambda w: dict(
        certificatePem=w.foreign_pem(), status="REVOKED"
    ),
    ("UpdateCertificate", "CertificateStateException"): _revoked,
    ("DeleteCertificate", "CertificateStateException"): lambda w: dict(certificateId=w.certificate),
    ("DeleteCertificate", "DeleteConflictException"): _policy_of_certificate,
    ("CreateThing", "ResourceAlreadyExistsException"): lambda w: dict(
        thingName=w.thing, attributePayload={"attributes": {"a": "b"}}
    ),
    ("UpdateThing", "VersionConflictException"): lambda w: dict(
        thingName=w.thing, expectedVersion=99, attributePayload={"attributes": {"a": "b"}}
    ),
    ("DeleteThing", "VersionConflictException"): lambda w: dict(
        thingName=w.thing, expectedVersion=99
    ),
    ("CreatePolicy", "MalformedPolicyException"): lambda w: dict(
        policyName="new", policyDocument="{}"
    ),
    ("CreatePolicy", "ResourceAlreadyExistsException"): lambda w: dict(
        policyName=w.policy, policyDocument=POLICY
    ),
    ("CreatePolicyVersion", "MalformedPolicyException"): lambda w: dict(
        policyName=w.policy, policyDocument="{}"
    ),
    ("CreatePolicyVersion", "VersionsLimitExceededException"): _many_versions,
    ("DeletePolicy", "DeleteConflictException"): lambda w: dict(policyName=w.attached_policy),
    ("DeletePolicyVersion", "DeleteConflictException"): lambda w: dict(
        policyName=w.policy, policyVersionId="1"
    ),
    ("AttachPolicy", "LimitExceededException"): lambda w: _attach_many(w, "target"),
    ("AttachPrincipalPolicy", "LimitExceededException"): lambda w: _attach_many(w, "principal"),
    ("CreateTopicRule", "ResourceAlreadyExistsException"): lambda w: dict(
        ruleName=w.rule, topicRulePayload=RULE
    ),
    ("CreateTopicRule", "SqlParseException"): lambda w: dict(
        ruleName="new", topicRulePayload=RULE | {"sql": "SELECT"}
    ),
    ("ReplaceTopicRule", "SqlParseException"): lambda w: dict(
        ruleName=w.rule, topicRulePayload=RULE | {"sql": "SELECT"}
    ),
    ("TagResource", "LimitExceededException"): _many_rule_tags,
}


def _not_told(w: World, name: str) -> Mapping[str, Any]:
    """A broker of one's own does not say what it retains."""
    w.api.broker.tells_retained = False
    return CASES["iot-data", name](w).parameters


DATA: Mapping[tuple[str, str], Provoke] = {
    ("GetRetainedMessage", "MethodNotAllowedException"): lambda w: _not_told(
        w, "GetRetainedMessage"
    ),
    ("ListRetainedMessages", "MethodNotAllowedException"): lambda w: _not_told(
        w, "ListRetainedMessages"
    ),
    ("GetRetainedMessage", NOT_FOUND): lambda w: dict(topic="nothing/here"),
}

PROVOKED: Mapping[tuple[str, str, str], Provoke] = {
    (of, *key): provoke
    for of, table in (("iotwireless", WIRELESS), ("iot", IOT), ("iot-data", DATA))
    for key, provoke in table.items()
}
BY_NAME: Mapping[tuple[str, str], str] = {
    ("Publish", "MethodNotAllowedException"): "either broker takes what is published",
}
"""Reasons of single operations."""


def modelled() -> list[tuple[str, str, str]]:
    return [(*name, code) for name in ALL for code in model(name).errors]


def is_explained(of: str, name: str, code: str) -> bool:
    known = code in BY_TABLE or code in NEVER or (name, code) in BY_NAME
    return known or (of, name, code) in PROVOKED


def test_every_modelled_error_has_a_case_or_a_reason() -> None:
    assert [one for one in modelled() if not is_explained(*one)] == []


@pytest.mark.parametrize("case", sorted(PROVOKED), ids="-".join)
def test_it_is_told_with_the_status_of_the_model(world: World, case: tuple[str, str, str]) -> None:
    of, operation, code = case
    name = (of, operation)
    if name not in ALL:
        pytest.skip("it is not offered")
    parameters = PROVOKED[case](world)
    told = refusal(caller(world.api, name, EVERYTHING), name, parameters)
    assert (told.code, told.status) == (code, model(name).errors[code].status), told
    assert told.message


@each(ALL)
def test_a_fault_is_told_as_the_model_has_it_and_nothing_of_it(world: World, name: Name) -> None:
    async def fails(asked: Call, parameters: dict[str, Any]) -> None:
        raise RuntimeError("the database's password")

    front = Front({name: fails}, credentials, region="eu-west-1")
    request = signed(model(name), CASES[name](world).parameters)
    response = asyncio.run(front.answer(request, now=NOW, request_id="r-1"))
    told = understood(model(name), response)["Error"]
    assert response.status >= 500
    assert told["Code"] in INTERNAL
    assert told["Code"] in model(name).errors
    assert "password" not in told["Message"]


@each(ALL)
def test_what_the_shell_refuses_is_read_as_throttling(name: Name) -> None:
    """It refuses before it knows what was asked."""
    told = errors.answer(ApiError("ThrottlingException", "too many requests at once"), "r-1")
    assert understood(model(name), told)["Error"]["Code"] == "ThrottlingException"
    assert told.status == 429
