"""The life of one class A downlink: the answer to an uplink, in the windows that it opened.

what is owed: ACK, MAC commands, a queued message    mac/exchange, network/message_queue
-> the gateways that heard the device                network/transmitter
-> a frame under the next counter                    mac/downlink: Composed
-> who can send it in time, the best first           network/offers, network/airtime_ledger
-> ONE transaction: counter, attempt                 store, before anything is transmitted
-> the best gateway, else the next best              servers/lns
-> its report                                        `transmitted`, or the next opportunity

Downlinks that answer no uplink have the same file beside it, `network/unsolicited.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from bittern.errors import StaleSession
from bittern.lorawan.radio import Reception, TransmissionReport
from bittern.lorawan.regions.plan import Plan
from bittern.mac.device_class import response_timeout_s
from bittern.mac.downlink import Composed, compose
from bittern.mac.exchange import Answered
from bittern.mac.session import Session
from bittern.mac.uplink import Accepted, Retransmission
from bittern.mac.windows import Windows, windows
from bittern.network.airtime_ledger import Obstacle
from bittern.network.deduplication import Gathered
from bittern.network.directory import DeviceContext
from bittern.network.events import DownlinkSent, DownlinkWaits, WindowName
from bittern.network.journal import Journal
from bittern.network.message_queue import MessageQueue
from bittern.network.offers import Frame, Offer, Route
from bittern.network.ports import Clock
from bittern.network.sessions import SessionCache
from bittern.network.transmitter import HandedOver, Transmitter, Watch
from bittern.store.ports.sessions import DownlinkAttempted, Effect, SessionStore
from bittern.store.records import QueuedDownlink
from bittern.types import DevEUI, Instant

CONTENTION_LIMIT = 3
"""How often an answer is written anew because the session has moved on meanwhile."""


class Listener(Protocol):
    """Whoever sends to devices between their uplinks."""

    def hold(self, dev_eui: DevEUI) -> None:
        """An uplink is being answered: nothing else may be sent now."""
        ...

    def resume(self, dev_eui: DevEUI, at: Instant) -> None:
        """It is answered; the device has until then to acknowledge the answer."""
        ...


class _Answer(msgspec.Struct, frozen=True):
    """What one answer is made of."""

    answered: Answered
    outcome: Accepted | Retransmission
    gathered: Gathered
    device: DeviceContext
    message: QueuedDownlink | None
    more: bool
    routes: Sequence[Route]

    @property
    def dev_eui(self) -> DevEUI:
        return self.device.device.dev_eui

    def windows(self, session: Session) -> Windows:
        best = self.gathered.best
        return windows(session, self.device.plan, best.data_rate, best.frequency_hz)


class DownlinkPath:
    """One for the whole server."""

    def __init__(
        self,
        *,
        store: SessionStore,
        sessions: SessionCache,
        queue: MessageQueue,
        transmitter: Transmitter,
        between_uplinks: Listener,
        journal: Journal,
        now: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._queue = queue
        self._transmitter = transmitter
        self._between_uplinks = between_uplinks
        self._journal = journal
        self._now = now

    async def answer(
        self,
        answered: Answered,
        outcome: Accepted | Retransmission,
        gathered: Gathered,
        device: DeviceContext,
    ) -> None:
        """Send what is owed, if anything is, in the windows after this uplink."""
        dev_eui, message, more, over_at = device.device.dev_eui, None, False, None
        if not self._queue.is_idle(dev_eui):
            message, more = await self._queue.first(dev_eui)
        if answered.owed or answered.commands or message:
            if device.listens_between_uplinks:
                self._between_uplinks.hold(dev_eui)
            routes = await self._transmitter.routes_after(gathered.receptions)
            answer = _Answer(answered, outcome, gathered, device, message, more, routes)
            over_at = await self._send(answer)
        if device.listens_between_uplinks:
            self._between_uplinks.resume(dev_eui, over_at or self._now())

    async def _send(self, answer: _Answer) -> Instant | None:
        """When what comes of it is over; None: nothing was sent."""
        composed = await self._stored(answer)
        if composed is None:
            return None
        handed_over = self._hand_over(answer, composed)
        if handed_over is None:
            return None
        return Instant(handed_over.offer.slots[-1].end + _response_s(answer, composed))

    async def _stored(self, answer: _Answer) -> Composed | None:
        """The frame, its counter used up; None if there is none."""
        session = answer.answered.session
        for _ in range(CONTENTION_LIMIT):
            composed = self._composed(answer, session)
            if composed is None:
                return None
            try:
                await self._store.advance(composed.before, composed.after, *_effects(composed))
            except StaleSession:
                latest = await self._same_uplink(session)
                if latest is None:
                    return None
                session = latest
                continue
            self._sessions.replace(composed.before, composed.after)
            return composed
        return None

    def _composed(self, answer: _Answer, session: Session) -> Composed | None:
        """A frame that somebody can send; nothing is used up for one that nobody can."""
        obstacle = ""
        for offered in _alternatives(answer.windows(session)):
            composed = compose(
                session,
                windows=offered,
                ack=answer.outcome.confirmed,
                commands=answer.answered.commands,
                message=answer.message,
                fpending=answer.more,
                adr=answer.answered.adr,
            )
            if not isinstance(composed, Composed):
                obstacle = obstacle or composed.reason
                continue
            frame = Frame(answer.device.plan, len(composed.phy_payload))
            offers = self._offers(answer, composed.windows, frame)
            if isinstance(offers, list):
                if composed.deferred is not None:
                    self._waits(answer.dev_eui, answer.message, composed.deferred.reason)
                return composed
            obstacle = offers
        self._waits(answer.dev_eui, answer.message, obstacle)
        return None

    async def _same_uplink(self, session: Session) -> Session | None:
        """The session as it is now, if the uplink that is answered is still its last: somebody else
        has sent the device something. Else the device's next frame is answered."""
        self._sessions.forget(session.dev_eui)
        for latest in await self._store.sessions_of(session.dev_eui):
            if (latest.generation, latest.fcnt_up) == (session.generation, session.fcnt_up):
                return latest if latest.repeats == session.repeats else None
        return None

    def _hand_over(self, answer: _Answer, composed: Composed) -> HandedOver | None:
        """Storing took its time: who is still in time is asked again."""
        frame = Frame(answer.device.plan, len(composed.phy_payload))
        offers = self._offers(answer, composed.windows, frame)
        if not isinstance(offers, list):
            self._waits(answer.dev_eui, None, offers)
            return None
        watch = self._watch(answer, composed, frame)
        handed_over = self._transmitter.hand_over(
            answer.dev_eui, composed.phy_payload, offers, watch
        )
        if handed_over is None:
            self._waits(answer.dev_eui, None, Obstacle.NOT_CONNECTED)
            return None
        if composed.message_id is not None:
            self._queue.under_way(composed.message_id, handed_over.report_due)
        self._journal.record(sent_event(composed, handed_over, self._now()))
        return handed_over

    def _offers(self, answer: _Answer, offered: Windows, frame: Frame) -> list[Offer] | Obstacle:
        return self._transmitter.answers(answer.dev_eui, answer.routes, offered, frame)

    def _watch(self, answer: _Answer, composed: Composed, frame: Frame) -> Watch:
        """An unconfirmed message is done with when it is reported; a confirmed one waits for its
        acknowledgement, which the next uplink has or has not."""
        dev_eui, message_id = answer.dev_eui, composed.message_id

        async def watch(report: TransmissionReport | None) -> None:
            if message_id is not None and (report is None or composed.confirmed):
                self._queue.returned(message_id)
            elif message_id is not None:
                await self._queue.done(dev_eui, message_id)
            if not answer.device.listens_between_uplinks:
                return
            if report is None:  # the message, if there was one, may go again
                return self._between_uplinks.resume(dev_eui, self._now())
            airtime_s = frame.airtime_s(report.data_rate)
            over_at = report.at + airtime_s + _response_s(answer, composed)
            self._between_uplinks.resume(dev_eui, Instant(over_at))

        return watch

    async def transmit(
        self,
        dev_eui: DevEUI,
        phy_payload: bytes,
        windows: Windows,
        receptions: Sequence[Reception],
        plan: Plan,
    ) -> HandedOver | None:
        """Hand a frame that is no data frame to the best gateway that takes it."""
        routes = await self._transmitter.routes_after(receptions)
        frame = Frame(plan, len(phy_payload))
        offers = self._transmitter.answers(dev_eui, routes, windows, frame)
        if not isinstance(offers, list):
            self._waits(dev_eui, None, offers)
            return None
        return self._transmitter.hand_over(dev_eui, phy_payload, offers)

    async def transmitted(self, report: TransmissionReport) -> None:
        """A gateway has put a frame on air."""
        await self._transmitter.transmitted(report)

    def _waits(self, dev_eui: DevEUI, message: QueuedDownlink | None, reason: str) -> None:
        message_id = message.message_id if message else None
        self._journal.record(
            DownlinkWaits(at=self._now(), dev_eui=dev_eui, message_id=message_id, reason=reason)
        )


