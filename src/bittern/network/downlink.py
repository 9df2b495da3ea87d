"""The life of one class A downlink: the answer to an uplink, in the windows that it opened.

what is owed: ACK, MAC commands, a queued message   mac/exchange, store
-> a frame under the next counter                   mac/downlink: Composed
-> ONE transaction: counter, attempt                store, before anything is transmitted
-> the gateway that heard the device best           servers/lns, else the next best
-> its report                                       `transmitted`
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Protocol

import msgspec

from bittern.errors import StaleSession
from bittern.lorawan.radio import Reception, Transmission, TransmissionReport
from bittern.mac.downlink import Composed, compose
from bittern.mac.exchange import Answered
from bittern.mac.uplink import Accepted, Retransmission
from bittern.mac.windows import Windows, windows
from bittern.network.deduplication import Gathered
from bittern.network.directory import DeviceContext
from bittern.network.events import (
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkTransmitted,
    DownlinkWaits,
)
from bittern.network.journal import Journal
from bittern.network.ports import Clock, GatewayLink
from bittern.network.sessions import SessionCache
from bittern.store.protocol import DownlinkAttempted, DownlinkQueue, Effect, SessionStore
from bittern.store.records import Change, QueuedDownlink
from bittern.types import EUI64, DevEUI, GatewayEUI

ATTEMPTS = 3
"""A message that was tried so often is discarded, as at AWS, when it was neither acknowledged nor,
unconfirmed, reported as sent."""
REPORTS_AWAITED = 100_000
"""Frames whose report is remembered as missing; beyond, the oldest is forgotten."""


class DownlinkStore(SessionStore, DownlinkQueue, Protocol):
    """What the path needs of the store."""


class _UnderWay(msgspec.Struct, frozen=True):
    """A message that a gateway was given and has not reported yet."""

    dev_eui: DevEUI
    message_id: str


class DownlinkPath:
    """One for the whole server."""

    def __init__(
        self,
        *,
        store: DownlinkStore,
        sessions: SessionCache,
        gateways: GatewayLink,
        journal: Journal,
        now: Clock,
        first_downlink_id: int = 1,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._gateways = gateways
        self._journal = journal
        self._now = now
        # Random at the start: a gateway may still report what an earlier process gave it.
        self._ids = count(first_downlink_id)
        self._idle: set[DevEUI] = set()
        self._under_way: OrderedDict[int, _UnderWay] = OrderedDict()

    async def answer(
        self,
        answered: Answered,
        outcome: Accepted | Retransmission,
        gathered: Gathered,
        device: DeviceContext,
    ) -> None:
        """Send what is owed, if anything is, in the windows after this uplink."""
        message, more = await self._next_message(device.device.dev_eui)
        if not (answered.owed or answered.commands or message):
            return
        best = gathered.best
        composed = compose(
            answered.session,
            windows=windows(answered.session, device.plan, best.data_rate, best.frequency_hz),
            ack=outcome.confirmed,
            commands=answered.commands,
            message=message,
            fpending=more,
            adr=answered.adr,
        )
        if not isinstance(composed, Composed):
            return self._waits(device.device.dev_eui, message, composed.reason)
        try:
            await self._store.advance(composed.before, composed.after, *_effects(composed))
        except StaleSession:
            # The device has already sent its next frame: that one is answered.
            self._sessions.forget(device.device.dev_eui)
            return
        self._sessions.replace(composed.before, composed.after)
        self._send(composed, gathered.receptions)
        if composed.deferred is not None:
            self._waits(device.device.dev_eui, message, composed.deferred.reason)

    def transmit(
        self,
        dev_eui: DevEUI,
        phy_payload: bytes,
        windows: Windows,
        receptions: Sequence[Reception],
    ) -> tuple[GatewayEUI, int] | None:
        """Hand the frame to the best gateway that takes it; which one, and the downlink's id."""
        downlink_id = next(self._ids)
        for reception in receptions:
            transmission = Transmission(
                downlink_id=downlink_id,
                dev_eui=dev_eui,
                device_class="A",
                phy_payload=phy_payload,
                rx_delay_s=windows.delay_s,
                rx1=windows.rx1,
                rx2=windows.rx2,
                xtime=reception.xtime,
                rctx=reception.rctx,
            )
            if self._gateways.transmit(reception.gateway_eui, transmission):
                return reception.gateway_eui, downlink_id
        return None

    async def transmitted(self, report: TransmissionReport) -> None:
        """A gateway has put a frame on air: an unconfirmed message is done with."""
        self._journal.record(
            DownlinkTransmitted(
                at=report.at,
                dev_eui=report.dev_eui,
                downlink_id=report.downlink_id,
                gateway_eui=report.gateway_eui,
                frequency_hz=report.frequency_hz,
                data_rate=report.data_rate,
            )
        )
        under_way = self._under_way.pop(report.downlink_id, None)
        if under_way is not None:
            await self._store.unqueue(under_way.dev_eui, under_way.message_id)

    def follow(self, changes: Iterable[Change]) -> None:
        """Messages were queued: their devices are not idle any more."""
        for change in changes:
            if change.kind == "downlink":
                self._idle.discard(DevEUI(EUI64.from_hex(change.identity)))

    async def _next_message(self, dev_eui: DevEUI) -> tuple[QueuedDownlink | None, bool]:
        """The first of the queue that may still be tried, and whether there is another."""
        if dev_eui in self._idle:
            return None, False
        queued = await self._store.queued(dev_eui, limit=2)
        while queued and queued[0].attempts >= ATTEMPTS:
            await self._discard(queued[0])
            queued = await self._store.queued(dev_eui, limit=2)
        if not queued:
            self._idle.add(dev_eui)
            return None, False
        return queued[0], len(queued) > 1

    async def _discard(self, message: QueuedDownlink) -> None:
        await self._store.unqueue(message.dev_eui, message.message_id)
        self._journal.record(
            DownlinkDiscarded(
                at=self._now(),
                dev_eui=message.dev_eui,
                message_id=message.message_id,
                attempts=message.attempts,
            )
        )

    def _send(self, composed: Composed, receptions: Sequence[Reception]) -> None:
        dev_eui = composed.after.dev_eui
        taken = self.transmit(dev_eui, composed.phy_payload, composed.windows, receptions)
        if taken is None:
            return self._waits(dev_eui, None, "no gateway that heard the device is connected")
        gateway_eui, downlink_id = taken
        if composed.message_id is not None and not composed.confirmed:
            self._await_report(downlink_id, _UnderWay(dev_eui, composed.message_id))
        self._journal.record(
            DownlinkSent(
                at=self._now(),
                dev_eui=dev_eui,
                downlink_id=downlink_id,
                fcnt_down=composed.fcnt_down,
                fport=composed.fport,
                confirmed=composed.confirmed,
                ack=composed.ack,
                gateway_eui=gateway_eui,
                message_id=composed.message_id,
            )
        )

    def _await_report(self, downlink_id: int, under_way: _UnderWay) -> None:
        self._under_way[downlink_id] = under_way
        if len(self._under_way) > REPORTS_AWAITED:
            self._under_way.popitem(last=False)

    def _waits(self, dev_eui: DevEUI, message: QueuedDownlink | None, reason: str) -> None:
        message_id = message.message_id if message else None
        self._journal.record(
            DownlinkWaits(at=self._now(), dev_eui=dev_eui, message_id=message_id, reason=reason)
        )


def _effects(composed: Composed) -> list[Effect]:
    """The message stays queued until it is acknowledged or, unconfirmed, reported as sent."""
    return [DownlinkAttempted(composed.message_id)] if composed.message_id is not None else []
