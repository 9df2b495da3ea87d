"""The life of one uplink. Read `UplinkPath.handle` and `UplinkPath._data` from top to bottom.

    the copies of a frame, gathered          network/intake, network/deduplication
    -> a frame                               lorawan/frame
    -> the region that it was heard in       network/by_region
    -> session, counter, MIC, replay         mac/uplink: Accepted | Retransmission | Refused
    -> MAC commands both ways, and ADR       mac/exchange
    -> what its payload means                outputs/codecs, where the profile names a codec
    -> the message as AWS writes it          network/messages
    -> ONE transaction: session, delivery    store
    -> on its way to its destination         outputs, by way of the outbox
    -> an answer, if one is owed             network/downlink

Joins have the same file beside it, `network/join.py`.
"""

from __future__ import annotations

import msgspec

from bittern.errors import FrameError, StaleSession, StoreUnavailable
from bittern.lorawan.frame import DataUp, Frame, JoinRequest, RejoinRequest, parse
from bittern.lorawan.regions.plan import Plan
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.device_class import heard
from bittern.mac.exchange import Answered, exchange
from bittern.mac.last_heard import packed
from bittern.mac.refused import Refused
from bittern.mac.restored import Noted
from bittern.mac.uplink import Accepted, Retransmission, accept, in_region
from bittern.network.by_region import Heard, by_region
from bittern.network.deduplication import Gathered
from bittern.network.directory import DeviceContext, Directory
from bittern.network.downlink import DownlinkPath
from bittern.network.events import (
    DownlinkAcknowledged,
    FrameRefused,
    UplinkDelivered,
    UplinkRepeated,
    mac_event,
)
from bittern.network.identity import uplink_message_id
from bittern.network.join import JoinPath
from bittern.network.journal import Journal
from bittern.network.messages import uplink_message
from bittern.network.ports import Clock, Codecs, Outbox, Randomness
from bittern.network.sessions import SessionCache
from bittern.store.ports.sessions import Deliver, DownlinkDone, Effect, SessionStore
from bittern.store.records import Delivery
from bittern.types import Refusal

CONTENTION_LIMIT = 5
"""How often a frame is judged anew because its session has moved on meanwhile."""

_FULL = Refused(Refusal.STORE_UNAVAILABLE, "the disk budget is reached")
_CONTENDED = Refused(
    Refusal.SESSION_CONTENTION,
    f"the session moved on {CONTENTION_LIMIT} times while the frame was being judged",
)


