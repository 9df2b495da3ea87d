"""The MAC commands a simulated device receives, and what it answers (TS001-1.0.4, 5; 1.1, 5).

Written beside ``lorawan/commands.py`` and not on top of it: sizes and bits are typed in twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from bittern.lorawan.versions import MacVersion
from bittern.simulator.complaint import Complaint, Objection
from bittern.simulator.radio import DeviceRadio, LinkAdr


class Down(IntEnum):
    """Command identifiers from the network to the device."""

    RESET_CONF = 0x01
    LINK_CHECK_ANS = 0x02
    LINK_ADR_REQ = 0x03
    DUTY_CYCLE_REQ = 0x04
    RX_PARAM_SETUP_REQ = 0x05
    DEV_STATUS_REQ = 0x06
    NEW_CHANNEL_REQ = 0x07
    RX_TIMING_SETUP_REQ = 0x08
    TX_PARAM_SETUP_REQ = 0x09
    DL_CHANNEL_REQ = 0x0A
    REKEY_CONF = 0x0B
    ADR_PARAM_SETUP_REQ = 0x0C
    DEVICE_TIME_ANS = 0x0D
    FORCE_REJOIN_REQ = 0x0E
    REJOIN_PARAM_SETUP_REQ = 0x0F
    PING_SLOT_INFO_ANS = 0x10
    PING_SLOT_CHANNEL_REQ = 0x11
    BEACON_TIMING_ANS = 0x12
    BEACON_FREQ_REQ = 0x13
    DEVICE_MODE_CONF = 0x20


_SIZES = {
    Down.RESET_CONF: 1,
    Down.LINK_CHECK_ANS: 2,
    Down.LINK_ADR_REQ: 4,
    Down.DUTY_CYCLE_REQ: 1,
    Down.RX_PARAM_SETUP_REQ: 4,
    Down.DEV_STATUS_REQ: 0,
    Down.NEW_CHANNEL_REQ: 5,
    Down.RX_TIMING_SETUP_REQ: 1,
    Down.TX_PARAM_SETUP_REQ: 1,
    Down.DL_CHANNEL_REQ: 4,
    Down.REKEY_CONF: 1,
    Down.ADR_PARAM_SETUP_REQ: 1,
    Down.DEVICE_TIME_ANS: 5,
    Down.FORCE_REJOIN_REQ: 2,
    Down.REJOIN_PARAM_SETUP_REQ: 1,
    Down.PING_SLOT_INFO_ANS: 0,
    Down.PING_SLOT_CHANNEL_REQ: 4,
    Down.BEACON_TIMING_ANS: 3,
    Down.BEACON_FREQ_REQ: 3,
    Down.DEVICE_MODE_CONF: 1,
}
"""Bytes behind the CID."""

_VERSIONS = tuple(MacVersion)
_SINCE = {
    Down.RESET_CONF: MacVersion.LORAWAN_1_1,
    Down.TX_PARAM_SETUP_REQ: MacVersion.LORAWAN_1_0_2,
    Down.DL_CHANNEL_REQ: MacVersion.LORAWAN_1_0_2,
    Down.REKEY_CONF: MacVersion.LORAWAN_1_1,
    Down.ADR_PARAM_SETUP_REQ: MacVersion.LORAWAN_1_1,
    Down.DEVICE_TIME_ANS: MacVersion.LORAWAN_1_0_3,
    Down.PING_SLOT_CHANNEL_REQ: MacVersion.LORAWAN_1_0_3,
    Down.FORCE_REJOIN_REQ: MacVersion.LORAWAN_1_1,
    Down.REJOIN_PARAM_SETUP_REQ: MacVersion.LORAWAN_1_1,
    Down.DEVICE_MODE_CONF: MacVersion.LORAWAN_1_1,
}
"""The first version of a command, if not 1.0.0."""
_UNTIL = {Down.BEACON_TIMING_ANS: MacVersion.LORAWAN_1_0_2}
"""The last version of a command, if not the latest."""

RESET_IND = b"\x01\x01"
REKEY_IND = b"\x0b\x01"
"""With the device's minor version, 1."""
LINK_CHECK_REQ = b"\x02"
DEVICE_TIME_REQ = b"\x0d"
BEACON_TIMING_REQ = b"\x12"
PING_SLOT_INFO_REQ = 0x10
DEVICE_MODE_IND = 0x20
_CLASSES = {0: "A", 2: "C"}

