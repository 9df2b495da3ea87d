"""The heart of the embedded broker: sessions, subscriptions, retained messages, who gets what.

Sans-IO: clients are `Link`s that bytes are sent to, the disk is `Changes` that the shell writes.
Nothing above quality of service 1 is granted (MQTT 3.1.1, 3.8.4 allows that); messages of 2 that
clients publish are taken as such and passed on with 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest

import msgspec

from bittern.errors import MqttProtocolError
from bittern.outputs.broker.log import Changes, LoggedSession, Retained
from bittern.outputs.broker.permissions import EVERYTHING, Permissions
from bittern.outputs.broker.session import (
    CleanSession,
    DurableSession,
    Link,
    Receipt,
    Session,
    SessionLimits,
)
from bittern.outputs.mqtt.packets import (
    NOT_GRANTED,
    Connect,
    ConnectCode,
    Publish,
    Will,
    encode_publish,
)
from bittern.outputs.mqtt.topics import Subscriptions, is_filter, is_topic, matches
from bittern.outputs.port import Intake
from bittern.types import Instant

BEST_QOS = 1


class HubLimits(msgspec.Struct, frozen=True, kw_only=True):
    sessions: int = 10_000
    connections_per_user: int = 250
    subscriptions: int = 1000
    """Of one client."""
    retained: int = 10_000
    retained_bytes: int = 64 * 1024 * 1024


class Refused(msgspec.Struct, frozen=True):
    """A client that has logged in gets no session; `reason` is for the log."""

    reason: str
    code: ConnectCode = ConnectCode.IDENTIFIER_REJECTED


class Attached(msgspec.Struct, frozen=True):
    session: Session
    present: bool
    """There was a session of this client before, and it goes on."""


class Hub:
    def __init__(
        self, limits: HubLimits | None = None, session_limits: SessionLimits | None = None
    ) -> None:
        self._limits = limits or HubLimits()
        self._session_limits = session_limits or SessionLimits()
        self._sessions: dict[str, Session] = {}
        self._subscriptions = Subscriptions()
        self._retained: dict[str, Retained] = {}
        self._retained_bytes = 0
        self._changes = Changes()
        self._intake: Intake | None = None
        self.published = 0
        self.sent = 0
        self.unmatched = 0
        self.denied_publishes = 0
        self.denied_subscriptions = 0
        self._dropped_by_ended = 0

    def hand_over_to(self, intake: Intake) -> None:
        """What clients publish and may publish, where it wants it: a message counts as taken over
        when `intake` has it, too."""
        self._intake = intake

    @property
    def sessions(self) -> Iterable[Session]:
        return self._sessions.values()

    @property
    def durable(self) -> Iterable[DurableSession]:
        return [s for s in self._sessions.values() if isinstance(s, DurableSession)]

    @property
    def dropped(self) -> int:
        """Messages of quality of service 0 for clients that took nothing."""
        return self._dropped_by_ended + sum(session.dropped for session in self.sessions)

    @property
    def retained_count(self) -> int:
        return len(self._retained)

    @property
    def subscriber_count(self) -> int:
        """Clients with at least one subscription."""
        return len(self._subscriptions)

    def restore(self, sessions: Iterable[LoggedSession], retained: Iterable[Retained]) -> None:
        """What the log had of the time before the restart."""
        for logged in sessions:
            session = DurableSession(logged.client_id, logged.username, self._session_limits)
            session.restore(logged.next_number, logged.seen_at)
            self._sessions[logged.client_id] = session
            for topic_filter, qos in logged.subscriptions:
                self._subscriptions.add(logged.client_id, topic_filter, qos)
        for one in retained:
            self._retained[one.topic] = one
            self._retained_bytes += len(one.payload)

    # Clients

    def link_of(self, client_id: str, username: str) -> Link | None:
        """The connection that the user's client of this identifier has now. Another user's is not
        told: it cannot be taken over."""
        session = self._sessions.get(client_id)
        return None if session is None or session.username != username else session.link

    def attach(
        self,
        connect: Connect,
        link: Link,
        now: Instant,
        permissions: Permissions = EVERYTHING,
    ) -> Attached | Refused:
        """A client that has logged in. Its earlier connection must be gone."""
        client_id, username = connect.client_id, connect.username or ""
        earlier = self._sessions.get(client_id)
        if earlier is not None and earlier.username != username:
            return Refused("the client identifier belongs to another user")
        will = connect.will
        if will is not None and not (is_topic(will.topic) and permissions.may_publish(will.topic)):
            reason = f"a will for topic {will.topic!r}, where it may not publish"
            return Refused(reason, ConnectCode.NOT_AUTHORIZED)
        if self._connections_of(username) >= self._limits.connections_per_user:
            return Refused("too many connections of this user", ConnectCode.SERVER_UNAVAILABLE)
        present = isinstance(earlier, DurableSession) and not connect.clean_session
        if earlier is None and len(self._sessions) >= self._limits.sessions:
            return Refused("too many sessions", ConnectCode.SERVER_UNAVAILABLE)
        if earlier is not None and present:
            session = earlier
        else:
            self._end(client_id)
            session = self._begin(connect, username)
        if session.durable:
            self._changes.sessions[client_id] = (username, now)
        self._permit(session, permissions)
        session.attach(link)
        return Attached(session, present)

    def detach(self, session: Session, link: Link, now: Instant, will: Will | None) -> None:
        """The connection is gone; `will`: not in good order."""
        if session.link is not link:
            return
        session.detach()
        if isinstance(session, DurableSession):
            session.seen_at = now
            self._changes.sessions[session.client_id] = (session.username, now)
        else:
            self._end(session.client_id)
        if will is not None:
            receipt = Receipt(lambda failure: None)
            published = Publish(will.topic, will.payload, will.qos, retain=will.retain)
            self.publish_of_client(published, receipt, now, session.permissions)
            receipt.discharge()

    def reconsider(
        self,
        permissions_of: Callable[[str], Permissions | None],
        locked_out: frozenset[str] = frozenset(),
    ) -> None:
        """Users are others than they were. A session whose user is gone (None) ends with what is
        owed to it; what the user may no longer subscribe to is no longer subscribed; and who could
        not log in as it did has to log in again."""
        for session in list(self._sessions.values()):
            permissions = permissions_of(session.username)
            if permissions is not None:
                self._permit(session, permissions)
            if session.link is not None and (permissions is None or session.username in locked_out):
                session.link.close("its user may not log in by that any more")
            if permissions is None and self._sessions.get(session.client_id) is session:
                self._end(session.client_id)

    def _connections_of(self, username: str) -> int:
        return sum(
            session.link is not None and session.username == username for session in self.sessions
        )

    def _permit(self, session: Session, permissions: Permissions) -> None:
        session.permissions = permissions
        own = self._subscriptions.of(session.client_id)
        denied = [text for text in own if not permissions.may_subscribe(text)]
        if denied:
            self.unsubscribe(session, denied)

    def seen(self, now: Instant) -> None:
        """Called now and then: a client that is connected for weeks must not count as away."""
        for session in self.durable:
            if session.link is not None:
                self._changes.sessions[session.client_id] = (session.username, now)

    def expire(self, before: Instant) -> None:
        """End the durable sessions whose clients left before that."""
        for session in self.durable:
            if session.link is None and session.seen_at < before:
                self._end(session.client_id)

    def _begin(self, connect: Connect, username: str) -> Session:
        kind = CleanSession if connect.clean_session else DurableSession
        session = kind(connect.client_id, username, self._session_limits)
        self._sessions[connect.client_id] = session
        return session

    def _end(self, client_id: str) -> None:
        session = self._sessions.pop(client_id, None)
        self._subscriptions.forget(client_id)
        self._dropped_by_ended += session.dropped if session is not None else 0
        if isinstance(session, DurableSession):
            session.end()
            self._changes.forget(client_id)
            self._changes.ended.add(client_id)

    # Subscriptions

    def subscribe(self, session: Session, requests: Sequence[tuple[str, int]]) -> bytes:
        """The return codes of SUBACK."""
        return bytes(self._grant(session, topic_filter, qos) for topic_filter, qos in requests)

    def _grant(self, session: Session, topic_filter: str, qos: int) -> int:
        own = self._subscriptions.of(session.client_id)
        full = topic_filter not in own and len(own) >= self._limits.subscriptions
        if full or not is_filter(topic_filter):
            return NOT_GRANTED
        if not session.permissions.may_subscribe(topic_filter):
            self.denied_subscriptions += 1
            return NOT_GRANTED
        granted = min(qos, BEST_QOS)
        self._subscriptions.add(session.client_id, topic_filter, granted)
        if session.durable:
            self._changes.subscriptions[session.client_id, topic_filter] = granted
        return granted

    def unsubscribe(self, session: Session, topic_filters: Sequence[str]) -> None:
        self._subscriptions.remove(session.client_id, topic_filters)
        if session.durable:
            for topic_filter in topic_filters:
                self._changes.subscriptions[session.client_id, topic_filter] = None

    def send_retained(self, session: Session, granted: Iterable[tuple[str, int]]) -> None:
        """To a new subscription, after its SUBACK (3.8.4)."""
        receipt = Receipt(lambda failure: None)
        for topic_filter, qos in granted:
            for topic, retained in list(self._retained.items()):
                if matches(topic_filter, topic):
                    self._send_retained(session, retained, min(qos, retained.qos), receipt)
        receipt.discharge()

    def _send_retained(
        self, session: Session, retained: Retained, qos: int, receipt: Receipt
    ) -> None:
        topic = retained.topic.encode()
        if qos:
            session.enqueue(topic, retained.payload, receipt, retain=True)
        else:
            session.send_once(encode_publish(topic, retained.payload, retain=True))

    # Messages

    def publish_of_client(
        self,
        message: Publish,
        receipt: Receipt,
        now: Instant,
        permissions: Permissions = EVERYTHING,
    ) -> bool:
        """False: it may not publish there, and the message is dropped. MQTT 3.1.1 has no way to
        say so but to end the connection or to acknowledge all the same (3.3.5); Mosquitto does the
        latter, so that one topic too many does not cut a client off. Raises `MqttProtocolError`
        for a topic that cannot be."""
        if not is_topic(message.topic):
            raise MqttProtocolError(f"no topic that can be published to: {message.topic!r}")
        if not permissions.may_publish(message.topic):
            self.denied_publishes += 1
            return False
        if message.retain:
            self._retain(message, now)
        if self._intake is not None and self._intake.wants(message.topic):
            receipt.owe()
            self._intake.take(message.topic, message.payload, receipt.discharge)
        self.publish(message.topic, message.payload, min(message.qos, BEST_QOS), receipt)
        return True

    def publish(self, topic: str, payload: bytes, qos: int, receipt: Receipt) -> None:
        """To every subscription that matches; to nobody is no failure."""
        self.published += 1
        subscribers = self._subscriptions.subscribers(topic)
        if not subscribers:
            self.unmatched += 1
            return
        name = topic.encode()
        frame: bytes | None = None
        for client_id, granted in subscribers:
            session = self._sessions.get(client_id)
            if session is None:
                # One before it was too far behind, and its will has ended another.
                continue
            self.sent += 1
            if granted and qos:
                session.enqueue(name, payload, receipt, retain=False)
            else:
                frame = frame or encode_publish(name, payload)
                session.send_once(frame)

    def retained(self, topic: str) -> Retained | None:
        """What new subscribers of the topic get first."""
        return self._retained.get(topic)

    def retained_page(self, after: str, limit: int) -> list[Retained]:
        """Those of topics behind `after`, in order of topic."""
        topics = nsmallest(limit, (topic for topic in self._retained if topic > after))
        return [self._retained[topic] for topic in topics]

    def _retain(self, message: Publish, now: Instant) -> None:
        """An empty payload removes (3.3.1.3)."""
        before = self._retained.pop(message.topic, None)
        self._retained_bytes -= len(before.payload) if before is not None else 0
        room = (
            len(self._retained) < self._limits.retained
            and self._retained_bytes + len(message.payload) <= self._limits.retained_bytes
        )
        payload = message.payload if room else b""
        kept = Retained(message.topic, payload, min(message.qos, BEST_QOS), now)
        if kept.payload:
            self._retained[message.topic] = kept
            self._retained_bytes += len(kept.payload)
        if kept.payload or before is not None:
            self._changes.retained[message.topic] = kept

    # The disk

    @property
    def has_changes(self) -> bool:
        changes = self._changes
        return bool(
            changes.ended
            or changes.sessions
            or changes.subscriptions
            or changes.retained
            or any(session.has_changes for session in self.durable)
        )

    def begin_write(self) -> tuple[Changes, list[DurableSession]]:
        """What to write now, and whose messages are in it."""
        changes, self._changes = self._changes, Changes()
        writing = [session for session in self.durable if session.has_changes]
        for session in writing:
            entries, acked = session.begin_write()
            changes.entries.append((session.client_id, entries))
            changes.acked.append((session.client_id, acked))
        return changes, writing

    def written(self, sessions: Iterable[DurableSession]) -> None:
        for session in sessions:
            session.written()

    def not_written(
        self, changes: Changes, sessions: Sequence[DurableSession], failure: str
    ) -> None:
        """Messages are refused; what was decided on sessions is written the next time."""
        self._changes = changes.and_then(self._changes)
        acked = dict(changes.acked)
        for session in sessions:
            session.not_written(acked[session.client_id], failure)
