"""Gateways in the field, and their firmware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bittern.store.gateway_records import (
    FirmwareDefinition,
    FirmwareTask,
    GatewayState,
    StatePart,
)
from bittern.store.notes import Note
from bittern.types import GatewayEUI


class Fleet(Protocol):
    """What is known of gateways in the field. Nothing of it but `firmware` enters the changes."""

    async def gateway_state(self, gateway_eui: GatewayEUI) -> GatewayState:
        """Empty where nothing was ever seen."""
        ...

    async def gateway_states(
        self, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[tuple[GatewayEUI, GatewayState]]:
        """Of gateways that were seen, in order of EUI, those behind `after`."""
        ...

    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None:
        """Replace one part. Raises `NotFound` without its gateway."""
        ...

    async def add_firmware(
        self, definition: FirmwareDefinition, *, notes: Sequence[Note] = ()
    ) -> None:
        """Raises `Conflict` for a taken id."""
        ...

    async def firmware(self, definition_id: str) -> FirmwareDefinition | None: ...
    async def firmware_definitions(self, account: str) -> list[FirmwareDefinition]:
        """In order of their making."""
        ...

    async def remove_firmware(self, definition_id: str) -> None:
        """Raises `NotFound`, and `Conflict` while a task that has not ended names it.

        Tasks that have ended stay.
        """
        ...

    async def add_firmware_task(self, task: FirmwareTask) -> None:
        """Raises `NotFound` without gateway or definition, `Conflict` while it has a task,
        be it one that has ended."""
        ...

    async def firmware_task(self, gateway_eui: GatewayEUI) -> FirmwareTask | None: ...
    async def firmware_tasks(self, definition_id: str) -> list[FirmwareTask]:
        """In order of gateway EUI."""
        ...

    async def replace_firmware_task(self, before: FirmwareTask, after: FirmwareTask) -> bool:
        """Compare and set; False where the task is no longer `before`.

        Gateway, account and definition of a task never change.
        """
        ...

    async def remove_firmware_task(self, gateway_eui: GatewayEUI) -> None:
        """Raises `NotFound`."""
        ...
