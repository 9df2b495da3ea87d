"""What becomes of a gateway's update when it asks CUPS.

The task of the gateway, or one made by an automatic definition; the step that it takes
(`gateway/firmware`); the image, checked; the step stored by compare-and-set; and only then the
image is given. So a gateway is never given an image of which nobody knows, and of two requests at
the same time one gets it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from bittern.errors import Conflict, ImageRejected, ImageUnavailable, NotFound
from bittern.gateway import firmware
from bittern.gateway.cups import CupsRequest
from bittern.gateway.firmware import AFTER_GIVING, FINAL, Step, Task, Version
from bittern.servers.cups import Image
from bittern.servers.cups_desk import Update
from bittern.store.gateway_records import FirmwareDefinition, FirmwareTask, Gift
from bittern.store.records import Gateway
from bittern.types import GatewayEUI, Instant

logger = logging.getLogger("bittern.servers.cups")

ATTEMPTS = 3
"""How often a step is decided anew because the task has changed meanwhile."""
_TIMES = {status: number for number, status in enumerate(AFTER_GIVING.values(), start=1)}


class FirmwareStore(Protocol):
    """What is used of the store."""

    async def firmware(self, definition_id: str) -> FirmwareDefinition | None: ...
    async def firmware_definitions(self, account: str) -> list[FirmwareDefinition]: ...
    async def add_firmware_task(self, task: FirmwareTask) -> None: ...
    async def firmware_task(self, gateway_eui: GatewayEUI) -> FirmwareTask | None: ...
    async def replace_firmware_task(self, before: FirmwareTask, after: FirmwareTask) -> bool: ...
    async def remove_firmware_task(self, gateway_eui: GatewayEUI) -> None: ...


class Images(Protocol):
    """Where images are; see `FirmwareImages`."""

    async def image(self, definition: FirmwareDefinition) -> Image: ...


class _Outcome(NamedTuple):
    """A step, and the image that goes with it."""

    step: Step
    image: Image | None = None


class FirmwareDesk:
    """One for a server."""

    def __init__(self, store: FirmwareStore, images: Images, *, now: Callable[[], Instant]) -> None:
        self._store = store
        self._images = images
        self._now = now
        self.statuses: Counter[str] = Counter()
        """How often a task came to each status."""

    async def update_for(
        self, gateway: Gateway, request: CupsRequest, earlier: Sequence[Gift]
    ) -> Update | str | None:
        """See `cups_desk.FirmwareDesk`. ``earlier`` is not needed: the task tells what was given.

        Raises `StoreError`.
        """
        reported = Version(package=request.package, model=request.model, station=request.station)
        for _ in range(ATTEMPTS):
            task = await self._task(gateway, reported)
            if task is None or task.status in FINAL:
                return None
            definition = await self._store.firmware(task.definition_id)
            outcome = await self._outcome(task, definition, reported, request.key_crcs)
            after = self._after(task, outcome.step)
            if after != task and not await self._store.replace_firmware_task(task, after):
                continue
            self._tell(task, after, given=outcome.step.give)
            if outcome.image is not None and definition is not None:
                return self._update(after, definition, outcome.image)
            return None if after.status == "COMPLETED" else after.reason or None
        return "the task has changed meanwhile"

    async def _task(self, gateway: Gateway, reported: Version) -> FirmwareTask | None:
        """That of the gateway. One that has ended makes place for that of another definition."""
        task = await self._store.firmware_task(gateway.gateway_eui)
        if task is not None and task.status not in FINAL:
            return task
        definition = await self._automatic(gateway.account, reported)
        if definition is None or (task is not None and task.definition_id == definition.id):
            return task
        now, eui = self._now(), gateway.gateway_eui
        made = FirmwareTask(
            account=gateway.account,
            gateway_eui=eui,
            definition_id=definition.id,
            created_at=now,
            changed_at=now,
        )
        try:
            if task is not None:
                await self._store.remove_firmware_task(eui)
            await self._store.add_firmware_task(made)
        except (Conflict, NotFound):
            return await self._store.firmware_task(eui)
        self.statuses[made.status] += 1
        logger.info("gateway=%s update=%s status=%s automatic", eui, definition.id, made.status)
        return made

    async def _automatic(self, account: str, reported: Version) -> FirmwareDefinition | None:
        """The newest for such a gateway: of two that fit, one would undo what the other did."""
        definitions = await self._store.firmware_definitions(account)
        fitting = [
            one
            for one in definitions
            if one.automatic
            and firmware.matches(reported, one.current)
            and not firmware.matches(reported, one.update)
        ]
        return max(fitting, key=lambda one: one.created_at, default=None)

    async def _outcome(
        self,
        task: FirmwareTask,
        definition: FirmwareDefinition | None,
        reported: Version,
        key_crcs: tuple[int, ...],
    ) -> _Outcome:
        if definition is None:
            return _Outcome(firmware.failed("its definition was removed"))
        before = Task(status=task.status, reason=task.reason, changed_at=task.changed_at)
        step = firmware.step(
            before,
            firmware.Definition(
                current=definition.current,
                update=definition.update,
                key_crc=definition.key_crc,
            ),
            reported=reported,
            key_crcs=key_crcs,
            now=self._now(),
        )
        if not step.give:
            return _Outcome(step)
        try:
            return _Outcome(step, await self._images.image(definition))
        except ImageUnavailable as error:
            return _Outcome(firmware.postponed(before, error.reason))
        except ImageRejected as error:
            return _Outcome(firmware.failed(error.reason))

    def _after(self, task: FirmwareTask, step: Step) -> FirmwareTask:
        changed_at = task.changed_at if step.status == task.status else self._now()
        return msgspec.structs.replace(
            task, status=step.status, reason=step.reason, changed_at=changed_at
        )

    def _update(self, task: FirmwareTask, definition: FirmwareDefinition, image: Image) -> Update:
        gift = Gift(
            kind="update", value=definition.id, times=_TIMES[task.status], at=task.changed_at
        )
        signature = firmware.signature_segment(definition.key_crc, definition.signature)
        return Update(signature, image, gift)

    def _tell(self, before: FirmwareTask, after: FirmwareTask, *, given: bool) -> None:
        if before.status == after.status:
            return
        self.statuses[after.status] += 1
        level = logging.WARNING if after.status == "FAILED" else logging.INFO
        logger.log(
            level,
            "gateway=%s update=%s status=%s given=%s reason=%r",
            after.gateway_eui,
            after.definition_id,
            after.status,
            given,
            after.reason,
        )
