"""When a device is looked at again: once at a time, and not while it is to be left in quiet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bittern.network.agenda import Agenda, Entry
from bittern.network.ports import Clock
from bittern.types import DevEUI, Instant


class Appointments:
    """`look` is called for a device whenever something may have become possible for it."""

    def __init__(
        self, agenda: Agenda, now: Clock, look: Callable[[DevEUI], Awaitable[None]]
    ) -> None:
        self._agenda = agenda
        self._now = now
        self._look = look
        self._noted: dict[DevEUI, Entry] = {}
        self._quiet_until: dict[DevEUI, Instant] = {}
        self._looking: dict[DevEUI, bool] = {}

    def __len__(self) -> int:
        return len(self._noted)

    def soon(self, dev_eui: DevEUI) -> None:
        self.at(dev_eui, self._now())

    def at(self, dev_eui: DevEUI, at: Instant) -> None:
        """Then, or at the end of the quiet. Of several the earliest counts: whoever looks too early
        makes a new appointment."""
        at = max(at, self._quiet_until.get(dev_eui, at))
        noted = self._noted.get(dev_eui)
        if noted is not None:
            if noted.at <= at:
                return
            noted.cancel()

        async def keep() -> None:
            await self._keep(dev_eui)

        self._noted[dev_eui] = self._agenda.at(at, f"downlink to {dev_eui}", keep)

    def quiet(self, dev_eui: DevEUI, until: Instant) -> None:
        """Nobody looks before then, and somebody then; an earlier quiet ends or goes on with it."""
        self._quiet_until[dev_eui] = until
        noted = self._noted.pop(dev_eui, None)
        if noted is not None:
            noted.cancel()
        self.at(dev_eui, until)

    async def _keep(self, dev_eui: DevEUI) -> None:
        del self._noted[dev_eui]
        if self._quiet_until.get(dev_eui, self._now()) <= self._now():
            self._quiet_until.pop(dev_eui, None)
        if dev_eui in self._looking:
            self._looking[dev_eui] = True
            return
        self._looking[dev_eui] = False
        try:
            await self._look(dev_eui)
        finally:
            if self._looking.pop(dev_eui):
                self.soon(dev_eui)
