"""Every message of the LNS protocol of Basics Station, in both directions.

One struct for each ``msgtype``; attributes carry the specification's words in our spelling, the
wire has the station's. Fields that a message does not name are skipped, as the station itself does.
DevAddr and MIC are signed 32-bit integers on the wire, and ``xtime`` has 63 bits: nothing here ever
passes through a float.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

UInt8 = Annotated[int, Meta(ge=0, le=0xFF)]
UInt16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
UInt32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
SInt32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
SInt64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
XTime = Annotated[int, Meta(ge=0, le=2**63 - 1)]
DataRateIndex = Annotated[int, Meta(ge=0, le=15)]
FPort = Annotated[int, Meta(ge=-1, le=0xFF)]

_WIRE_NAMES = {
    "mhdr": "MHdr",
    "join_eui": "JoinEui",
    "join_eui_capital": "JoinEUI",
    "dev_eui": "DevEui",
    "dev_eui_capital": "DevEUI",
    "dev_nonce": "DevNonce",
    "pdu_capital": "PDU",
    "mic": "MIC",
    "dev_addr": "DevAddr",
    "fctrl": "FCtrl",
    "fcnt": "FCnt",
    "fopts": "FOpts",
    "fport": "FPort",
    "frm_payload": "FRMPayload",
    "data_rate": "DR",
    "frequency_hz": "Freq",
    "device_class": "dC",
    "rx_delay": "RxDelay",
    "rx1_data_rate": "RX1DR",
    "rx1_frequency_hz": "RX1Freq",
    "rx2_data_rate": "RX2DR",
    "rx2_frequency_hz": "RX2Freq",
    "mux_time": "MuxTime",
    "net_id": "NetID",
    "data_rates": "DRs",
    "utc_time": "UTCtime",
}


def _wire_name(name: str) -> str:
    return _WIRE_NAMES.get(name, name)


class Message(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="msgtype",
    rename=_wire_name,
    omit_defaults=True,
):
    """One JSON object in one text frame."""


class UpInfo(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How and when the radio heard a frame."""

    xtime: XTime
    """Concentrator clock at the end of the frame, us, with radio unit and session above it."""
    rctx: SInt64 = 0
    """Antenna; goes back in the answer as it came."""
    gpstime: SInt64 = 0
    """us since 1980-01-06, no leap seconds; 0: unknown."""
    fts: SInt64 = -1
    """Fine timestamp, ns; -1: none."""
    rssi: float
    snr: float


class _Heard(Message, frozen=True, gc=False, kw_only=True):
    """The common tail of everything that came over the air."""

    data_rate: DataRateIndex
    frequency_hz: UInt32
    upinfo: UpInfo


# From the station.


class Version(Message, frozen=True, kw_only=True, tag="version"):
    """The first message of a data connection."""

    station: str
    """``2.0.6(linux/std)``."""
    firmware: str | None = None
    package: str | None = None
    model: str | None = None
    protocol: int | None = None
    features: str = ""
    """Blank-separated: ``rmtsh``, ``gps``, ``prod``."""


class JoinRequest(_Heard, frozen=True, kw_only=True, tag="jreq"):
    """A join-request. A station whose router_config said ``JoinEUI`` writes capitals."""

    mhdr: UInt8
    join_eui: str = ""
    join_eui_capital: str = ""
    dev_eui: str = ""
    dev_eui_capital: str = ""
    dev_nonce: UInt16
    mic: SInt32


class DataUp(_Heard, frozen=True, kw_only=True, tag="updf"):
    """A data frame of a device, taken apart but not decrypted."""

    mhdr: UInt8
    dev_addr: SInt32
    fctrl: UInt8
    fcnt: UInt16
    fopts: str
    """Hexadecimal."""
    fport: FPort
    """-1: the frame ends behind FOpts."""
    frm_payload: str
    """Hexadecimal."""
    mic: SInt32


class Proprietary(_Heard, frozen=True, kw_only=True, tag="propdf"):
    """A proprietary frame: ``frm_payload`` is all of it, MHDR included."""

    frm_payload: str


