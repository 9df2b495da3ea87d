"""A Basics Station without I/O: what its messages say, and what it does with the server's.

It behaves as version 2.0.6 was seen to behave, its silence included: what a genuine station drops
without a word is dropped here too, and kept in ``dropped`` for whoever asks why.

Times are microseconds of the concentrator's counter, which the caller's clock drives.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bittern.errors import BitternError
from bittern.simulator.radio import Emission
from bittern.simulator.regions import Modulation
from bittern.simulator.remote import RemoteAccess
from bittern.simulator.station_text import dashed, data_fields, data_uri, id6, signed
from bittern.types import EUI64, GatewayEUI

STATION_VERSION = "2.0.6(linux/simulated)"
HWSPEC = "sx1301/1"
TX_LEAD_US = 20_000
"""A transmission that is due sooner cannot be made."""
MAX_AHEAD_US = 600_000_000
REGIONS = frozenset(
    ("EU868", "EU863", "US915", "US902", "AU915", "AS923-1", "AS923JP", "KR920", "IL915")
)
"""Under any other name the station receives, but sends nothing."""

_COUNTER = (1 << 48) - 1
_Offer = tuple[str, int, int, int]
"""Window, counter, data rate, frequency: one way to send a downlink."""


class StationRejected(BitternError):
    """Discovery ended without a URI; ``reason`` is the server's ``error`` or what was wrong."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class _Dropped(Exception):
    """What a station drops without a word; the text is for ``Station.dropped``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioTransmission:
    """A downlink as it will leave the antenna."""

    downlink_id: int
    dev_eui: EUI64
    phy_payload: bytes
    window: str
    """RX1, RX2 or PING: which of the offered ones was taken."""
    at_us: int
    """Counter at the first symbol."""
    frequency_hz: int
    data_rate: int
    modulation: Modulation
    rctx: int


@dataclass(slots=True)
class _Plan:
    """What ``router_config`` said."""

    data_rates: list[tuple[int, int, bool]]
    upchannels: list[tuple[int, int, int]]
    frequency_range: tuple[int, int]
    net_ids: list[int] | None
    join_euis: list[tuple[int, int]] | None
    may_send: bool


@dataclass(slots=True)
class Station:
    """One station. ``chance`` draws the session numbers in its ``xtime``."""

    gateway_eui: GatewayEUI
    chance: random.Random
    pps: bool = False
    """Has a pulse per second, and so asks for the time."""
    pulse_us: int | None = None
    """The counter at one of the pulses: they tell the time to the microsecond, and the server only
    which second it is. None: the server's answer is taken as it comes, late by its way."""
    passes_rejoins: bool = False
    """Knows the layouts of rejoin-requests, unlike 2.0.6, which drops them."""
    plan: _Plan | None = None
    session: int = 0
    gps_offset_us: int | None = None
    """GPS time minus counter, once the server has told it."""
    dropped: list[str] = field(default_factory=list)
    """Why something was not sent or not forwarded, in order; the server never learns it."""
    remote: RemoteAccess = field(default_factory=RemoteAccess)
    to_say: list[str | bytes] = field(default_factory=list)
    """Answers for the server, in order; whoever sends them takes them out."""
    _planned: list[int] = field(default_factory=list)
    _mux_time: tuple[float, int] | None = None

    # Discovery

    def discovery_request(self) -> str:
        return _json({"router": id6(self.gateway_eui)})

    def read_discovery(self, text: str) -> str:
        """The URI of the data endpoint. Raises ``StationRejected``."""
        try:
            answer = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise StationRejected(f"garbage in discovery: {error}") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("uri"), str):
            said = answer.get("error") if isinstance(answer, dict) else None
            raise StationRejected(said if isinstance(said, str) else "no uri in discovery")
        uri = data_uri(answer["uri"])
        if uri is None:
            raise StationRejected(f"bad uri in discovery: {answer['uri']!r}")
        return uri

    # Data connection

    def version(self) -> str:
        """The first message; a new connection begins with nothing known."""
        self.plan = None
        self._planned.clear()
        return _json(
            {
                "msgtype": "version",
                "station": STATION_VERSION,
                "firmware": None,
                "package": None,
                "model": "linux",
                "protocol": 2,
                "features": "rmtsh",
            }
        )

    def receive(self, text: str, now_us: int) -> RadioTransmission | None:
        """Take a message of the server; a downlink that will be sent is returned.

        Raises ``StationRejected`` where the genuine one closes the connection.
        """
        try:
            return self._take(text, now_us)
        except _Dropped as reason:
            self.dropped.append(str(reason))
            return None

    def _take(self, text: str, now_us: int) -> RadioTransmission | None:
        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise _Dropped(f"message is not JSON: {error}") from error
        if not isinstance(message, dict):
            raise _Dropped("message is not an object")
        if isinstance(message.get("MuxTime"), float):
            self._mux_time = message["MuxTime"], now_us
        match message.get("msgtype"):
            case "router_config":
                self._configure(message)
            case "dnmsg":
                return self._schedule(message, now_us)
            case "timesync":
                self._take_time(message)
            case "runcmd":
                self.remote.run(message)
            case "rmtsh":
                self.to_say += self.remote.control(message)
            case unknown:
                raise _Dropped(f"message of type {unknown!r}")
        return None

    def _configure(self, message: dict[str, Any]) -> None:
        boards = message.get("sx1301_conf") or message.get("sx1302_conf")
        if message.get("hwspec") != HWSPEC or not isinstance(boards, list):
            raise StationRejected(f"hwspec {message.get('hwspec')!r} or its boards do not fit")
        try:
            self.plan = _Plan(
                data_rates=[(sf, bw, bool(down)) for sf, bw, down in message.get("DRs", [])],
                upchannels=[(f, low, high) for f, low, high in message.get("upchannels", [])],
                frequency_range=tuple(message.get("freq_range", (0, 0))),
                net_ids=message.get("NetID"),
                join_euis=message.get("JoinEui"),
                may_send=message.get("region") in REGIONS,
            )
        except (TypeError, ValueError) as error:
            raise _Dropped(f"router_config: {error}") from error
        self.session = self.chance.randrange(1, 128)
        self._planned.clear()

    # Uplinks

    def hear(
        self, emission: Emission, ended_us: int, utc_s: float, rssi_dbm: int, snr_db: float
    ) -> str | None:
        """The message about a frame, or ``None`` where a station says nothing."""
        try:
            data_rate = self._uplink_data_rate(emission)
            fields = self._frame_fields(emission.phy_payload)
        except _Dropped as reason:
            self.dropped.append(str(reason))
            return None
        fields["RefTime"] = self._reference_time(ended_us)
        fields["DR"] = data_rate
        fields["Freq"] = emission.frequency_hz
        fields["upinfo"] = {
            "rctx": 0,
            "xtime": self.xtime(ended_us),
            "gpstime": 0 if self.gps_offset_us is None else ended_us + self.gps_offset_us,
            "fts": -1,
            "rssi": max(rssi_dbm, -255),
            "snr": round(snr_db * 4) / 4,
            "rxtime": utc_s,
        }
        return _json(fields)

    def _uplink_data_rate(self, emission: Emission) -> int:
        """The server's index for the frame's modulation, if a channel of its plan heard it."""
        plan = self.plan
        if plan is None:
            raise _Dropped("uplink before router_config")
        wanted = (emission.modulation.spreading_factor, emission.modulation.bandwidth_khz, False)
        for index, row in enumerate(plan.data_rates):
            if row != wanted:
                continue
            for frequency_hz, low, high in plan.upchannels:
                if frequency_hz == emission.frequency_hz and low <= index <= high:
                    return index
        raise _Dropped(f"no channel hears {emission.frequency_hz} Hz, {emission.modulation}")

    def _frame_fields(self, phy: bytes) -> dict[str, Any]:
        if len(phy) < 12 or phy[0] & 0b11:
            raise _Dropped("not a LoRaWAN frame")
        match phy[0] >> 5:
            case 0 | 6 if len(phy) == 23:
                return self._join_fields(phy)
            case 6 if self.passes_rejoins and len(phy) in (19, 24):
                mic, pdu = signed(phy[-4:]), phy.hex().upper()
                return {"msgtype": "rejoin", "MHdr": phy[0], "PDU": pdu, "MIC": mic}
            case 2 | 4:
                return self._data_fields(phy)
            case 7:
                return {"msgtype": "propdf", "FRMPayload": phy.hex().upper()}
            case mtype:
                raise _Dropped(f"not a LoRaWAN frame: MType {mtype}, {len(phy)} bytes")

    def _join_fields(self, phy: bytes) -> dict[str, Any]:
        join_eui = int.from_bytes(phy[1:9], "little")
        assert self.plan is not None
        ranges = self.plan.join_euis
        if ranges is not None and not any(low <= join_eui <= high for low, high in ranges):
            raise _Dropped(f"JoinEUI {join_eui:016x} is filtered")
        return {
            "msgtype": "jreq" if phy[0] >> 5 == 0 else "rejoin",
            "MHdr": phy[0],
            "JoinEui": dashed(phy[8:0:-1]),
            "DevEui": dashed(phy[16:8:-1]),
            "DevNonce": int.from_bytes(phy[17:19], "little"),
            "MIC": signed(phy[-4:]),
        }

    def _data_fields(self, phy: bytes) -> dict[str, Any]:
        assert self.plan is not None
        net_ids = self.plan.net_ids
        if net_ids is not None and not any(phy[4] >> 1 == net_id & 0x7F for net_id in net_ids):
            raise _Dropped(f"DevAddr {phy[4:0:-1].hex()} is filtered")
        return data_fields(phy)

    def xtime(self, counter_us: int) -> int:
        return self.session << 48 | counter_us & _COUNTER

    def _reference_time(self, now_us: int) -> float:
        if self._mux_time is None:
            return 0.0
        mux_time, then_us = self._mux_time
        return mux_time + (now_us - then_us) / 1e6

    # Downlinks

    def _schedule(self, message: dict[str, Any], now_us: int) -> RadioTransmission:
        if self.plan is None or not self.plan.may_send:
            raise _Dropped("dnmsg before router_config")
        try:
            return self._first_possible(self._offers(message, now_us), message, now_us)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise _Dropped(f"dnmsg cannot be read: {error!r}") from error

    def _first_possible(
        self, offers: list[_Offer], message: dict[str, Any], now_us: int
    ) -> RadioTransmission:
        assert self.plan is not None
        low, high = self.plan.frequency_range
        for window, at_us, data_rate, frequency_hz in offers:
            if not low <= frequency_hz <= high:
                raise _Dropped(f"dnmsg with frequency {frequency_hz} Hz")
            if not self._is_free(at_us, now_us):
                continue
            self._planned.append(at_us)
            spreading_factor, bandwidth_khz, _ = self.plan.data_rates[data_rate]
            return RadioTransmission(
                downlink_id=message["diid"],
                dev_eui=EUI64.from_hex(message["DevEui"]),
                phy_payload=bytes.fromhex(message["pdu"]),
                window=window,
                at_us=at_us,
                frequency_hz=frequency_hz,
                data_rate=data_rate,
                modulation=Modulation(spreading_factor, bandwidth_khz),
                rctx=message.get("rctx", 0),
            )
        raise _Dropped(f"dnmsg {message['diid']}: no window left")

    def _offers(self, message: dict[str, Any], now_us: int) -> list[_Offer]:
        """Best first."""
        rx1, rx2 = _pair(message, "RX1DR", "RX1Freq"), _pair(message, "RX2DR", "RX2Freq")
        match message["dC"]:
            case 0:
                at_us = self._rx1_us(message)
                offers = [("RX1", at_us, *rx1)] if rx1 else []
                return offers + ([("RX2", at_us + 1_000_000, *rx2)] if rx2 else [])
            case 1:
                if self.gps_offset_us is None:
                    raise _Dropped("class B without GPS time")
                at_us = message["gpstime"] - self.gps_offset_us
                return [("PING", at_us, message["DR"], message["Freq"])]
            case 2:
                offers = []
                if rx1 and "xtime" in message:
                    offers.append(("RX1", self._rx1_us(message), *rx1))
                return offers + ([("RX2", now_us + TX_LEAD_US, *rx2)] if rx2 else [])
            case device_class:
                raise _Dropped(f"dnmsg with dC {device_class}")

    def _rx1_us(self, message: dict[str, Any]) -> int:
        xtime: int = message["xtime"]
        if xtime >> 48 & 0x7F != self.session:
            raise _Dropped("obsolete session")
        delay_s: int = message.get("RxDelay", 1) or 1
        return (xtime & _COUNTER) + delay_s * 1_000_000

    def _is_free(self, at_us: int, now_us: int) -> bool:
        """Soon enough, late enough, and nothing else leaves at that moment."""
        self._planned = [other for other in self._planned if other >= now_us]
        if not TX_LEAD_US <= at_us - now_us <= MAX_AHEAD_US:
            return False
        return all(abs(at_us - other) > TX_LEAD_US for other in self._planned)

    def transmitted(self, sent: RadioTransmission) -> str | None:
        """``dntxed``, which downlinks without a DevEui do not get."""
        if not any(sent.dev_eui):
            return None
        return _json(
            {
                "msgtype": "dntxed",
                "seqno": sent.downlink_id,
                "diid": sent.downlink_id,
                "DR": sent.data_rate,
                "Freq": sent.frequency_hz,
                "DevEui": dashed(sent.dev_eui),
                "rctx": sent.rctx,
                "xtime": self.xtime(sent.at_us),
                "txtime": sent.at_us / 1e6,
                "gpstime": 0 if self.gps_offset_us is None else sent.at_us + self.gps_offset_us,
            }
        )

    # Time

    def timesync(self, now_us: int) -> str | None:
        """The question that a station with PPS repeats until it is answered."""
        if not self.pps or self.gps_offset_us is not None or self.plan is None:
            return None
        return _json({"msgtype": "timesync", "txtime": now_us})

    def _take_time(self, message: dict[str, Any]) -> None:
        gps_us = message.get("gpstime")
        if not isinstance(gps_us, int):
            raise _Dropped("timesync without gpstime")
        if "xtime" in message:
            if message["xtime"] >> 48 & 0x7F == self.session:
                self.gps_offset_us = gps_us - (message["xtime"] & _COUNTER)
        elif isinstance(message.get("txtime"), int):
            self.gps_offset_us = self._to_a_pulse(gps_us - message["txtime"])

    def _to_a_pulse(self, offset_us: int) -> int:
        if self.pulse_us is None:
            return offset_us
        return round((offset_us + self.pulse_us) / 1_000_000) * 1_000_000 - self.pulse_us


def _pair(message: dict[str, Any], data_rate: str, frequency: str) -> tuple[int, int] | None:
    """Both or none."""
    if (data_rate in message) != (frequency in message):
        raise ValueError(f"{data_rate} and {frequency} belong together")
    return (message[data_rate], message[frequency]) if data_rate in message else None


def _json(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
