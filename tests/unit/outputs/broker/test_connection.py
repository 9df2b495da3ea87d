"""Transcripts: what a client sends, and what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bittern.outputs.broker.caller import Caller
from bittern.outputs.broker.connection import Connection, ConnectionLimits
from bittern.outputs.broker.gate import Denied
from bittern.outputs.broker.hub import Hub
from bittern.outputs.broker.permissions import EVERYTHING, Permissions
from bittern.outputs.broker.session import Session
from bittern.outputs.broker.users import Login
from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt.packets import (
    Acknowledgement,
    Connack,
    Connect,
    PacketStream,
    Publish,
    Signal,
    Suback,
    Subscribe,
    Unsubscribe,
    Will,
    decode,
)
from bittern.types import Instant

Settled = Callable[[], Awaitable[None]]


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__(extra={"peername": ("127.0.0.1", 1)})
        self.written = b""
        self.closing = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class FakeBroker:
    def __init__(self) -> None:
        self.hub = Hub()
        self.limits = ConnectionLimits(packet_bytes=100, unanswered=3)
        self.connections: list[Connection] = []
        self.full = False
        self.login = asyncio.Event()
        self.login.set()
        self.disk_is_slow = False
        self.waiting: list[Callable[[], None]] = []
        self.broken = False
        self.changes = 0
        self.permissions = EVERYTHING

    def now(self) -> Instant:
        return Instant(0.0)

    def opened(self, connection: Connection) -> bool:
        self.connections.append(connection)
        return not self.full

    def closed(self, connection: Connection) -> None:
        self.connections.remove(connection)

    async def authenticate(self, connect: Connect, caller: Caller) -> Login | Denied:
        assert caller == Caller("127.0.0.1")
        await self.login.wait()
        if self.broken:
            raise ZeroDivisionError
        if connect.password != b"secret" or connect.username is None:
            return Denied(mqtt.ConnectCode.BAD_CREDENTIALS, "wrong password")
        return Login(connect.username, self.permissions)

    def stored(self, then: Callable[[], None]) -> None:
        if self.disk_is_slow:
            self.waiting.append(then)
        else:
            then()

    def changed(self) -> None:
        self.changes += 1

    def progressed(self, session: Session) -> None: ...


class Client:
    def __init__(self, broker: FakeBroker, settled: Settled) -> None:
        self._settled = settled
        self.transport = FakeTransport()
        self.connection = Connection(broker)
        self.connection.connection_made(self.transport)

    async def send(self, *packets: bytes) -> list[object]:
        """Returns what came back."""
        self.connection.data_received(b"".join(packets))
        return await self.received()

    async def received(self) -> list[object]:
        await self._settled()
        data, self.transport.written = self.transport.written, b""
        return [decode(first, body) for first, body in PacketStream(1000).feed(data)]

    async def log_in(self, client_id: str = "c", **changes: Any) -> list[object]:
        return await self.send(connect(client_id, **changes))


def connect(client_id: str = "c", **changes: Any) -> bytes:
    fields = {"username": "bittern", "password": b"secret"} | changes
    return mqtt.encode_connect(Connect(client_id=client_id, **fields))


def subscribe(*requests: tuple[str, int]) -> bytes:
    return mqtt.encode_subscribe(Subscribe(9, requests))


WELCOME = Connack(False, 0)


@pytest.fixture
async def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def make(broker: FakeBroker, settled: Settled) -> Callable[[], Client]:
    return lambda: Client(broker, settled)


@pytest.fixture
async def client(make: Callable[[], Client]) -> Any:
    client = make()
    yield client
    client.connection.connection_lost(None)


async def test_client_with_its_password_is_welcome(client: Client) -> None:
    assert await client.log_in() == [WELCOME]
    assert await client.send(mqtt.PINGREQ_BYTES) == [Signal(mqtt.PINGRESP)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": b"wrong"}, 4),
        ({"password": None}, 4),
        ({"client_id": "", "clean_session": False}, 2),
        ({"will": Will("$aws/x", b"")}, 5),
    ],
)
async def test_login_is_refused_with_its_code(
    client: Client, broker: FakeBroker, changes: dict[str, Any], code: int
) -> None:
    assert await client.log_in(**changes) == [Connack(False, code)]
    assert client.transport.closing
    assert list(broker.hub.sessions) == []


async def test_refused_login_disturbs_no_session_of_that_client(
    client: Client, make: Callable[[], Client]
) -> None:
    await client.log_in("c", clean_session=False)
    await make().log_in("c", password=b"wrong")
    assert not client.transport.closing
    assert await client.send(mqtt.PINGREQ_BYTES) == [Signal(mqtt.PINGRESP)]


async def test_error_while_logging_in_refuses(client: Client, broker: FakeBroker) -> None:
    broker.broken = True
    assert await client.log_in() == [Connack(False, 3)]
    assert client.transport.closing


async def test_client_of_mqtt_5_is_told_in_its_own_words(client: Client) -> None:
    client.connection.data_received(bytes.fromhex("100c00044d5154540502003c0000"))
    await asyncio.sleep(0)
    assert client.transport.written == mqtt.UNSUPPORTED_VERSION_5
    assert client.transport.closing


async def test_client_of_mqtt_3_1_is_refused(client: Client) -> None:
    assert await client.send(bytes.fromhex("100e00064d51497364700302003c0000")) == [
        Connack(False, 1)
    ]


async def test_first_packet_must_be_connect(client: Client) -> None:
    assert await client.send(mqtt.PINGREQ_BYTES) == []
    assert client.transport.closing


async def test_packets_sent_before_the_welcome_are_answered_after_it(
    client: Client, broker: FakeBroker
) -> None:
    broker.login.clear()
    assert await client.send(connect(), subscribe(("#", 0))) == []
    broker.login.set()
    assert await client.received() == [WELCOME, Suback(9, b"\0")]


async def test_client_is_not_read_while_it_logs_in(client: Client, broker: FakeBroker) -> None:
    broker.login.clear()
    await client.send(connect())
    assert not client.transport.reading
    broker.login.set()
    await client.received()
    assert client.transport.reading


async def test_packet_before_the_login_is_small(broker: FakeBroker, make: Any) -> None:
    broker.limits = ConnectionLimits(packet_bytes=1000, login_bytes=100)
    client = make()
    await client.send(b"\x10\x7f")
    assert client.transport.closing
    client = make()
    await client.log_in()
    await client.send(b"\x30\x7f")
    assert not client.transport.closing


async def test_nothing_comes_before_the_welcome_of_a_durable_session(
    client: Client, broker: FakeBroker, make: Callable[[], Client]
) -> None:
    await client.log_in("d", clean_session=False)
    await client.send(subscribe(("#", 0)))
    client.connection.connection_lost(None)
    broker.connections.append(client.connection)
    broker.disk_is_slow = True
    again = make()
    assert await again.log_in("d", clean_session=False) == []
    other = make()
    await other.log_in("other")
    await other.send(mqtt.encode_publish(b"t", b"1"))
    assert await again.received() == []
    broker.waiting.pop()()
    assert await again.received() == [Connack(True, 0), Publish("t", b"1")]


async def test_subscription_of_a_durable_session_is_granted_when_it_is_on_the_disk(
    client: Client, broker: FakeBroker
) -> None:
    await client.log_in(clean_session=False)
    broker.disk_is_slow = True
    assert await client.send(subscribe(("a", 1), ("b#", 1))) == []
    assert await client.send(mqtt.encode_unsubscribe(Unsubscribe(10, ("a",)))) == []
    for then in broker.waiting:
        then()
    assert await client.received() == [
        Suback(9, b"\1\x80"),
        Acknowledgement(mqtt.UNSUBACK, 10),
    ]


async def test_second_connection_of_a_client_takes_over(
    client: Client, make: Callable[[], Client]
) -> None:
    await client.log_in("c", clean_session=False)
    again = make()
    assert await again.log_in("c", clean_session=False) == [Connack(True, 0)]
    assert client.transport.closing
    assert await again.send(mqtt.PINGREQ_BYTES) == [Signal(mqtt.PINGRESP)]


async def test_client_of_another_user_is_refused_and_takes_nothing_over(
    client: Client, make: Callable[[], Client]
) -> None:
    await client.log_in("c", clean_session=False)
    for clean in (True, False):
        stranger = make()
        answer = await stranger.log_in("c", username="lake", clean_session=clean)
        assert answer == [Connack(False, 2)]
    assert await client.send(mqtt.PINGREQ_BYTES) == [Signal(mqtt.PINGRESP)]


async def test_client_without_identifier_gets_one_of_its_own(
    make: Callable[[], Client], broker: FakeBroker
) -> None:
    for _ in range(2):
        assert await make().log_in("") == [WELCOME]
    assert len(list(broker.hub.sessions)) == 2


async def test_message_goes_from_client_to_client_and_is_acknowledged(
    client: Client, make: Callable[[], Client]
) -> None:
    await client.log_in()
    await client.send(subscribe(("#", 1)))
    other = make()
    await other.log_in("other")
    message = mqtt.encode_publish(b"t", b"1", qos=1, packet_id=77)
    assert await other.send(message) == [Acknowledgement(mqtt.PUBACK, 77)]
    assert await client.received() == [Publish("t", b"1", 1, 1)]
    await client.send(mqtt.encode_acknowledgement(mqtt.PUBACK, 1))
    assert client.connection._session is not None
    assert client.connection._session.unacked == 0


async def test_message_of_quality_two_is_taken_once(
    client: Client, make: Callable[[], Client]
) -> None:
    await client.log_in()
    await client.send(subscribe(("#", 0)))
    other = make()
    await other.log_in("other")
    message = mqtt.encode_publish(b"t", b"1", qos=2, packet_id=7)
    received = Acknowledgement(mqtt.PUBREC, 7)
    assert await other.send(message, message) == [received, received]
    release = mqtt.encode_acknowledgement(mqtt.PUBREL, 7)
    assert await other.send(release, release) == [Acknowledgement(mqtt.PUBCOMP, 7)] * 2
    assert await client.received() == [Publish("t", b"1")]
    assert await other.send(message) == [received]
    assert await client.received() == [Publish("t", b"1")]


async def test_message_for_an_absent_durable_session_is_acknowledged_when_it_is_on_the_disk(
    client: Client, broker: FakeBroker, make: Callable[[], Client]
) -> None:
    away = make()
    await away.log_in("away", clean_session=False)
    await away.send(subscribe(("#", 1)))
    await away.send(mqtt.DISCONNECT_BYTES)
    await client.log_in()
    assert await client.send(mqtt.encode_publish(b"t", b"1", qos=1, packet_id=5)) == []
    assert broker.changes == 1
    _, sessions = broker.hub.begin_write()
    broker.hub.written(sessions)
    assert await client.received() == [Acknowledgement(mqtt.PUBACK, 5)]


async def test_a_retained_message_is_acknowledged_when_it_is_on_the_disk(
    client: Client, broker: FakeBroker
) -> None:
    await client.log_in()
    broker.disk_is_slow = True
    retained = mqtt.encode_publish(b"t", b"1", qos=1, packet_id=5, retain=True)
    assert await client.send(retained) == []
    [then] = broker.waiting
    then()
    assert await client.received() == [Acknowledgement(mqtt.PUBACK, 5)]


async def test_message_that_cannot_be_kept_ends_the_connection_without_acknowledgement(
    client: Client, broker: FakeBroker, make: Callable[[], Client]
) -> None:
    away = make()
    await away.log_in("away", clean_session=False)
    await away.send(subscribe(("#", 1)))
    await away.send(mqtt.DISCONNECT_BYTES)
    await client.log_in()
    await client.send(mqtt.encode_publish(b"t", b"1", qos=1, packet_id=5))
    changes, sessions = broker.hub.begin_write()
    broker.hub.not_written(changes, sessions, "disk full")
    assert await client.received() == []
    assert client.transport.closing


async def test_client_that_publishes_faster_than_the_disk_is_not_read(
    client: Client, broker: FakeBroker, make: Callable[[], Client]
) -> None:
    away = make()
    await away.log_in("away", clean_session=False)
    await away.send(subscribe(("#", 1)))
    await away.send(mqtt.DISCONNECT_BYTES)
    await client.log_in()
    await client.send(*[mqtt.encode_publish(b"t", b"1", qos=1, packet_id=n) for n in (1, 2, 3)])
    assert not client.transport.reading
    _, sessions = broker.hub.begin_write()
    broker.hub.written(sessions)
    assert client.transport.reading


async def test_will_is_sent_unless_the_client_takes_its_leave(
    client: Client, make: Callable[[], Client]
) -> None:
    await client.log_in()
    await client.send(subscribe(("#", 0)))
    for leave, expected in [(True, []), (False, [Publish("gone", b"bye")])]:
        other = make()
        await other.log_in("other", will=Will("gone", b"bye"))
        if leave:
            await other.send(mqtt.DISCONNECT_BYTES)
        other.connection.connection_lost(None)
        assert await client.received() == expected


@pytest.mark.parametrize(
    "packet",
    [
        connect(),
        mqtt.encode_publish(b"a/#", b"1"),
        mqtt.encode_publish(b"t", b"x" * 100),
        mqtt.encode_connack(0),
        mqtt.encode_suback(1, b"\0"),
        b"\x00\x00",
    ],
)
async def test_client_that_breaks_the_rules_is_disconnected(client: Client, packet: bytes) -> None:
    await client.log_in()
    assert await client.send(packet, mqtt.PINGREQ_BYTES) == []
    assert client.transport.closing


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("topic", ["$aws/things/x", "other/t"])
async def test_message_that_may_not_be_published_is_acknowledged_and_reaches_nobody(
    client: Client,
    broker: FakeBroker,
    make: Callable[[], Client],
    topic: str,
    qos: int,
    caplog: Any,
) -> None:
    await client.log_in()
    await client.send(subscribe(("#", 0), ("$aws/#", 0)))
    broker.permissions = Permissions(publish=("site/#",))
    other = make()
    await other.log_in("other")
    message = mqtt.encode_publish(topic.encode(), b"1", qos=qos, packet_id=5)
    kind = {1: mqtt.PUBACK, 2: mqtt.PUBREC}.get(qos)
    answer = [Acknowledgement(kind, 5)] if kind else []
    assert await other.send(message, mqtt.PINGREQ_BYTES) == [*answer, Signal(mqtt.PINGRESP)]
    assert await client.received() == []
    assert broker.hub.denied_publishes == 1
    assert caplog.text.count(f"may not publish topic='{topic}'") == 1


async def test_subscription_that_is_not_permitted_is_not_granted(
    client: Client, broker: FakeBroker
) -> None:
    broker.permissions = Permissions(subscribe=("site/#",))
    await client.log_in()
    answer = await client.send(subscribe(("site/+/x", 1), ("#", 1), ("$aws/#", 0)))
    assert answer == [Suback(9, b"\x01\x80\x80")]


async def test_acknowledgements_that_nobody_asked_for_are_ignored(client: Client) -> None:
    await client.log_in()
    for kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP):
        assert await client.send(mqtt.encode_acknowledgement(kind, 3)) == []
    assert not client.transport.closing


async def test_connection_beyond_the_limit_is_closed(
    broker: FakeBroker, make: Callable[[], Client]
) -> None:
    broker.full = True
    assert make().transport.closing


async def test_client_that_is_silent_is_disconnected(
    broker: FakeBroker, make: Callable[[], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    await client.log_in(keep_alive_s=10)
    loop = asyncio.get_running_loop()
    began = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began + 14.9)
    client.connection._check_alive()
    assert not client.transport.closing
    monkeypatch.setattr(loop, "time", lambda: began + 15.1)
    client.connection._check_alive()
    assert client.transport.closing


async def test_client_that_does_not_log_in_is_disconnected(
    broker: FakeBroker, make: Callable[[], Client], settled: Settled
) -> None:
    broker.limits = ConnectionLimits(login_s=0.0)
    client = make()
    await settled()
    assert client.transport.closing


async def test_login_that_ends_after_the_client_left_changes_nothing(
    client: Client, broker: FakeBroker
) -> None:
    broker.login.clear()
    await client.log_in()
    client.connection.close("gone")
    broker.login.set()
    assert await client.received() == []
    assert list(broker.hub.sessions) == []