def sent_event(composed: Composed, handed_over: HandedOver, at: Instant) -> DownlinkSent:
    """What is told of a frame that a gateway has taken."""
    offer = handed_over.offer
    return DownlinkSent(
        at=at,
        dev_eui=composed.after.dev_eui,
        downlink_id=handed_over.downlink_id,
        fcnt_down=composed.fcnt_down,
        fport=composed.fport,
        confirmed=composed.confirmed,
        ack=composed.ack,
        gateway_eui=handed_over.gateway_eui,
        message_id=composed.message_id,
        device_class=offer.device_class,
        window=_window_name(offer),
    )


def _response_s(answer: _Answer, composed: Composed) -> int:
    """What a device that listens between uplinks is granted to acknowledge a confirmed message."""
    if not composed.confirmed:
        return 0
    return response_timeout_s(composed.after, answer.device.profile)


def _window_name(offer: Offer) -> WindowName:
    if offer.device_class == "B":
        return "PING"
    return "RX2" if offer.rx1 is None else "RX1"


def _alternatives(both: Windows) -> Iterator[Windows]:
    """A frame for both windows may be too long for the only one that somebody can send in."""
    yield both
    if both.rx1 is not None and both.rx2 is not None:
        yield msgspec.structs.replace(both, rx1=None, rx1_max_size=0)
        yield msgspec.structs.replace(both, rx2=None, rx2_max_size=0)


def _effects(composed: Composed) -> list[Effect]:
    """The message stays queued until it is acknowledged or, unconfirmed, reported as sent."""
    return [DownlinkAttempted(composed.message_id)] if composed.message_id is not None else []
