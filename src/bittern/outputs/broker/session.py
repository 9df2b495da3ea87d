"""What the embedded broker owes to one client (MQTT 3.1.1, 4.1 and 4.4). Pure.

Messages of quality of service 1 are numbered per session; a number gives the packet identifier, so
that a message keeps it over reconnections and restarts. A clean session keeps its messages in
memory, as long as its connection. A durable one survives both ends: a message that the client has
not acknowledged soon goes to the log on disk, and from there it is sent again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from bittern.outputs.broker.permissions import EVERYTHING
from bittern.outputs.mqtt.packets import encode_publish
from bittern.types import Instant

PACKET_IDS = 65_535


class SessionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of what one client may leave unacknowledged."""

    window: int = 1000
    """Messages sent and not acknowledged."""
    memory_messages: int = 20_000
    """Messages that a clean session keeps; a client that is further behind is disconnected."""
    memory_bytes: int = 32 * 1024 * 1024
    unsent_bytes: int = 16 * 1024 * 1024
    """Bytes that the client's socket has not taken: above, messages of quality of service 0 are
    dropped for it."""


class Link(Protocol):
    """A client's connection, as its session sees it."""

    @property
    def unsent_bytes(self) -> int: ...
    def send(self, data: bytes) -> None: ...
    def close(self, reason: str) -> None: ...


class Receipt:
    """Counts who still has to take responsibility for a batch; `done` is called with what failed
    (None: nothing) when nobody is left."""

    __slots__ = ("_done", "_failure", "_left")

    def __init__(self, done: Callable[[str | None], None]) -> None:
        self._done = done
        self._failure: str | None = None
        self._left = 1

    def owe(self) -> None:
        self._left += 1

    def discharge(self, failure: str | None = None) -> None:
        """Also called once when the batch has been handed to everybody."""
        self._failure = self._failure or failure
        self._left -= 1
        if not self._left:
            self._done(self._failure)


class Entry:
    """One message of quality of service 1 for one session. A plain class: it is made per message
    and subscriber."""

    __slots__ = ("number", "packet_id", "payload", "receipt", "retain", "topic")

    def __init__(
        self,
        number: int,
        topic: bytes,
        payload: bytes,
        *,
        retain: bool = False,
        receipt: Receipt | None = None,
    ) -> None:
        self.number = number
        self.packet_id = number % PACKET_IDS + 1
        self.topic = topic
        self.payload = payload
        self.retain = retain
        self.receipt = receipt

    def settle(self, failure: str | None = None) -> None:
        receipt, self.receipt = self.receipt, None
        if receipt is not None:
            receipt.discharge(failure)


class Session:
    """What both kinds have in common: the window."""

    durable = False

    def __init__(self, client_id: str, username: str, limits: SessionLimits) -> None:
        self.client_id = client_id
        self.username = username
        self.limits = limits
        self.link: Link | None = None
        self.permissions = EVERYTHING
        """Of its user."""
        self.incoming: set[int] = set()
        """Packet identifiers of quality of service 2 that the client has not released (4.3.3)."""
        self.next_number = 0
        self.dropped = 0
        self._unacked: dict[int, Entry] = {}
        self._sent_ever = -1

    @property
    def unacked(self) -> int:
        return len(self._unacked)

    def attach(self, link: Link) -> None:
        self.link = link

    def detach(self) -> None:
        self.link = None
        self._unacked.clear()

    def send_once(self, frame: bytes) -> None:
        """Quality of service 0: now or never."""
        if self.link is None:
            return
        if self.link.unsent_bytes > self.limits.unsent_bytes:
            self.dropped += 1
            return
        self.link.send(frame)

    def enqueue(self, topic: bytes, payload: bytes, receipt: Receipt, *, retain: bool) -> None:
        raise NotImplementedError

    def acknowledge(self, packet_id: int) -> None:
        """PUBACK. One that was not asked for is ignored."""
        raise NotImplementedError

    def _has_window(self, entry: Entry) -> bool:
        return len(self._unacked) < self.limits.window and entry.packet_id not in self._unacked

    def _send(self, link: Link, entry: Entry) -> None:
        number = entry.number
        packet_id = entry.packet_id
        self._unacked[packet_id] = entry
        link.send(
            encode_publish(
                entry.topic,
                entry.payload,
                qos=1,
                packet_id=packet_id,
                retain=entry.retain,
                dup=number <= self._sent_ever,
            )
        )
        self._sent_ever = max(self._sent_ever, number)


class CleanSession(Session):
    """Ends with its connection; until then its messages wait in memory."""

    def __init__(self, client_id: str, username: str, limits: SessionLimits) -> None:
        super().__init__(client_id, username, limits)
        self._waiting: deque[Entry] = deque()
        self._waiting_bytes = 0

    def enqueue(self, topic: bytes, payload: bytes, receipt: Receipt, *, retain: bool) -> None:
        if self.link is None:
            return
        entry = Entry(self.next_number, topic, payload, retain=retain)
        self.next_number += 1
        if not self._waiting and self._has_window(entry):
            self._send(self.link, entry)
            return
        self._waiting.append(entry)
        self._waiting_bytes += len(payload)
        limits = self.limits
        if len(self._waiting) > limits.memory_messages or self._waiting_bytes > limits.memory_bytes:
            self.link.close("too far behind")

    def acknowledge(self, packet_id: int) -> None:
        self._unacked.pop(packet_id, None)
        while self.link is not None and self._waiting and self._has_window(self._waiting[0]):
            entry = self._waiting.popleft()
            self._waiting_bytes -= len(entry.payload)
            self._send(self.link, entry)

    def detach(self) -> None:
        super().detach()
        self._waiting.clear()
        self._waiting_bytes = 0


