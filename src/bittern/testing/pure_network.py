"""The pure parts of the network joined as the application core joins them, for one device.

Its store is three attributes, its radio whatever the test does with the bytes; `restart` leaves
what a store would have kept. Property tests and simulations that need no gateway run on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bittern.keys.ring import KEY_SIZE, KeyRing
from bittern.lorawan.class_b import PingSlot
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.frame import DataUp, JoinRequest, RejoinRequest, parse
from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.radio import DeviceClass
from bittern.lorawan.regions import plan_of_profile
from bittern.mac import listening
from bittern.mac.addresses import dev_addr
from bittern.mac.commands.notices import Notice
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.device_class import device_class
from bittern.mac.downlink import Composed, Message, PayloadTooLong, compose
from bittern.mac.exchange import Answered, exchange
from bittern.mac.join import JoinGranted
from bittern.mac.join import answer as answer_join
from bittern.mac.join_accept import JoinCredentials, Terms
from bittern.mac.personalization import personalize
from bittern.mac.refused import Refused
from bittern.mac.rejoin import RejoinGranted
from bittern.mac.rejoin import answer as answer_rejoin
from bittern.mac.session import JoinState, Session
from bittern.mac.uplink import Accepted, Opened, accept
from bittern.mac.wanted import Wanted, wanted
from bittern.mac.windows import Windows, windows
from bittern.store import codec
from bittern.store.records import DeviceProfile, QueuedDownlink, ServiceProfile
from bittern.types import DevAddr, DevEUI, Instant, NetID

VAULT = KeyRing({1: bytes(KEY_SIZE)})


class Downlink(msgspec.Struct, frozen=True):
    """A frame, and where the device was offered it."""

    composed: Composed
    offered: Windows


class Push(msgspec.Struct, frozen=True):
    """A frame that answers no uplink."""

    composed: Composed
    served: DeviceClass
    """The class that the device is believed to be in: C, or B in `slot`."""
    slot: PingSlot | None


class PureNetwork:
    """One device's network. `credentials` are of a device that joins."""

    def __init__(
        self,
        dev_eui: DevEUI,
        *,
        profile: DeviceProfile,
        policy: ServiceProfile,
        net_id: NetID,
        now: Instant,
        credentials: JoinCredentials | None = None,
        sub_bands: Sequence[int] = (),
    ) -> None:
        self.dev_eui = dev_eui
        self.plan = plan_of_profile(
            profile.region, profile.reg_params_revision, profile.mac_version
        )
        self.net_id = net_id
        self.now = now
        self.sub_bands = tuple(sub_bands)
        self.join_state: JoinState | None = None
        self.sessions: list[Session] = []
        self.queue: list[QueuedDownlink] = []
        self.delivered: list[bytes] = []
        self.acked: list[str] = []
        self.notices: list[Notice] = []
        self._credentials = credentials
        self._addresses = 0
        self.profile, self.policy = profile, policy
        self.wanted: Wanted = wanted(profile, policy, self.plan)

    def want(self, profile: DeviceProfile, policy: ServiceProfile) -> None:
        """The operator has changed the profiles."""
        self.profile, self.policy = profile, policy
        self.wanted = wanted(profile, policy, self.plan)

    def personalize(self, address: DevAddr, keys: SessionKeys) -> None:
        self.sessions = [
            personalize(
                self.dev_eui,
                address,
                keys,
                profile=self.profile,
                plan=self.plan,
                now=self.now,
                first_revision=0,
            )
        ]

    def replace(self, before: Session, after: Session) -> None:
        """The store's compare-and-set."""
        assert before in self.sessions, "the session has moved on"
        assert after.revision == before.revision + 1
        self.sessions = [after if one is before else one for one in self.sessions]
        if before.pending and not after.pending:
            self.sessions = [after]

    # Data frames

    def hear(self, phy_payload: bytes, data_rate: int, frequency_hz: int) -> Opened | Refused:
        """Accept the frame, or not; nothing is stored before `answer`."""
        frame = parse(phy_payload)
        assert isinstance(frame, DataUp)
        opened = accept(
            frame,
            phy_payload,
            [one for one in self.sessions if one.dev_addr == frame.dev_addr],
            data_rate=data_rate,
            frequency_hz=frequency_hz,
            plan=self.plan,
            now=self.now,
        )
        return opened

    def settle(
        self, opened: Opened, data_rate: int, frequency_hz: int, snr_db: float = 5.0
    ) -> Answered:
        """The one transaction: the session, the delivery, the message that was acknowledged."""
        answered = self._exchange(opened, data_rate, frequency_hz, snr_db)
        self.notices += answered.notices
        self.replace(opened.before, answered.session)
        if isinstance(opened, Accepted):
            self.delivered.append(opened.payload)
            if opened.acked_message_id is not None:
                self.acked.append(opened.acked_message_id)
                self.queue = [m for m in self.queue if m.message_id != opened.acked_message_id]
        return answered

    def answer(
        self, opened: Opened, data_rate: int, frequency_hz: int, snr_db: float = 5.0
    ) -> Downlink | None:
        """What goes back, if anything does."""
        answered = self.settle(opened, data_rate, frequency_hz, snr_db)
        message: Message | None = self.queue[0] if self.queue else None
        if not (answered.owed or answered.commands or message):
            return None
        offered = windows(answered.session, self.plan, data_rate, frequency_hz)
        down = compose(
            answered.session,
            windows=offered,
            ack=opened.confirmed,
            commands=answered.commands,
            message=message,
            fpending=len(self.queue) > 1,
            adr=answered.adr,
        )
        if isinstance(down, PayloadTooLong | Refused):
            return None
        self._sent(down)
        return Downlink(down, offered)

    def _sent(self, down: Composed) -> None:
        self.replace(down.before, down.after)
        if down.message_id is not None and not down.confirmed:
            self.queue.pop(0)

    def push(self) -> Push | None:
        """Send the first message now, if the device is believed to listen between its uplinks."""
        for session in self.sessions if self.queue else ():
            served = device_class(session, self.profile)
            if served != "A":
                return self._push(session, served)
        return None

    def _push(self, session: Session, served: DeviceClass) -> Push | None:
        slot, offered = None, listening.always(session, self.plan)
        if served == "B":
            slot = listening.next_slot(session, gps_time_us(self.now))
            offered = listening.in_ping_slot(session, self.plan, slot)
        adr = self.wanted.adr is not None
        down = compose(session, windows=offered, message=self.queue[0], adr=adr)
        if not isinstance(down, Composed):
            return None
        self._sent(down)
        return Push(down, served, slot)

    def restart(self) -> None:
        """Everything is lost that a store does not keep."""
        rows = [codec.session_to_row(one, VAULT) for one in self.sessions]
        self.sessions = [codec.session_from_row(row, VAULT) for row in rows]
        if self.join_state is not None:
            self.join_state = codec.join_state_from_row(codec.join_state_to_row(self.join_state))
        queued = [codec.downlink_to_row(one, VAULT) for one in self.queue]
        self.queue = [codec.downlink_from_row(row, VAULT) for row in queued]

    def _exchange(
        self, opened: Opened, data_rate: int, frequency_hz: int, snr_db: float
    ) -> Answered:
        surroundings = Surroundings(
            wanted=self.wanted,
            received_at=self.now,
            snr_db=snr_db,
            data_rate=data_rate,
            frequency_hz=frequency_hz,
            gateway_count=1,
            sub_bands=self.sub_bands,
            adr=opened.adr,
            adr_ack_req=opened.adr_ack_req,
        )
        return exchange(opened, surroundings)

    # Joins

    def join(self, phy_payload: bytes, frequency_hz: int) -> JoinGranted | RejoinGranted | Refused:
        """Grant a join-request or a rejoin-request, or not; what is granted is stored."""
        request = parse(phy_payload)
        assert self._credentials is not None, "an ABP device does not join"
        granted: JoinGranted | RejoinGranted | Refused
        if isinstance(request, JoinRequest):
            granted = answer_join(
                request,
                phy_payload,
                credentials=self._credentials,
                state=self.join_state,
                terms=self._terms(frequency_hz),
            )
        else:
            assert isinstance(request, RejoinRequest)
            granted = answer_rejoin(
                request,
                phy_payload,
                credentials=self._credentials,
                sessions=self.sessions,
                state=self.join_state,
                terms=self._terms(frequency_hz),
            )
        if not isinstance(granted, Refused):
            self._store(granted)
        return granted

    def _store(self, granted: JoinGranted | RejoinGranted) -> None:
        if isinstance(granted, RejoinGranted) and granted.step is not None:
            self.replace(granted.step.before, granted.step.after)
        self.join_state = granted.after
        self.sessions = [one for one in self.sessions if not one.pending] + [granted.session]

    def _terms(self, frequency_hz: int) -> Terms:
        self._addresses += 1
        return Terms(
            profile=self.profile,
            plan=self.plan,
            net_id=self.net_id,
            dev_addr=dev_addr(self.net_id, self._addresses),
            now=self.now,
            sub_bands=self.sub_bands,
            frequency_hz=frequency_hz,
        )
