"""The port of gateways in the field in memory: a part of `MemoryStore`."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TypeVar

from bittern.errors import Conflict, NotFound
from bittern.store.gateway_codec import state_with
from bittern.store.gateway_records import (
    FirmwareDefinition,
    FirmwareTask,
    GatewayState,
    StatePart,
    is_same_task,
)
from bittern.store.notes import Note
from bittern.store.records import ChangeKind, Gateway
from bittern.types import GatewayEUI

Key = TypeVar("Key", bound=bytes)
Value = TypeVar("Value")


class MemoryFleet:
    """Whoever inherits it keeps the gateways and the change feed."""

    _gateways: dict[GatewayEUI, Gateway]

    def __init__(self) -> None:
        self._states: dict[GatewayEUI, GatewayState] = {}
        self._firmware: dict[str, FirmwareDefinition] = {}
        self._tasks: dict[GatewayEUI, FirmwareTask] = {}

    def _change(self, kind: ChangeKind, identity: object) -> None:
        raise NotImplementedError

    def _forget_gateway(self, gateway_eui: GatewayEUI) -> None:
        self._states.pop(gateway_eui, None)
        if self._tasks.pop(gateway_eui, None) is not None:
            self._change("firmware", gateway_eui)

    async def gateway_state(self, gateway_eui: GatewayEUI) -> GatewayState:
        return self._states.get(gateway_eui, GatewayState())

    async def gateway_states(
        self, after: GatewayEUI | None = None, limit: int = 250
    ) -> list[tuple[GatewayEUI, GatewayState]]:
        return page({eui: (eui, state) for eui, state in self._states.items()}, after, limit)

    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None:
        require_there(self._gateways, gateway_eui, "gateway", gateway_eui)
        before = self._states.get(gateway_eui, GatewayState())
        self._states[gateway_eui] = state_with(before, part)

    def _require_older(self, notes: Sequence[Note]) -> None:
        raise NotImplementedError

    def _keep_notes(self, notes: Sequence[Note]) -> None:
        raise NotImplementedError

    async def add_firmware(
        self, definition: FirmwareDefinition, *, notes: Sequence[Note] = ()
    ) -> None:
        self._require_older(notes)
        require_new(self._firmware, definition.id, "firmware definition", definition.id)
        self._keep_notes(notes)
        self._firmware[definition.id] = definition
        self._change("firmware", definition.id)

    async def firmware(self, definition_id: str) -> FirmwareDefinition | None:
        return self._firmware.get(definition_id)

    async def firmware_definitions(self, account: str) -> list[FirmwareDefinition]:
        return [one for one in self._firmware.values() if one.account == account]

    async def remove_firmware(self, definition_id: str) -> None:
        tasks = await self.firmware_tasks(definition_id)
        if any(task.status not in ("COMPLETED", "FAILED") for task in tasks):
            raise Conflict("firmware definition", definition_id, "is used by a task")
        require_there(self._firmware, definition_id, "firmware definition", definition_id)
        del self._firmware[definition_id]
        self._change("firmware", definition_id)

    async def add_firmware_task(self, task: FirmwareTask) -> None:
        eui, definition = task.gateway_eui, task.definition_id
        require_new(self._tasks, eui, "firmware task", eui)
        require_there(self._gateways, eui, "gateway", eui)
        require_there(self._firmware, definition, "firmware definition", definition)
        self._tasks[eui] = task
        self._change("firmware", eui)

    async def firmware_task(self, gateway_eui: GatewayEUI) -> FirmwareTask | None:
        return self._tasks.get(gateway_eui)

    async def firmware_tasks(self, definition_id: str) -> list[FirmwareTask]:
        tasks = (self._tasks[eui] for eui in sorted(self._tasks))
        return [task for task in tasks if task.definition_id == definition_id]

    async def replace_firmware_task(self, before: FirmwareTask, after: FirmwareTask) -> bool:
        assert is_same_task(before, after)
        if self._tasks.get(before.gateway_eui) != before:
            return False
        self._tasks[after.gateway_eui] = after
        self._change("firmware", after.gateway_eui)
        return True

    async def remove_firmware_task(self, gateway_eui: GatewayEUI) -> None:
        require_there(self._tasks, gateway_eui, "firmware task", gateway_eui)
        del self._tasks[gateway_eui]
        self._change("firmware", gateway_eui)


def page(values: dict[Key, Value], after: Key | None, limit: int) -> list[Value]:
    keys = sorted(key for key in values if after is None or key > after)
    return [values[key] for key in keys[:limit]]


def require_new(taken: Container[object], key: object, kind: str, identity: object) -> None:
    if key in taken:
        raise Conflict(kind, str(identity))


def require_there(known: Container[object], key: object, kind: str, identity: object) -> None:
    if key not in known:
        raise NotFound(kind, str(identity))