class DurableSession(Session):
    """Outlives its connection and the server.

    While the client keeps up, messages go straight to it and a prompt acknowledgement spares the
    disk. What is not acknowledged by the next writing of the log is written there. A client that is
    away, or whose window is full, is `behind`: its messages go to the log alone, and are read from
    there in their order until it has caught up.
    """

    durable = True

    def __init__(self, client_id: str, username: str, limits: SessionLimits) -> None:
        super().__init__(client_id, username, limits)
        self.behind = True
        self.seen_at = Instant(0.0)
        """When the client left."""
        self._sent_up_to = -1
        self._logged_up_to = -1
        self._unlogged: dict[int, Entry] = {}
        self._writing: dict[int, Entry] = {}
        self._written_next = 0
        self._acked: list[int] = []
        self._page_from: int | None = None
        self._page_without: frozenset[int] = frozenset()

    def restore(self, next_number: int, seen_at: Instant) -> None:
        """As the log has it after a restart."""
        self.seen_at = seen_at
        self.next_number = next_number
        self._logged_up_to = next_number - 1

    def detach(self) -> None:
        super().detach()
        self.behind = True
        self._sent_up_to = -1

    def enqueue(self, topic: bytes, payload: bytes, receipt: Receipt, *, retain: bool) -> None:
        entry = Entry(self.next_number, topic, payload, retain=retain, receipt=receipt)
        self.next_number += 1
        receipt.owe()
        self._unlogged[entry.number] = entry
        if self.link is not None and not self.behind and self._has_window(entry):
            self._send(self.link, entry)
            self._sent_up_to = entry.number
        else:
            self.behind = True

    def acknowledge(self, packet_id: int) -> None:
        entry = self._unacked.pop(packet_id, None)
        if entry is None:
            return
        if self._unlogged.pop(entry.number, None) is None:
            self._acked.append(entry.number)
        entry.settle()

    def end(self) -> None:
        """The client gave the session up: nothing is owed to it any more."""
        for entry in [*self._writing.values(), *self._unlogged.values()]:
            entry.settle()
        self._unlogged.clear()
        self._acked.clear()

    # The log

    @property
    def has_changes(self) -> bool:
        return bool(self._unlogged or self._acked)

    def begin_write(self) -> tuple[Sequence[Entry], Sequence[int]]:
        """Entries to write to the log, and numbers to strike off it after that.

        A client that keeps up is given one interval between two writings to acknowledge.
        """
        last, self._written_next = self._written_next, self.next_number
        prompt = self.link is not None and not self.behind
        take = [n for n in self._unlogged if n < last] if prompt else list(self._unlogged)
        self._writing = {number: self._unlogged.pop(number) for number in take}
        acked, self._acked = self._acked, []
        return list(self._writing.values()), acked

    def written(self) -> None:
        writing, self._writing = self._writing, {}
        for entry in writing.values():
            self._logged_up_to = entry.number
            entry.settle()

    def not_written(self, acked: Sequence[int], failure: str) -> None:
        """The disk is full. What has been sent may yet be acknowledged; the rest is refused."""
        self._acked = [*acked, *self._acked]
        kept: dict[int, Entry] = {}
        for number, entry in self._writing.items():
            if number <= self._sent_up_to:
                kept[number] = entry
            entry.settle(failure)
        self._writing = {}
        self._unlogged = kept | self._unlogged

    @property
    def wants_page(self) -> bool:
        return (
            self.behind
            and self.link is not None
            and self._page_from is None
            and len(self._unacked) <= self.limits.window // 2
        )

    def begin_page(self) -> tuple[int, int]:
        """Read what the log has after this number, at most so many."""
        self._page_from = self._logged_up_to
        # After a reconnection: acknowledged before it, and not struck off yet.
        self._page_without = frozenset(self._acked)
        return self._sent_up_to, self.limits.window - len(self._unacked)

    def page(self, entries: Sequence[Entry], asked: tuple[int, int], link: Link | None) -> None:
        """The log was read, for the connection `link`."""
        logged_up_to, self._page_from = self._page_from, None
        if link is None or link is not self.link or logged_up_to is None:
            return
        if not self._send_all(link, [e for e in entries if e.number not in self._page_without]):
            return
        after, limit = asked
        if len(entries) == limit:
            return
        self._sent_up_to = max(self._sent_up_to, logged_up_to, after)
        if self._logged_up_to > self._sent_up_to:
            return
        fresh = [*self._writing.values(), *self._unlogged.values()]
        if self._send_all(link, [e for e in fresh if e.number > self._sent_up_to]):
            self.behind = False

    def page_failed(self) -> None:
        self._page_from = None

    def _send_all(self, link: Link, entries: Iterable[Entry]) -> bool:
        for entry in entries:
            if not self._has_window(entry):
                return False
            self._send(link, entry)
            self._sent_up_to = entry.number
        return True
