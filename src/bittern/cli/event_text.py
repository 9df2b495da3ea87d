"""An event of the network as one line for a person: when, what, who, and the rest."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from rich.text import Text

from bittern.network.events import (
    DownlinkAcknowledged,
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkTransmitted,
    DownlinkUnreported,
    DownlinkWaits,
    FrameRefused,
    GatewayConnected,
    GatewayDisconnected,
    GatewayRefused,
    JoinAnswered,
    JoinReceived,
    MacCommandIgnored,
    MacRequestDeclined,
    MacRequestUnanswered,
    NetworkEvent,
    UplinkDelivered,
    UplinkRepeated,
)
from bittern.types import GatewayEUI

EVENTS = tuple(sorted(str(kind.__struct_config__.tag) for kind in get_args(NetworkEvent)))

_STYLES = {
    "uplink": "green",
    "join": "bold cyan",
    "join_received": "cyan",
    "downlink": "blue",
    "transmitted": "blue",
    "acknowledged": "bold blue",
    "refusal": "bold red",
    "gateway_refusal": "bold red",
    "downlink_discarded": "bold red",
    "downlink_unreported": "yellow",
    "downlink_waits": "yellow",
    "mac_ignored": "yellow",
    "mac_declined": "yellow",
    "mac_unanswered": "yellow",
    "gateway_connected": "magenta",
    "gateway_disconnected": "magenta",
}
_NAME_WIDTH = len("acknowledged")
"""Longer names are rare, and push the rest of their line."""


def line_of(event: NetworkEvent, *, with_date: bool = False) -> Text:
    """Time of this machine; columns that stay where they are."""
    name = str(event.__struct_config__.tag)
    moment = datetime.fromtimestamp(event.at).astimezone()
    time = moment.isoformat(timespec="milliseconds") if with_date else f"{moment:%H:%M:%S.%f}"[:-3]
    return Text.assemble(
        (time, "dim"),
        "  ",
        (f"{name:{_NAME_WIDTH}}", _STYLES.get(name, "")),
        "  ",
        f"{_who(event):16}",
        "  ",
        _what(event),
    )


def _who(event: NetworkEvent) -> str:
    """The device; failing that its address, or the gateway."""
    for name in ("dev_eui", "dev_addr", "gateway_eui"):
        if (identity := getattr(event, name, None)) is not None:
            return str(identity)
    return "-"


def _what(event: NetworkEvent) -> str:
    match event:
        case UplinkDelivered():
            return _uplink(event)
        case UplinkRepeated(fcnt=fcnt):
            return f"FCnt {fcnt}"
        case JoinReceived() | JoinAnswered():
            return _join(event)
        case FrameRefused(refusal=refusal, reason=reason):
            return f"{refusal}: {reason}{_by(event.gateway_eui)}"
        case DownlinkSent():
            return _downlink(event)
        case DownlinkTransmitted(frequency_hz=frequency_hz, data_rate=data_rate):
            return f"{_radio(frequency_hz, data_rate)}{_by(event.gateway_eui)}"
        case DownlinkUnreported(downlink_id=downlink_id):
            return f"downlink {downlink_id}{_by(event.gateway_eui)}"
        case DownlinkAcknowledged(message_id=message_id):
            return message_id
        case DownlinkWaits(message_id=message_id, reason=reason):
            return f"{message_id or ''} {reason}".strip()
        case DownlinkDiscarded(message_id=message_id):
            return f"{message_id} {_why(event)}"
        case MacCommandIgnored() | MacRequestDeclined() | MacRequestUnanswered():
            return _mac(event)
        case GatewayConnected() | GatewayDisconnected() | GatewayRefused():
            return _gateway(event)


def _why(event: DownlinkDiscarded) -> str:
    if event.size is not None:
        return f"{event.size} bytes are too long"
    return f"{'expired ' if event.expired else ''}after {event.attempts} attempts"


def _join(event: JoinReceived | JoinAnswered) -> str:
    match event:
        case JoinReceived(rejoin_type=rejoin_type, gateway_eui=gateway):
            return f"{'join' if rejoin_type is None else f'rejoin {rejoin_type}'}{_by(gateway)}"
        case JoinAnswered(dev_addr=dev_addr, gateway_eui=gateway):
            return f"DevAddr {dev_addr} {_nonce(event)}{_by(gateway)}"


def _mac(event: MacCommandIgnored | MacRequestDeclined | MacRequestUnanswered) -> str:
    match event:
        case MacCommandIgnored(command=command, problem=problem):
            return f"{problem}: {command}"
        case MacRequestDeclined(request=request, answer=answer):
            return f"{request} was answered by {answer}"
        case MacRequestUnanswered(request=request, attempts=attempts):
            return f"{request} has no answer after {attempts} attempts"


def _gateway(event: GatewayConnected | GatewayDisconnected | GatewayRefused) -> str:
    match event:
        case GatewayConnected(station=station):
            return f"station {station} {event.peer}".rstrip()
        case GatewayDisconnected(reason=reason):
            return reason
        case GatewayRefused(refusal=refusal, reason=reason):
            return f"{refusal}: {reason} {event.peer}".rstrip()


def _nonce(event: JoinAnswered) -> str:
    if event.rejoin_type is None:
        return f"DevNonce {event.dev_nonce}"
    return f"rejoin {event.rejoin_type} RJcount {event.dev_nonce}"


def _uplink(event: UplinkDelivered) -> str:
    gateway_eui, rssi_dbm, snr_db = event.gateways[0]
    others = len(event.gateways) - 1
    port = "no FPort" if event.fport is None else f"FPort {event.fport}"
    parts = [
        f"FCnt {event.fcnt}",
        port,
        event.payload.hex() or "-",
        "confirmed" if event.confirmed else "",
        _radio(event.frequency_hz, event.data_rate),
        f"{rssi_dbm} dBm {snr_db:g} dB by {gateway_eui}",
        f"+{others}" if others else "",
        f"to {event.destination}" if event.destination else "",
    ]
    return " ".join(part for part in parts if part)


def _downlink(event: DownlinkSent) -> str:
    parts = [
        f"FCnt {event.fcnt_down}",
        "" if event.fport is None else f"FPort {event.fport}",
        "confirmed" if event.confirmed else "",
        "ACK" if event.ack else "",
        event.message_id or "",
        "" if event.window == "RX1" else f"class {event.device_class} {event.window}",
    ]
    return " ".join(part for part in parts if part) + _by(event.gateway_eui)


def _radio(frequency_hz: int, data_rate: int) -> str:
    return f"{frequency_hz / 1e6:g} MHz DR{data_rate}"


def _by(gateway_eui: GatewayEUI | None) -> str:
    return "" if gateway_eui is None else f" by {gateway_eui}"
