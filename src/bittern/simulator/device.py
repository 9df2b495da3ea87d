"""A LoRaWAN device without I/O: OTAA and ABP, 1.0.x and 1.1, classes A, B and C.

Uplinks come out as bytes and as ``sent``; downlinks go in, and whatever a careful device could
find wrong with one raises ``DeviceComplaint``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bittern.errors import FrameError
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.frame import (
    MIC_SIZE,
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    JoinAccept,
    MType,
    parse,
)
from bittern.lorawan.versions import MacVersion
from bittern.simulator.commands import (
    REKEY_IND,
    RESET_IND,
    CommandDesk,
    ReceivedCommand,
    split_commands,
)
from bittern.simulator.complaint import Complaint, DeviceComplaint, Objection
from bittern.simulator.joining import OpenJoin, Otaa
from bittern.simulator.radio import DeviceRadio, Emission, ReceiveWindow
from bittern.simulator.regions import DeviceRegion
from bittern.simulator.session import DeviceSession, OpenedDownlink
from bittern.types import DevAddr, DevEUI, NetID

MAX_FOPTS_SIZE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Abp:
    """A session that was put in at the factory."""

    dev_addr: DevAddr
    keys: SessionKeys


@dataclass(frozen=True, slots=True)
class Joined:
    """A join-accept was taken."""

    dev_addr: DevAddr
    net_id: NetID
    join_nonce: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkReceived:
    """A data frame was taken; ``payload`` is decrypted."""

    fcnt: int
    fport: int | None
    payload: bytes
    confirmed: bool
    ack: bool
    fpending: bool
    commands: tuple[ReceivedCommand, ...]


Received = Joined | DownlinkReceived


@dataclass(slots=True)
class _Uplink:
    """The last data uplink: what may be sent again and what a downlink may acknowledge."""

    frame: DataUp
    fcnt: int
    conf_fcnt: int


__all__ = [
    "Abp",
    "DownlinkReceived",
    "Joined",
    "Otaa",
    "Received",
    "SimulatedDevice",
]


class SimulatedDevice:
    """One device. ``chance`` decides channels and, before 1.0.4, the DevNonce."""

    def __init__(
        self,
        *,
        dev_eui: DevEUI,
        activation: Otaa | Abp,
        version: MacVersion,
        region: DeviceRegion,
        chance: random.Random,
        data_rate: int | None = None,
        sub_bands: tuple[int, ...] = (),
        adr: bool = False,
        device_class: str = "A",
        next_dev_nonce: int = 0,
    ) -> None:
        self.dev_eui = dev_eui
        self.activation = activation
        self.version = version
        self.region = region
        self.adr = adr
        self.device_class = device_class
        self._made_as = device_class
        self.sub_bands = sub_bands
        self.sent: Emission | None = None
        """The last uplink, join-requests too."""
        self.session: DeviceSession | None = None
        self._chance = chance
        self._join_data_rate = _fastest(region) if data_rate is None else data_rate
        self.radio = DeviceRadio.of(region, self._join_data_rate, sub_bands)
        self.desk = CommandDesk(version, self.radio)
        self._next_dev_nonce = next_dev_nonce
        self._open_join: OpenJoin | None = None
        self._net_id: NetID | None = None
        self._rj_count0 = 0
        self._rj_count1 = 0
        self._joins = 0
        self._join_nonces: set[int] = set()
        self._last: _Uplink | None = None
        self._owed_ack: int | None = None
        self._silence = 0
        if isinstance(activation, Abp):
            self.session = self._session(activation.dev_addr, activation.keys, self._is_1_1)
            self.desk.indication = RESET_IND if self._is_1_1 else b""

    def __repr__(self) -> str:
        return f"SimulatedDevice({self.dev_eui}, LoRaWAN {self.version}, {self.region.name})"

    @property
    def _is_1_1(self) -> bool:
        return self.version is MacVersion.LORAWAN_1_1

    # Uplinks

    def join_request(self) -> bytes:
        """A join-request's PHYPayload (TS001-1.0.4, 6.2.5)."""
        self._open_join = OpenJoin(self._otaa, self.dev_eui, self._draw_dev_nonce())
        return self._send_open_join(*self._join_channel())

    def rejoin_request(self, rejoin_type: int) -> bytes:
        """A rejoin-request's PHYPayload (1.1, 6.2.4); the session goes on until it is answered.

        Type 1 goes where join-requests go, 0 and 2 as data frames do. Raises ``ValueError`` if the
        device has no session of LoRaWAN 1.1, or its RJcount0 is exhausted.
        """
        session = self._active()
        if not session.speaks_1_1 or rejoin_type not in (0, 1, 2):
            raise ValueError(f"no rejoin-request of type {rejoin_type} without LoRaWAN 1.1")
        by_root = rejoin_type == 1
        count = self._rj_count1 if by_root else self._rj_count0
        if count > 0xFFFF:
            raise ValueError("RJcount is exhausted; the device has to join")
        if by_root:
            self._rj_count1 += 1
        else:
            self._rj_count0 += 1
        self._open_join = OpenJoin(self._otaa, self.dev_eui, count, rejoin_type)
        if by_root:
            return self._send_open_join(*self._join_channel())
        channel = self.radio.choose_channel(self._chance)
        return self._send_open_join(channel, self.radio.data_rate)

    def _join_channel(self) -> tuple[int, int]:
        self._joins += 1
        return self.radio.choose_join_channel(self._chance, self._joins - 1)

    def _send_open_join(self, channel: int, data_rate: int) -> bytes:
        assert self._open_join is not None, "it was made by the caller"
        key = None if self.session is None else self.session.keys.s_nwk_s_int_key
        phy_payload = self._open_join.request(self._net_id, key)
        self._last = None
        self.sent = self.radio.emission(phy_payload, channel, data_rate)
        return phy_payload

    def uplink(
        self, payload: bytes = b"", fport: int | None = None, confirmed: bool = False
    ) -> bytes:
        """The PHYPayload of the next data frame, with what is owed to the network.

        Answers that do not fit beside a payload are dropped, as the specification has it: the
        network will ask again. Raises ``ValueError`` if the device is not activated or the
        payload is too long for the data rate.
        """
        session = self._active()
        self._open_join = None
        commands = self.desk.for_uplink(None if fport is None else MAX_FOPTS_SIZE)
        self._switch_class()
        if len(commands) > MAX_FOPTS_SIZE:
            payload, fport, commands = commands, 0, b""
        fcnt = session.fcnt_up
        session.fcnt_up += 1
        frame = DataUp(
            MType.CONFIRMED_DATA_UP if confirmed else MType.UNCONFIRMED_DATA_UP,
            session.dev_addr,
            adr=self.adr,
            adr_ack_req=self._asks_for_adr(),
            ack=self._owed_ack is not None,
            class_b=self.device_class == "B",
            fcnt16=fcnt & 0xFFFF,
            fopts=commands,
            fport=fport,
            frm_payload=payload,
        )
        self._last = _Uplink(frame, fcnt, self._owed_ack or 0)
        self._owed_ack = None
        return self.retransmit()

    def retransmit(self) -> bytes:
        """The last data frame again, on a channel chosen anew (NbTrans, or no ACK came).

        LoRaWAN 1.1 has the channel in the MIC, so the bytes may differ.
        """
        last, session = self._last, self._active()
        if last is None:
            raise ValueError("no data frame was sent")
        channel = self.radio.choose_channel(self._chance)
        data_rate = self.radio.data_rate
        phy_payload = session.seal(
            last.frame, last.fcnt, conf_fcnt=last.conf_fcnt, data_rate=data_rate, channel=channel
        )
        if len(phy_payload) - 1 - MIC_SIZE > self.region.max_mac_payload[data_rate]:
            raise ValueError(f"{len(phy_payload)} bytes are too long for data rate {data_rate}")
        self.sent = self.radio.emission(phy_payload, channel, data_rate)
        return phy_payload

    def _asks_for_adr(self) -> bool:
        """ADRACKReq and the steps down after it (TS001-1.0.4, 4.3.1.1)."""
        if not self.adr:
            return False
        silence, limit, delay = self._silence, self.desk.adr_ack_limit, self.desk.adr_ack_delay
        self._silence += 1
        if silence >= limit + delay and (silence - limit) % delay == 0:
            self._step_down()
        return silence >= limit

    def _step_down(self) -> None:
        """First full power, then one data rate less at a time, then everything else."""
        radio = self.radio
        lower = radio.data_rate - 1
        if radio.tx_power:
            radio.tx_power = 0
        elif radio.can_send(lower):
            radio.data_rate = lower
        else:
            radio.nb_trans = 1
            radio.enable_defaults()

    def _draw_dev_nonce(self) -> int:
        if self.version in (MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1):
            self._next_dev_nonce += 1
            return self._next_dev_nonce - 1
        return self._chance.randrange(0x10000)

    # Downlinks

    @property
    def awaits_join_accept(self) -> bool:
        return self._open_join is not None

    def windows(self) -> tuple[ReceiveWindow, ReceiveWindow]:
        """RX1 and RX2 that the last uplink opens."""
        if self.sent is None:
            raise ValueError("nothing was sent: no window is open")
        return self.radio.windows(self.sent, join=self.awaits_join_accept)

    def receive(
        self, phy_payload: bytes, snr_db: float = 10.0, window: ReceiveWindow | None = None
    ) -> Received:
        """Take a downlink or raise ``DeviceComplaint``.

        ``window`` tells where it was heard, so that its size can be held against the data rate.
        """
        try:
            self._check_size(phy_payload, window)
            # What listens between uplinks waits for none.
            return self._receive(phy_payload, snr_db, window is None or window.delay_s > 0)
        except Objection as objection:
            raise DeviceComplaint(
                self.dev_eui, objection.complaint, objection.detail
            ) from objection

    def _check_size(self, phy_payload: bytes, window: ReceiveWindow | None) -> None:
        if window is None:
            return
        size = len(phy_payload) - 1 - MIC_SIZE
        limit = self.region.max_mac_payload[window.data_rate]
        if size > limit:
            raise Objection(
                Complaint.TOO_LONG,
                f"MACPayload of {size} bytes at data rate {window.data_rate}, which takes {limit}",
            )

    def _receive(self, phy_payload: bytes, snr_db: float, class_a: bool) -> Received:
        try:
            frame = parse(phy_payload)
        except FrameError as error:
            raise Objection(Complaint.MALFORMED, str(error)) from error
        if isinstance(frame, EncryptedJoinAccept):
            return self._take_join_accept(frame)
        if not isinstance(frame, DataDown):
            raise Objection(Complaint.NOT_FOR_A_DEVICE, type(frame).__name__)
        if self.session is None:
            raise Objection(Complaint.NOT_JOINED, "data frame before any join-accept")
        commands, opened = self._open(phy_payload, frame, self.session)
        self.desk.receive(commands, snr_db, class_a=class_a)
        self._switch_class()
        return self._received(opened, tuple(commands))

    def _open(
        self, phy_payload: bytes, frame: DataDown, session: DeviceSession
    ) -> tuple[list[ReceivedCommand], OpenedDownlink]:
        acknowledged = self._last
        if frame.ack and (acknowledged is None or not acknowledged.frame.confirmed):
            raise Objection(Complaint.UNASKED_ACK, "the last uplink was not a confirmed one")
        conf_fcnt = acknowledged.fcnt if frame.ack and acknowledged is not None else 0
        opened = session.open(phy_payload, frame, conf_fcnt)
        commands = split_commands(opened.commands, self._spoken_version)
        self._silence = 0
        if frame.confirmed:
            self._owed_ack = opened.fcnt
        return commands, opened

    def _switch_class(self) -> None:
        if self.desk.device_class is not None:
            self.device_class, self.desk.device_class = self.desk.device_class, None

    def _received(
        self, opened: OpenedDownlink, commands: tuple[ReceivedCommand, ...]
    ) -> DownlinkReceived:
        frame = opened.frame
        return DownlinkReceived(
            fcnt=opened.fcnt,
            fport=frame.fport,
            payload=opened.payload,
            confirmed=frame.confirmed,
            ack=frame.ack,
            fpending=frame.fpending,
            commands=commands,
        )

    def _take_join_accept(self, frame: EncryptedJoinAccept) -> Joined:
        join = self._open_join
        if join is None:
            raise Objection(Complaint.UNASKED_JOIN_ACCEPT, "no join-request is open")
        accept = join.read(frame)
        if accept.opt_neg and not self._is_1_1:
            raise Objection(Complaint.WRONG_OPT_NEG, f"set for LoRaWAN {self.version}")
        self._check_join_nonce(accept.join_nonce)
        radio = self.radio if join.keeps_radio else self._fresh_radio(accept)
        self._join_nonces.add(accept.join_nonce)
        self._open_join, self._last, self._owed_ack, self._silence = None, None, None, 0
        self._net_id, self._rj_count0 = accept.home_net_id, 0
        self.session = self._session(accept.dev_addr, join.derive(accept), accept.opt_neg)
        if join.keeps_radio:
            self.desk.begin_session()
        else:
            self.radio = radio
            self.desk = CommandDesk(self._spoken_version, radio, self.desk.battery)
            self.device_class = self._class_at_start
        self.desk.indication = REKEY_IND if accept.opt_neg else b""
        return Joined(accept.dev_addr, accept.home_net_id, accept.join_nonce)

    def _fresh_radio(self, accept: JoinAccept) -> DeviceRadio:
        radio = DeviceRadio.of(self.region, self._join_data_rate, self.sub_bands)
        radio.max_tx_power, radio.max_data_rate = self.radio.max_tx_power, self.radio.max_data_rate
        radio.apply_dl_settings(accept.rx1_dr_offset, accept.rx2_data_rate, accept.rx_delay)
        if accept.cf_list is not None:
            radio.apply_cf_list(accept.cf_list)
        return radio

    def _check_join_nonce(self, join_nonce: int) -> None:
        """A counter since 1.0.4 and in 1.1, never repeated before (TS001-1.0.4, 6.2.3)."""
        if not self._join_nonces:
            return
        counts = self.version in (MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1)
        latest = max(self._join_nonces)
        if join_nonce in self._join_nonces or (counts and join_nonce < latest):
            raise Objection(Complaint.JOIN_NONCE_REUSED, f"{join_nonce} after {latest}")

    # Classes and restarts

    def find_beacon(self) -> None:
        """Class B from now on (TS001-1.0.4, 10).

        Raises ``ValueError`` before PingSlotInfoAns, and in a class C that was announced: a device
        leaves it as it came, by DeviceModeInd, or the network would never hear of it.
        """
        told, confirmed = self.desk.told_periodicity, self.desk.ping_slot_periodicity
        if self.session is None or confirmed is None or told != confirmed:
            raise ValueError("the network has not confirmed the ping slots")
        if self.desk.class_indication or self.device_class not in ("B", self._class_at_start):
            raise ValueError("the device is in class C until it has announced class A")
        self.device_class = "B"

    def lose_beacon(self) -> None:
        """After two hours without one (TS001-1.0.4, 12): as before class B."""
        if self.device_class == "B":
            self.device_class = self._class_at_start

    def restart(self, *, remembers: bool = False) -> None:
        """The power was lost.

        DevNonce, JoinNonces, RJcount1 and the counters of a personalized device are never lost
        (TS001-1.0.4, 4.3.1.5 and 6.2.5; 1.1, 4.3.1.5). A device that ``remembers`` has stored its
        session and its radio parameters as well. Of the others, one that joins has to join anew,
        and one of LoRaWAN 1.1 that is personalized sends ResetInd; else ``ValueError`` is raised:
        the network cannot know.
        """
        personalized = isinstance(self.activation, Abp)
        if personalized and not (remembers or self._is_1_1):
            raise ValueError(f"nothing in LoRaWAN {self.version} tells of the restart")
        self._open_join, self._last, self._owed_ack, self._silence = None, None, None, 0
        self.sent = None
        self.lose_beacon()
        if remembers:
            return self.desk.restart()
        limits = self.radio.max_tx_power, self.radio.max_data_rate
        self.radio = DeviceRadio.of(self.region, self._join_data_rate, self.sub_bands)
        self.radio.max_tx_power, self.radio.max_data_rate = limits
        self.desk = CommandDesk(self.version, self.radio, self.desk.battery)
        self.session = self.session if personalized else None
        self.device_class = self._class_at_start
        self.desk.indication = RESET_IND if personalized else b""

    @property
    def _class_at_start(self) -> str:
        """Who announces class C begins in class A (1.1, 18.3)."""
        return "A" if self._is_1_1 or self._made_as == "B" else self._made_as

    # Helpers

    @property
    def _otaa(self) -> Otaa:
        if not isinstance(self.activation, Otaa):
            raise ValueError("an ABP device does not join")
        if self._is_1_1 != (self.activation.nwk_key is not None):
            raise ValueError("a NwkKey belongs to LoRaWAN 1.1, and to it alone")
        return self.activation

    @property
    def rj_count0(self) -> int:
        """Of the next rejoin-request of type 0 or 2."""
        return self._rj_count0

    @property
    def _spoken_version(self) -> MacVersion:
        """A 1.1 device in a network of 1.0.x falls back (1.1, 6.2.3: OptNeg unset)."""
        if self._is_1_1 and self.session is not None and not self.session.speaks_1_1:
            return MacVersion.LORAWAN_1_0_4
        return self.version

    def _session(self, dev_addr: DevAddr, keys: SessionKeys, speaks_1_1: bool) -> DeviceSession:
        limited = self.version not in (MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1)
        return DeviceSession(dev_addr, keys, speaks_1_1, limited)

    def _active(self) -> DeviceSession:
        if self.session is None:
            raise ValueError("the device has not joined")
        return self.session


def _fastest(region: DeviceRegion) -> int:
    """The fastest data rate of 125 kHz channels."""
    return max(n for n, row in region.data_rates.items() if row.bandwidth_khz == 125)
