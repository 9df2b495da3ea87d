"""Updates of gateways as they are printed: for a person, and as JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from bittern.cli import output
from bittern.cli.gateway_set import all_gateways
from bittern.cli.gateway_text import STATUSES
from bittern.gateway import firmware
from bittern.gateway.firmware import Version
from bittern.store.gateway_records import (
    CupsContact,
    FirmwareDefinition,
    FirmwareTask,
)
from bittern.store.protocol import Store
from bittern.types import GatewayEUI

SHORT = 8
LISTED = 20


class Fleet(NamedTuple):
    """Gateways that a definition is for, as they last told CUPS what they run."""

    fitting: list[GatewayEUI]
    without_key: list[GatewayEUI]
    """Of these, those that could not check the image."""
    unheard: int
    """Gateways that never asked CUPS."""

    def document(self) -> dict[str, object]:
        return {
            "gateways": [str(eui) for eui in self.fitting],
            "gateways_without_key": [str(eui) for eui in self.without_key],
            "gateways_never_at_cups": self.unheard,
        }

    def told(self, definition: FirmwareDefinition) -> list[str]:
        effect = "get it" if definition.automatic else "may get it"
        lines = [
            f"gateways that {effect}, as they run {definition.current}: {_listed(self.fitting)}"
        ]
        if self.without_key:
            lines.append(
                f"of these without the key {definition.key_crc}, so they will fail:"
                f" {_listed(self.without_key)}"
            )
        if self.unheard:
            lines.append(f"gateways that never asked CUPS, so that nobody knows: {self.unheard}")
        return lines

    @classmethod
    async def read(cls, store: Store, definition: FirmwareDefinition) -> Fleet:
        fitting: list[GatewayEUI] = []
        without_key: list[GatewayEUI] = []
        unheard = 0
        for gateway in await all_gateways(store, definition.account):
            contact = (await store.gateway_state(gateway.gateway_eui)).cups
            if contact is None:
                unheard += 1
            elif firmware.matches(_reported(contact), definition.current):
                fitting.append(gateway.gateway_eui)
                if definition.key_crc not in contact.key_crcs:
                    without_key.append(gateway.gateway_eui)
        return cls(fitting, without_key, unheard)


def _listed(euis: list[GatewayEUI]) -> str:
    more = f" and {len(euis) - LISTED} more" if len(euis) > LISTED else ""
    names = " ".join(str(eui) for eui in euis[:LISTED])
    return f"{len(euis)} ({names}{more})" if euis else "none"


def doubts_of(definition: FirmwareDefinition, contact: CupsContact | None) -> list[str]:
    """Why the gateway may not get it."""
    if contact is None:
        return ["it has never asked CUPS, so nobody knows what it runs"]
    doubts = []
    reported, current = _reported(contact), definition.current
    if not firmware.matches(reported, current):
        doubts.append(f"it runs {reported}; the update is for {current}")
    if definition.key_crc not in contact.key_crcs:
        doubts.append(
            f"it had no key with CRC {definition.key_crc} when it last asked CUPS: without it in"
            " sig-0.key beside its station.conf the update fails"
        )
    return doubts


def counts_of(tasks: Iterable[FirmwareTask]) -> dict[str, int]:
    counts = {status: 0 for status in STATUSES}
    for task in tasks:
        counts[task.status] += 1
    return {status: count for status, count in counts.items() if count}


def named(definition: FirmwareDefinition) -> str:
    return definition.name or definition.id[:SHORT]


def _reported(contact: CupsContact) -> Version:
    return Version(package=contact.package, model=contact.model, station=contact.station)


def terms(definition: FirmwareDefinition) -> firmware.Definition:
    return firmware.Definition(
        current=definition.current,
        update=definition.update,
        key_crc=definition.key_crc,
    )


def definition_document(definition: FirmwareDefinition) -> dict[str, object]:
    document = msgspec.structs.asdict(definition)
    document["signature"] = base64.b64encode(definition.signature).decode("ascii")
    document["created_at"] = output.utc(definition.created_at)
    return document


def task_document(task: FirmwareTask) -> dict[str, object]:
    document = msgspec.structs.asdict(task)
    document["gateway_eui"] = str(task.gateway_eui)
    document["created_at"] = output.utc(task.created_at)
    document["changed_at"] = output.utc(task.changed_at)
    return document
