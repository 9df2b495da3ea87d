"""The data connection of a Basics Station, without input or output.

    awaiting version --version, new enough--> open
    awaiting version --version too old or unreadable--> refused
    awaiting version --nothing in time--> (PeerSilent)
    open             --a ping, and nothing after it--> (PeerSilent)

Only an open connection takes messages and downlinks; a refused one says why and hears nothing more.
The shell writes `text_to_send` after every call, closes on `GatewayRefused`, `PeerSilent` and
`GatewayProtocolError`, sends a websocket ping on `PingDue`, and calls `fire_timer` at `next_timer`.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import assert_never

import msgspec

from bittern.errors import GatewayProtocolError
from bittern.gateway import reassembly
from bittern.gateway.eui_text import format_dashed, parse_eui
from bittern.gateway.liveness import Liveness
from bittern.gateway.lns_messages import (
    STATION_MSGTYPES,
    UNREADABLE,
    Alarm,
    DataUp,
    DownlinkMessage,
    Error,
    JoinRequest,
    Message,
    OtherDownlink,
    OtherJoinAccept,
    Proprietary,
    Rejoin,
    RemoteShellStatus,
    RouterConfig,
    StationEvent,
    StationMessage,
    TimeSync,
    TimeSyncRequest,
    Transmitted,
    Version,
    XTimes,
    decode_station_message,
    encode,
    msgtype_of,
)
from bittern.lorawan.gps_time import gps_time_us
from bittern.lorawan.radio import Reception, Transmission, TransmissionReport
from bittern.types import DevEUI, GatewayEUI, Instant, Refusal

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?![0-9])", re.ASCII)
_DEVICE_CLASSES = {"A": 0, "B": 1, "C": 2}


class VersionReceived(msgspec.Struct, frozen=True):
    """The station is welcome; its ``router_config`` is on its way."""

    station: str
    features: frozenset[str] = frozenset()
    model: str | None = None
    firmware: str | None = None
    package: str | None = None


class GatewayRefused(msgspec.Struct, frozen=True):
    """The station is not welcome: an ``error`` message says so, then the connection ends."""

    refusal: Refusal
    reason: str


class UplinkReceived(msgspec.Struct, frozen=True, gc=False):
    """A frame exactly as it was on air, and how it was heard."""

    phy_payload: bytes
    reception: Reception


class DownlinkTransmitted(msgspec.Struct, frozen=True):
    report: TransmissionReport


class MalformedReceived(msgspec.Struct, frozen=True):
    """A message that said nothing; the connection goes on."""

    refusal: Refusal
    """MALFORMED_MESSAGE or UNKNOWN_MSGTYPE."""
    reason: str


class StationEventReceived(msgspec.Struct, frozen=True):
    """For example category ``gps`` with ``evtype`` fix, move or nofix."""

    category: str
    detail: dict[str, object]


class AlarmReceived(msgspec.Struct, frozen=True):
    text: str


class ShellStatusReceived(msgspec.Struct, frozen=True):
    """How the remote shells are: see ``remote_shell.py``."""

    status: RemoteShellStatus


class PingDue(msgspec.Struct, frozen=True):
    """Send a websocket ping: a station never does, and its pong tells how far away it is."""


class PeerSilent(msgspec.Struct, frozen=True):
    """The station is gone; end the connection."""

    reason: str


LnsEvent = (
    UplinkReceived
    | DownlinkTransmitted
    | VersionReceived
    | GatewayRefused
    | MalformedReceived
    | StationEventReceived
    | AlarmReceived
    | ShellStatusReceived
)
TimerEvent = PingDue | PeerSilent


@dataclass(frozen=True, slots=True, kw_only=True)
class LnsLimits:
    """What a station may do, and how long it may take."""

    minimum_station: tuple[int, int, int] = (2, 0, 4)
    malformed_per_minute: int = 60
    version_timeout_s: float = 10.0
    ping_interval_s: float = 30.0
    """Pause between pings."""
    ping_timeout_s: float = 20.0
    """Silence after a ping that means the station is gone."""


class _State(Enum):
    AWAITING_VERSION = auto()
    OPEN = auto()
    REFUSED = auto()


class LnsConnection:
    """The server's end of one data connection."""

    def __init__(
        self,
        gateway_eui: GatewayEUI,
        router_config: RouterConfig,
        now: Instant,
        limits: LnsLimits | None = None,
    ) -> None:
        self._gateway_eui = gateway_eui
        self._router_config = router_config
        self._limits = limits or LnsLimits()
        self._state = _State.AWAITING_VERSION
        self._opened_at = now
        self._liveness = self._alive_from(now)
        self._malformed_at: deque[Instant] = deque(maxlen=self._limits.malformed_per_minute)
        self._to_send: list[str] = []

    @property
    def is_open(self) -> bool:
        """The station has its configuration and takes downlinks."""
        return self._state is _State.OPEN

    def receive(self, message: str | bytes, now: Instant) -> list[LnsEvent]:
        """One text frame of the station.

        Raises GatewayProtocolError when it sends too much that cannot be understood.
        """
        self._liveness.heard(now)
        try:
            decoded = decode_station_message(message)
            if self._state is _State.OPEN:
                return self._on_message(decoded, now)
            return self._before_open(decoded, now)
        except UNREADABLE as error:
            return self._on_unreadable(message, error, now)

    def heard(self, now: Instant) -> None:
        """Something else came: the station is there."""
        self._liveness.heard(now)

    def pong(self, now: Instant) -> None:
        """The answer to a ping."""
        self._liveness.pong(now)

    @property
    def round_trip_s(self) -> float | None:
        """To the station and back, at worst of late; None: not measured yet."""
        return self._liveness.round_trip_s

    def send(self, transmission: Transmission, now: Instant) -> None:
        """Have a frame transmitted. Raises ValueError if the connection is not open, or if the
        transmission lacks what its class needs."""
        if not self.is_open:
            raise ValueError("the station has no configuration yet")
        self._send(downlink_message(transmission))

    def text_to_send(self) -> list[str]:
        """Text frames for the station, in order; each is returned once."""
        texts, self._to_send = self._to_send, []
        return texts

    def next_timer(self) -> Instant | None:
        """When to call `fire_timer`. Once the connection is open, messages only ever move it later,
        so a shell need not ask after each: it may wake at an earlier answer and ask again."""
        match self._state:
            case _State.AWAITING_VERSION:
                return Instant(self._opened_at + self._limits.version_timeout_s)
            case _State.OPEN:
                return self._liveness.next_timer()
            case _State.REFUSED:
                return None

    def fire_timer(self, now: Instant) -> list[TimerEvent]:
        """What is due at ``now``, which may be nothing yet."""
        due = self.next_timer()
        if due is None or now < due:
            return []
        if self._state is _State.AWAITING_VERSION:
            return [PeerSilent(f"no version within {self._limits.version_timeout_s:g} s")]
        match self._liveness.fire(now):
            case "silent":
                return [PeerSilent(f"no answer to a ping within {self._limits.ping_timeout_s:g} s")]
            case "ping":
                return [PingDue()]
            case None:
                return []

    def _alive_from(self, now: Instant) -> Liveness:
        limits = self._limits
        return Liveness(now, interval_s=limits.ping_interval_s, timeout_s=limits.ping_timeout_s)

    def _send(self, message: Message) -> None:
        self._to_send.append(encode(message))

    def _before_open(self, message: StationMessage, now: Instant) -> list[LnsEvent]:
        if self._state is _State.REFUSED:
            return []
        if isinstance(message, Version):
            return [self._on_version(message, now)]
        msgtype = message.__struct_config__.tag
        return [self._malformed(f"{msgtype} before version", now)]

    def _on_version(self, message: Version, now: Instant) -> LnsEvent:
        if refused := _judge_version(message.station, self._limits.minimum_station):
            self._state = _State.REFUSED
            self._send(Error(error=refused.reason))
            return refused
        self._state = _State.OPEN
        self._liveness = self._alive_from(now)
        self._send(msgspec.structs.replace(self._router_config, mux_time=now))
        return VersionReceived(
            message.station,
            frozenset(message.features.split()),
            message.model,
            message.firmware,
            message.package,
        )

    def _on_message(self, message: StationMessage, now: Instant) -> list[LnsEvent]:
        match message:
            case DataUp():
                return [self._uplink(reassembly.data_up(message), message, now)]
            case JoinRequest() | Rejoin():
                return [self._uplink(reassembly.join_request(message), message, now)]
            case Proprietary():
                return [self._uplink(reassembly.proprietary(message), message, now)]
            case Transmitted():
                return [DownlinkTransmitted(self._report(message, now))]
            case TimeSyncRequest():
                gpstime = gps_time_us(now)
                self._send(TimeSync(txtime=message.txtime, gpstime=gpstime, mux_time=now))
                return []
            case StationEvent():
                return [StationEventReceived(message.evcat, message.evmsg)]
            case Alarm():
                return [AlarmReceived(message.text)]
            case Version():
                return [self._malformed("version for the second time", now)]
            case RemoteShellStatus():
                return [ShellStatusReceived(message)]
            case OtherDownlink() | OtherJoinAccept() | XTimes():
                return []
            case _:
                assert_never(message)

    def _uplink(
        self, phy_payload: bytes, message: DataUp | JoinRequest | Rejoin | Proprietary, now: Instant
    ) -> UplinkReceived:
        heard = message.upinfo
        return UplinkReceived(
            phy_payload,
            Reception(
                self._gateway_eui,
                message.frequency_hz,
                message.data_rate,
                int(heard.rssi),
                heard.snr,
                now,
                heard.xtime,
                heard.rctx,
                heard.gpstime or None,
                heard.fts if heard.fts >= 0 else None,
            ),
        )

    def _report(self, message: Transmitted, now: Instant) -> TransmissionReport:
        return TransmissionReport(
            downlink_id=message.diid,
            gateway_eui=self._gateway_eui,
            dev_eui=DevEUI(parse_eui(message.dev_eui or message.dev_eui_capital)),
            frequency_hz=message.frequency_hz,
            data_rate=message.data_rate,
            xtime=message.xtime,
            gps_time_us=message.gpstime or None,
            at=now,
        )

    def _on_unreadable(
        self, message: str | bytes, error: Exception, now: Instant
    ) -> list[LnsEvent]:
        if self._state is _State.REFUSED:
            return []
        msgtype = msgtype_of(message)
        if msgtype is not None and msgtype not in STATION_MSGTYPES:
            reason = f"msgtype {msgtype[:40]!r} is none of the protocol's"
            return [MalformedReceived(Refusal.UNKNOWN_MSGTYPE, reason)]
        if msgtype == "version" and self._state is _State.AWAITING_VERSION:
            return [self._refuse_unreadable_version(error)]
        return [self._malformed(f"{msgtype}: {error}" if msgtype else str(error), now)]

    def _refuse_unreadable_version(self, error: Exception) -> GatewayRefused:
        self._state = _State.REFUSED
        refused = GatewayRefused(Refusal.STATION_VERSION_UNREADABLE, f"version: {error}")
        self._send(Error(error=refused.reason))
        return refused

    def _malformed(self, reason: str, now: Instant) -> MalformedReceived:
        recent = self._malformed_at
        if len(recent) == recent.maxlen and now - recent[0] < 60:
            raise GatewayProtocolError(
                f"more than {recent.maxlen} malformed messages within a minute, the last: {reason}",
                Refusal.TOO_MANY_MALFORMED,
            )
        recent.append(now)
        return MalformedReceived(Refusal.MALFORMED_MESSAGE, reason)


