"""Which operations of AWS's model are offered, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

import msgspec

from bittern.api import operations, whereabouts
from bittern.api.model import service

SIDEWALK = "Amazon Sidewalk is a network of Amazon's own; only LoRaWAN is served here"
WITHDRAWN = "AWS itself supports it no longer; GetResourcePosition took its place"
SOLVERS = "it needs the position solvers of AWS's partners"
NO_RADIO = "this version does not transmit to multicast groups"

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

REFUSED: Mapping[str, str] = {"SendDataToMulticastGroup": NO_RADIO}
"""Those that are not offered though they have a handler: it says so for a group that is there."""
NOT_OFFERED: Mapping[str, str] = {
    **REFUSED,
    **dict.fromkeys(_SIDEWALK, SIDEWALK),
    **dict.fromkeys(_WITHDRAWN, WITHDRAWN),
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
    for of, name in sorted({*_offered(), *(("iotwireless", each) for each in _every())}):
        found.setdefault(of, []).append(_of(of, name))
    return found


@cache
def _offered() -> frozenset[tuple[str, str]]:
    return frozenset({*operations.offered(), *whereabouts.handlers()})


def _every() -> list[str]:
    return service("iotwireless").operation_names


def _of(of: str, name: str) -> Coverage:
    if (of, name) in _offered() and not (of == "iotwireless" and name in REFUSED):
        return Coverage(name, "offered")
    return Coverage(name, "not offered", NOT_OFFERED[name])
