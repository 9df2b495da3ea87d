"""Which operations of AWS's model are offered, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from bittern.api.model import service
from bittern.api.operations import offered

SIDEWALK = "Amazon Sidewalk is a network of Amazon's own; only LoRaWAN is served here"
WITHDRAWN = "AWS itself supports it no longer; GetResourcePosition took its place"
SOLVERS = "it needs the position solvers of AWS's partners"
NOT_YET = "this version does not have it"

_SIDEWALK = (
    "AssociateAwsAccountWithPartnerAccount",
    "DeleteWirelessDeviceImportTask",
    "DeregisterWirelessDevice",
    "DisassociateAwsAccountFromPartnerAccount",
    "GetPartnerAccount",
    "GetWirelessDeviceImportTask",
    "ListDevicesForWirelessDeviceImportTask",
    "ListPartnerAccounts",
    "ListWirelessDeviceImportTasks",
    "StartSingleWirelessDeviceImportTask",
    "StartWirelessDeviceImportTask",
    "UpdatePartnerAccount",
    "UpdateWirelessDeviceImportTask",
)
_WITHDRAWN = (
    "GetPosition",
    "GetPositionConfiguration",
    "ListPositionConfigurations",
    "PutPositionConfiguration",
    "UpdatePosition",
)
_NOT_YET = (
    "AssociateMulticastGroupWithFuotaTask",
    "AssociateWirelessDeviceWithFuotaTask",
    "AssociateWirelessDeviceWithMulticastGroup",
    "CancelMulticastGroupSession",
    "CreateFuotaTask",
    "CreateMulticastGroup",
    "CreateNetworkAnalyzerConfiguration",
    "DeleteFuotaTask",
    "DeleteMulticastGroup",
    "DeleteNetworkAnalyzerConfiguration",
    "DisassociateMulticastGroupFromFuotaTask",
    "DisassociateWirelessDeviceFromFuotaTask",
    "DisassociateWirelessDeviceFromMulticastGroup",
    "GetFuotaTask",
    "GetMetricConfiguration",
    "GetMetrics",
    "GetMulticastGroup",
    "GetMulticastGroupSession",
    "GetNetworkAnalyzerConfiguration",
    "GetResourcePosition",
    "ListFuotaTasks",
    "ListMulticastGroups",
    "ListMulticastGroupsByFuotaTask",
    "ListNetworkAnalyzerConfigurations",
    "SendDataToMulticastGroup",
    "StartBulkAssociateWirelessDeviceWithMulticastGroup",
    "StartBulkDisassociateWirelessDeviceFromMulticastGroup",
    "StartFuotaTask",
    "StartMulticastGroupSession",
    "UpdateFuotaTask",
    "UpdateMetricConfiguration",
    "UpdateMulticastGroup",
    "UpdateNetworkAnalyzerConfiguration",
    "UpdateResourcePosition",
)

NOT_OFFERED: Mapping[str, str] = {
    **dict.fromkeys(_SIDEWALK, SIDEWALK),
    **dict.fromkeys(_WITHDRAWN, WITHDRAWN),
    **dict.fromkeys(_NOT_YET, NOT_YET),
    "GetPositionEstimate": SOLVERS,
}
"""The reason, by operation of ``iotwireless``. Every other one is offered."""


class Coverage(msgspec.Struct, frozen=True):
    """What is true of one operation."""

    operation: str
    state: Literal["offered", "not offered"]
    reason: str = ""
    """Why it is not offered."""


def coverage() -> dict[str, list[Coverage]]:
    """Of every operation of ``iotwireless``, and of those of other services that are offered; by
    service, in order of name."""
    found: dict[str, list[Coverage]] = {}
    for of, name in sorted({*offered(), *(("iotwireless", each) for each in _every())}):
        found.setdefault(of, []).append(_of(of, name))
    return found


def _every() -> list[str]:
    return service("iotwireless").operation_names


def _of(of: str, name: str) -> Coverage:
    if (of, name) in offered():
        return Coverage(name, "offered")
    return Coverage(name, "not offered", NOT_OFFERED[name])
