"""One client of the embedded broker: its bytes to packets, its packets to the hub and back."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, cast

import msgspec

from bittern.errors import MqttProtocolError
from bittern.outputs.broker.caller import Caller, caller_of, notice_when_gone
from bittern.outputs.broker.gate import Denied
from bittern.outputs.broker.hub import Hub, Refused
from bittern.outputs.broker.session import Receipt, Session
from bittern.outputs.broker.users import Login
from bittern.outputs.mqtt.packets import (
    DISCONNECT,
    LEVEL_5,
    NOT_GRANTED,
    PINGREQ,
    PINGRESP_BYTES,
    PUBACK,
    PUBCOMP,
    PUBREC,
    PUBREL,
    UNSUBACK,
    UNSUPPORTED_VERSION_5,
    Acknowledgement,
    Connect,
    ConnectCode,
    Packet,
    PacketStream,
    Publish,
    Signal,
    Subscribe,
    UnknownLevel,
    Unsubscribe,
    Will,
    decode,
    encode_acknowledgement,
    encode_connack,
    encode_suback,
)
from bittern.types import Instant

log = logging.getLogger(__name__)

LINGER_S = 5.0
_PUBACK = PUBACK << 4


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    connections: int = 1000
    packet_bytes: int = 1024 * 1024
    login_bytes: int = 256 * 1024
    """Of a packet before the login: a will with its topic, at most."""
    login_s: float = 10.0
    """Time from the connection to a CONNECT that is accepted."""
    unanswered: int = 1000
    """Messages of a client that are not acknowledged to it; above, it is not read any more."""


class Broker(Protocol):
    """What a connection needs of the broker around it."""

    hub: Hub
    limits: ConnectionLimits

    def now(self) -> Instant: ...
    def opened(self, connection: Connection) -> bool:
        """False: there are too many connections."""
        ...

    def closed(self, connection: Connection) -> None: ...
    def authenticate(self, connect: Connect, caller: Caller) -> Awaitable[Login | Denied]: ...
    def stored(self, then: Callable[[], None]) -> None:
        """Call `then` when every change up to now is on the disk."""
        ...

    def changed(self) -> None:
        """A client published: there may be something to write."""
        ...

    def progressed(self, session: Session) -> None:
        """A client acknowledged, or came back: there may be more to send to it."""
        ...


class Connection(asyncio.Protocol):
    """A `Link` of a session, once the client has logged in."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._stream = PacketStream(broker.limits.login_bytes)
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._will: Will | None = None
        self._login: asyncio.Task[None] | None = None
        self._early: list[tuple[int, bytes]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._idle_limit_s = 0.0
        self._heard_at = 0.0
        self._out: list[bytes] = []
        self._answered = False
        """CONNACK is among what was sent: it must be the first packet (3.2.0)."""
        self._unanswered = 0
        self._ended = False
        self._denied = 0
        self._acknowledged = False
        """The session was told of an acknowledgement, and the broker was not yet."""
        self.peer = "?"
        self.caller = Caller("?")

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own transports do what asyncio.Transport says, without being one.
        self._transport = cast(asyncio.Transport, transport)
        self.peer = str(transport.get_extra_info("peername"))
        self.caller = caller_of(transport)
        notice_when_gone(transport)
        if not self._broker.opened(self):
            self._end("too many connections")
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._broker.limits.login_s, self._end, "no login in time")

    def data_received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        try:
            self._take_all(self._stream.feed(data))
        except MqttProtocolError as error:
            self._end(error.reason)

    def connection_lost(self, error: Exception | None) -> None:
        self._end("connection lost" if error is None else repr(error))
        self._broker.closed(self)

    @property
    def is_logged_in(self) -> bool:
        return self._session is not None

    # Link

    @property
    def unsent_bytes(self) -> int:
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def send(self, data: bytes) -> None:
        if self._ended:
            return
        if not self._out:
            asyncio.get_running_loop().call_soon(self.flush)
        self._out.append(data)

    def close(self, reason: str) -> None:
        self._end(reason)

    def flush(self) -> None:
        """What was sent in one turn of the loop goes to the socket at once."""
        if not self._out or not self._answered or self._transport is None:
            return
        if not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    # Packets

    def _take_all(self, packets: Iterable[tuple[int, bytes]]) -> None:
        for first, body in packets:
            if self._ended:
                return
            self._take(first, body)
        if self._acknowledged and self._session is not None:
            self._acknowledged = False
            self._broker.progressed(self._session)

    def _take(self, first: int, body: bytes) -> None:
        session = self._session
        if session is None:
            self._before_login(first, body)
        elif first == _PUBACK and len(body) == 2:
            session.acknowledge(body[0] << 8 | body[1])
            self._acknowledged = True
        else:
            self._handle(session, decode(first, body))

    def _before_login(self, first: int, body: bytes) -> None:
        if self._login is not None:
            # A client need not wait for CONNACK (3.1.4).
            self._early.append((first, body))
            return
        packet = decode(first, body)
        if isinstance(packet, UnknownLevel):
            self._refuse_level(packet.level)
        elif isinstance(packet, Connect):
            # Nobody fills our memory before we know who it is.
            self._pause(paused=True)
            self._login = asyncio.create_task(
                self._log_in(packet), name=f"mqtt login from {self.peer}"
            )
        else:
            raise MqttProtocolError("the first packet is not CONNECT")

    def _refuse_level(self, level: int) -> None:
        unacceptable = encode_connack(ConnectCode.UNACCEPTABLE_LEVEL)
        self._send_first(UNSUPPORTED_VERSION_5 if level == LEVEL_5 else unacceptable)
        self._end(f"protocol level {level}; only MQTT 3.1.1 (level 4) is spoken here")

    async def _log_in(self, connect: Connect) -> None:
        try:
            login = await self._broker.authenticate(connect, self.caller)
        except Exception:
            log.exception("mqtt peer=%s the login failed by an error of its own", self.peer)
            self._refuse(ConnectCode.SERVER_UNAVAILABLE, "an error of the server")
            return
        if self._ended:
            return
        if isinstance(login, Denied):
            self._refuse(login.code, login.reason)
        elif not connect.client_id and not connect.clean_session:
            self._refuse(ConnectCode.IDENTIFIER_REJECTED, "a durable session without identifier")
        else:
            client_id = connect.client_id or f"auto-{secrets.token_hex(8)}"
            named = {"client_id": client_id, "username": login.username}
            self._attach(msgspec.structs.replace(connect, **named), login)

    def _attach(self, connect: Connect, login: Login) -> None:
        earlier = self._broker.hub.link_of(connect.client_id, login.username)
        if earlier is not None:
            earlier.close("taken over by a new connection of the same client identifier")
        attached = self._broker.hub.attach(connect, self, self._broker.now(), login.permissions)
        if isinstance(attached, Refused):
            self._refuse(attached.code, f"{attached.reason}, user {login.username!r}")
            return
        self._session = attached.session
        self._stream.limit = self._broker.limits.packet_bytes
        self._pause(paused=False)
        self._will = connect.will
        self._watch(connect.keep_alive_s)
        accepted = encode_connack(ConnectCode.ACCEPTED, session_present=attached.present)
        log.info(
            "mqtt client=%r user=%s peer=%s connected",
            connect.client_id,
            login.username,
            self.peer,
        )
        if attached.session.durable:
            # The client is told that its session is kept when it is.
            self._broker.stored(lambda: self._send_first(accepted))
        else:
            self._send_first(accepted)
        self._broker.progressed(attached.session)
        early, self._early = self._early, []
        try:
            self._take_all(early)
        except MqttProtocolError as error:
            self._end(error.reason)

    def _send_first(self, connack: bytes) -> None:
        """CONNACK, before whatever else was sent meanwhile."""
        self._answered = True
        self._out.insert(0, connack)
        asyncio.get_running_loop().call_soon(self.flush)

    def _refuse(self, code: ConnectCode, reason: str) -> None:
        self._send_first(encode_connack(code))
        self._end(reason)

    def _handle(self, session: Session, packet: Packet) -> None:
        match packet:
            case Publish():
                self._published(session, packet)
            case Subscribe():
                self._subscribe(session, packet)
            case Unsubscribe(packet_id, topic_filters):
                self._broker.hub.unsubscribe(session, topic_filters)
                self._answer(session, encode_acknowledgement(UNSUBACK, packet_id))
            case Acknowledgement(kind, packet_id) if kind == PUBREL:
                session.incoming.discard(packet_id)
                self.send(encode_acknowledgement(PUBCOMP, packet_id))
            case Acknowledgement(kind, _) if kind in (PUBREC, PUBCOMP):
                pass  # Nothing is sent with quality of service 2.
            case Signal(kind) if kind == PINGREQ:
                self.send(PINGRESP_BYTES)
            case Signal(kind) if kind == DISCONNECT:
                self._will = None
                self._end("disconnected")
            case _:
                raise MqttProtocolError(f"a {type(packet).__name__} of a client that is logged in")

    def _subscribe(self, session: Session, packet: Subscribe) -> None:
        codes = self._broker.hub.subscribe(session, packet.requests)
        self._answer(session, encode_suback(packet.packet_id, codes))
        asked = zip(packet.requests, codes, strict=True)
        granted = [(text, code) for (text, _), code in asked if code != NOT_GRANTED]
        self._broker.hub.send_retained(session, granted)

    def _answer(self, session: Session, answer: bytes) -> None:
        """To what changed the session: after it is on the disk, if it belongs there."""
        if session.durable:
            self._broker.stored(lambda: self.send(answer))
        else:
            self.send(answer)

    def _published(self, session: Session, message: Publish) -> None:
        kind = (0, PUBACK, PUBREC)[message.qos]
        packet_id = message.packet_id
        if kind == PUBREC:
            if packet_id in session.incoming:
                self.send(encode_acknowledgement(kind, packet_id))
                return
            session.incoming.add(packet_id)
        self._unanswered += 1
        if self._unanswered == self._broker.limits.unanswered:
            self._pause(paused=True)
        receipt = Receipt(lambda failure: self._took(session, kind, packet_id, failure))
        hub, now = self._broker.hub, self._broker.now()
        if not hub.publish_of_client(message, receipt, now, session.permissions):
            self._tell_denied(session, message.topic)
        elif message.retain and kind:
            receipt.owe()
            self._broker.stored(receipt.discharge)
        receipt.discharge()
        self._broker.changed()

    def _tell_denied(self, session: Session, topic: str) -> None:
        """The first in a line of its own, the others by their number at the end."""
        self._denied += 1
        if self._denied == 1:
            log.warning(
                "mqtt client=%r user=%s may not publish topic=%r dropped",
                session.client_id,
                session.username,
                topic,
            )

    def _took(self, session: Session, kind: int, packet_id: int, failure: str | None) -> None:
        """The message is with its subscribers, or on the disk for them; or the disk is full."""
        self._unanswered -= 1
        if self._ended:
            return
        if failure is not None and kind:
            session.incoming.discard(packet_id)
            self._end(f"its message cannot be kept: {failure}")
            return
        if kind:
            self.send(encode_acknowledgement(kind, packet_id))
        if self._unanswered == self._broker.limits.unanswered - 1:
            self._pause(paused=False)

    def _pause(self, *, paused: bool) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    # The end

    def _watch(self, keep_alive_s: int) -> None:
        """Within one and a half times the keep-alive something is heard (3.1.2.10)."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if keep_alive_s:
            self._idle_limit_s = 1.5 * keep_alive_s
            self._check_alive()

    def _check_alive(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._heard_at + self._idle_limit_s - loop.time()
        if left <= 0:
            self._end("not heard of within its keep-alive time")
        else:
            self._timer = loop.call_later(left, self._check_alive)

    def _end(self, reason: str) -> None:
        if self._ended:
            return
        self.flush()
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._login is not None and self._login is not asyncio.current_task():
            self._login.cancel()
        session, self._session = self._session, None
        client, dropped = ("", 0) if session is None else (session.client_id, session.dropped)
        log.info(
            "mqtt client=%r peer=%s connection ended dropped=%d denied=%d reason=%r",
            client,
            self.peer,
            dropped,
            self._denied,
            reason,
        )
        if session is not None:
            self._broker.hub.detach(session, self, self._broker.now(), self._will)
        if self._transport is not None:
            self._transport.close()
            # A client that takes nothing any more cannot keep its connection for that.
            asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)
