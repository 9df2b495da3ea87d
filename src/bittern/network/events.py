"""What the network reports of itself: to the log, the metrics and who watches `bittern tail`."""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.lorawan.radio import DeviceClass
from bittern.mac.commands.notices import (
    CommandProblem,
    Declined,
    Ignored,
    Notice,
    Unanswered,
)
from bittern.mac.session import Session
from bittern.types import DevAddr, DevEUI, GatewayEUI, Instant, JoinEUI, Refusal

WindowName = Literal["RX1", "RX2", "PING"]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """The base: when it happened."""

    at: Instant


class UplinkDelivered(Event, frozen=True, kw_only=True, tag="uplink"):
    """A data frame was accepted; unless it held MAC commands alone, `destination` is owed it."""

    dev_eui: DevEUI
    dev_addr: DevAddr
    fcnt: int
    fport: int | None
    payload: bytes
    confirmed: bool
    frequency_hz: int
    data_rate: int
    gateways: tuple[tuple[GatewayEUI, int, float], ...]
    """(EUI, RSSI in dBm, SNR in dB), the best first."""
    message_id: str | None = None
    destination: str | None = None


class UplinkRepeated(Event, frozen=True, kw_only=True, tag="retransmission"):
    """The device sent its last frame again: acknowledged again where owed, not delivered again."""

    dev_eui: DevEUI
    fcnt: int


class JoinReceived(Event, frozen=True, kw_only=True, tag="join_received"):
    """A registered device asks to join, or to rejoin; whether it may is told by what follows."""

    dev_eui: DevEUI
    join_eui: JoinEUI | None = None
    """That the request names."""
    rejoin_type: int | None = None
    gateway_eui: GatewayEUI


class JoinAnswered(Event, frozen=True, kw_only=True, tag="join"):
    """A join-request, or a rejoin-request, was accepted and its join-accept handed to a gateway."""

    dev_eui: DevEUI
    dev_addr: DevAddr
    dev_nonce: int
    """Or the RJcount of a rejoin-request."""
    rejoin_type: int | None = None
    gateway_eui: GatewayEUI | None


class FrameRefused(Event, frozen=True, kw_only=True, tag="refusal"):
    """A frame was not let in; `reason` says what did not match."""

    refusal: Refusal
    reason: str
    dev_eui: DevEUI | None = None
    dev_addr: DevAddr | None = None
    fcnt16: int | None = None
    gateway_eui: GatewayEUI | None = None


class DownlinkSent(Event, frozen=True, kw_only=True, tag="downlink"):
    """A frame was handed to a gateway for the device's receive windows."""

    dev_eui: DevEUI
    downlink_id: int
    fcnt_down: int
    fport: int | None
    confirmed: bool
    ack: bool
    gateway_eui: GatewayEUI
    message_id: str | None = None
    device_class: DeviceClass = "A"
    window: WindowName = "RX1"
    """The one that is meant; offered RX1, a gateway may take RX2 after all."""


class DownlinkTransmitted(Event, frozen=True, kw_only=True, tag="transmitted"):
    """The gateway reports that it put the frame on air."""

    dev_eui: DevEUI
    downlink_id: int
    gateway_eui: GatewayEUI
    frequency_hz: int
    data_rate: int


class DownlinkUnreported(Event, frozen=True, kw_only=True, tag="downlink_unreported"):
    """The gateway did not report the frame in time: most likely it dropped it."""

    dev_eui: DevEUI
    downlink_id: int
    gateway_eui: GatewayEUI


class DownlinkAcknowledged(Event, frozen=True, kw_only=True, tag="acknowledged"):
    """The device acknowledged a confirmed downlink."""

    dev_eui: DevEUI
    message_id: str


class DownlinkWaits(Event, frozen=True, kw_only=True, tag="downlink_waits"):
    """A queued message could not go now; it stays in the queue."""

    dev_eui: DevEUI
    message_id: str | None
    reason: str


class DownlinkDiscarded(Event, frozen=True, kw_only=True, tag="downlink_discarded"):
    """A message is given up: it was tried as often as is allowed, no frame can carry it, or it is
    too late for it."""

    dev_eui: DevEUI
    message_id: str
    attempts: int
    size: int | None = None
    """Bytes, of one that is too long for every frame."""
    expired: bool = False
    """Its time was over."""


class MacCommandIgnored(Event, frozen=True, kw_only=True, tag="mac_ignored"):
    """A MAC command of a device changed nothing; `problem` names the reason."""

    dev_eui: DevEUI
    command: str
    problem: CommandProblem


class MacRequestDeclined(Event, frozen=True, kw_only=True, tag="mac_declined"):
    """A device does not accept what the network asked of it; `answer` says which part."""

    dev_eui: DevEUI
    request: str
    answer: str


class MacRequestUnanswered(Event, frozen=True, kw_only=True, tag="mac_unanswered"):
    """A device was asked several times in vain; from now on it is asked ever more seldom."""

    dev_eui: DevEUI
    request: str
    attempts: int


class GatewayConnected(Event, frozen=True, kw_only=True, tag="gateway_connected"):
    """A gateway's data connection is up; `station` is the version that it names."""

    gateway_eui: GatewayEUI
    station: str
    peer: str = ""
    """Its address and port."""


class GatewayDisconnected(Event, frozen=True, kw_only=True, tag="gateway_disconnected"):
    """A gateway's data connection ended."""

    gateway_eui: GatewayEUI
    reason: str


class GatewayRefused(Event, frozen=True, kw_only=True, tag="gateway_refusal"):
    """A gateway, or a message of it, was not let in; `reason` says what did not match."""

    refusal: Refusal
    reason: str
    gateway_eui: GatewayEUI | None = None
    peer: str = ""


NetworkEvent = (
    UplinkDelivered
    | UplinkRepeated
    | JoinReceived
    | JoinAnswered
    | FrameRefused
    | DownlinkSent
    | DownlinkTransmitted
    | DownlinkUnreported
    | DownlinkAcknowledged
    | DownlinkWaits
    | DownlinkDiscarded
    | MacCommandIgnored
    | MacRequestDeclined
    | MacRequestUnanswered
    | GatewayConnected
    | GatewayDisconnected
    | GatewayRefused
)


def mac_event(
    notice: Notice, *, at: Instant, session: Session
) -> MacCommandIgnored | MacRequestDeclined | MacRequestUnanswered:
    """What the link layer noticed of a session's device, as an event."""
    dev_eui = session.dev_eui
    match notice:
        case Ignored(command, problem):
            return MacCommandIgnored(at=at, dev_eui=dev_eui, command=command, problem=problem)
        case Declined(request, answer):
            return MacRequestDeclined(at=at, dev_eui=dev_eui, request=request, answer=answer)
        case Unanswered(request, attempts):
            return MacRequestUnanswered(at=at, dev_eui=dev_eui, request=request, attempts=attempts)
