"""Whatever is lost, repeated, replayed, rejoined or wanted anew: device and network agree.

The device is the simulator's, written from the specification apart from the network's half. It
raises `DeviceComplaint` on anything that a careful device could find wrong with a downlink. As soon
as nothing that the network has asked for is unanswered, it must know every parameter of the device;
where the device listens it must know always.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
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
from bittern.lorawan.versions import MacVersion
from bittern.mac.addresses import dev_addr
from bittern.mac.channel_masks import enabled_channels
from bittern.mac.commands.force_rejoin import demand
from bittern.mac.commands.notices import Ignored
from bittern.mac.refused import Refused
from bittern.mac.session import Session
from bittern.mac.uplink import Accepted, Opened
from bittern.mac.windows import join_windows
from bittern.simulator.device import Abp, DownlinkReceived, Joined, Otaa, SimulatedDevice
from bittern.simulator.regions import device_region
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.testing.pure_network import Downlink, PureNetwork, QueuedMessage
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
    Refusal,
    SNwkSIntKey,
)

NOW = Instant(1_700_000_000.0)
NET_ID = NetID.from_hex("000013")
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
V1_0_0, V1_0_2, V1_0_3, V1_0_4, V1_1 = (
    MacVersion.LORAWAN_1_0_0,
    MacVersion.LORAWAN_1_0_2,
    MacVersion.LORAWAN_1_0_3,
    MacVersion.LORAWAN_1_0_4,
    MacVersion.LORAWAN_1_1,
)
BEFORE_1_0_3 = (V1_0_0, V1_0_2)
KINDS = [
    (version, region, joins)
    for version in (V1_0_0, V1_0_2, V1_0_3, V1_0_4, V1_1)
    for region in ("EU868", "US915")
    for joins in (True, False)
]
RX2_DATA_RATES = {"EU868": (0, 3, 5), "US915": (8, 10, 13)}
RX2_FREQUENCIES_HZ = {"EU868": (None, 868_500_000, 869_100_000), "US915": (None, 923_900_000)}
MOVED_HZ = (
    (),
    ((868_100_000, 865_100_000),),
    ((867_300_000, 865_300_000), (868_500_000, 865_500_000)),
)


def keys_of(version: MacVersion) -> SessionKeys:
    if version is not V1_1:
        return SessionKeys.of_1_0(bytes(range(16)), bytes(range(16, 32)))
    return SessionKeys(
        FNwkSIntKey(bytes([1]) * 16),
        SNwkSIntKey(bytes([2]) * 16),
        NwkSEncKey(bytes([3]) * 16),
        AppSKey(bytes([4]) * 16),
    )


def known_of(session: Session, network: PureNetwork) -> dict[str, object]:
    """What the network believes, in the words of the device."""
    radio, plan = session.radio, network.plan
    channels = {
        channel.index: (
            channel.frequency_hz,
            channel.min_data_rate,
            channel.max_data_rate,
            channel.downlink_frequency_hz,
        )
        for channel in radio.extra_channels
    }
    return {
        "windows": (
            radio.rx1_delay_s,
            radio.rx1_dr_offset,
            radio.rx2_data_rate,
            radio.rx2_frequency_hz,
        ),
        "channels": channels,
        "enabled": set(enabled_channels(plan, radio)),
        "data_rate": radio.data_rate,
        "tx_power": radio.tx_power,
        "nb_trans": radio.nb_trans,
        "max_duty_cycle": radio.max_duty_cycle,
        "adr_ack": (1 << radio.adr_ack_limit_exp, 1 << radio.adr_ack_delay_exp),
        "rejoin": (radio.rejoin_max_time_n, radio.rejoin_max_count_n),
        "ping_slot": (radio.ping_slot_frequency_hz, radio.ping_slot_data_rate),
        "periodicity": radio.ping_slot_periodicity,
        "beacon": radio.beacon_frequency_hz,
    }


def truth_of(device: SimulatedDevice) -> dict[str, object]:
    radio, desk, region = device.radio, device.desk, device.region
    defaults = dict(enumerate(region.default_channels))
    channels = {
        index: (
            channel.frequency_hz,
            channel.min_data_rate,
            channel.max_data_rate,
            channel.downlink_frequency_hz
            if channel.downlink_frequency_hz != channel.frequency_hz
            else None,
        )
        for index, channel in radio.channels.items()
        if region.kind == "dynamic" and channel != defaults.get(index)
    }
    return {
        "windows": (
            radio.rx1_delay_s,
            radio.rx1_dr_offset,
            radio.rx2_data_rate,
            radio.rx2_frequency_hz,
        ),
        "channels": channels,
        "enabled": radio.enabled,
        "data_rate": radio.data_rate,
        "tx_power": radio.tx_power,
        "nb_trans": radio.nb_trans,
        "max_duty_cycle": radio.max_duty_cycle,
        "adr_ack": (desk.adr_ack_limit, desk.adr_ack_delay),
        "rejoin": desk.rejoin_limits or (None, None),
        "ping_slot": desk.ping_slot_channel or (0, None),
        "periodicity": desk.ping_slot_periodicity,
        "beacon": desk.beacon_frequency_hz,
    }


class Air(RuleBasedStateMachine):
    """One device, one network, an operator, and somebody who records everything."""

    version = V1_0_3
    region = "EU868"
    joins = True

    @initialize(
        seed=st.integers(0, 999),
        nonce=st.integers(0, 50),
        adr=st.booleans(),
        least_power=st.sampled_from((None, None, 2)),
        fastest=st.sampled_from((None, None, 4)),
        keeps_time=st.booleans(),
    )
    def begin(
        self,
        seed: int,
        nonce: int,
        adr: bool,
        least_power: int | None,
        fastest: int | None,
        keeps_time: bool,
    ) -> None:
        activation: Otaa | Abp = Abp(dev_addr=dev_addr(NET_ID, 77), keys=keys_of(self.version))
        if self.joins:
            nwk_key = NwkKey(bytes([7]) * 16) if self.version is V1_1 else None
            activation = Otaa(join_eui=JOIN_EUI, app_key=AppKey(bytes([8]) * 16), nwk_key=nwk_key)
        sub_bands = (2,) if self.region == "US915" else ()
        self.network = PureNetwork(
            DEV_EUI,
            profile=DeviceProfile(
                id="sensor",
                mac_version=self.version,
                region=self.region,
                supports_class_b=True,
                supports_class_c=bool(seed % 2),
            ),
            policy=ServiceProfile(id="standard"),
            net_id=NET_ID,
            now=NOW,
            credentials=activation if isinstance(activation, Otaa) else None,
            sub_bands=sub_bands,
        )
        if isinstance(activation, Abp):
            self.network.personalize(activation.dev_addr, activation.keys)
        self.device = SimulatedDevice(
            dev_eui=DEV_EUI,
            activation=activation,
            version=self.version,
            region=device_region(self.region),
            chance=random.Random(seed),
            # Where no CFList masks them, the network finds all channels enabled.
            sub_bands=sub_bands if self.joins and self.version not in BEFORE_1_0_3 else (),
            adr=adr,
            next_dev_nonce=nonce,
        )
        self.device.radio.max_tx_power = least_power
        self.device.radio.max_data_rate = fastest if self.region == "EU868" else None
        self.device.desk.keeps_time = keeps_time
        self.recorded: list[tuple[bytes, int, int]] = []
        self.recorded_joins: list[tuple[bytes, int]] = []
        self.sent: list[bytes] = []
        self.received: list[DownlinkReceived] = []
        self.used_down: set[tuple[int, str, int]] = set()
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
        snr_db=st.sampled_from((-18.0, -9.0, 2.0, 10.0)),
    )
    def send(
        self, size: int, confirmed: bool, uplink_heard: bool, downlink_heard: bool, snr_db: float
    ) -> None:
        payload = len(self.sent).to_bytes(2, "big") + bytes(size - 2 if size > 2 else 0)
        if not self._sends(payload, confirmed):
            return
        self.sent.append(payload)
        outcome = self._on_air(uplink_heard, downlink_heard, snr_db)
        if uplink_heard:
            assert isinstance(outcome, Accepted)
            assert outcome.payload == payload

    @precondition(active)
    @rule(
        count=st.integers(10, 30),
        every=st.integers(1, 5),
        snr_db=st.sampled_from((-18.0, -9.0, 10.0)),
        downlink_heard=st.booleans(),
    )
    def send_many(self, count: int, every: int, snr_db: float, downlink_heard: bool) -> None:
        """One uplink in `every` is heard: enough of them for ADR to make up its mind."""
        for number in range(count):
            self.send(2, False, number % every == 0, downlink_heard, snr_db)

    @precondition(lambda self: self.active() and self.device._last is not None)
    @rule(uplink_heard=st.booleans(), downlink_heard=st.booleans())
    def send_again(self, uplink_heard: bool, downlink_heard: bool) -> None:
        try:
            self.device.retransmit()
        except ValueError:
            return
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
        session.fcnt_up = max(session.fcnt_up, min(session.fcnt_up + lost, last + 16_000))

    def _sends(self, payload: bytes, confirmed: bool) -> bool:
        """False: what the device owes is too long for its data rate, so nothing goes out."""
        try:
            self.device.uplink(payload, 10, confirmed)
        except ValueError:
            self.device._last = None
            return False
        return True

    def _on_air(
        self, uplink_heard: bool, downlink_heard: bool, snr_db: float = 5.0
    ) -> Opened | Refused | None:
        sent = self.device.sent
        assert sent is not None
        self.network.now = Instant(self.network.now + 600)
        self.recorded.append((sent.phy_payload, sent.data_rate, sent.frequency_hz))
        if not uplink_heard:
            return None
        opened = self.network.hear(sent.phy_payload, sent.data_rate, sent.frequency_hz)
        if isinstance(opened, Refused):
            return opened
        down = self.network.answer(opened, sent.data_rate, sent.frequency_hz, snr_db)
        self._agree()
        self._count(down)
        if down is not None and downlink_heard:
            self._receive(down)
        return opened

    def _receive(self, down: Downlink) -> None:
        """Both ends mean the same windows, and the device takes the frame in either."""
        rx1, rx2 = self.device.windows()
        offered = down.offered
        assert offered.rx1 == (rx1.data_rate, rx1.frequency_hz)
        assert offered.rx2 == (rx2.data_rate, rx2.frequency_hz)
        assert (offered.delay_s, offered.delay_s + 1) == (rx1.delay_s, rx2.delay_s)
        window = rx1 if down.composed.windows.rx1 is not None else rx2
        received = self.device.receive(down.composed.phy_payload, window=window)
        assert isinstance(received, DownlinkReceived)
        assert received.fcnt == down.composed.fcnt_down
        self.received.append(received)
        # Once it has heard an answer, a device sends that uplink no more.
        self.device._last = None

    def _count(self, down: Downlink | None) -> None:
        """No downlink counter of a session is ever used for two frames."""
        if down is None:
            return
        composed = down.composed
        counter = "application" if self.version is V1_1 and composed.fport else "network"
        use = (composed.after.generation, counter, composed.fcnt_down)
        assert use not in self.used_down
        self.used_down.add(use)

    def _agree(self) -> None:
        """After an uplink of the device was heard."""
        session = self._current()
        known, truth = known_of(session, self.network), truth_of(self.device)
        assert known["windows"] == truth["windows"], (known["windows"], truth["windows"])
        if any(not request.answered for request in session.requests):
            return
        if session.radio.link_uncertain or self._has_fallen_back():
            for name in ("enabled", "data_rate", "tx_power", "nb_trans"):
                del known[name], truth[name]
        if known["ping_slot"] == (0, self.network.plan.class_b.ping_slot_data_rate):
            known["ping_slot"] = truth["ping_slot"] = None
        if known["periodicity"] != truth["periodicity"]:
            # The network knows first: its answer may be lost.
            assert self.device.desk._told_periodicity == known["periodicity"]
            del known["periodicity"], truth["periodicity"]
        assert known == truth, {k: (known[k], truth[k]) for k in known if known[k] != truth[k]}

    def _has_fallen_back(self) -> bool:
        """A device that has no ADR, or that asks, moves by itself."""
        return (
            not self.device.adr and self.device.radio.data_rate != self._current().radio.data_rate
        )

    def _current(self) -> Session:
        assert self.device.session is not None
        address = self.device.session.dev_addr
        return next(one for one in self.network.sessions if one.dev_addr == address)

    # The operator, the application and the stranger

    @rule(data=st.data())
    def want(self, data: st.DataObject) -> None:
        """Other profiles, each of them possible in the region. Where a personalized device listens
        is what it was made with."""
        draw: Callable[..., object] = data.draw
        dynamic = self.region == "EU868"
        profile = self.network.profile
        if self.joins:
            profile = msgspec.structs.replace(
                profile,
                rx1_delay_s=draw(st.sampled_from((1, 2, 5, 15))),
                rx1_dr_offset=draw(st.integers(0, 3)),
                rx2_data_rate=draw(st.sampled_from(RX2_DATA_RATES[self.region])),
                rx2_frequency_hz=draw(st.sampled_from(RX2_FREQUENCIES_HZ[self.region])),
            )
        profile = msgspec.structs.replace(
            profile,
            downlink_frequencies_hz=draw(st.sampled_from(MOVED_HZ)) if dynamic else (),
            adr_ack_limit_exp=draw(st.sampled_from((2, 4, 6))),
            adr_ack_delay_exp=draw(st.sampled_from((1, 3, 5))),
            rejoin_max_time_n=draw(st.sampled_from((None, 4))),
            rejoin_max_count_n=draw(st.sampled_from((None, 0, 9))),
            ping_slot_data_rate=draw(st.sampled_from((None, RX2_DATA_RATES[self.region][1]))),
            beacon_frequency_hz=draw(st.sampled_from(RX2_FREQUENCIES_HZ[self.region])),
        )
        policy = msgspec.structs.replace(
            self.network.policy,
            max_duty_cycle=draw(st.integers(0, 4)),
            dr_min=draw(st.integers(0, 2)),
            dr_max=draw(st.sampled_from((3, 15))),
            nb_trans_max=draw(st.integers(1, 3)),
            adr_algorithm=draw(st.sampled_from(("reference", "mobile", ""))),
        )
        self.network.want(profile, policy)

    @rule(size=st.integers(0, 60), confirmed=st.booleans(), fport=st.integers(1, 223))
    def queue_message(self, size: int, confirmed: bool, fport: int) -> None:
        self.messages += 1
        message = QueuedMessage(f"m{self.messages}", bytes(size), fport, confirmed)
        self.network.queue.append(message)

    @precondition(active)
    @rule(what=st.sampled_from(("link_check", "device_time", "ping_slots", "beacon", "class")))
    def ask(self, what: str) -> None:
        desk = self.device.desk
        if desk._asked:
            return
        match what:
            case "link_check":
                desk.ask_link_check()
            case "device_time" if self.version not in BEFORE_1_0_3:
                desk.ask_device_time()
            case "ping_slots":
                desk.tell_ping_slots(self.messages % 8)
            case "beacon" if self.version in BEFORE_1_0_3:
                desk.ask_beacon_timing()
            case "class" if self.version is V1_1:
                desk.indicate_class("C" if self.network.profile.supports_class_c else "A")

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
            self._count(self.network.answer(outcome, data_rate, frequency_hz))

    @precondition(lambda self: self.recorded_joins)
    @rule(data=st.data())
    def replay_a_join(self, data: st.DataObject) -> None:
        phy_payload, frequency_hz = data.draw(st.sampled_from(self.recorded_joins))
        assert isinstance(self.network.join(phy_payload, frequency_hz), Refused)

    # The device joins, and rejoins

    def may_join(self) -> bool:
        """A device that has joined uses what it got before it joins anew."""
        return self.joins and (self.device.session is None or not self._current().pending)

    def may_rejoin(self) -> bool:
        return self.joins and self.version is V1_1 and self.active()

    @precondition(may_join)
    @rule(accept_heard=st.sampled_from((True, True, False)))
    def join(self, accept_heard: bool) -> None:
        self.device.join_request()
        refused = self._joins(accept_heard)
        # Before 1.0.4 a device draws its DevNonce, and may draw one again.
        assert refused is None or self.version not in (V1_0_4, V1_1)

    @precondition(may_rejoin)
    @rule(
        rejoin_type=st.sampled_from((0, 1, 2)),
        heard=st.sampled_from((True, True, False)),
        accept_heard=st.sampled_from((True, True, False)),
    )
    def rejoin(self, rejoin_type: int, heard: bool, accept_heard: bool) -> None:
        if rejoin_type == 1 and not self.may_join():
            return
        try:
            self.device.rejoin_request(rejoin_type)
        except ValueError:
            return
        if not heard:
            return
        refused = self._joins(accept_heard)
        assert refused is None or refused.refusal is Refusal.RADIO_UNSETTLED

    @precondition(lambda self: self.may_rejoin() and not self._current().pending)
    @rule(rejoin_type=st.sampled_from((0, 2)))
    def demand_a_rejoin(self, rejoin_type: int) -> None:
        session = self._current()
        self.network.replace(session, demand(session, rejoin_type, data_rate=3))

    def _joins(self, accept_heard: bool) -> Refused | None:
        sent = self.device.sent
        assert sent is not None
        granted = self.network.join(sent.phy_payload, sent.frequency_hz)
        if isinstance(granted, Refused):
            return granted
        self.recorded_joins.append((sent.phy_payload, sent.frequency_hz))
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
        return None

    # Always

    @invariant()
    def nothing_is_delivered_twice(self) -> None:
        delivered = getattr(self, "network", None) and self.network.delivered
        assert not delivered or len(delivered) == len(set(delivered))

    @invariant()
    def nothing_is_acknowledged_twice(self) -> None:
        if hasattr(self, "network"):
            assert len(self.network.acked) == len(set(self.network.acked))

    @invariant()
    def nothing_that_the_device_says_is_ignored(self) -> None:
        if hasattr(self, "network"):
            assert [one for one in self.network.notices if isinstance(one, Ignored)] == []


@pytest.mark.parametrize(("version", "region", "joins"), KINDS)
def test_device_and_network_agree(version: MacVersion, region: str, joins: bool) -> None:
    machine = type("Air", (Air,), {"version": version, "region": region, "joins": joins})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=25, stateful_step_count=40, deadline=None)
    )