class UplinkPath:
    """One for the whole server; it keeps nothing of a frame once it is handled."""

    def __init__(
        self,
        *,
        store: SessionStore,
        directory: Directory,
        sessions: SessionCache,
        joins: JoinPath,
        downlinks: DownlinkPath,
        outbox: Outbox,
        journal: Journal,
        now: Clock,
        randomness: Randomness,
        codecs: Codecs | None = None,
    ) -> None:
        self._store = store
        self._directory = directory
        self._sessions = sessions
        self._joins = joins
        self._downlinks = downlinks
        self._outbox = outbox
        self._journal = journal
        self._now = now
        self._randomness = randomness
        self._codecs = codecs

    async def handle(self, gathered: Gathered) -> None:
        """From the copies of one frame to everything that comes of it."""
        try:
            frame = parse(gathered.phy_payload)
            heard = await by_region(gathered, self._directory)
            if isinstance(heard, Refused):
                self._refuse(gathered, heard, frame if isinstance(frame, DataUp) else None)
            elif isinstance(frame, DataUp):
                at_home = heard[0] if len(heard) == 1 else await self._at_home(frame, heard)
                await self._data(frame, at_home.gathered, at_home.plan)
            elif isinstance(frame, JoinRequest | RejoinRequest):
                await self._joins.answer(frame, heard)
            else:
                self._refuse(gathered, _unsupported(frame))
        except FrameError as error:
            self._refuse(gathered, Refused(Refusal.MALFORMED_FRAME, str(error)))
        except StoreUnavailable as error:
            self._refuse(gathered, Refused(Refusal.STORE_UNAVAILABLE, str(error)))

    async def _data(self, frame: DataUp, gathered: Gathered, plan: Plan) -> None:
        sessions = self._sessions.at(frame.dev_addr) or await self._sessions.load(frame.dev_addr)
        for _ in range(CONTENTION_LIMIT):
            outcome = accept(
                frame,
                gathered.phy_payload,
                sessions,
                data_rate=gathered.best.data_rate,
                frequency_hz=gathered.best.frequency_hz,
                plan=plan,
                now=gathered.received_at,
            )
            if isinstance(outcome, Noted) and not await self._noted(outcome):
                sessions = await self._sessions.load(frame.dev_addr)
                continue
            if isinstance(outcome, Refused):
                return self._refuse(gathered, outcome, frame)
            device = await self._directory.device(outcome.before.dev_eui)
            if device is None:
                return self._refuse(gathered, _unregistered(outcome), frame)
            counted = device.as_it_counts(gathered)
            if isinstance(counted, Refused):
                return self._refuse(gathered, counted, frame)
            answered = await self._exchange(outcome, counted, device)
            decoded = None
            if device.profile.codec:
                decoded = await self._decoded(frame, outcome, counted, device)
            delivery = self._delivery(frame, outcome, answered, counted, device, decoded=decoded)
            if delivery is not None and self._outbox.is_full:
                # Not acknowledged either: a device that asks for it keeps its message.
                return self._refuse(gathered, _FULL, frame)
            try:
                sequence = await self._store.advance(
                    outcome.before, answered.session, *_effects(outcome, delivery)
                )
            except StaleSession:
                # Another frame of the device, or another process, was faster: judge it anew.
                sessions = await self._sessions.load(frame.dev_addr)
                continue
            self._sessions.replace(outcome.before, answered.session)
            if delivery is not None and sequence is not None:
                self._outbox.offer(msgspec.structs.replace(delivery, sequence=sequence))
            self._record(frame, outcome, counted, delivery)
            self._tell(answered)
            return await self._downlinks.answer(answered, outcome, counted, device)
        self._refuse(gathered, _CONTENDED, frame)

    async def _noted(self, outcome: Noted) -> bool:
        """Whether the counter of a frame that is not let in was stored; else it is judged anew."""
        try:
            await self._store.advance(outcome.before, outcome.after)
        except StaleSession:
            return False
        self._sessions.replace(outcome.before, outcome.after)
        return True

    async def _at_home(self, frame: DataUp, heard: list[Heard]) -> Heard:
        """Of several regions the first that a session at the address is of."""
        sessions = self._sessions.at(frame.dev_addr) or await self._sessions.load(frame.dev_addr)
        return next(
            (one for one in heard if any(in_region(session, one.plan) for session in sessions)),
            heard[0],
        )

    async def _exchange(
        self, outcome: Accepted | Retransmission, gathered: Gathered, device: DeviceContext
    ) -> Answered:
        """What the device says and is told by MAC commands."""
        best = gathered.best
        surroundings = Surroundings(
            wanted=device.wanted,
            received_at=gathered.received_at,
            gps_time_us=best.gps_time_us,
            snr_db=best.snr_db,
            data_rate=best.data_rate,
            frequency_hz=best.frequency_hz,
            gateway_count=len(gathered.receptions),
            sub_bands=await self._directory.sub_bands_of_gateway(best.gateway_eui),
            adr=outcome.adr,
            adr_ack_req=outcome.adr_ack_req,
        )
        answered = exchange(outcome, surroundings)
        session = msgspec.structs.replace(
            answered.session, last_heard=packed(outcome.fport, gathered.receptions)
        )
        if device.listens_between_uplinks:
            session = heard(session, gathered.receptions)
        return msgspec.structs.replace(answered, session=session)

    async def _decoded(
        self,
        frame: DataUp,
        outcome: Accepted | Retransmission,
        gathered: Gathered,
        device: DeviceContext,
    ) -> bytes | None:
        """What the payload means; None where there is none, or nobody who knows."""
        if self._codecs is None or isinstance(outcome, Retransmission) or not frame.fport:
            return None
        return await self._codecs.decoded_payload(
            device.profile.account,
            device.profile.codec,
            outcome.payload,
            frame.fport,
            gathered.received_at,
        )

    def _delivery(
        self,
        frame: DataUp,
        outcome: Accepted | Retransmission,
        answered: Answered,
        gathered: Gathered,
        device: DeviceContext,
        *,
        decoded: bytes | None,
    ) -> Delivery | None:
        """What is owed to the destination: nothing for a repetition, or MAC commands alone."""
        if isinstance(outcome, Retransmission) or frame.fport == 0:
            return None
        message_id = uplink_message_id(self._randomness)
        service, status = device.service, answered.session.status
        document = uplink_message(
            message_id=message_id,
            device_id=device.device.id,
            dev_eui=device.device.dev_eui,
            frame=frame,
            fcnt=outcome.fcnt,
            payload=outcome.payload,
            data_rate=device.plan.data_rates[gathered.best.data_rate],
            receptions=gathered.receptions,
            received_at=gathered.received_at,
            with_gateways=service.add_gateway_metadata,
            acked_message_id=outcome.acked_message_id,
            battery=status.battery if status and service.report_dev_status_battery else None,
            margin=status.margin if status and service.report_dev_status_margin else None,
            decoded=decoded,
        )
        return Delivery(
            message_id=message_id,
            account=device.device.account,
            dev_eui=device.device.dev_eui,
            destination=device.device.destination,
            document=document,
            created_at=gathered.received_at,
        )

    def _record(
        self,
        frame: DataUp,
        outcome: Accepted | Retransmission,
        gathered: Gathered,
        delivery: Delivery | None,
    ) -> None:
        dev_eui = outcome.before.dev_eui
        if isinstance(outcome, Retransmission):
            self._journal.record(UplinkRepeated(at=self._now(), dev_eui=dev_eui, fcnt=outcome.fcnt))
            return
        if self._journal.tally is not None:
            self._journal.tally(outcome.before, outcome.fcnt, gathered.receptions)
        if outcome.acked_message_id is not None:
            self._journal.record(
                DownlinkAcknowledged(
                    at=self._now(), dev_eui=dev_eui, message_id=outcome.acked_message_id
                )
            )
        if not self._journal.watched:
            self._journal.count_uplink()
            return
        self._journal.record(
            UplinkDelivered(
                at=self._now(),
                dev_eui=dev_eui,
                dev_addr=frame.dev_addr,
                fcnt=outcome.fcnt,
                fport=frame.fport,
                payload=outcome.payload,
                confirmed=frame.confirmed,
                frequency_hz=gathered.best.frequency_hz,
                data_rate=gathered.best.data_rate,
                gateways=tuple(
                    (heard.gateway_eui, heard.rssi_dbm, heard.snr_db)
                    for heard in gathered.receptions
                ),
                message_id=delivery.message_id if delivery else None,
                destination=delivery.destination if delivery else None,
            )
        )

    def _tell(self, answered: Answered) -> None:
        """Of MAC commands that did not do what they should."""
        for notice in answered.notices:
            self._journal.record(mac_event(notice, at=self._now(), session=answered.session))

    def _refuse(self, gathered: Gathered, refused: Refused, frame: DataUp | None = None) -> None:
        self._journal.record(
            FrameRefused(
                at=self._now(),
                refusal=refused.refusal,
                reason=refused.reason,
                dev_eui=refused.dev_eui,
                dev_addr=frame.dev_addr if frame else None,
                fcnt16=frame.fcnt16 if frame else None,
                gateway_eui=gathered.best.gateway_eui,
            )
        )


def _effects(outcome: Accepted | Retransmission, delivery: Delivery | None) -> list[Effect]:
    effects: list[Effect] = []
    if delivery is not None:
        effects.append(Deliver(delivery))
    if isinstance(outcome, Accepted) and outcome.acked_message_id is not None:
        effects.append(DownlinkDone(outcome.acked_message_id))
    return effects


def _unsupported(frame: Frame) -> Refused:
    return Refused(Refusal.UNSUPPORTED_FRAME, f"{type(frame).__name__} is not for this server")


def _unregistered(outcome: Accepted | Retransmission) -> Refused:
    return Refused(
        Refusal.UNKNOWN_DEV_EUI, "the device is no longer registered", outcome.before.dev_eui
    )