_STICKY = frozenset(
    (
        Down.RX_PARAM_SETUP_REQ,
        Down.RX_TIMING_SETUP_REQ,
        Down.TX_PARAM_SETUP_REQ,
        Down.DL_CHANNEL_REQ,
        Down.PING_SLOT_CHANNEL_REQ,
    )
)
"""Their answers are repeated until a downlink arrives (TS001-1.0.4, 5.5, 5.8, 5.9, 5.10)."""

_DYNAMIC_PLANS_ONLY = frozenset((Down.NEW_CHANNEL_REQ, Down.DL_CHANNEL_REQ))


@dataclass(frozen=True, slots=True)
class ReceivedCommand:
    """A command as it came: its identifier and the bytes behind it."""

    cid: Down
    content: bytes


def split_commands(commands: bytes, version: MacVersion) -> list[ReceivedCommand]:
    """Raises ``Objection`` at a command that the version does not know, or a truncated one."""
    found = []
    at = 0
    while at < len(commands):
        cid = commands[at]
        if cid not in _SIZES or not _knows(version, Down(cid)):
            raise Objection(Complaint.UNKNOWN_COMMAND, f"CID 0x{cid:02x} in LoRaWAN {version}")
        end = at + 1 + _SIZES[Down(cid)]
        if end > len(commands):
            raise Objection(Complaint.MALFORMED, f"{Down(cid).name} is truncated")
        found.append(ReceivedCommand(Down(cid), commands[at + 1 : end]))
        at = end
    return found


def _knows(version: MacVersion, cid: Down) -> bool:
    since = _SINCE.get(cid, MacVersion.LORAWAN_1_0_0)
    until = _UNTIL.get(cid, _VERSIONS[-1])
    return _VERSIONS.index(since) <= _VERSIONS.index(version) <= _VERSIONS.index(until)


