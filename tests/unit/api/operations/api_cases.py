"""One request of every operation that is offered, which succeeds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from api_world import (
    POLICY,
    POSITION,
    ROLE,
    RULE,
    UPDATE,
    World,
    iot_arn,
    request_pem,
    wireless_arn,
)

NOT_FOUND = "ResourceNotFoundException"
UNAUTHORIZED = "UnauthorizedException"
OWN = ""
"""Another account is answered about its own affairs."""


@dataclass(frozen=True)
class Asked:
    """A request that succeeds."""

    parameters: Mapping[str, Any]
    resource: str = "*"
    """The ARN by which a policy allows it; ``*``: it names nothing that is there, or not by what
    a policy knows."""
    foreign: str = NOT_FOUND
    """What another account is told that asks the same."""
    beside: tuple[str, ...] = ()
    """Further ARNs that the same request is about."""


def own(**parameters: Any) -> Asked:
    """About the whole account, or something that is new."""
    return Asked(parameters, foreign=OWN)


def wireless(rest: str, *beside: str, **parameters: Any) -> Asked:
    return Asked(parameters, wireless_arn(rest), beside=beside)


def iot(rest: str, *beside: str, foreign: str = NOT_FOUND, **parameters: Any) -> Asked:
    return Asked(parameters, iot_arn(rest), foreign, beside)


DESTINATION = dict(
    Name="new", ExpressionType="MqttTopic", Expression="plant/up", RoleArn=f"{ROLE}/x"
)
BULK = dict(QueryString="DeviceName: pump")


def _leveled(w: World, device: str, **more: Any) -> Asked:
    of_device = dict(ResourceIdentifier=device, ResourceType="WirelessDevice")
    return wireless(f"WirelessDevice/{device}", **of_device, **more)


def _events(w: World, **more: Any) -> Asked:
    named = dict(Identifier=w.device, IdentifierType="WirelessDeviceId")
    return wireless(f"WirelessDevice/{w.device}", **named, **more)


def _position(w: World, gateway: str, **more: Any) -> Asked:
    named = dict(ResourceIdentifier=gateway, ResourceType="WirelessGateway")
    return wireless(f"WirelessGateway/{gateway}", **named, **more)


def _tagged(w: World, **more: Any) -> Asked:
    arn = wireless_arn(f"WirelessGateway/{w.gateway}")
    return Asked(dict(ResourceArn=arn, **more), arn)


def _tagged_rule(w: World, **more: Any) -> Asked:
    return Asked(dict(resourceArn=iot_arn(f"rule/{w.rule}"), **more))


Case = Callable[[World], Asked]

_DESTINATIONS: Mapping[str, Case] = {
    "CreateDestination": lambda w: own(**DESTINATION),
    "GetDestination": lambda w: wireless(f"Destination/{w.destination}", Name=w.destination),
    "ListDestinations": lambda w: own(),
    "UpdateDestination": lambda w: wireless(
        f"Destination/{w.destination}", Name=w.destination, Description="other"
    ),
    "DeleteDestination": lambda w: wireless(f"Destination/{w.destination}", Name=w.destination),
}

_PROFILES: Mapping[str, Case] = {
    "CreateDeviceProfile": lambda w: own(LoRaWAN={"MacVersion": "1.0.3", "RfRegion": "EU868"}),
    "GetDeviceProfile": lambda w: wireless(f"DeviceProfile/{w.device_profile}",
                                           Id=w.device_profile),
    "ListDeviceProfiles": lambda w: own(),
    "DeleteDeviceProfile": lambda w: wireless(f"DeviceProfile/{w.device_profile}",
                                              Id=w.device_profile),
    "CreateServiceProfile": lambda w: own(Name="basic"),
    "GetServiceProfile": lambda w: wireless(f"ServiceProfile/{w.service_profile}",
                                            Id=w.service_profile),
    "ListServiceProfiles": lambda w: own(),
    "DeleteServiceProfile": lambda w: wireless(f"ServiceProfile/{w.service_profile}",
                                               Id=w.service_profile),
}  # fmt: skip

_DEVICES: Mapping[str, Case] = {
    "CreateWirelessDevice": lambda w: Asked(w.new_device_parameters()),
    "GetWirelessDevice": lambda w: wireless(
        f"WirelessDevice/{w.device}", Identifier=w.device, IdentifierType="WirelessDeviceId"
    ),
    "ListWirelessDevices": lambda w: own(),
    "UpdateWirelessDevice": lambda w: wireless(
        f"WirelessDevice/{w.device}", Id=w.device, Name="pump"
    ),
    "DeleteWirelessDevice": lambda w: wireless(f"WirelessDevice/{w.device}", Id=w.device),
    "GetWirelessDeviceStatistics": lambda w: wireless(
        f"WirelessDevice/{w.device}", WirelessDeviceId=w.device
    ),
    "TestWirelessDevice": lambda w: wireless(f"WirelessDevice/{w.device}", Id=w.device),
    "SendDataToWirelessDevice": lambda w: wireless(
        f"WirelessDevice/{w.device}", **w.data(w.device)
    ),
    "ListQueuedMessages": lambda w: wireless(f"WirelessDevice/{w.device}", Id=w.device),
    "DeleteQueuedMessages": lambda w: wireless(
        f"WirelessDevice/{w.device}", Id=w.device, MessageId=w.queued
    ),
    "AssociateWirelessDeviceWithThing": lambda w: wireless(
        f"WirelessDevice/{w.device}", w.thing_arn, Id=w.device, ThingArn=w.thing_arn
    ),
    "DisassociateWirelessDeviceFromThing": lambda w: wireless(
        f"WirelessDevice/{w.device}", Id=w.device
    ),
}

_GATEWAYS: Mapping[str, Case] = {
    "CreateWirelessGateway": lambda w: own(**w.new_gateway_parameters()),
    "GetWirelessGateway": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", Identifier=w.gateway, IdentifierType="WirelessGatewayId"
    ),
    "ListWirelessGateways": lambda w: own(),
    "UpdateWirelessGateway": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", Id=w.gateway, Name="roof"
    ),
    "DeleteWirelessGateway": lambda w: wireless(f"WirelessGateway/{w.gateway}", Id=w.gateway),
    "GetWirelessGatewayStatistics": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", WirelessGatewayId=w.gateway
    ),
    "GetWirelessGatewayFirmwareInformation": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", Id=w.gateway
    ),
    "AssociateWirelessGatewayWithCertificate": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", Id=w.gateway, IotCertificateId=w.certificate
    ),
    "DisassociateWirelessGatewayFromCertificate": lambda w: wireless(
        f"WirelessGateway/{w.gateway_with_certificate}", Id=w.gateway
    ),
    "GetWirelessGatewayCertificate": lambda w: wireless(
        f"WirelessGateway/{w.gateway_with_certificate}", Id=w.gateway
    ),
    "AssociateWirelessGatewayWithThing": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", w.thing_arn, Id=w.gateway, ThingArn=w.thing_arn
    ),
    "DisassociateWirelessGatewayFromThing": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", Id=w.gateway
    ),
    "CreateWirelessGatewayTaskDefinition": lambda w: own(AutoCreateTasks=False, Update=UPDATE),
    "GetWirelessGatewayTaskDefinition": lambda w: wireless(
        f"WirelessGatewayTaskDefinition/{w.definition}", Id=w.definition
    ),
    "ListWirelessGatewayTaskDefinitions": lambda w: own(),
    "DeleteWirelessGatewayTaskDefinition": lambda w: wireless(
        f"WirelessGatewayTaskDefinition/{w.definition}", Id=w.definition
    ),
    "CreateWirelessGatewayTask": lambda w: wireless(
        f"WirelessGateway/{w.gateway}", Id=w.gateway, WirelessGatewayTaskDefinitionId=w.definition
    ),
    "GetWirelessGatewayTask": lambda w: wireless(
        f"WirelessGateway/{w.gateway_with_task}", Id=w.gateway
    ),
    "DeleteWirelessGatewayTask": lambda w: wireless(
        f"WirelessGateway/{w.gateway_with_task}", Id=w.gateway
    ),
    "GetServiceEndpoint": lambda w: own(ServiceType="LNS"),
}

_MULTICAST: Mapping[str, Case] = {
    "CreateMulticastGroup": lambda w: own(LoRaWAN={"RfRegion": "EU868", "DlClass": "ClassC"}),
    "GetMulticastGroup": lambda w: wireless(f"MulticastGroup/{w.group}", Id=w.group),
    "ListMulticastGroups": lambda w: own(),
    "UpdateMulticastGroup": lambda w: wireless(f"MulticastGroup/{w.group}", Id=w.group, Name="a"),
    "DeleteMulticastGroup": lambda w: wireless(f"MulticastGroup/{w.group}", Id=w.group),
    "AssociateWirelessDeviceWithMulticastGroup": lambda w: wireless(
        f"MulticastGroup/{w.group}",
        wireless_arn(f"WirelessDevice/{w.device}"),
        Id=w.group,
        WirelessDeviceId=w.device,
    ),
    "DisassociateWirelessDeviceFromMulticastGroup": lambda w: wireless(
        f"MulticastGroup/{w.group_with_device}",
        wireless_arn(f"WirelessDevice/{w.device}"),
        Id=w.group,
        WirelessDeviceId=w.device,
    ),
    "StartBulkAssociateWirelessDeviceWithMulticastGroup": lambda w: wireless(
        f"MulticastGroup/{w.group}", Id=w.group, **BULK
    ),
    "StartBulkDisassociateWirelessDeviceFromMulticastGroup": lambda w: wireless(
        f"MulticastGroup/{w.group}", Id=w.group, **BULK
    ),
    "StartMulticastGroupSession": lambda w: wireless(
        f"MulticastGroup/{w.group}", Id=w.group, LoRaWAN=w.session()
    ),
    "GetMulticastGroupSession": lambda w: wireless(
        f"MulticastGroup/{w.group_in_session}", Id=w.group
    ),
    "CancelMulticastGroupSession": lambda w: wireless(
        f"MulticastGroup/{w.group_in_session}", Id=w.group
    ),
    "SendDataToMulticastGroup": lambda w: wireless(
        f"MulticastGroup/{w.group}",
        Id=w.group,
        PayloadData="AQI=",
        WirelessMetadata={"LoRaWAN": {"FPort": 10}},
    ),
}

_FUOTA: Mapping[str, Case] = {
    "CreateFuotaTask": lambda w: own(FirmwareUpdateImage="s3://images/a", FirmwareUpdateRole=ROLE),
    "GetFuotaTask": lambda w: wireless(f"FuotaTask/{w.task}", Id=w.task),
    "ListFuotaTasks": lambda w: own(),
    "UpdateFuotaTask": lambda w: wireless(f"FuotaTask/{w.task}", Id=w.task, Name="spring"),
    "DeleteFuotaTask": lambda w: wireless(f"FuotaTask/{w.task}", Id=w.task),
    "StartFuotaTask": lambda w: wireless(
        f"FuotaTask/{w.task_with_device}", Id=w.task, LoRaWAN=w.start()
    ),
    "AssociateWirelessDeviceWithFuotaTask": lambda w: wireless(
        f"FuotaTask/{w.task}",
        wireless_arn(f"WirelessDevice/{w.device}"),
        Id=w.task,
        WirelessDeviceId=w.device,
    ),
    "DisassociateWirelessDeviceFromFuotaTask": lambda w: wireless(
        f"FuotaTask/{w.task_with_device}",
        wireless_arn(f"WirelessDevice/{w.device}"),
        Id=w.task,
        WirelessDeviceId=w.device,
    ),
    "AssociateMulticastGroupWithFuotaTask": lambda w: wireless(
        f"FuotaTask/{w.task}",
        wireless_arn(f"MulticastGroup/{w.group}"),
        Id=w.task,
        MulticastGroupId=w.group,
    ),
    "DisassociateMulticastGroupFromFuotaTask": lambda w: wireless(
        f"FuotaTask/{w.task_with_group}",
        wireless_arn(f"MulticastGroup/{w.group}"),
        Id=w.task_with_group,
        MulticastGroupId=w.group,
    ),
    "ListMulticastGroupsByFuotaTask": lambda w: wireless(f"FuotaTask/{w.task}", Id=w.task),
}

_AROUND: Mapping[str, Case] = {
    "GetLogLevelsByResourceTypes": lambda w: own(),
    "UpdateLogLevelsByResourceTypes": lambda w: own(DefaultLogLevel="INFO"),
    "GetResourceLogLevel": lambda w: _leveled(w, w.leveled_device),
    "PutResourceLogLevel": lambda w: _leveled(w, w.device, LogLevel="INFO"),
    "ResetResourceLogLevel": lambda w: _leveled(w, w.leveled_device),
    "ResetAllResourceLogLevels": lambda w: own(),
    "GetEventConfigurationByResourceTypes": lambda w: own(),
    "UpdateEventConfigurationByResourceTypes": lambda w: own(
        Join={"LoRaWAN": {"WirelessDeviceEventTopic": "Enabled"}}
    ),
    "GetResourceEventConfiguration": _events,
    "UpdateResourceEventConfiguration": lambda w: _events(
        w, Join={"LoRaWAN": {"DevEuiEventTopic": "Enabled"}}
    ),
    "ListEventConfigurations": lambda w: own(ResourceType="WirelessDevice"),
    "TagResource": lambda w: _tagged(w, Tags=[{"Key": "site", "Value": "north"}]),
    "UntagResource": lambda w: _tagged(w, TagKeys=["site"]),
    "ListTagsForResource": _tagged,
    "CreateNetworkAnalyzerConfiguration": lambda w: own(Name="new"),
    "GetNetworkAnalyzerConfiguration": lambda w: wireless(
        f"NetworkAnalyzerConfiguration/{w.analyzer}", ConfigurationName=w.analyzer
    ),
    "ListNetworkAnalyzerConfigurations": lambda w: own(),
    "UpdateNetworkAnalyzerConfiguration": lambda w: wireless(
        f"NetworkAnalyzerConfiguration/{w.analyzer}",
        ConfigurationName=w.analyzer,
        Description="of the roof",
    ),
    "DeleteNetworkAnalyzerConfiguration": lambda w: wireless(
        f"NetworkAnalyzerConfiguration/{w.analyzer}", ConfigurationName=w.analyzer
    ),
    "GetMetricConfiguration": lambda w: own(),
    "UpdateMetricConfiguration": lambda w: own(SummaryMetric={"Status": "Enabled"}),
    "GetMetrics": lambda w: own(SummaryMetricQueries=w.queries()),
    "GetResourcePosition": lambda w: _position(w, w.positioned),
    "UpdateResourcePosition": lambda w: _position(w, w.gateway, GeoJsonPayload=POSITION),
}

_CERTIFICATES: Mapping[str, Case] = {
    "DescribeEndpoint": lambda w: own(endpointType="iot:Data-ATS"),
    "CreateKeysAndCertificate": lambda w: own(setAsActive=True),
    "CreateCertificateFromCsr": lambda w: own(certificateSigningRequest=request_pem()),
    "RegisterCertificateWithoutCA": lambda w: own(certificatePem=w.foreign_pem()),
    "DescribeCertificate": lambda w: iot(f"cert/{w.certificate}", certificateId=w.certificate),
    "ListCertificates": lambda w: own(),
    "UpdateCertificate": lambda w: iot(
        f"cert/{w.certificate}", certificateId=w.certificate, newStatus="INACTIVE"
    ),
    "DeleteCertificate": lambda w: (
        w.iot.update_certificate(certificateId=w.certificate, newStatus="INACTIVE"),
        iot(f"cert/{w.certificate}", certificateId=w.certificate),
    )[1],
}

_THINGS: Mapping[str, Case] = {
    "CreateThing": lambda w: iot("thing/new", foreign=OWN, thingName="new"),
    "DescribeThing": lambda w: iot(f"thing/{w.thing}", thingName=w.thing),
    "ListThings": lambda w: own(),
    "UpdateThing": lambda w: iot(
        f"thing/{w.thing}", thingName=w.thing, attributePayload={"attributes": {"a": "b"}}
    ),
    # Deleting what is not there succeeds.
    "DeleteThing": lambda w: iot(f"thing/{w.thing}", foreign=OWN, thingName=w.thing),
    "AttachThingPrincipal": lambda w: iot(
        f"thing/{w.thing}", w.certificate_arn, thingName=w.thing, principal=w.certificate_arn
    ),
    "DetachThingPrincipal": lambda w: iot(
        f"thing/{w.thing_with_principal}",
        w.certificate_arn,
        thingName=w.thing,
        principal=w.certificate_arn,
    ),
    "ListThingPrincipals": lambda w: iot(f"thing/{w.thing}", thingName=w.thing),
    "ListThingPrincipalsV2": lambda w: iot(f"thing/{w.thing}", thingName=w.thing),
    "ListPrincipalThings": lambda w: Asked(dict(principal=w.certificate_arn)),
    "ListPrincipalThingsV2": lambda w: Asked(dict(principal=w.certificate_arn)),
}

_POLICIES: Mapping[str, Case] = {
    "CreatePolicy": lambda w: iot(
        "policy/new", foreign=OWN, policyName="new", policyDocument=POLICY
    ),
    "GetPolicy": lambda w: iot(f"policy/{w.policy}", policyName=w.policy),
    "ListPolicies": lambda w: own(),
    "DeletePolicy": lambda w: iot(f"policy/{w.policy}", policyName=w.policy),
    "CreatePolicyVersion": lambda w: iot(
        f"policy/{w.policy}", policyName=w.policy, policyDocument=POLICY
    ),
    "GetPolicyVersion": lambda w: iot(
        f"policy/{w.policy}", policyName=w.policy, policyVersionId="1"
    ),
    "ListPolicyVersions": lambda w: iot(f"policy/{w.policy}", policyName=w.policy),
    "DeletePolicyVersion": lambda w: iot(
        f"policy/{w.policy}", policyName=w.policy, policyVersionId=w.policy_version
    ),
    "SetDefaultPolicyVersion": lambda w: iot(
        f"policy/{w.policy}", policyName=w.policy, policyVersionId=w.policy_version
    ),
    "AttachPolicy": lambda w: iot(
        f"policy/{w.policy}", w.certificate_arn, policyName=w.policy, target=w.certificate_arn
    ),
    "DetachPolicy": lambda w: iot(
        f"policy/{w.attached_policy}",
        w.certificate_arn,
        foreign="InvalidRequestException",
        policyName=w.policy,
        target=w.certificate_arn,
    ),
    "ListAttachedPolicies": lambda w: iot(f"cert/{w.certificate}", target=w.certificate_arn),
    "ListTargetsForPolicy": lambda w: iot(f"policy/{w.policy}", policyName=w.policy),
    "AttachPrincipalPolicy": lambda w: iot(
        f"policy/{w.policy}", w.certificate_arn, policyName=w.policy, principal=w.certificate_arn
    ),
    "DetachPrincipalPolicy": lambda w: iot(
        f"policy/{w.attached_policy}",
        w.certificate_arn,
        policyName=w.policy,
        principal=w.certificate_arn,
    ),
    "ListPrincipalPolicies": lambda w: Asked(dict(principal=w.certificate_arn)),
    "ListPolicyPrincipals": lambda w: Asked(dict(policyName=w.policy)),
}

_RULES: Mapping[str, Case] = {
    "CreateTopicRule": lambda w: iot(
        "rule/new", foreign=OWN, ruleName="new", topicRulePayload=RULE
    ),
    "GetTopicRule": lambda w: iot(f"rule/{w.rule}", foreign=UNAUTHORIZED, ruleName=w.rule),
    "ListTopicRules": lambda w: own(),
    "ReplaceTopicRule": lambda w: iot(
        f"rule/{w.rule}", foreign=UNAUTHORIZED, ruleName=w.rule, topicRulePayload=RULE
    ),
    "EnableTopicRule": lambda w: iot(f"rule/{w.rule}", foreign=UNAUTHORIZED, ruleName=w.rule),
    "DisableTopicRule": lambda w: iot(f"rule/{w.rule}", foreign=UNAUTHORIZED, ruleName=w.rule),
    # Deleting what is not there succeeds.
    "DeleteTopicRule": lambda w: iot(f"rule/{w.rule}", foreign=OWN, ruleName=w.rule),
    "TagResource": lambda w: _tagged_rule(w, tags=[{"Key": "site", "Value": "north"}]),
    "UntagResource": lambda w: _tagged_rule(w, tagKeys=["site"]),
    "ListTagsForResource": _tagged_rule,
}

_DATA: Mapping[str, Case] = {
    "Publish": lambda w: iot(
        "topic/plant/up", foreign=UNAUTHORIZED, topic="plant/up", payload=b"on"
    ),
    "GetRetainedMessage": lambda w: iot(
        f"topic/{w.retained}", foreign=UNAUTHORIZED, topic=w.retained
    ),
    "ListRetainedMessages": lambda w: Asked({}, foreign=UNAUTHORIZED),
}

CASES: Mapping[tuple[str, str], Case] = {
    **{
        ("iotwireless", name): case
        for family in (_DESTINATIONS, _PROFILES, _DEVICES, _GATEWAYS, _MULTICAST, _FUOTA, _AROUND)
        for name, case in family.items()
    },
    **{
        ("iot", name): case
        for family in (_CERTIFICATES, _THINGS, _POLICIES, _RULES)
        for name, case in family.items()
    },
    **{("iot-data", name): case for name, case in _DATA.items()},
}

REFUSED_YET: Mapping[tuple[str, str], str] = {
    ("iotwireless", "SendDataToMulticastGroup"): "ValidationException",
}
"""Those that nobody is granted, by what they answer: nothing is transmitted to groups."""
