"""Notices of what happened, on the topics and in the shape that AWS gives them.

Developer guide of AWS IoT Wireless, "Event notifications": each is published for all resources of
its kind, and for the one resource by each of its names.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.network.identity import uplink_message_id
from bittern.network.ports import Randomness
from bittern.types import GatewayEUI, Instant

ROOT = "$aws/iotwireless/events"

ConnectionStatus = Literal["connected", "disconnected"]


class Notice(msgspec.Struct, frozen=True):
    """One document on several topics."""

    topics: tuple[str, ...]
    document: bytes


class _GatewayNames(msgspec.Struct, rename="pascal"):
    gateway_eui: str


class _ConnectionDocument(msgspec.Struct):
    event_id: str = msgspec.field(name="eventId")
    event_type: ConnectionStatus = msgspec.field(name="eventType")
    gateway_id: str = msgspec.field(name="WirelessGatewayId")
    timestamp: str
    """Milliseconds since 1970, as text: so it is in the guide's samples."""
    names: _GatewayNames = msgspec.field(name="LoRaWAN")


def connection_notice(
    status: ConnectionStatus,
    *,
    gateway_eui: GatewayEUI,
    gateway_id: str,
    at: Instant,
    randomness: Randomness,
) -> Notice:
    """A gateway has connected, or is no longer connected."""
    topic = f"{ROOT}/connection_status/{status}/lorawan/wireless_gateways"
    document = _ConnectionDocument(
        uplink_message_id(randomness),
        status,
        gateway_id,
        str(int(at * 1000)),
        _GatewayNames(str(gateway_eui)),
    )
    return Notice(
        (
            topic,
            f"{topic}/gateway_eui/{gateway_eui}",
            f"{topic}/wireless_gateway_id/{gateway_id}",
        ),
        msgspec.json.encode(document),
    )
