"""The data connection of one gateway, the second of the two websocket endpoints of the LNS.

From a websocket frame to `Traffic.on_uplink` everything is synchronous: no task and no log line for
a message. Only admission, once for each connection, waits for the store; what the gateway says
meanwhile is kept, as far as it is little.
"""

from __future__ import annotations

import asyncio
import logging
from typing import assert_never

from picows import WSCloseCode, WSFrame, WSMsgType, WSTransport

from bittern.errors import GatewayProtocolError
from bittern.gateway.admission import Refused
from bittern.gateway.lns import (
    AlarmReceived,
    DownlinkTransmitted,
    GatewayRefused,
    LnsConnection,
    LnsEvent,
    MalformedReceived,
    PeerSilent,
    PingDue,
    ShellStatusReceived,
    StationEventReceived,
    UplinkReceived,
    VersionReceived,
)
from bittern.gateway.pace import Pace
from bittern.lorawan.radio import Transmission
from bittern.servers.lns_hub import Admitted, ConnectedGateway, Counts, LnsHub
from bittern.servers.lns_listener import Listener
from bittern.servers.lns_remote import Remote
from bittern.types import GatewayEUI, Instant, Refusal

logger = logging.getLogger("bittern.servers.lns")

EARLY_MESSAGES = 4
"""Messages kept until admission is decided; a station sends one."""
WRITE_BUFFER_BYTES = 128 * 1024
"""More than this unsent, and the gateway takes no further downlinks."""
UNKNOWN_TOLD = 16
"""Different unknown msgtypes that are told for each connection; all of them are counted."""

SLOWED_TOLD_S = 60.0
"""A gateway that is too fast is told of once in this time."""