class Rejoin(_Heard, frozen=True, kw_only=True, tag="rejoin"):
    """A rejoin-request. Stations that know its three layouts send all of it, in hexadecimal, as
    ``PDU``; older ones take it for a join-request, and pass on only what is as long as one."""

    pdu: str = ""
    pdu_capital: str = ""
    mhdr: UInt8 = 0
    join_eui: str = ""
    join_eui_capital: str = ""
    dev_eui: str = ""
    dev_eui_capital: str = ""
    dev_nonce: UInt16 = 0
    mic: SInt32 = 0


class OtherDownlink(Message, frozen=True, kw_only=True, tag="dndf"):
    """A downlink of another gateway, overheard."""


class OtherJoinAccept(Message, frozen=True, kw_only=True, tag="jacc"):
    """A join-accept of another gateway, overheard."""


class Transmitted(Message, frozen=True, kw_only=True, tag="dntxed"):
    """A downlink is on air; frequency and data rate tell which window it was."""

    diid: SInt64
    dev_eui: str = ""
    dev_eui_capital: str = ""
    data_rate: DataRateIndex
    frequency_hz: UInt32
    xtime: XTime
    """Start of the transmission."""
    rctx: SInt64 = 0
    gpstime: SInt64 = 0


class TimeSyncRequest(Message, frozen=True, kw_only=True, tag="timesync"):
    """Which GPS second is it? ``txtime`` is the station's monotonic clock in us."""

    txtime: SInt64


class XTimes(Message, frozen=True, kw_only=True, tag="getxtime"):
    """Clocks of the station and its radio units, answering `GetXTime`."""

    ustime: SInt64 = 0
    utc_time: SInt64 = 0
    xtimes: tuple[SInt64, ...] = ()


