"""Notices of what happened, on the topics and in the shape that AWS gives them.

Developer guide of AWS IoT Wireless, "Event notifications": each is published for all resources of
its kind, and for the one resource by each of its names. `message_delivery_status` of LoRaWAN is
bittern's own, in the same style: AWS has it for Amazon Sidewalk alone.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.network.identity import uplink_message_id
from bittern.network.ports import Randomness
from bittern.types import DevAddr, DevEUI, GatewayEUI, Instant, JoinEUI, NetID

ROOT = "$aws/iotwireless/events"

ConnectionStatus = Literal["connected", "disconnected"]
JoinEvent = Literal[
    "join_req_received", "rejoin_req_0_received", "rejoin_req_2_received", "join_accepted"
]
DeliveryStatus = Literal["queued", "sent", "acknowledged", "failed"]
FailureReason = Literal[
    "NotAcknowledged", "NotTransmitted", "Expired", "TooLong", "Removed", "DeviceRemoved"
]


class Notice(msgspec.Struct, frozen=True):
    """One document on several topics."""

    topics: tuple[str, ...]
    document: bytes


class Scope(msgspec.Struct, frozen=True):
    """Which topics of an event are wanted."""

    of_all: bool = False
    """The one of all resources of the kind."""
    by_eui: bool = False
    by_id: bool = False

    def __bool__(self) -> bool:
        return self.of_all or self.by_eui or self.by_id

    def topics(self, topic: str, eui: tuple[str, str], identity: tuple[str, str]) -> Topics:
        """`topic` itself, and below it by the pairs of a name's kind and the name."""
        named = (
            (self.of_all, topic),
            (self.by_eui, f"{topic}/{eui[0]}/{eui[1]}"),
            (self.by_id, f"{topic}/{identity[0]}/{identity[1]}"),
        )
        return tuple(one for wanted, one in named if wanted)


Topics = tuple[str, ...]
EVERYWHERE = Scope(True, True, True)


class Named(msgspec.Struct, frozen=True):
    """A device by both its names."""

    device_id: str
    dev_eui: DevEUI

    def topics(self, scope: Scope, event: str, kind: str) -> Topics:
        topic = f"{ROOT}/{event}/{kind}/lorawan/wireless_devices"
        eui, identity = ("dev_eui", str(self.dev_eui)), ("wireless_device_id", self.device_id)
        return scope.topics(topic, eui, identity)


# Connections of gateways


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
    scope: Scope = EVERYWHERE,
) -> Notice:
    """A gateway has connected, or is no longer connected."""
    topic = f"{ROOT}/connection_status/{status}/lorawan/wireless_gateways"
    document = _ConnectionDocument(
        uplink_message_id(randomness),
        status,
        gateway_id,
        _milliseconds(at),
        _GatewayNames(str(gateway_eui)),
    )
    eui, identity = ("gateway_eui", str(gateway_eui)), ("wireless_gateway_id", gateway_id)
    return Notice(scope.topics(topic, eui, identity), msgspec.json.encode(document))


# Joins


class JoinDetails(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True):
    """What is known at each step: who asked, and what was given."""

    dev_eui: str
    join_eui: str | None = None
    app_eui: str | None = None
    """The JoinEUI by its earlier name, of devices before LoRaWAN 1.1."""
    dev_addr: str | None = None
    net_id: str | None = None


class _JoinDocument(msgspec.Struct):
    event_id: str = msgspec.field(name="eventId")
    event_type: JoinEvent = msgspec.field(name="eventType")
    device_id: str = msgspec.field(name="WirelessDeviceId")
    timestamp: str
    details: JoinDetails = msgspec.field(name="LoRaWAN")


def request_details(
    dev_eui: DevEUI, join_eui: JoinEUI | None, *, says_app_eui: bool
) -> JoinDetails:
    """Of a request that was received."""
    name = None if join_eui is None else str(join_eui)
    app_eui = name if says_app_eui else None
    return JoinDetails(dev_eui=str(dev_eui), join_eui=name, app_eui=app_eui)


def accept_details(dev_eui: DevEUI, dev_addr: DevAddr, net_id: NetID) -> JoinDetails:
    """Of a request that was granted."""
    return JoinDetails(dev_eui=str(dev_eui), dev_addr=str(dev_addr), net_id=str(net_id))


def join_notice(
    event: JoinEvent,
    device: Named,
    details: JoinDetails,
    *,
    at: Instant,
    randomness: Randomness,
    scope: Scope = EVERYWHERE,
) -> Notice:
    """A device asks to join, or has been let in."""
    document = _JoinDocument(
        uplink_message_id(randomness), event, device.device_id, _milliseconds(at), details
    )
    return Notice(device.topics(scope, "join", event), msgspec.json.encode(document))


# What becomes of messages to devices


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of one message."""

    kind: DeliveryStatus
    message_id: str
    at: Instant
    fport: int | None = None
    confirmed: bool | None = None
    fcnt_down: int | None = None
    """Of the frame that carried it."""
    gateway_eui: GatewayEUI | None = None
    """That put it on air."""
    attempts: int | None = None
    reason: FailureReason | None = None
    detail: str | None = None


class _Frame(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True):
    dev_eui: str
    fport: int | None = msgspec.field(name="FPort", default=None)
    fcnt: int | None = msgspec.field(name="FCnt", default=None)
    gateway_eui: str | None = None


class _StatusDocument(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True):
    event_id: str = msgspec.field(name="eventId")
    event_type: DeliveryStatus = msgspec.field(name="eventType")
    message_id: str
    wireless_device_id: str
    timestamp: str = msgspec.field(name="timestamp")
    transmit_mode: int | None = None
    attempts: int | None = None
    reason: FailureReason | None = None
    reason_text: str | None = None
    frame: _Frame = msgspec.field(name="LoRaWAN")


def delivery_notice(
    status: Status, device: Named, *, randomness: Randomness, scope: Scope = EVERYWHERE
) -> Notice:
    """A message to a device is queued, sent, acknowledged, or given up."""
    document = _StatusDocument(
        event_id=uplink_message_id(randomness),
        event_type=status.kind,
        message_id=status.message_id,
        wireless_device_id=device.device_id,
        timestamp=_milliseconds(status.at),
        transmit_mode=None if status.confirmed is None else int(status.confirmed),
        attempts=status.attempts,
        reason=status.reason,
        reason_text=status.detail,
        frame=_Frame(
            dev_eui=str(device.dev_eui),
            fport=status.fport,
            fcnt=status.fcnt_down,
            gateway_eui=None if status.gateway_eui is None else str(status.gateway_eui),
        ),
    )
    topics = device.topics(scope, "message_delivery_status", status.kind)
    return Notice(topics, msgspec.json.encode(document))


def _milliseconds(at: Instant) -> str:
    return str(int(at * 1000))
