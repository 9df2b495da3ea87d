"""When a device is looked at again: once at a time, and not while it is to be left in quiet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum, auto

from bittern.network.agenda import Agenda, Entry
from bittern.network.ports import Clock
from bittern.types import DevEUI, Instant


class Quiet(Enum):
    """Why nobody is to look. One of these may end while another goes on."""

    ANSWER = auto()
    """An uplink is being answered."""
    REPORT = auto()
    """What was sent between uplinks is not reported yet."""
    RESPONSE = auto()
    """The device is granted time to acknowledge."""
    PAUSE = auto()
    """Until the next gateway of a sequence has its turn."""


class Appointments:
    """`look` is called for a device whenever something may have become possible for it."""

    def __init__(
        self, agenda: Agenda, now: Clock, look: Callable[[DevEUI], Awaitable[None]]
    ) -> None:
        self._agenda = agenda
        self._now = now
        self._look = look
        self._noted: dict[DevEUI, Entry] = {}
        self._quiets: dict[DevEUI, dict[Quiet, Instant]] = {}
        self._looking: dict[DevEUI, bool] = {}

    def __len__(self) -> int:
        return len(self._noted)

    def soon(self, dev_eui: DevEUI) -> None:
        self.at(dev_eui, self._now())

    def at(self, dev_eui: DevEUI, at: Instant) -> None:
        """Then, or at the end of the quiet. Of several the earliest counts: whoever looks too early
        makes a new appointment."""
        at = max(at, self._quiet_until(dev_eui) or at)
        noted = self._noted.get(dev_eui)
        if noted is not None:
            if noted.at <= at:
                return
            noted.cancel()

        async def keep() -> None:
            await self._keep(dev_eui)

        self._noted[dev_eui] = self._agenda.at(at, f"downlink to {dev_eui}", keep)

    def quiet(self, dev_eui: DevEUI, why: Quiet, until: Instant) -> None:
        """Nobody looks before then, and somebody then, or when all quiet is over. An earlier quiet
        for the same reason ends or goes on with it."""
        self._quiets.setdefault(dev_eui, {})[why] = until
        noted = self._noted.pop(dev_eui, None)
        if noted is not None:
            noted.cancel()
        self.at(dev_eui, until)

    def is_quiet(self, dev_eui: DevEUI) -> bool:
        """Quiet may have begun while somebody looks; there is an appointment at its end."""
        until = self._quiet_until(dev_eui)
        return until is not None and until > self._now()

    def _quiet_until(self, dev_eui: DevEUI) -> Instant | None:
        quiets = self._quiets.get(dev_eui)
        return max(quiets.values()) if quiets else None

    async def _keep(self, dev_eui: DevEUI) -> None:
        del self._noted[dev_eui]
        if not self.is_quiet(dev_eui):
            self._quiets.pop(dev_eui, None)
        if dev_eui in self._looking:
            self._looking[dev_eui] = True
            return
        self._looking[dev_eui] = False
        try:
            await self._look(dev_eui)
        finally:
            if self._looking.pop(dev_eui):
                self.soon(dev_eui)