class ShellSession(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two remote shells of a station."""

    user: str = ""
    started: bool = False
    age: float = 0
    """Seconds."""
    pid: int = 0


class RemoteShellStatus(Message, frozen=True, kw_only=True, tag="rmtsh"):
    """The remote shells, answering `RemoteShell`."""

    rmtsh: tuple[ShellSession, ...] = ()


class StationEvent(Message, frozen=True, kw_only=True, tag="event"):
    """Something happened at the station: category ``gps`` with fix, move or nofix."""

    evcat: str
    evmsg: dict[str, object] = {}


class Alarm(Message, frozen=True, kw_only=True, tag="alarm"):
    """Something is wrong at the station."""

    text: str


StationMessage = (
    DataUp
    | JoinRequest
    | Transmitted
    | TimeSyncRequest
    | Version
    | Proprietary
    | Rejoin
    | OtherDownlink
    | OtherJoinAccept
    | XTimes
    | RemoteShellStatus
    | StationEvent
    | Alarm
)


# From the server.


class Beaconing(msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name):
    """Class B beacons: where fields stand in the frame, and the frequencies to hop over."""

    data_rate: DataRateIndex
    layout: tuple[int, int, int]
    """Offset of the time, offset of the gateway's information, length; in bytes."""
    freqs: tuple[UInt32, ...]


class RouterConfig(Message, frozen=True, kw_only=True, tag="router_config"):
    """What the station listens to and lets through. See ``router_config.py``."""

    hwspec: str
    sx1301_conf: tuple[dict[str, object], ...]
    region: str
    freq_range: tuple[UInt32, UInt32]
    """Lowest and highest frequency of a downlink, Hz."""
    data_rates: tuple[tuple[int, int, int], ...]
    """Spreading factor (0: FSK, -1: undefined), bandwidth in kHz, 1 for downlinks only."""
    upchannels: tuple[tuple[UInt32, int, int], ...]
    """Frequency in Hz, lowest and highest data rate."""
    net_id: tuple[UInt32, ...] | None = None
    join_eui: tuple[tuple[int, int], ...] | None = None
    """Ranges of JoinEUIs, first and last."""
    max_eirp: float | None = None
    nocca: bool = False
    nodc: bool = False
    nodwell: bool = False
    bcning: Beaconing | None = None
    mux_time: float | None = None
    """Server's UTC seconds; sets the station's own clock."""


class DownlinkMessage(Message, frozen=True, kw_only=True, tag="dnmsg"):
    """Transmit a frame in a receive window of a device."""

    dev_eui: str
    device_class: Annotated[int, Meta(ge=0, le=2)]
    """0 class A, 1 class B, 2 class C."""
    diid: SInt64
    pdu: str
    """Hexadecimal PHYPayload."""
    rx_delay: Annotated[int, Meta(ge=0, le=15)] | None = None
    rx1_data_rate: DataRateIndex | None = None
    rx1_frequency_hz: UInt32 | None = None
    rx2_data_rate: DataRateIndex | None = None
    rx2_frequency_hz: UInt32 | None = None
    xtime: XTime | None = None
    rctx: SInt64 | None = None
    priority: UInt8 = 0
    data_rate: DataRateIndex | None = None
    """Class B, likewise ``frequency_hz`` and ``gpstime``."""
    frequency_hz: UInt32 | None = None
    gpstime: SInt64 | None = None
    mux_time: float | None = None


class ScheduledFrame(
    msgspec.Struct, frozen=True, kw_only=True, rename=_wire_name, omit_defaults=True
):
    """A frame of `DownlinkSchedule`, at exactly one of its three times."""

    pdu: str
    data_rate: DataRateIndex
    frequency_hz: UInt32
    diid: SInt64 | None = None
    priority: UInt8 = 0
    rctx: SInt64 | None = None
    xtime: XTime | None = None
    gpstime: SInt64 | None = None
    ontime: float | None = None
    """GPS seconds."""


class DownlinkSchedule(Message, frozen=True, kw_only=True, tag="dnsched"):
    """Transmit multicast frames at exact times; the station does not report them."""

    schedule: tuple[ScheduledFrame, ...]
    mux_time: float | None = None


class TimeSync(Message, frozen=True, kw_only=True, tag="timesync"):
    """Answers `TimeSyncRequest`, or labels an ``xtime`` with GPS time unasked."""

    gpstime: SInt64
    txtime: SInt64 | None = None
    xtime: XTime | None = None
    mux_time: float | None = None


class GetXTime(Message, frozen=True, kw_only=True, tag="getxtime"):
    """Asks for `XTimes`."""


class RunCommand(Message, frozen=True, kw_only=True, tag="runcmd"):
    """Run a program on the gateway, detached and without an answer."""

    command: str
    arguments: tuple[str, ...] = ()


class RemoteShell(Message, frozen=True, kw_only=True, tag="rmtsh"):
    """Start or stop remote shell 0 or 1; neither asks for `RemoteShellStatus`."""

    user: str | None = None
    term: str | None = None
    start: int | None = None
    stop: int | None = None


class Error(Message, frozen=True, kw_only=True, tag="error"):
    """Text for the station's log."""

    error: str


ServerMessage = (
    DownlinkMessage
    | RouterConfig
    | TimeSync
    | DownlinkSchedule
    | GetXTime
    | RunCommand
    | RemoteShell
    | Error
)

_station_decoder: msgspec.json.Decoder[StationMessage] = msgspec.json.Decoder(StationMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)
_encoder = msgspec.json.Encoder()

# What a decoder raises: msgspec's errors and broken UTF-8 are ValueErrors, depth is its own.
UNREADABLE = (ValueError, RecursionError)


def decode_station_message(message: str | bytes) -> StationMessage:
    """What a station sent. Raises one of `UNREADABLE`; see `msgtype_of`."""
    return _station_decoder.decode(message)


def decode_server_message(message: str | bytes) -> ServerMessage:
    """What a server sent, as a station sees it. Raises one of `UNREADABLE`."""
    return _server_decoder.decode(message)


def encode(message: Message) -> str:
    """As it stands in the text frame."""
    return _encoder.encode(message).decode()


class _Tagged(msgspec.Struct):
    msgtype: str


_tag_decoder = msgspec.json.Decoder(_Tagged)
STATION_MSGTYPES = frozenset(kind.__struct_config__.tag for kind in StationMessage.__args__)


def msgtype_of(message: str | bytes) -> str | None:
    """The msgtype of a message that did not decode; None if it is no JSON object with one.

    It may be none of `STATION_MSGTYPES`: a local FIFO of the station lets any program of the
    gateway send JSON of its own.
    """
    try:
        return _tag_decoder.decode(message).msgtype
    except UNREADABLE:
        return None
