"""The messages that wait for their devices: which one is next, and which are given up.

The store keeps them. Kept here is what makes asking it unnecessary, devices that nothing waits for,
and what would make asking it wrong, messages that a gateway has been given just now.
"""

from __future__ import annotations

from collections.abc import Iterable

from bittern.network.events import DownlinkDiscarded
from bittern.network.journal import Journal
from bittern.network.ports import Clock
from bittern.store.ports.downlinks import DownlinkQueue
from bittern.store.records import LONGEST_PAYLOAD, Change, QueuedDownlink
from bittern.types import EUI64, DevEUI, Instant

ATTEMPTS = 3
"""A message that was tried so often is discarded, as at AWS, when it was neither acknowledged nor,
unconfirmed, reported as sent."""


class MessageQueue:
    """One for the whole server."""

    def __init__(self, *, store: DownlinkQueue, journal: Journal, now: Clock) -> None:
        self._store = store
        self._journal = journal
        self._now = now
        self._idle: set[DevEUI] = set()
        self._followed = 0
        self._under_way: dict[str, Instant] = {}

    def is_idle(self, dev_eui: DevEUI) -> bool:
        """Nothing waits for the device, as far as is known without asking the store."""
        return dev_eui in self._idle

    async def first(self, dev_eui: DevEUI) -> tuple[QueuedDownlink | None, bool]:
        """The first that may be sent now, and whether there is another behind it.

        While it is under way there is none: what is behind it must not overtake it.
        """
        if self.is_idle(dev_eui):
            return None, False
        followed = self._followed
        queued = await self._store.queued(dev_eui, limit=2)
        while queued and self._is_hopeless(queued[0]):
            await self._discard(queued[0])
            queued = await self._store.queued(dev_eui, limit=2)
        if not queued:
            if followed == self._followed:  # else something may have been queued meanwhile
                self._idle.add(dev_eui)
            return None, False
        if self._is_under_way(queued[0]):
            return None, len(queued) > 1
        return queued[0], len(queued) > 1

    def under_way(self, message_id: str, until: Instant) -> None:
        """A gateway has it. Should its report not come by then, the message may go again."""
        self._under_way[message_id] = until

    def returned(self, message_id: str) -> None:
        """It is known what became of it."""
        self._under_way.pop(message_id, None)

    async def done(self, dev_eui: DevEUI, message_id: str) -> None:
        """It was sent, or given up by whoever queued it."""
        self.returned(message_id)
        await self._store.unqueue(dev_eui, message_id)

    async def waiting(self) -> list[DevEUI]:
        """Devices that something waits for."""
        return await self._store.waiting()

    def follow(self, changes: Iterable[Change]) -> None:
        """Messages were queued: their devices are not idle any more."""
        for change in changes:
            if change.kind == "downlink":
                self._followed += 1
                self._idle.discard(DevEUI(EUI64.from_hex(change.identity)))

    def forget_everything(self) -> None:
        """Any device may have a message."""
        self._followed += 1
        self._idle.clear()

    def _is_hopeless(self, message: QueuedDownlink) -> bool:
        if len(message.payload) > LONGEST_PAYLOAD:
            return True  # it would hold up everything behind it for ever
        if message.attempts < ATTEMPTS and not self._is_late(message):
            return False
        return not self._is_under_way(message)

    def _is_late(self, message: QueuedDownlink) -> bool:
        return message.expires_at is not None and message.expires_at <= self._now()

    def _is_under_way(self, message: QueuedDownlink) -> bool:
        until = self._under_way.get(message.message_id)
        if until is None:
            return False
        if until > self._now():
            return True
        del self._under_way[message.message_id]
        return False

    async def _discard(self, message: QueuedDownlink) -> None:
        size = len(message.payload)
        await self._store.unqueue(message.dev_eui, message.message_id)
        self._journal.record(
            DownlinkDiscarded(
                at=self._now(),
                dev_eui=message.dev_eui,
                message_id=message.message_id,
                attempts=message.attempts,
                size=size if size > LONGEST_PAYLOAD else None,
                expired=self._is_late(message),
            )
        )