def downlink_message(transmission: Transmission) -> DownlinkMessage:
    """The ``dnmsg`` of a transmission. Raises ValueError if it lacks what its class needs."""
    rx1, rx2 = transmission.rx1, transmission.rx2
    common = DownlinkMessage(
        dev_eui=format_dashed(transmission.dev_eui),
        device_class=_DEVICE_CLASSES[transmission.device_class],
        diid=transmission.downlink_id,
        pdu=transmission.phy_payload.hex(),
        rctx=transmission.rctx,
        priority=transmission.priority,
    )
    if transmission.device_class == "B":
        if rx1 is None or transmission.gps_time_us is None:
            raise ValueError("a class B transmission needs its ping slot and its GPS time")
        return msgspec.structs.replace(
            common,
            data_rate=rx1.data_rate,
            frequency_hz=rx1.frequency_hz,
            gpstime=transmission.gps_time_us,
        )
    if rx1 is None and rx2 is None:
        raise ValueError("a transmission needs a receive window")
    if transmission.xtime is None and (transmission.device_class == "A" or rx1 is not None):
        raise ValueError("a receive window opens by the xtime of an uplink")
    return msgspec.structs.replace(
        common,
        rx_delay=transmission.rx_delay_s,
        rx1_data_rate=rx1.data_rate if rx1 else None,
        rx1_frequency_hz=rx1.frequency_hz if rx1 else None,
        rx2_data_rate=rx2.data_rate if rx2 else None,
        rx2_frequency_hz=rx2.frequency_hz if rx2 else None,
        xtime=transmission.xtime,
    )


def _judge_version(station: str, minimum: tuple[int, int, int]) -> GatewayRefused | None:
    found = _VERSION.match(station)
    if found is None:
        return GatewayRefused(
            Refusal.STATION_VERSION_UNREADABLE, f"station version {station[:40]!r} is unreadable"
        )
    if tuple(map(int, found.groups())) < minimum:
        wanted = ".".join(map(str, minimum))
        return GatewayRefused(
            Refusal.STATION_TOO_OLD, f"station {found.group()} is older than {wanted}"
        )
    return None