@dataclass(slots=True)
class CommandDesk:
    """Takes the network's commands and keeps the answers for the next uplinks."""

    version: MacVersion
    radio: DeviceRadio
    battery: int = 255
    """0 external power, 1..254 level, 255 unknown."""
    indication: bytes = b""
    """RekeyInd or ResetInd, sent with every uplink until it is confirmed (1.1, 5.1, 5.9)."""
    adr_ack_limit: int = 64
    adr_ack_delay: int = 32
    device_time_gps_s: float | None = None
    """From the last DeviceTimeAns: seconds since 1980-01-06 without leap seconds."""
    link_check: tuple[int, int] | None = None
    """Margin in dB and number of gateways of the last LinkCheckAns."""
    class_indication: bytes = b""
    """DeviceModeInd, sent with every uplink until it is confirmed (1.1, 18.3)."""
    device_class: str | None = None
    """The class to be in from now on, as DeviceModeInd or DeviceModeConf says; who obeys takes it
    away."""
    keeps_time: bool = True
    """Whether the device can do what RejoinParamSetupReq says of time."""
    rejoin_limits: tuple[int | None, int] | None = None
    """MaxTimeN, unless the device keeps no time, and MaxCountN."""
    demanded_rejoin: tuple[int, int, int, int] | None = None
    """Type, data rate, retries and period of the last ForceRejoinReq."""
    ping_slot_periodicity: int | None = None
    """Told to the network and confirmed by it."""
    told_periodicity: int | None = None
    """Told to the network, confirmed or not."""
    ping_slot_channel: tuple[int, int] | None = None
    """Frequency in Hz, 0 for the region's, and data rate."""
    beacon_frequency_hz: int = 0
    beacon_timing: tuple[int, int] | None = None
    """Delay in 30 ms and channel of the last BeaconTimingAns."""
    _answers: list[bytes] = field(default_factory=list)
    _sticky: list[bytes] = field(default_factory=list)
    _asked: list[bytes] = field(default_factory=list)
    _open_questions: set[Down] = field(default_factory=set)

    def ask_link_check(self) -> None:
        self._asked.append(LINK_CHECK_REQ)
        self._open_questions.add(Down.LINK_CHECK_ANS)

    def ask_device_time(self) -> None:
        self._asked.append(DEVICE_TIME_REQ)
        self._open_questions.add(Down.DEVICE_TIME_ANS)

    def ask_beacon_timing(self) -> None:
        self._asked.append(BEACON_TIMING_REQ)
        self._open_questions.add(Down.BEACON_TIMING_ANS)

    def tell_ping_slots(self, periodicity: int) -> None:
        """A ping slot every 2^periodicity seconds; confirmed by ``ping_slot_periodicity``."""
        self._asked.append(bytes((PING_SLOT_INFO_REQ, periodicity)))
        self._open_questions.add(Down.PING_SLOT_INFO_ANS)
        self.told_periodicity = periodicity

    def indicate_class(self, device_class: str) -> None:
        number = {name: number for number, name in _CLASSES.items()}[device_class]
        self.class_indication = bytes((DEVICE_MODE_IND, number))

    def begin_session(self) -> None:
        """A join-accept that keeps the radio came: it is a downlink, too."""
        self._sticky.clear()
        self._answers.clear()
        self.demanded_rejoin = None

    def for_uplink(self, limit: int | None = None) -> bytes:
        """What the next uplink carries, whole commands up to ``limit`` bytes in their order.

        Answers that are not sticky are given away, whether they fit or not.
        """
        indications = self.indication, self.class_indication
        commands = b""
        for command in (*indications, *self._sticky, *self._answers, *self._asked):
            if limit is not None and len(commands) + len(command) > limit:
                break
            commands += command
        self._answers.clear()
        self._asked.clear()
        if self.class_indication:
            # "SHALL switch mode as soon as the first DeviceModeInd is transmitted" (1.1, 18.3).
            self.device_class = _CLASSES[self.class_indication[1]]
        return commands

    def restart(self) -> None:
        """The power was lost: what was accepted is stored, and so is what has to be repeated."""
        self._answers.clear()
        self._asked.clear()
        self._open_questions.clear()

    def receive(
        self, commands: list[ReceivedCommand], snr_db: float, *, class_a: bool = True
    ) -> None:
        """A downlink came, and these commands are new. If it came in RX1 or RX2, sticky answers
        have arrived (TS001-1.0.4, 5: "until a class A downlink is received")."""
        if class_a:
            self._sticky.clear()
        block: list[LinkAdr] = []
        for command in commands:
            if command.cid is Down.LINK_ADR_REQ:
                block.append(LinkAdr.unpack(command.content))
                continue
            self._answer_link_adr(block)
            self._take(command, snr_db)
        self._answer_link_adr(block)

    def _answer_link_adr(self, block: list[LinkAdr]) -> None:
        """A block is taken or refused as one, each command answered (TS001-1.0.4, 5.3).

        Before 1.0.2 every command stood for itself.
        """
        if not block:
            return
        if _VERSIONS.index(self.version) < _VERSIONS.index(MacVersion.LORAWAN_1_0_2):
            statuses = [self.radio.link_adr([request]) for request in block]
        else:
            statuses = [self.radio.link_adr(block)] * len(block)
        self._answers += [bytes((Down.LINK_ADR_REQ, status)) for status in statuses]
        block.clear()

    def _take(self, command: ReceivedCommand, snr_db: float) -> None:
        self._check_region(command.cid)
        answer = self._obey(command, snr_db)
        if answer is None:
            return
        kept = self._sticky if command.cid in _STICKY else self._answers
        kept.append(bytes((command.cid,)) + answer)

    def _check_region(self, cid: Down) -> None:
        region = self.radio.region
        wrong = cid in _DYNAMIC_PLANS_ONLY and region.kind == "fixed"
        if wrong or (cid is Down.TX_PARAM_SETUP_REQ and not region.tx_param_setup):
            raise Objection(Complaint.COMMAND_OF_ANOTHER_REGION, f"{cid.name} in {region.name}")

    def _obey(self, command: ReceivedCommand, snr_db: float) -> bytes | None:
        """The content of the answer, ``None`` if the command has none."""
        content, radio = command.content, self.radio
        match command.cid:
            case Down.DUTY_CYCLE_REQ:
                radio.max_duty_cycle = content[0] & 0x0F
                return b""
            case Down.RX_PARAM_SETUP_REQ:
                offset, data_rate = content[0] >> 4 & 0b111, content[0] & 0x0F
                return _one(radio.rx_param_setup(offset, data_rate, _frequency_hz(content[1:])))
            case Down.DEV_STATUS_REQ:
                margin = max(-32, min(31, round(snr_db)))
                return bytes((self.battery, margin & 0x3F))
            case Down.NEW_CHANNEL_REQ:
                frequency_hz = _frequency_hz(content[1:4])
                return _one(radio.new_channel(content[0], frequency_hz, content[4]))
            case Down.RX_TIMING_SETUP_REQ:
                radio.rx1_delay_s = content[0] & 0x0F or 1
                return b""
            case Down.TX_PARAM_SETUP_REQ:
                radio.tx_param_setup(content[0])
                return b""
            case Down.DL_CHANNEL_REQ:
                return _one(radio.dl_channel(content[0], _frequency_hz(content[1:])))
            case Down.ADR_PARAM_SETUP_REQ:
                self.adr_ack_limit = 1 << (content[0] >> 4)
                self.adr_ack_delay = 1 << (content[0] & 0x0F)
                return b""
            case _:
                return self._obey_newer(command)

    def _obey_newer(self, command: ReceivedCommand) -> bytes | None:
        """What class B and LoRaWAN 1.1 have added."""
        content = command.content
        match command.cid:
            case Down.FORCE_REJOIN_REQ:
                word = int.from_bytes(content, "little")
                retries, period = word >> 8 & 0b111, word >> 11 & 0b111
                self.demanded_rejoin = (word >> 4 & 0b111, word & 0x0F, retries, period)
                return None
            case Down.REJOIN_PARAM_SETUP_REQ:
                time_n = content[0] >> 4 if self.keeps_time else None
                self.rejoin_limits = (time_n, content[0] & 0x0F)
                return _one(self.keeps_time)
            case Down.PING_SLOT_CHANNEL_REQ:
                return _one(self._ping_slot_channel(_frequency_hz(content[:3]), content[3] & 0x0F))
            case Down.BEACON_FREQ_REQ:
                return _one(self._beacon_frequency(_frequency_hz(content)))
            case _:
                self._take_answer(command)
                return None

    def _ping_slot_channel(self, frequency_hz: int, data_rate: int) -> int:
        """TS001-1.0.4, 12.3."""
        region = self.radio.region
        frequency_ok = frequency_hz == 0 or region.permits(frequency_hz)
        data_rate_ok = data_rate in region.data_rates
        if frequency_ok and data_rate_ok:
            self.ping_slot_channel = frequency_hz, data_rate
        return frequency_ok | data_rate_ok << 1

    def _beacon_frequency(self, frequency_hz: int) -> int:
        """TS001-1.0.4, 12.2."""
        ok = frequency_hz == 0 or self.radio.region.permits(frequency_hz)
        if ok:
            self.beacon_frequency_hz = frequency_hz
        return int(ok)

    def _take_answer(self, command: ReceivedCommand) -> None:
        cid, content = command.cid, command.content
        if cid in (Down.REKEY_CONF, Down.RESET_CONF):
            self._take_confirmation(cid, content[0])
            return
        if cid is Down.DEVICE_MODE_CONF:
            self._take_class(content[0])
            return
        if cid not in self._open_questions:
            raise Objection(Complaint.UNASKED_ANSWER, cid.name)
        self._open_questions.discard(cid)
        if cid is Down.LINK_CHECK_ANS:
            self.link_check = content[0], content[1]
        elif cid is Down.PING_SLOT_INFO_ANS:
            self.ping_slot_periodicity = self.told_periodicity
        elif cid is Down.BEACON_TIMING_ANS:
            self.beacon_timing = int.from_bytes(content[:2], "little"), content[2]
        else:
            self.device_time_gps_s = int.from_bytes(content[:4], "little") + content[4] / 256

    def _take_class(self, number: int) -> None:
        """The network may serve the device in class A where it wanted more (1.1, 18.3)."""
        if not self.class_indication:
            raise Objection(Complaint.UNASKED_ANSWER, Down.DEVICE_MODE_CONF.name)
        if number not in (0, self.class_indication[1]):
            raise Objection(Complaint.IMPOSSIBLE_PARAMETER, f"DeviceModeConf of class {number}")
        self.device_class = _CLASSES[number]
        self.class_indication = b""

    def _take_confirmation(self, cid: Down, minor: int) -> None:
        if self.indication[:1] != bytes((cid,)):
            raise Objection(Complaint.UNASKED_ANSWER, cid.name)
        if minor != 1:
            raise Objection(Complaint.IMPOSSIBLE_PARAMETER, f"{cid.name} with minor {minor}")
        self.indication = b""


def _one(status: int) -> bytes:
    return bytes((status,))


def _frequency_hz(wire: bytes) -> int:
    """24 bits, in steps of 100 Hz."""
    return 100 * int.from_bytes(wire, "little")
