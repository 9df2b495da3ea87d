"""Which resource a request is about, as an ARN, so that a policy can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from bittern.api.model import Operation, location, wire_name
from bittern.api.policy import ANY_RESOURCE
from bittern.api.router import Route

_BY_PATH: Mapping[tuple[str, str], str] = {
    ("iotwireless", "wireless-devices"): "WirelessDevice/",
    ("iotwireless", "wireless-gateways"): "WirelessGateway/",
    ("iotwireless", "wireless-gateway-task-definitions"): "WirelessGatewayTaskDefinition/",
    ("iotwireless", "device-profiles"): "DeviceProfile/",
    ("iotwireless", "service-profiles"): "ServiceProfile/",
    ("iotwireless", "destinations"): "Destination/",
    ("iotwireless", "multicast-groups"): "MulticastGroup/",
    ("iotwireless", "fuota-tasks"): "FuotaTask/",
    ("iotwireless", "network-analyzer-configurations"): "NetworkAnalyzerConfiguration/",
    ("iotwireless", "partner-accounts"): "SidewalkAccount/",
    ("iotwireless", "wireless_device_import_task"): "ImportTask/",
    ("iot", "things"): "thing/",
    ("iot", "certificates"): "cert/",
    ("iot", "cacertificate"): "cacert/",
    ("iot", "policies"): "policy/",
    ("iot", "target-policies"): "policy/",
    ("iot", "policy-targets"): "policy/",
    ("iot", "principal-policies"): "policy/",
    ("iot", "rules"): "rule/",
    ("iot-data", "topics"): "topic/",
    ("iot-data", "retainedMessage"): "topic/",
    ("iot-data", "things"): "thing/",
}
"""What the first label names, by service and first segment of the path."""

_BY_TYPE = frozenset({"event-configurations", "log-levels", "resource-positions", "positions"})
"""Whose label names a resource of the type that the query tells."""

_ARN_IN_PATH = frozenset({"attached-policies"})
"""Whose label is the ARN itself."""

_OWN_IDENTIFIERS = {
    "WirelessDeviceId": "WirelessDevice/",
    "WirelessGatewayId": "WirelessGateway/",
    "PartnerAccountId": "SidewalkAccount/",
}
_ARNS = frozenset({"resourceArn", "ResourceArn"})
_TYPES = frozenset({"WirelessDevice", "WirelessGateway", "FuotaTask"})


def arn(service: str, region: str, account: str, rest: str) -> str:
    """``arn:aws:iotwireless:eu-west-1:123456789012:WirelessDevice/…``."""
    return f"arn:aws:{service}:{region}:{account}:{rest}"


def resource_of(route: Route, region: str, account: str) -> str | None:
    """The ARN of what the request names; `ANY_RESOURCE` if it names nothing that exists.

    None if it names something otherwise (a device by its DevEUI, anything in its body): which one
    that is, only the operation finds out.
    """
    operation = route.operation
    if not route.labels:
        return _told(route, "resourceArn") or _without_a_name(operation)
    segment = operation.uri.split("/")[1]
    kind = _BY_PATH.get((operation.service.name, segment), "")
    if "identifierType" in _query_names(operation):
        kind = _OWN_IDENTIFIERS.get(_told(route, "identifierType") or "", "")
    elif segment in _BY_TYPE:
        told = _told(route, "resourceType")
        kind = f"{told}/" if told in _TYPES else ""
    if not kind and segment not in _ARN_IN_PATH:
        return None
    name = next(iter(route.labels.values()))
    if segment in _ARN_IN_PATH:
        return name
    return arn(operation.service.iam_prefix, region, account, kind + name)


def _without_a_name(operation: Operation) -> str | None:
    named = operation.input is not None and not _ARNS.isdisjoint(operation.input.members)
    return None if named else ANY_RESOURCE


def _told(route: Route, name: str) -> str | None:
    """From the query, if the operation has such a parameter: what it does not know it ignores, and
    so must not decide what it is allowed."""
    values = route.fields.get(name) if name in _query_names(route.operation) else None
    return values[0] if values else None


@cache
def _query_names(operation: Operation) -> frozenset[str]:
    members = operation.input.members.items() if operation.input is not None else ()
    return frozenset(
        wire_name(name, shape) for name, shape in members if location(shape) == "querystring"
    )
