"""Events of the network as lines of the log that AWS IoT Core for LoRaWAN writes.

The members are those of its entries in CloudWatch; `message` is in words of our own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from bittern.network.events import (
    DownlinkDiscarded,
    DownlinkSent,
    DownlinkUnreported,
    FrameRefused,
    GatewayRefused,
    JoinAnswered,
    JoinReceived,
    NetworkEvent,
    UplinkDelivered,
)
from bittern.types import DevEUI, GatewayEUI, Instant, Refusal

EventName = Literal["Join", "Rejoin", "Uplink_Data", "Downlink_Data", "Certificate"]
Severity = Literal["INFO", "ERROR"]

_OF_CERTIFICATES = frozenset(one for one in Refusal if one.name.startswith("CERTIFICATE_"))


class Entry(NamedTuple):
    """What is to be said; whose it is, and whether anybody wants it, is found out afterwards."""

    at: Instant
    of: DevEUI | GatewayEUI
    is_gateway: bool
    event: EventName
    level: Severity
    message: str
    message_id: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One object of JSON."""

    timestamp: str
    resource: Literal["WirelessDevice", "WirelessGateway"]
    wireless_device_id: str | None = None
    wireless_device_type: str | None = None
    dev_eui: str | None = None
    wireless_gateway_id: str | None = None
    wireless_gateway_type: str | None = None
    gateway_eui: str | None = None
    event: EventName
    log_level: Severity
    message_id: str | None = None
    message: str


def entry_of(event: NetworkEvent) -> Entry | None:
    """None: AWS has no line for it, or it is not known whose it is."""
    match event:
        case UplinkDelivered():
            text = f"Uplink received. FCnt: {event.fcnt}"
            return _of_device(event, "Uplink_Data", "INFO", text, event.message_id)
        case DownlinkSent():
            text = f"Downlink handed to gateway {event.gateway_eui}. FCnt: {event.fcnt_down}"
            return _of_device(event, "Downlink_Data", "INFO", text, event.message_id)
        case DownlinkDiscarded():
            text = f"Downlink discarded. Attempts: {event.attempts}"
            return _of_device(event, "Downlink_Data", "ERROR", text, event.message_id)
        case DownlinkUnreported():
            text = f"Gateway {event.gateway_eui} did not report the downlink in time"
            return _of_device(event, "Downlink_Data", "ERROR", text)
        case JoinReceived(rejoin_type=None):
            return _of_device(event, "Join", "INFO", "Join request received")
        case JoinReceived():
            return _of_device(event, "Rejoin", "INFO", "Rejoin request received")
        case JoinAnswered():
            name: EventName = "Join" if event.rejoin_type is None else "Rejoin"
            return _of_device(event, name, "INFO", f"Join accepted. DevAddr: {event.dev_addr}")
        case FrameRefused() | GatewayRefused():
            return _refused(event)
        case _:
            return None


def _refused(event: FrameRefused | GatewayRefused) -> Entry | None:
    text = f"{event.refusal}: {event.reason}"
    if isinstance(event, GatewayRefused):
        if event.gateway_eui is None or event.refusal not in _OF_CERTIFICATES:
            return None
        return Entry(event.at, event.gateway_eui, True, "Certificate", "ERROR", text)
    if event.dev_eui is None:
        return None
    # Only frames of data have an address.
    name: EventName = "Join" if event.dev_addr is None else "Uplink_Data"
    if event.refusal is Refusal.RJ_COUNT_REPLAYED or event.refusal is Refusal.REJOIN_NOT_SUPPORTED:
        name = "Rejoin"
    return Entry(event.at, event.dev_eui, False, name, "ERROR", text)


def _of_device(
    event: UplinkDelivered
    | DownlinkSent
    | DownlinkDiscarded
    | DownlinkUnreported
    | JoinReceived
    | JoinAnswered,
    name: EventName,
    level: Severity,
    message: str,
    message_id: str | None = None,
) -> Entry:
    return Entry(event.at, event.dev_eui, False, name, level, message, message_id)


def line_of(entry: Entry, identity: str) -> bytes:
    """`identity` is the resource's id."""
    timestamp = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds")
    timestamp = timestamp.replace("+00:00", "Z")
    if entry.is_gateway:
        line = Line(
            timestamp=timestamp,
            resource="WirelessGateway",
            wireless_gateway_id=identity,
            wireless_gateway_type="LoRaWAN",
            gateway_eui=str(entry.of),
            event=entry.event,
            log_level=entry.level,
            message_id=entry.message_id,
            message=entry.message,
        )
    else:
        line = Line(
            timestamp=timestamp,
            resource="WirelessDevice",
            wireless_device_id=identity,
            wireless_device_type="LoRaWAN",
            dev_eui=str(entry.of),
            event=entry.event,
            log_level=entry.level,
            message_id=entry.message_id,
            message=entry.message,
        )
    return msgspec.json.encode(line)
