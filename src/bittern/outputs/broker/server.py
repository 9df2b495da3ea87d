"""The embedded MQTT broker: an output that subscribers connect to.

    mosquitto_sub -h 127.0.0.1 -p 1883 -u bittern -P "$(cat data/mqtt.password)" -t '#'

A second listener speaks TLS, where one is given: password or client certificate. It speaks MQTT
3.1.1, with quality of service 0 and 1 to subscribers. What a message has reached
when it counts as delivered:

- the socket of every connected subscriber of quality of service 0, and the memory of every
  connected subscriber of 1 with a clean session: they end with their connection, by their wish;
- every durable session (`clean_session` false, quality of service 1) that matches, connected or
  not: the client has acknowledged it, or it is on the disk and is sent until it is acknowledged,
  over restarts of either side. Bounded by `LogLimits`; past them the oldest are lost and counted.

A message that no subscription matches is delivered to nobody, as MQTT has it. In-process publishing
is the reason for a broker of our own: it must not lose what the outbox has handed over, and must
cost microseconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

import msgspec

from bittern.config.peers import place_of
from bittern.config.quiet import Quiet
from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable, StoreUnavailable
from bittern.outputs.broker.caller import Caller
from bittern.outputs.broker.connection import Connection
from bittern.outputs.broker.gate import Denied, Gate, OnDenied
from bittern.outputs.broker.hub import Hub
from bittern.outputs.broker.limits import BrokerLimits
from bittern.outputs.broker.log import SessionLog
from bittern.outputs.broker.permissions import Permissions
from bittern.outputs.broker.session import DurableSession, Receipt, Session
from bittern.outputs.broker.users import Login, Users
from bittern.outputs.mqtt.packets import Connect
from bittern.outputs.port import NO_FAILURES, Failures, Health, Message, Sealer
from bittern.types import Instant

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Listener(Protocol):
    """Where connections come in, from `__aenter__` to `__aexit__`; those that are in stay."""

    @property
    def address(self) -> tuple[str, int]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...


OnFailed = Callable[[object, str, str], None]
"""Of a handshake: called with something that is not for us, the reason and the peer."""
TlsListener = Callable[[Callable[[], asyncio.BaseProtocol], OnFailed], Listener]


class BrokerFiles(msgspec.Struct, frozen=True, kw_only=True):
    password: Path
    users: Path
    sessions: Path


class EmbeddedBroker:
    """An `Output`. An async context manager: inside, it listens at `port`."""

    name = "embedded broker"

    def __init__(
        self,
        *,
        host: str,
        port: int,
        files: BrokerFiles,
        sealer: Sealer,
        now: Callable[[], Instant],
        tls: TlsListener | None = None,
        limits: BrokerLimits | None = None,
        on_denied: OnDenied | None = None,
    ) -> None:
        self._on_denied = on_denied
        self._host = host
        self._wanted_port = port
        self._files = files
        self._tls = tls
        self.now = now
        self._bounds = limits or BrokerLimits()
        self.limits = self._bounds.connection
        self.hub = Hub(self._bounds.hub, self._bounds.session)
        self._log = SessionLog(files.sessions, sealer, self._bounds.log)
        self._gate: Gate | None = None
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="mqtt sessions")
        self._server: asyncio.Server | None = None
        self._tls_listener: Listener | None = None
        self._connections: set[Connection] = set()
        self._all_closed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stored: list[Callable[[], None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._write_now = asyncio.Event()
        self._housekeeping: asyncio.TimerHandle | None = None
        self._following: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._disk_error: str | None = None
        self._lost = 0
        self._refused_connections = 0
        self._failed_handshakes = 0
        self._quiet = Quiet()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            return self._wanted_port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def tls_port(self) -> int | None:
        """Where TLS is spoken, if it is."""
        return None if self._tls_listener is None else self._tls_listener.address[1]

    async def __aenter__(self) -> Self:
        """Raises `ConfigurationError`, `StoreError` or `OSError`."""
        users = await self._in_disk_thread(
            lambda: Users.open(self._files.password, self._files.users)
        )
        self._gate = Gate(
            users,
            now=self.now,
            refused_s=self._bounds.failed_login_s,
            throttle=self._bounds.throttle,
            on_denied=self._on_denied,
        )
        await self._in_disk_thread(self._log.__enter__)
        try:
            self.hub.restore(*await self._in_disk_thread(lambda: self._log.load(self.now())))
            self.hub.reconsider(self._permissions_of)
            await self._listen()
        except BaseException:
            if self._server is not None:
                self._server.close()
            await self._in_disk_thread(self._log.close)
            self._disk.shutdown()
            raise
        self._keep_house()
        self._follow_users()
        return self

    async def _listen(self) -> None:
        loop, tls = asyncio.get_running_loop(), self._tls
        self._server = await loop.create_server(
            lambda: Connection(self), self._host, self._wanted_port
        )
        if tls is not None:
            listener = tls(lambda: Connection(self), self._handshake_failed)
            self._tls_listener = await listener.__aenter__()

    def _handshake_failed(self, _: object, reason: str, peer: str) -> None:
        self._failed_handshakes += 1
        if self._quiet.may_tell(reason, self.now()):
            log.info("mqtt peer=%s reason=%r", peer, reason)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        for timer in (self._housekeeping, self._following, self._looking):
            if timer is not None:
                timer.cancel()
        self._server.close()
        if self._tls_listener is not None:
            await self._tls_listener.__aexit__()
        for connection in list(self._connections):
            connection.close("the server stops")
        await self._server.wait_closed()
        if self._connections:
            await self._all_closed.wait()
        await self._finish_writing()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._in_disk_thread(self._log.close)
        self._disk.shutdown()

    # Output

    async def publish(self, messages: Sequence[Message]) -> Failures:
        done: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

        def finished(failure: str | None) -> None:
            if not done.done():
                done.set_result(failure)

        receipt = Receipt(finished)
        too_large: dict[int, DeliveryError] = {}
        for place, message in enumerate(messages):
            if len(message.payload) + len(message.topic) >= self.limits.packet_bytes:
                too_large[place] = DeliveryRejected("larger than a packet of the broker may be")
            else:
                self.hub.publish(message.topic, message.payload, 1, receipt)
        receipt.discharge()
        self._schedule_write()
        failure = done.result() if done.done() else await done
        if failure is not None:
            raise DeliveryUnavailable(f"sessions cannot be kept: {failure}")
        return too_large or NO_FAILURES

    def health(self) -> Health:
        if self._disk_error is not None:
            return Health(False, f"durable sessions cannot be kept: {self._disk_error}")
        return Health(True, f"{len(self._connections)} clients connected")

    def statistics(self) -> Mapping[str, int]:
        sessions = list(self.hub.sessions)
        durable = [session for session in sessions if isinstance(session, DurableSession)]
        return {
            "connections": len(self._connections),
            "refused_connections": self._refused_connections,
            "failed_handshakes": self._failed_handshakes,
            "durable_sessions": len(durable),
            "durable_sessions_behind": sum(session.behind for session in durable),
            "published": self.hub.published,
            "sent": self.hub.sent,
            "unmatched": self.hub.unmatched,
            "unacknowledged": sum(session.unacked for session in sessions),
            "dropped": self.hub.dropped,
            "lost_by_bounds": self._lost,
            "refused_logins": 0 if self._gate is None else self._gate.refused,
            "blocked_logins": 0 if self._gate is None else self._gate.blocked,
            "denied_publishes": self.hub.denied_publishes,
            "denied_subscriptions": self.hub.denied_subscriptions,
            "retained": self.hub.retained_count,
        }

    # What connections need

    def opened(self, connection: Connection) -> bool:
        if not self._has_room_for(connection):
            self._refused_connections += 1
            return False
        self._connections.add(connection)
        self._all_closed.clear()
        return True

    def _has_room_for(self, connection: Connection) -> bool:
        """Half of the room is nobody's who has not logged in: strangers of one place have it."""
        most, inside = self.limits.connections, len(self._connections)
        if inside < most // 2:
            return True
        place = place_of(connection.caller.address)
        strangers = sum(
            not one.is_logged_in and place_of(one.caller.address) == place
            for one in self._connections
        )
        return inside < most and strangers < max(most // 2, 1)

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_closed.set()
        self._schedule_write()

    async def authenticate(self, connect: Connect, caller: Caller) -> Login | Denied:
        assert self._gate is not None
        self._take_new_users()
        return await self._gate.authenticate(connect, caller)

    def stored(self, then: Callable[[], None]) -> None:
        self._stored.append(then)
        self._write_now.set()
        self._schedule_write()

    def changed(self) -> None:
        """Looked after a moment later, once for all messages until then: to find out who has
        something to write, every session is asked."""
        if self._writing is None and self._looking is None:
            loop = asyncio.get_running_loop()
            self._looking = loop.call_later(self._bounds.write_interval_s, self._look)

    def _look(self) -> None:
        self._looking = None
        self._schedule_write()

    def progressed(self, session: Session) -> None:
        if not isinstance(session, DurableSession):
            return
        if session.wants_page:
            page = self._send_page(session, session.begin_page())
            self._start(page, f"mqtt page for {session.client_id}")
        if session.has_changes:
            self._schedule_write()

    # The disk

    def _schedule_write(self) -> None:
        """One writer at a time; it ends when there is nothing to write."""
        if self._writing is None and (self._stored or self.hub.has_changes):
            self._writing = self._start(self._write(), "mqtt sessions to disk")

    async def _write(self) -> None:
        try:
            while self._stored or self.hub.has_changes:
                await self._pause()
                if self._stored or self.hub.has_changes:
                    await self._write_once()
        finally:
            self._writing = None

    async def _pause(self) -> None:
        """Acknowledgements that come meanwhile spare the disk."""
        try:
            async with asyncio.timeout(self._bounds.write_interval_s):
                await self._write_now.wait()
        except TimeoutError:
            pass

    async def _write_once(self) -> None:
        self._write_now.clear()
        stored, self._stored = self._stored, []
        changes, sessions = self.hub.begin_write()
        try:
            lost = await self._in_disk_thread(lambda: self._log.write(changes))
        except StoreUnavailable as error:
            self._disk_failed(error.reason)
            self.hub.not_written(changes, sessions, error.reason)
            self._stored = stored + self._stored
            await asyncio.sleep(1.0)
            return
        self._disk_error = None
        self.hub.written(sessions)
        for client_id, count in lost.items():
            self._lost += count
            log.warning("mqtt client=%r lost=%d oldest messages: it is away", client_id, count)
        for then in stored:
            then()
        for session in sessions:
            self.progressed(session)

    async def _send_page(self, session: DurableSession, asked: tuple[int, int]) -> None:
        """More from the log, to a client that is behind."""
        link = session.link
        try:
            entries = await self._in_disk_thread(lambda: self._log.page(session.client_id, *asked))
        except StoreUnavailable as error:
            self._disk_failed(error.reason)
            await asyncio.sleep(1.0)
            session.page_failed()
        else:
            session.page(entries, asked, link)
        self.progressed(session)

    def _disk_failed(self, reason: str) -> None:
        if self._disk_error is None:
            log.error("mqtt sessions cannot be kept reason=%r", reason)
        self._disk_error = reason

    async def _finish_writing(self) -> None:
        """At the stop. A disk that fails then fails for good."""
        self._write_now.set()
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=5.0)
        if self.hub.has_changes and self._writing is None:
            await self._write_once()

    async def _in_disk_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    def _keep_house(self) -> None:
        now = self.now()
        self.hub.seen(now)
        self.hub.expire(Instant(now - self._bounds.log.expiry_s))
        self._schedule_write()
        loop = asyncio.get_running_loop()
        self._housekeeping = loop.call_later(self._bounds.house_keeping_s, self._keep_house)

    # Users

    def _follow_users(self) -> None:
        self._take_new_users()
        loop = asyncio.get_running_loop()
        self._following = loop.call_later(self._bounds.follow_users_s, self._follow_users)

    def _take_new_users(self) -> None:
        change = None if self._gate is None else self._gate.follow()
        if change is not None:
            self.hub.reconsider(self._permissions_of, change.locked_out)
            self._schedule_write()

    def _permissions_of(self, username: str) -> Permissions | None:
        login = None if self._gate is None else self._gate.login(username)
        return None if login is None else login.permissions

    def _start(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task=%r ended by an error of its own", task.get_name(), exc_info=error)
