"""Whatever is lost, repeated, replayed or rejoined: device and network agree.

The device is the simulator's, written from the specification apart from the network's half. It
raises `DeviceComplaint` on anything that a careful device could find wrong with a downlink.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.frame import DataUp, JoinRequest, parse
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.addresses import dev_addr
from bittern.mac.commands.notices import Unanswered
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.downlink import Composed, compose
from bittern.mac.exchange import Answered, exchange
from bittern.mac.join import JoinGranted, answer
from bittern.mac.join_accept import Terms
from bittern.mac.personalization import personalize
from bittern.mac.refused import Refused
from bittern.mac.session import JoinState, Session
from bittern.mac.uplink import Accepted, Opened, accept
from bittern.mac.wanted import wanted
from bittern.mac.windows import Windows, join_windows, windows
from bittern.simulator.device import Abp, DownlinkReceived, Joined, Otaa, SimulatedDevice
from bittern.simulator.regions import device_region
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevEUI,
    FNwkSIntKey,
    Instant,
    JoinEUI,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

NOW = Instant(1_700_000_000.0)
NET_ID = NetID.from_hex("000013")
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
V1_0_3, V1_0_4, V1_1 = (
    MacVersion.LORAWAN_1_0_3,
    MacVersion.LORAWAN_1_0_4,
    MacVersion.LORAWAN_1_1,
)
KINDS = [
    (version, region, joins)
    for version in (V1_0_3, V1_0_4, V1_1)
    for region in ("EU868", "US915")
    for joins in (True, False)
]


@dataclass(frozen=True)
class Message:
    message_id: str
    payload: bytes
    fport: int
    confirmed: bool


def keys_of(version: MacVersion) -> SessionKeys:
    if version is not V1_1:
        return SessionKeys.of_1_0(bytes(range(16)), bytes(range(16, 32)))
    return SessionKeys(
        FNwkSIntKey(bytes([1]) * 16),
        SNwkSIntKey(bytes([2]) * 16),
        NwkSEncKey(bytes([3]) * 16),
        AppSKey(bytes([4]) * 16),
    )


class Network:
    """The pure parts joined as the application core joins them, its store two attributes."""

    def __init__(self, version: MacVersion, region: str, activation: Otaa | Abp) -> None:
        self.profile = DeviceProfile(id="sensor", mac_version=version)
        self.plan = plan(region)
        self.wanted = wanted(self.profile, ServiceProfile(id="standard"), self.plan)
        self.activation = activation
        self.sub_bands = (2,) if region == "US915" else ()
        self.join_state: JoinState | None = None
        self.sessions: list[Session] = []
        self.queue: list[Message] = []
        self.delivered: list[bytes] = []
        self.acked: list[str] = []
        self.used_down: set[tuple[int, str, int]] = set()
        self._addresses = 0
        if isinstance(activation, Abp):
            self.sessions.append(
                personalize(
                    DEV_EUI,
                    activation.dev_addr,
                    activation.keys,
                    profile=self.profile,
                    plan=self.plan,
                    now=NOW,
                )
            )

    def replace(self, before: Session, after: Session) -> None:
        """The store's compare-and-set."""
        assert before in self.sessions
        assert after.revision == before.revision + 1
        self.sessions = [after if session is before else session for session in self.sessions]
        if before.pending and not after.pending:
            self.sessions = [after]

    def hear(self, phy_payload: bytes, data_rate: int, frequency_hz: int) -> Opened | Refused:
        frame = parse(phy_payload)
        assert isinstance(frame, DataUp)
        candidates = [s for s in self.sessions if s.dev_addr == frame.dev_addr]
        opened = accept(
            frame,
            phy_payload,
            candidates,
            data_rate=data_rate,
            frequency_hz=frequency_hz,
            plan=self.plan,
            now=NOW,
        )
        if isinstance(opened, Accepted):
            self.delivered.append(opened.payload)
            if opened.acked_message_id is not None:
                self.acked.append(opened.acked_message_id)
                self.queue = [m for m in self.queue if m.message_id != opened.acked_message_id]
        return opened

    def answer(
        self, opened: Opened, data_rate: int, frequency_hz: int
    ) -> tuple[Composed, Windows] | None:
        answered = self.exchange(opened, data_rate, frequency_hz)
        self.replace(opened.before, answered.session)
        message = self.queue[0] if self.queue else None
        if not (answered.owed or answered.commands or message):
            return None
        offered = windows(answered.session, self.plan, data_rate, frequency_hz)
        down = compose(
            answered.session,
            windows=offered,
            ack=opened.confirmed,
            commands=answered.commands,
            adr=answered.adr,
            message=message,
            fpending=len(self.queue) > 1,
        )
        if not isinstance(down, Composed):
            return None
        self.replace(down.before, down.after)
        self._count(down)
        if down.message_id is not None and not down.confirmed:
            self.queue.pop(0)
        return down, offered

    def exchange(self, opened: Opened, data_rate: int, frequency_hz: int) -> Answered:
        surroundings = Surroundings(
            wanted=self.wanted,
            received_at=NOW,
            snr_db=5.0,
            data_rate=data_rate,
            frequency_hz=frequency_hz,
            gateway_count=1,
            sub_bands=self.sub_bands,
            adr=opened.adr,
            adr_ack_req=opened.adr_ack_req,
        )
        answered = exchange(opened, surroundings)
        assert [n for n in answered.notices if not isinstance(n, Unanswered)] == []
        return answered

    def _count(self, down: Composed) -> None:
        """No downlink counter of a session is ever used for two frames."""
        two_counters = self.profile.mac_version is V1_1
        counter = "application" if two_counters and down.fport else "network"
        use = (down.after.generation, counter, down.fcnt_down)
        assert use not in self.used_down
        self.used_down.add(use)

    def _terms(self) -> Terms:
        self._addresses += 1
        return Terms(
            profile=self.profile,
            plan=self.plan,
            net_id=NET_ID,
            dev_addr=dev_addr(NET_ID, self._addresses),
            now=NOW,
            sub_bands=self.sub_bands,
        )

    def join(self, phy_payload: bytes) -> JoinGranted | Refused:
        request = parse(phy_payload)
        assert isinstance(request, JoinRequest)
        assert isinstance(self.activation, Otaa)
        granted = answer(
            request,
            phy_payload,
            credentials=self.activation,
            state=self.join_state,
            terms=self._terms(),
        )
        if isinstance(granted, JoinGranted):
            self.join_state = granted.after
            self.sessions = [s for s in self.sessions if not s.pending] + [granted.session]
        return granted