class DataListener(Listener):
    """The data connection of the gateway that its path names."""

    def __init__(self, hub: LnsHub, gateway_eui: GatewayEUI) -> None:
        super().__init__(hub)
        self.gateway_eui = gateway_eui
        self.admitted: Admitted | None = None
        self.counts = Counts()
        self.remote: Remote | None = None
        """While the gateway has its configuration."""
        self._lns: LnsConnection | None = None
        self._pace = Pace(hub.settings.messages_per_second)
        self._slowed_at: Instant | None = None
        self._early: list[bytes] = []
        self._connected: ConnectedGateway | None = None
        self._congested = False
        self._unknown: set[str] = set()
        self._end_reason = ""

    # picows

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        transport.underlying_transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._hub.start(self._admit(transport), f"lns-admission-{self.gateway_eui}")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self._ending and frame.msg_type != WSMsgType.CLOSE:
            return
        if frame.msg_type == WSMsgType.TEXT and frame.fin:
            self._hub.counters.messages_in += 1
            self._on_text(frame.get_payload_as_bytes())
        else:
            self._on_other(transport, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        sent = transport.close_handshake.sent if transport.close_handshake else None
        if sent is not None and sent.code == WSCloseCode.MESSAGE_TOO_BIG and not self._end_reason:
            limit = self._hub.settings.max_message_bytes
            self._end_reason = f"a message of more than {limit} bytes"
            self._refuse(Refusal.OVERSIZED_MESSAGE, self._end_reason)
        self._tell_gone()

    def pause_writing(self) -> None:
        self._congested = True

    def resume_writing(self) -> None:
        self._congested = False

    def describe(self) -> ConnectedGateway | None:
        return self._connected

    # The hub's side

    def transmit(self, transmission: Transmission) -> bool:
        """Whether the frame is on its way to the gateway."""
        lns = self._lns
        if lns is None or not self.takes_frames:
            return False
        lns.send(transmission, self._hub.now())
        self._flush(lns)
        return True

    def readmit(self, admitted: Admitted) -> None:
        """What is registered of the gateway has changed, and it may stay."""
        self.admitted = admitted
        if self.remote is not None and not admitted.gateway.remote_shell:
            self.remote.end_shells("remote shells are no longer allowed for this gateway")

    @property
    def takes_frames(self) -> bool:
        lns = self._lns
        return lns is not None and lns.is_open and not (self._ending or self._congested)

    @property
    def round_trip_s(self) -> float | None:
        """To the station and back; None: not measured yet."""
        return None if self._lns is None else self._lns.round_trip_s

    def end(self, reason: str, refusal: Refusal | None = None) -> None:
        """Close the connection; with a refusal it is counted and told as one."""
        if self._ending:
            return
        self._end_reason = reason
        if refusal is not None:
            self._refuse(refusal, reason)
        super().end(reason, refusal)
        self._tell_gone()

    # Opening

    async def _admit(self, transport: WSTransport) -> None:
        decision = await self._hub.admit(self.gateway_eui, self.fingerprint)
        if self._ending:
            return
        if isinstance(decision, Refused):
            self.end(decision.reason, decision.refusal)
            return
        hub = self._hub
        self.admitted = decision
        self._lns = LnsConnection(self.gateway_eui, decision.router_config, hub.now(), hub.limits)
        hub.counters.connections_opened += 1
        hub.enter(self)
        self._arm()
        early, self._early = self._early, []
        for message in early:
            self._on_text(message)

    def _tell_gone(self) -> None:
        """At once, not when the other end has answered: by then it may be back."""
        self._hub.leave(self)
        if self._connected is not None:
            reason = self._end_reason or "closed by the gateway"
            self._hub.disconnected(self._connected, self.counts, self.round_trip_s, reason)
            self._connected = None
        if self.remote is not None:
            self.remote.gone("the gateway's connection has ended")
            self.remote = None

    # Receiving

    def _on_text(self, message: bytes) -> None:
        lns = self._lns
        if lns is None:
            self._keep(message)
            return
        now = self._hub.now()
        self.counts.received += 1
        if (pause_s := self._pace.take(now)) > 0.0:
            self._slow_down(pause_s, now)
        try:
            for event in lns.receive(message, now):
                if type(event) is UplinkReceived:
                    self._hub.counters.uplinks += 1
                    self.counts.forwarded += 1
                    self.counts.last_uplink_at = now
                    self._hub.traffic.on_uplink(event.phy_payload, event.reception)
                else:
                    self._on_event(event)
        except GatewayProtocolError as error:
            self.end(error.reason, error.refusal)
        except Exception:
            # A fault of ours: this gateway's next message must find the connection as it was.
            logger.exception("gateway=%s message not handled", self.gateway_eui)
        self._flush(lns)

    def _on_event(self, event: LnsEvent) -> None:
        match event:
            case UplinkReceived():
                self._hub.traffic.on_uplink(event.phy_payload, event.reception)
            case DownlinkTransmitted():
                self.counts.transmitted += 1
                self._hub.traffic.on_transmitted(event.report)
            case VersionReceived():
                self._on_version(event)
            case GatewayRefused():
                if self._lns is not None:
                    self._flush(self._lns)
                self.end(event.reason, event.refusal)
            case MalformedReceived():
                self._on_malformed(event)
            case StationEventReceived():
                logger.info(
                    "gateway=%s event=%s %s", self.gateway_eui, event.category, event.detail
                )
            case AlarmReceived():
                logger.warning("gateway=%s alarm=%r", self.gateway_eui, event.text)
            case ShellStatusReceived():
                if self.remote is not None:
                    self.remote.on_status(event.status)
            case _:
                assert_never(event)

    def _on_version(self, event: VersionReceived) -> None:
        self._arm()
        self._connected = ConnectedGateway(
            gateway_eui=self.gateway_eui,
            gateway_id=self.admitted.gateway.id if self.admitted else "",
            station=event.station,
            model=event.model or "",
            package=event.package or "",
            features=tuple(sorted(event.features)),
            peer=self._peer,
            certificate=self.fingerprint or "",
            connected_at=self._hub.now(),
        )
        self.remote = Remote(self._connected.features, self._send, self._on_stray)
        self._hub.connected(self._connected)

    def _on_malformed(self, event: MalformedReceived) -> None:
        self.counts.refused += 1
        if event.refusal is not Refusal.UNKNOWN_MSGTYPE:
            self._refuse(event.refusal, event.reason)
        elif event.reason in self._unknown or len(self._unknown) >= UNKNOWN_TOLD:
            self._hub.count(event.refusal)
        else:
            self._unknown.add(event.reason)
            self._refuse(event.refusal, event.reason)

    def _on_other(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PONG:
            if self._lns is not None:
                self._lns.pong(self._hub.now())
        elif frame.msg_type == WSMsgType.CLOSE:
            self._on_close_frame(transport)
        elif frame.msg_type == WSMsgType.BINARY and frame.fin:
            self._hub.counters.messages_in += 1
            self._on_binary(frame.get_payload_as_bytes())
        else:
            self.end("a message in fragments", Refusal.MALFORMED_MESSAGE)

    def _on_binary(self, frame: bytes) -> None:
        """The terminal of a remote shell."""
        lns, remote, now = self._lns, self.remote, self._hub.now()
        if lns is None or remote is None or not remote.has_shells:
            self.end("a binary message, though no remote shell is open", Refusal.MALFORMED_MESSAGE)
            return
        lns.heard(now)
        if (pause_s := self._pace.take(now)) > 0.0:
            self._slow_down(pause_s, now)
        try:
            remote.on_binary(frame)
        except GatewayProtocolError as error:
            self.end(error.reason, error.refusal)

    def _on_stray(self, reason: str) -> None:
        self.counts.refused += 1
        self._refuse(Refusal.MALFORMED_MESSAGE, reason)

    def _keep(self, message: bytes) -> None:
        if len(self._early) < EARLY_MESSAGES:
            self._early.append(message)
        else:
            self.end("messages before the configuration", Refusal.MALFORMED_MESSAGE)

    def _slow_down(self, pause_s: float, now: Instant) -> None:
        """Read no more for a while: what the gateway sends then waits at its end."""
        transport = self._transport
        if transport is None or self._ending:
            return
        underlying = transport.underlying_transport
        underlying.pause_reading()
        asyncio.get_running_loop().call_later(pause_s, _resume_reading, underlying)
        if self._slowed_at is None or now - self._slowed_at > SLOWED_TOLD_S:
            self._slowed_at = now
            limit = self._hub.settings.messages_per_second
            self._refuse(
                Refusal.TOO_MANY_MESSAGES, f"more than {limit:g} messages a second: slowed down"
            )

    def _refuse(self, refusal: Refusal, reason: str) -> None:
        self._hub.refuse(refusal, reason, self.gateway_eui, self._peer)

    # Sending

    def _flush(self, lns: LnsConnection) -> None:
        for text in lns.text_to_send():
            self._send(text)

    def _send(self, message: str | bytes) -> None:
        transport = self._transport
        if transport is not None and not self._ending:
            self._hub.counters.messages_out += 1
            kind = WSMsgType.TEXT if isinstance(message, str) else WSMsgType.BINARY
            transport.send(kind, message)

    # Time

    def _arm(self) -> None:
        self._cancel_timer()
        due = self._lns.next_timer() if self._lns is not None else None
        if due is not None and not self._ending:
            delay_s = max(due - self._hub.now(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_timer)

    def _on_timer(self) -> None:
        transport, lns = self._transport, self._lns
        if transport is None or lns is None or self._ending:
            return
        for event in lns.fire_timer(self._hub.now()):
            match event:
                case PingDue():
                    transport.send_ping()
                case PeerSilent():
                    self._end_reason = event.reason
                    self._ending = True
                    transport.disconnect(False)
                    return
                case _:
                    assert_never(event)
        self._arm()


def _resume_reading(transport: asyncio.ReadTransport) -> None:
    if not transport.is_closing():
        transport.resume_reading()
