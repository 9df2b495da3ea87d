"""The life of a downlink that answers no uplink: class C at once, class B in a ping slot.

something was queued, or may be possible now       `notice`: the change feed, a gateway, a report
-> the device, its session, the class it is in     network/directory, mac/device_class
-> the first message, unless one is under way      network/message_queue
-> the best gateway, or those that were chosen     network/participation, network/offers
-> where the device listens, and when              mac/listening
-> a frame under the next counter                  mac/downlink
-> ONE transaction: counter, attempt               store, before anything is transmitted
-> handed over, reported, acknowledged             network/transmitter

Nothing is polled: whatever may let a message go is an event, or a time noted in the agenda. While
an answer to an uplink, a report or an acknowledgement is awaited, the device is left in quiet; and
while anything is under way to it, whoever has sent it, nothing follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from bittern.errors import StaleSession
from bittern.lorawan.class_b import SLOT_US
from bittern.lorawan.gps_time import gps_time_us, utc_of_gps_us
from bittern.lorawan.radio import TransmissionReport, Window
from bittern.mac import listening
from bittern.mac.device_class import device_class, response_timeout_s
from bittern.mac.downlink import Composed, compose
from bittern.mac.session import Session
from bittern.mac.windows import Windows
from bittern.network.agenda import Agenda
from bittern.network.airtime_ledger import Obstacle
from bittern.network.appointments import Appointments, Quiet
from bittern.network.directory import DeviceContext, Directory
from bittern.network.downlink import sent_event
from bittern.network.events import DownlinkWaits
from bittern.network.journal import Journal
from bittern.network.message_queue import MessageQueue
from bittern.network.offers import TX_LEAD_S, Frame, Offer, Route, at_once, best_first, in_ping_slot
from bittern.network.participation import Reports, Turn, turn
from bittern.network.ports import Clock
from bittern.network.sessions import SessionCache
from bittern.network.transmitter import HandedOver, Transmitter
from bittern.store.ports.sessions import DownlinkAttempted, Effect, SessionStore
from bittern.store.records import Change, QueuedDownlink
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant

HOLD_S = 15.0
"""An answer to an uplink that takes longer has failed."""
HAND_OVER_S = 0.6
"""So long before its ping slot a frame is made. An uplink that ends meanwhile is answered after the
slot, a second or more after its end: counters reach the device in their order."""
CONCURRENT_S = 10.0
"""Gateways that are to send at the same time wait so long for each other."""
INSTANT_S = 0.005
"""What is no delay."""
TOLD_S = 5.0
"""A gateway is seldom busy for so long: its duty cycle is used up, and somebody should know."""


class _Errand(msgspec.Struct, frozen=True):
    """One message on its way, as far as it is known beforehand."""

    device: DeviceContext
    session: Session
    message: QueuedDownlink
    number: int
    """Of the turn: some messages are sent by several gateways, one after the other."""
    turn: Turn
    reported: bool
    """An earlier turn was."""

    @property
    def dev_eui(self) -> DevEUI:
        return self.session.dev_eui

    def window(self, route: Route, windows: Windows) -> Window:
        assert windows.rx2 is not None
        return self.turn.window(route.gateway_eui, windows.rx2)


class Unsolicited:
    """One for the whole server."""

    def __init__(
        self,
        *,
        store: SessionStore,
        directory: Directory,
        sessions: SessionCache,
        queue: MessageQueue,
        transmitter: Transmitter,
        agenda: Agenda,
        journal: Journal,
        now: Clock,
    ) -> None:
        self._store = store
        self._directory = directory
        self._sessions = sessions
        self._queue = queue
        self._transmitter = transmitter
        self._journal = journal
        self._now = now
        self._appointments = Appointments(agenda, now, self._look)
        self._turns: dict[DevEUI, tuple[str, int, bool]] = {}
        self._stranded: dict[GatewayEUI, set[DevEUI]] = {}

    # What may let a message go

    async def start(self) -> None:
        """What was queued when the server ended."""
        for dev_eui in await self._queue.waiting():
            self._appointments.soon(dev_eui)

    def follow(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.kind == "downlink":
                self.notice(DevEUI(EUI64.from_hex(change.identity)))

    def notice(self, dev_eui: DevEUI) -> None:
        """Something was queued for the device."""
        device = self._directory.cached_device(dev_eui)
        if device is None or device.listens_between_uplinks:
            self._appointments.soon(dev_eui)

    def gateway_connected(self, gateway_eui: GatewayEUI) -> None:
        """It may be the one that a message waits for."""
        for dev_eui in self._stranded.pop(gateway_eui, ()):
            self._appointments.soon(dev_eui)

    def hold(self, dev_eui: DevEUI) -> None:
        """An uplink is being answered: nothing else may be sent now."""
        self._appointments.quiet(dev_eui, Quiet.ANSWER, Instant(self._now() + HOLD_S))

    def resume(self, dev_eui: DevEUI, at: Instant) -> None:
        """It is answered; the device has until then to acknowledge the answer. What it was granted
        before is over with its uplink."""
        self._appointments.quiet(dev_eui, Quiet.ANSWER, self._now())
        self._appointments.quiet(dev_eui, Quiet.RESPONSE, at)

    # One look at a device

    async def _look(self, dev_eui: DevEUI) -> None:
        errand = await self._errand(dev_eui)
        if errand is None:
            return None
        routes = await self._transmitter.routes_to(errand.turn.heard_by)
        if self._appointments.is_quiet(dev_eui):
            return None  # an uplink has come meanwhile
        over_at = self._transmitter.under_way.over_at(dev_eui)
        if over_at is not None:
            return self._appointments.at(dev_eui, over_at)
        if not routes:
            return self._strand(errand)
        if device_class(errand.session, errand.device.profile) == "B":
            await self._in_ping_slot(errand, routes)
        else:
            await self._at_once(errand, routes)

    async def _errand(self, dev_eui: DevEUI) -> _Errand | None:
        """None: nothing waits, or the next uplink will fetch it."""
        device = await self._directory.device(dev_eui)
        if device is None or not device.listens_between_uplinks:
            return None
        message, _ = await self._queue.first(dev_eui)
        if message is None:
            return None
        for session in await self._store.sessions_of(dev_eui):
            if device_class(session, device.profile) != "A":
                message_id, number, reported = self._turns.get(dev_eui, ("", 0, False))
                if message_id != message.message_id:
                    number, reported = 0, False
                one = turn(message, session, number)
                return _Errand(device, session, message, number, one, reported)
        return None

    async def _at_once(self, errand: _Errand, routes: Sequence[Route]) -> None:
        """Class C: now, or as soon as the gateway can."""
        windows = listening.always(errand.session, errand.device.plan)
        composed = self._composed(errand, windows)
        if composed is None:
            return
        now = self._now()
        frame = Frame(errand.device.plan, len(composed.phy_payload))
        offers = [at_once(route, errand.window(route, windows), frame, now) for route in routes]
        wait_s, ready = _ready(offers, errand.turn, now)
        if not ready:
            if wait_s > TOLD_S:
                self._waits(errand, Obstacle.NO_AIRTIME)
            return self._appointments.at(errand.dev_eui, Instant(now + wait_s))
        await self._send(errand, composed, ready)

    async def _in_ping_slot(self, errand: _Errand, routes: Sequence[Route]) -> None:
        """Class B: in the next slot in reach. Until shortly before it nothing is made."""
        session, plan, now = errand.session, errand.device.plan, self._now()
        near = [route for route in routes if route.is_in_time(now + HAND_OVER_S, now)]
        if not near:
            return self._strand(errand, Obstacle.TOO_LATE)
        lead_s = TX_LEAD_S + max(route.round_trip_s for route in near) / 2
        slot = listening.next_slot(session, gps_time_us(Instant(now + lead_s)))
        slot_at = utc_of_gps_us(slot.gps_time_us)
        if slot_at - now > HAND_OVER_S + INSTANT_S:
            return self._appointments.at(errand.dev_eui, Instant(slot_at - HAND_OVER_S))
        windows = listening.in_ping_slot(session, plan, slot)
        composed = self._composed(errand, windows)
        if composed is None:
            return
        frame = Frame(plan, len(composed.phy_payload))
        judged = [
            in_ping_slot(route, errand.window(route, windows), slot, frame, now) for route in near
        ]
        offers = [one for one in judged if isinstance(one, Offer)]
        if offers:
            return await self._send(errand, composed, best_first(offers, now))
        if all(one is Obstacle.NO_GPS_TIME for one in judged):
            return self._strand(errand, Obstacle.NO_GPS_TIME)
        self._waits(errand, next(one for one in judged if isinstance(one, Obstacle)))
        self._appointments.at(errand.dev_eui, Instant(slot_at + SLOT_US / 1_000_000))

    def _composed(self, errand: _Errand, windows: Windows) -> Composed | None:
        composed = compose(
            errand.session,
            windows=windows,
            message=errand.message,
            adr=errand.device.wanted.adr is not None,
        )
        if isinstance(composed, Composed):
            return composed
        self._waits(errand, composed.reason)
        return None

    # On its way

    async def _send(self, errand: _Errand, composed: Composed, offers: Sequence[Offer]) -> None:
        try:
            await self._store.advance(composed.before, composed.after, *_effects(errand))
        except StaleSession:
            # An uplink came between: whatever it is answered with, it goes first.
            self._sessions.forget(errand.dev_eui)
            return self._appointments.soon(errand.dev_eui)
        self._sessions.replace(composed.before, composed.after)
        if self._transmitter.under_way.over_at(errand.dev_eui) is not None:
            # While it was stored an answer has gone out, under a higher counter: too late for this.
            return self._appointments.soon(errand.dev_eui)
        handed_over = self._hand_over(errand, composed, offers)
        if not handed_over:
            return self._strand(errand)
        # A little longer than reports are awaited: that one has not come is told by the watch.
        until = Instant(max(one.report_due for one in handed_over) + 1)
        self._queue.under_way(errand.message.message_id, until)
        self._appointments.quiet(errand.dev_eui, Quiet.REPORT, until)
        for one in handed_over:
            self._journal.record(sent_event(composed, one, self._now()))

    def _hand_over(
        self, errand: _Errand, composed: Composed, offers: Sequence[Offer]
    ) -> list[HandedOver]:
        """To the best that takes it, or to all of them."""

        async def settle(report: TransmissionReport | None) -> None:
            await self._settle(errand, offers[0].slots[0].airtime_s, report)

        reports = Reports(settle)
        choices = [[offer] for offer in offers] if errand.turn.all_of_them else [offers]
        handed_over = [
            self._transmitter.hand_over(errand.dev_eui, composed.phy_payload, choice, reports.watch)
            for choice in choices
        ]
        taken = [one for one in handed_over if one is not None]
        reports.expected = len(taken)
        return taken

    async def _settle(
        self, errand: _Errand, airtime_s: float, report: TransmissionReport | None
    ) -> None:
        """A turn is over: the next one, the wait for an acknowledgement, or the next message."""
        dev_eui, message, quiet = errand.dev_eui, errand.message, self._appointments.quiet
        self._queue.returned(message.message_id)
        reported = errand.reported or report is not None
        over_at = self._now() if report is None else Instant(report.at + airtime_s)
        if errand.turn.pause_s is not None:
            self._turns[dev_eui] = message.message_id, errand.number + 1, reported
            quiet(dev_eui, Quiet.PAUSE, Instant(over_at + errand.turn.pause_s))
            return quiet(dev_eui, Quiet.REPORT, self._now())
        self._turns.pop(dev_eui, None)
        if reported and message.confirmed:
            timeout_s = response_timeout_s(errand.session, errand.device.profile)
            quiet(dev_eui, Quiet.RESPONSE, Instant(over_at + timeout_s))
        elif reported:
            await self._queue.done(dev_eui, message.message_id)
        quiet(dev_eui, Quiet.REPORT, over_at)

    def _strand(self, errand: _Errand, reason: Obstacle = Obstacle.NOT_CONNECTED) -> None:
        """Until one of its gateways connects, or the device is heard by another."""
        for by in errand.turn.heard_by:
            self._stranded.setdefault(by.gateway_eui, set()).add(errand.dev_eui)
        self._waits(errand, reason)

    def _waits(self, errand: _Errand, reason: str) -> None:
        self._journal.record(
            DownlinkWaits(
                at=self._now(),
                dev_eui=errand.dev_eui,
                message_id=errand.message.message_id,
                reason=reason,
            )
        )


def _ready(offers: Sequence[Offer], one: Turn, now: Instant) -> tuple[float, list[Offer]]:
    """Who sends now; nobody as long as one has to wait, and how long that is."""
    shortest_s = min(offer.wait_s(now) for offer in offers)
    if not one.all_of_them or shortest_s > CONCURRENT_S:
        ready = [offer for offer in offers if offer.wait_s(now) <= INSTANT_S]
        return shortest_s, best_first(ready, now)
    together = [offer for offer in offers if offer.wait_s(now) <= CONCURRENT_S]
    longest_s = max(offer.wait_s(now) for offer in together)
    return longest_s, together if longest_s <= INSTANT_S else []


def _effects(errand: _Errand) -> list[Effect]:
    """All turns of a message are one attempt."""
    return [DownlinkAttempted(errand.message.message_id)] if errand.number == 0 else []