class Air(RuleBasedStateMachine):
    """One device, one network, and somebody who records everything."""

    version = V1_0_3
    region = "EU868"
    joins = True

    @initialize(seed=st.integers(0, 999), nonce=st.integers(0, 50))
    def begin(self, seed: int, nonce: int) -> None:
        activation: Otaa | Abp = Abp(dev_addr=dev_addr(NET_ID, 77), keys=keys_of(self.version))
        if self.joins:
            nwk_key = NwkKey(bytes([7]) * 16) if self.version is V1_1 else None
            activation = Otaa(join_eui=JOIN_EUI, app_key=AppKey(bytes([8]) * 16), nwk_key=nwk_key)
        self.network = Network(self.version, self.region, activation)
        self.device = SimulatedDevice(
            dev_eui=DEV_EUI,
            activation=activation,
            version=self.version,
            region=device_region(self.region),
            chance=random.Random(seed),
            sub_bands=self.network.sub_bands,
            next_dev_nonce=nonce,
        )
        self.recorded: list[tuple[bytes, int, int]] = []
        self.recorded_joins: list[bytes] = []
        self.sent: list[bytes] = []
        self.received: list[DownlinkReceived] = []
        self.messages = 0

    def active(self) -> bool:
        return self.device.session is not None

    # The device sends

    @precondition(active)
    @rule(
        size=st.integers(0, 11),
        confirmed=st.booleans(),
        uplink_heard=st.sampled_from((True, True, False)),
        downlink_heard=st.sampled_from((True, True, False)),
    )
    def send(self, size: int, confirmed: bool, uplink_heard: bool, downlink_heard: bool) -> None:
        payload = len(self.sent).to_bytes(2, "big") + bytes(size - 2 if size > 2 else 0)
        self.device.uplink(payload, 10, confirmed)
        self.sent.append(payload)
        outcome = self._on_air(uplink_heard, downlink_heard)
        if uplink_heard:
            assert isinstance(outcome, Accepted)
            assert outcome.payload == payload

    @precondition(lambda self: self.active() and self.device._last is not None)
    @rule(uplink_heard=st.booleans(), downlink_heard=st.booleans())
    def send_again(self, uplink_heard: bool, downlink_heard: bool) -> None:
        self.device.retransmit()
        outcome = self._on_air(uplink_heard, downlink_heard)
        if uplink_heard and isinstance(outcome, Refused):
            # Only because somebody has replayed it too often before.
            assert "times after it was accepted" in outcome.reason

    @precondition(active)
    @rule(lost=st.integers(1, 16_000))
    def lose_many(self, lost: int) -> None:
        """As many uplinks are heard by nobody, over rollovers of the low half too."""
        session = self.device.session
        assert session is not None
        last = max(s.fcnt_up for s in self.network.sessions if s.dev_addr == session.dev_addr)
        # MAX_FCNT_GAP, less what further steps may lose.
        session.fcnt_up = max(session.fcnt_up, min(session.fcnt_up + lost, last + 16_300))

    def _on_air(self, uplink_heard: bool, downlink_heard: bool) -> Opened | Refused | None:
        sent = self.device.sent
        assert sent is not None
        self.recorded.append((sent.phy_payload, sent.data_rate, sent.frequency_hz))
        if not uplink_heard:
            return None
        opened = self.network.hear(sent.phy_payload, sent.data_rate, sent.frequency_hz)
        if isinstance(opened, Refused):
            return opened
        answer = self.network.answer(opened, sent.data_rate, sent.frequency_hz)
        if answer is not None and downlink_heard:
            self._receive(*answer)
        return opened

    def _receive(self, down: Composed, offered: Windows) -> None:
        """Both ends mean the same windows, and the device takes the frame in either."""
        rx1, rx2 = self.device.windows()
        assert offered.rx1 == (rx1.data_rate, rx1.frequency_hz)
        assert offered.rx2 == (rx2.data_rate, rx2.frequency_hz)
        assert (offered.delay_s, offered.delay_s + 1) == (rx1.delay_s, rx2.delay_s)
        window = rx1 if down.windows.rx1 is not None else rx2
        received = self.device.receive(down.phy_payload, window=window)
        assert isinstance(received, DownlinkReceived)
        assert received.fcnt == down.fcnt_down
        self.received.append(received)
        # Once it has heard an answer, a device sends that uplink no more.
        self.device._last = None

    # The application and the stranger

    @rule(size=st.integers(0, 60), confirmed=st.booleans(), fport=st.integers(1, 223))
    def queue_message(self, size: int, confirmed: bool, fport: int) -> None:
        self.messages += 1
        message = Message(f"m{self.messages}", bytes(size), fport, confirmed)
        self.network.queue.append(message)

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        phy_payload, data_rate, frequency_hz = data.draw(st.sampled_from(self.recorded))
        before = list(self.network.delivered)
        outcome = self.network.hear(phy_payload, data_rate, frequency_hz)
        if isinstance(outcome, Accepted):
            # The network had not heard it the first time, so it is late, not twice.
            assert outcome.payload not in before
        if isinstance(outcome, Opened):
            self.network.answer(outcome, data_rate, frequency_hz)

    @precondition(lambda self: self.recorded_joins)
    @rule(data=st.data())
    def replay_a_join(self, data: st.DataObject) -> None:
        phy_payload = data.draw(st.sampled_from(self.recorded_joins))
        assert isinstance(self.network.join(phy_payload), Refused)

    # The device joins

    def may_join(self) -> bool:
        """A device that has joined uses what it got before it joins anew."""
        return self.joins and (self.device.session is None or self._is_in_use())

    def _is_in_use(self) -> bool:
        session = self.device.session
        assert session is not None
        return any(s.dev_addr == session.dev_addr and not s.pending for s in self.network.sessions)

    @precondition(may_join)
    @rule(accept_heard=st.sampled_from((True, True, False)))
    def join(self, accept_heard: bool) -> None:
        phy_payload = self.device.join_request()
        granted = self.network.join(phy_payload)
        if isinstance(granted, Refused):
            # Before 1.0.4 a device draws its DevNonce, and may draw one again.
            assert self.version is V1_0_3
            return
        self.recorded_joins.append(phy_payload)
        sent = self.device.sent
        assert sent is not None
        offered = join_windows(self.network.plan, sent.data_rate, sent.frequency_hz)
        rx1, rx2 = self.device.windows()
        assert offered.rx1 == (rx1.data_rate, rx1.frequency_hz)
        assert offered.rx2 == (rx2.data_rate, rx2.frequency_hz)
        assert offered.delay_s == rx1.delay_s
        if accept_heard:
            joined = self.device.receive(granted.phy_payload, window=rx1)
            assert isinstance(joined, Joined)
            assert joined.dev_addr == granted.session.dev_addr
            self.sent.append(b"join")

    # Always

    @invariant()
    def nothing_is_delivered_twice(self) -> None:
        delivered = getattr(self, "network", None) and self.network.delivered
        assert not delivered or len(delivered) == len(set(delivered))

    @invariant()
    def nothing_is_acknowledged_twice(self) -> None:
        if hasattr(self, "network"):
            assert len(self.network.acked) == len(set(self.network.acked))


@pytest.mark.parametrize(("version", "region", "joins"), KINDS)
def test_device_and_network_agree(version: MacVersion, region: str, joins: bool) -> None:
    machine = type("Air", (Air,), {"version": version, "region": region, "joins": joins})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=40, deadline=None)
    )
