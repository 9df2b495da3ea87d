"""``FPorts`` of a device: where it speaks the packages, and what else it speaks where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bittern.api.operations.common import Answer, present
from bittern.store.records import ApplicationPort, Ports

_PACKAGES = {"Fuota": "fuota", "Multicast": "multicast", "ClockSync": "clock_sync"}
_POSITIONING = {
    "ClockSync": "positioning_clock_sync",
    "Stream": "positioning_stream",
    "Gnss": "positioning_gnss",
}


def ports(given: Mapping[str, Any]) -> Ports:
    """Of a new device."""
    packages = {field: given[name] for name, field in _PACKAGES.items() if name in given}
    return changed(Ports(**packages), given)


def changed(before: Ports, given: Mapping[str, Any]) -> Ports:
    """Positioning and applications, each as a whole; the packages' ports never change."""
    fields: dict[str, Any] = {}
    if "Positioning" in given:
        told = given["Positioning"]
        fields = {field: told.get(name) for name, field in _POSITIONING.items()}
    if "Applications" in given:
        fields["applications"] = tuple(map(_application, given["Applications"]))
    return msgspec.structs.replace(before, **fields)


def document(ports: Ports) -> Answer:
    """Empty where nothing is known."""
    positioning = {name: getattr(ports, field) for name, field in _POSITIONING.items()}
    return present(
        **{name: getattr(ports, field) for name, field in _PACKAGES.items()},
        Positioning=present(**positioning),
        Applications=[_application_document(one) for one in ports.applications],
    )


def _application(given: Mapping[str, Any]) -> ApplicationPort:
    return ApplicationPort(
        fport=given.get("FPort"),
        type=given.get("Type", ""),
        destination=given.get("DestinationName", ""),
    )


def _application_document(port: ApplicationPort) -> Answer:
    return present(FPort=port.fport, Type=port.type, DestinationName=port.destination)
