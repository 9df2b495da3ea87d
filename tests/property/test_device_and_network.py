"""Whatever is lost, repeated, late, restarted, rejoined or wanted anew: device and network agree.

The device is the simulator's, written from the specification apart from the network's half. It
raises `DeviceComplaint` on anything that a careful device could find wrong with a downlink. As soon
as nothing that the network has asked for is unanswered, it must know every parameter of the device;
where the device listens in RX1 and RX2 it must know always.

Of its class, the network holds exactly what the last uplink that it has heard in this session has
said. So it sends to a device of class A as to one of class B or C in one case only: the device
has changed since, or restarted, and no uplink of it was heard. The standard leaves that gap. There
is a second one: where a device listens between uplinks is known when it has answered the request
that moves it, RXParamSetupReq or PingSlotChannelReq; what is sent meanwhile may be missed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

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

from bittern.lorawan.commands import PingSlotChannelReq, RXParamSetupReq
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.addresses import dev_addr
from bittern.mac.commands.force_rejoin import demand
from bittern.mac.commands.notices import Ignored
from bittern.mac.device_class import device_class
from bittern.mac.refused import Refused
from bittern.mac.session import Session
from bittern.mac.uplink import Accepted, Opened
from bittern.mac.windows import join_windows
from bittern.simulator.complaint import Complaint, DeviceComplaint
from bittern.simulator.device import Abp, DownlinkReceived, Joined, Otaa, SimulatedDevice
from bittern.simulator.ping_slots import ping_window, slot_beginning
from bittern.simulator.radio import ReceiveWindow
from bittern.simulator.regions import DeviceRegion, device_region, region_names
from bittern.store.records import DeviceProfile, QueuedDownlink, ServiceProfile
from bittern.testing.pure_network import Downlink, PureNetwork, Push
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

sys.path.insert(0, str(Path(__file__).parent))
from beliefs import disagreements

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
REJOIN_2 = b"\xc0\x02"
MOST_PUSHED = 6
"""Confirmed messages at a time, far fewer than the network remembers."""
BEFORE_1_0_3 = (V1_0_0, V1_0_2)

KINDS = [
    (version, region, joins)
    for version in (V1_0_0, V1_0_2, V1_0_3, V1_0_4, V1_1)
    for region in ("EU868", "US915")
    for joins in (True, False)
] + [
    # Every other region, each in two versions, one with each way of activation.
    (version, region, joins)
    for number, region in enumerate(sorted(set(region_names()) - {"EU868", "US915"}))
    for version, joins in (
        ((V1_0_3, True), (V1_1, False)) if number % 2 else ((V1_0_4, False), (V1_0_2, True))
    )
]
MOVED_HZ = (
    (),
    ((868_100_000, 865_100_000),),
    ((867_300_000, 865_300_000), (868_500_000, 865_500_000)),
)


def rx2_data_rates(region: DeviceRegion) -> list[int]:
    """Three of LoRa that RXParamSetupReq may choose."""
    usable = [dr for dr in sorted(region.rx2_data_rates) if region.data_rates[dr].bandwidth_khz]
    return [usable[0], usable[len(usable) // 2], usable[-1]]


def rx2_frequencies_hz(region: DeviceRegion) -> list[int | None]:
    low, high = region.frequency_range
    if region.kind == "fixed":
        return [None, 923_900_000]
    return [None, region.default_channels[0].frequency_hz, (low + high) // 200_000 * 100_000]


def moved_hz(region: DeviceRegion) -> Sequence[tuple[tuple[int, int], ...]]:
    """Channels by frequency, and where their RX1 goes."""
    if region.kind == "fixed":
        return ((),)
    if region.name == "EU868":
        return MOVED_HZ
    first = region.default_channels[0].frequency_hz
    return ((), ((first, first + 200_000),))


def keys_of(version: MacVersion) -> SessionKeys:
    if version is not V1_1:
        return SessionKeys.of_1_0(bytes(range(16)), bytes(range(16, 32)))
    return SessionKeys(
        FNwkSIntKey(bytes([1]) * 16),
        SNwkSIntKey(bytes([2]) * 16),
        NwkSEncKey(bytes([3]) * 16),
        AppSKey(bytes([4]) * 16),
    )


LATE = {
    Complaint.COUNTER_WENT_BACK,
    Complaint.WRONG_MIC,
    Complaint.WRONG_CONF_FCNT,
    Complaint.UNASKED_ACK,
    Complaint.TOO_LONG,
}
"""What a device may find wrong with a frame that was meant for an earlier window."""


class Uplink(NamedTuple):
    """As somebody has recorded it."""

    phy_payload: bytes
    data_rate: int
    frequency_hz: int
    device_class: str
    """That the device was in when it made the frame: a repetition says what the first one said."""


class Made(NamedTuple):
    """A downlink that the network has made."""

    phy_payload: bytes
    counter: str
    fcnt: int


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
        joined=st.sampled_from((True, True, True, False)),
    )
    def begin(
        self,
        seed: int,
        nonce: int,
        adr: bool,
        least_power: int | None,
        fastest: int | None,
        keeps_time: bool,
        joined: bool,
    ) -> None:
        activation: Otaa | Abp = Abp(dev_addr=dev_addr(NET_ID, 77), keys=keys_of(self.version))
        if self.joins:
            nwk_key = NwkKey(bytes([7]) * 16) if self.version is V1_1 else None
            activation = Otaa(join_eui=JOIN_EUI, app_key=AppKey(bytes([8]) * 16), nwk_key=nwk_key)
        region = device_region(self.region)
        sub_bands = (2,) if region.kind == "fixed" else ()
        supports_class_c = bool(seed % 2)
        self.made_as = "C" if supports_class_c and self.version is not V1_1 else "A"
        self.network = PureNetwork(
            DEV_EUI,
            profile=DeviceProfile(
                id="sensor",
                mac_version=self.version,
                region=self.region,
                supports_class_b=True,
                supports_class_c=supports_class_c,
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
            region=region,
            chance=random.Random(seed),
            # Where no CFList masks them, the network finds all channels enabled.
            sub_bands=sub_bands if self.joins and self.version not in BEFORE_1_0_3 else (),
            adr=adr,
            device_class=self.made_as,
            next_dev_nonce=nonce,
        )
        self.device.radio.max_tx_power = least_power
        self.device.radio.max_data_rate = fastest if region.kind == "dynamic" else None
        self.device.desk.keeps_time = keeps_time
        self.recorded: list[Uplink] = []
        self.recorded_joins: list[tuple[bytes, int]] = []
        self.sent: list[bytes] = []
        self.received: list[DownlinkReceived] = []
        self.used_down: set[tuple[int, str, int]] = set()
        self.made: list[Made] = []
        self.under_way: Made | None = None
        self.heard_down: dict[str, int] = {}
        self.told: dict[int, str] = {}
        self.messages = 0
        if self.joins and joined:
            self.join(accept_heard=True)

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
        finally:
            self.sent_in = self.device.device_class
        return True

    def _on_air(
        self, uplink_heard: bool, downlink_heard: bool, snr_db: float = 5.0
    ) -> Opened | Refused | None:
        up = self._emitted()
        if not uplink_heard:
            return None
        opened = self.network.hear(up.phy_payload, up.data_rate, up.frequency_hz)
        if isinstance(opened, Refused):
            return opened
        self._tells(opened, up)
        down = self.network.answer(opened, up.data_rate, up.frequency_hz, snr_db)
        self._agree()
        self._count(down)
        if down is not None and downlink_heard:
            self._receive(down)
        return opened

    def _emitted(self) -> Uplink:
        sent = self.device.sent
        assert sent is not None
        self.network.now = Instant(self.network.now + 600)
        up = Uplink(sent.phy_payload, sent.data_rate, sent.frequency_hz, self.sent_in)
        self.recorded.append(up)
        return up

    def _tells(self, opened: Opened, up: Uplink) -> None:
        """In which class the device is; a copy says nothing new."""
        if isinstance(opened, Accepted):
            self.told[opened.after.generation] = up.device_class

    def _receive(self, down: Downlink) -> None:
        """Both ends mean the same windows, and the device takes the frame in either."""
        rx1, rx2 = self.device.windows()
        offered = down.offered
        assert offered.rx1 == (rx1.data_rate, rx1.frequency_hz)
        assert offered.rx2 == (rx2.data_rate, rx2.frequency_hz)
        assert (offered.delay_s, offered.delay_s + 1) == (rx1.delay_s, rx2.delay_s)
        window = rx1 if down.composed.windows.rx1 is not None else rx2
        assert self._take(self.made[-1], window).fcnt == down.composed.fcnt_down

    def _take(self, made: Made, window: ReceiveWindow) -> DownlinkReceived:
        received = self.device.receive(made.phy_payload, window=window)
        assert isinstance(received, DownlinkReceived)
        assert received.fcnt == made.fcnt
        self.heard_down[made.counter] = made.fcnt
        self.received.append(received)
        if window.delay_s:
            # Once it has heard an answer, a device sends that uplink no more.
            self.device._last = None
        return received

    def _count(self, down: Downlink | Push | None) -> None:
        """No downlink counter of a session is ever used for two frames."""
        if down is None:
            return
        composed = down.composed
        counter = "application" if self.version is V1_1 and composed.fport else "network"
        use = (composed.after.generation, counter, composed.fcnt_down)
        assert use not in self.used_down
        self.used_down.add(use)
        session = self.device.session
        if session is not None and session.dev_addr == composed.after.dev_addr:
            self.under_way = Made(composed.phy_payload, counter, composed.fcnt_down)
            self.made.append(self.under_way)

    def _agree(self) -> None:
        """After an uplink of the device was heard."""
        assert disagreements(self._current(), self.network, self.device) == {}

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
        region = device_region(self.region)
        profile = self.network.profile
        if self.joins:
            profile = msgspec.structs.replace(
                profile,
                rx1_delay_s=draw(st.sampled_from((1, 2, 5, 15))),
                rx1_dr_offset=draw(st.integers(0, 3)),
                rx2_data_rate=draw(st.sampled_from(rx2_data_rates(region))),
                rx2_frequency_hz=draw(st.sampled_from(rx2_frequencies_hz(region))),
            )
        profile = msgspec.structs.replace(
            profile,
            downlink_frequencies_hz=draw(st.sampled_from(moved_hz(region))),
            adr_ack_limit_exp=draw(st.sampled_from((2, 4, 6))),
            adr_ack_delay_exp=draw(st.sampled_from((1, 3, 5))),
            rejoin_max_time_n=draw(st.sampled_from((None, 4))),
            rejoin_max_count_n=draw(st.sampled_from((None, 0, 9))),
            ping_slot_data_rate=draw(st.sampled_from((None, rx2_data_rates(region)[1]))),
            beacon_frequency_hz=draw(st.sampled_from(rx2_frequencies_hz(region))),
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
        message = QueuedDownlink(
            message_id=f"m{self.messages}",
            dev_eui=DEV_EUI,
            payload=bytes(size),
            fport=fport,
            confirmed=confirmed,
            queued_at=NOW,
        )
        self.network.queue.append(message)

    @precondition(active)
    @rule(what=st.sampled_from(("link_check", "device_time", "ping_slots", "beacon")))
    def ask(self, what: str) -> None:
        desk = self.device.desk
        if desk._asked:
            return
        self.device._last = None  # it is done with that uplink
        match what:
            case "link_check":
                desk.ask_link_check()
            case "device_time" if self.version not in BEFORE_1_0_3:
                desk.ask_device_time()
            case "ping_slots":
                self.device.lose_beacon()  # slots change in class A (TS001-1.0.4, 12.1)
                desk.tell_ping_slots(self.messages % 8)
            case "beacon" if self.version in BEFORE_1_0_3:
                desk.ask_beacon_timing()

    @precondition(lambda self: self.recorded)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """By a stranger, or by a gateway that is late: older copies come after newer ones."""
        up = data.draw(st.sampled_from(self.recorded))
        before = list(self.network.delivered)
        outcome = self.network.hear(up.phy_payload, up.data_rate, up.frequency_hz)
        if isinstance(outcome, Accepted):
            # The network had not heard it the first time, so it is late, not twice.
            assert outcome.payload not in before
            assert outcome.fcnt > outcome.before.fcnt_up
        if isinstance(outcome, Opened):
            self._tells(outcome, up)
            self._count(self.network.answer(outcome, up.data_rate, up.frequency_hz))
            self.under_way = None  # it answers what the device may have had an answer to

    @precondition(lambda self: self.active() and self.made and self.device._last is not None)
    @rule(data=st.data())
    def hear_late(self, data: st.DataObject) -> None:
        """The last frame of the network comes in a later window; or an older one, too late."""
        made = data.draw(st.sampled_from(self.made))
        window = self.device.windows()[1]
        if made.fcnt <= self.heard_down.get(made.counter, -1):
            with pytest.raises(DeviceComplaint):
                self.device.receive(made.phy_payload, window=window)
        elif made is self.under_way:
            try:
                self._take(made, window)
            except DeviceComplaint as complaint:
                assert complaint.complaint in LATE

    @precondition(lambda self: self.recorded_joins)
    @rule(data=st.data())
    def replay_a_join(self, data: st.DataObject) -> None:
        phy_payload, frequency_hz = data.draw(st.sampled_from(self.recorded_joins))
        assert isinstance(self.network.join(phy_payload, frequency_hz), Refused)

    # Classes B and C

    @precondition(lambda self: self.version is V1_1 and self.active())
    @rule(device_class=st.sampled_from("AC"))
    def indicate(self, device_class: str) -> None:
        if self.device.device_class == "B":
            return
        if device_class == "A" or self.network.profile.supports_class_c:
            self.device._last = None
            self.made.clear()  # what is still under way would answer another indication
            self.device.desk.indicate_class(device_class)

    @precondition(active)
    @rule(told=st.sampled_from((True, True, False)))
    def find_the_beacon(self, told: bool) -> None:
        """Once the network has confirmed its slots; `told`: and it says so."""
        desk = self.device.desk
        if desk.told_periodicity is None or desk.told_periodicity != desk.ping_slot_periodicity:
            self.ask("ping_slots")
            self.send(2, False, True, True, 10.0)
        try:
            self.device.find_beacon()
        except ValueError:
            return  # the answer was lost, or the device is in another class
        self.send(2, False, told, told, 10.0)

    @precondition(lambda self: self.device.device_class == "B")
    @rule()
    def lose_the_beacon(self) -> None:
        self.device.lose_beacon()

    @rule(
        heard=st.sampled_from((True, True, False)),
        confirmed=st.booleans(),
        waited_s=st.integers(0, 300),
    )
    def push(self, heard: bool, confirmed: bool, waited_s: int) -> None:
        if not self.network.queue:
            self.queue_message(2, confirmed, 1)
        self.network.now = Instant(self.network.now + waited_s)
        if any(len(one.confirmed_down) > MOST_PUSHED for one in self.network.sessions):
            return
        pushed = self.network.push()
        self._count(pushed)
        if pushed is None or not heard or not self._listens(pushed):
            return
        window, offered = self._between_uplinks(pushed), pushed.composed.windows.rx2
        if offered == (window.data_rate, window.frequency_hz):
            self._take(self.made[-1], window)
        else:
            moves = PingSlotChannelReq if pushed.slot else RXParamSetupReq
            unanswered = [one for one in pushed.composed.after.requests if not one.answered]
            assert moves.CID in [one.commands[0] for one in unanswered]

    def _listens(self, pushed: Push) -> bool:
        session = self.device.session
        ours = session is not None and session.dev_addr == pushed.composed.after.dev_addr
        return ours and self.device.device_class == pushed.served

    def _between_uplinks(self, pushed: Push) -> ReceiveWindow:
        device, slot = self.device, pushed.slot
        assert device.session is not None
        if slot is None:
            return device.radio.rx2_window()
        address, periodicity = device.session.dev_addr, device.desk.ping_slot_periodicity
        assert periodicity is not None
        assert slot_beginning(slot.gps_time_us, address, periodicity)
        channel = device.desk.ping_slot_channel
        return ping_window(device.region, address, slot.gps_time_us, channel)

    # Somebody's power is lost

    @precondition(active)
    @rule(idle=st.booleans(), stored=st.booleans(), answered=st.booleans())
    def restart_the_network(self, idle: bool, stored: bool, answered: bool) -> None:
        """If not idle, while it deals with an uplink: what is not stored was never heard."""
        if idle:
            return self.network.restart()
        payload = len(self.sent).to_bytes(2, "big")
        if not self._sends(payload, False):
            return
        self.sent.append(payload)
        up = self._emitted()
        opened = self.network.hear(up.phy_payload, up.data_rate, up.frequency_hz)
        assert isinstance(opened, Accepted)
        if stored or answered:
            self._tells(opened, up)
        if answered:
            self._count(self.network.answer(opened, up.data_rate, up.frequency_hz))
        elif stored:
            self.network.settle(opened, up.data_rate, up.frequency_hz)
        self.network.restart()
        assert (payload in self.network.delivered) is (stored or answered)

    @precondition(active)
    @rule(remembers=st.booleans())
    def restart_the_device(self, remembers: bool) -> None:
        """Before 1.0.4 a device that has no memory has to join, and so has a session to lose."""
        remembers = remembers and self.version in (V1_0_4, V1_1)
        if remembers or self.joins or self.version is V1_1:
            self.device.restart(remembers=remembers)
            if not remembers:
                self.made.clear()

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
        if sent.phy_payload[:2] == REJOIN_2:
            before = self._current().generation
            self.told[granted.session.generation] = self.told.get(before, self.made_as)
        if accept_heard:
            joined = self.device.receive(granted.phy_payload, window=rx1)
            assert isinstance(joined, Joined)
            assert joined.dev_addr == granted.session.dev_addr
            self.sent.append(b"join")
            self.made.clear()
            self.heard_down.clear()
        return None

    # Always

    @invariant()
    def the_device_is_served_in_the_class_that_it_has_told(self) -> None:
        for session in self.network.sessions if hasattr(self, "network") else ():
            told = self.told.get(session.generation, self.made_as)
            expected = "A" if session.pending else told
            assert device_class(session, self.network.profile) == expected

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
    examples = 25 if region in ("EU868", "US915") else 10
    machine = type("Air", (Air,), {"version": version, "region": region, "joins": joins})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
    )
