"""The broker as a whole, with clients that speak through loopback sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable, StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.outputs.broker.accounts import WITHOUT_PASSWORD, Account, Accounts
from bittern.outputs.broker.connection import ConnectionLimits
from bittern.outputs.broker.limits import BrokerLimits
from bittern.outputs.broker.server import BrokerFiles, EmbeddedBroker
from bittern.outputs.broker.session import SessionLimits
from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt.packets import (
    Acknowledgement,
    Connack,
    Connect,
    PacketStream,
    Publish,
    Suback,
    Subscribe,
    decode,
)
from bittern.outputs.port import Message

RING = KeyRing({1: b"k" * 32})
LIMITS = BrokerLimits(
    connection=ConnectionLimits(connections=5, packet_bytes=10_000),
    session=SessionLimits(window=4),
    write_interval_s=0.0,
    failed_login_s=0.0,
)


class Client:
    """A subscriber, one packet at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._stream = PacketStream(1 << 20)
        self._packets: list[tuple[int, bytes]] = []

    def send(self, *packets: bytes) -> None:
        self._writer.write(b"".join(packets))

    async def receive(self) -> object:
        while not self._packets:
            data = await self._reader.read(65_536)
            if not data:
                raise EOFError
            self._packets = self._stream.feed(data)
        return decode(*self._packets.pop(0))

    async def receive_messages(self, count: int) -> list[int]:
        """Each is acknowledged."""
        numbers = []
        for _ in range(count):
            publish = await self.receive()
            assert isinstance(publish, Publish)
            if publish.qos:
                self.send(mqtt.encode_acknowledgement(mqtt.PUBACK, publish.packet_id))
            numbers.append(int(publish.payload))
        return numbers

    async def log_in(self, password: bytes, client_id: str = "c", **changes: Any) -> object:
        connect = Connect(client_id=client_id, username="bittern", password=password, **changes)
        self.send(mqtt.encode_connect(connect))
        return await self.receive()

    async def subscribe(self, topic_filter: str, qos: int) -> None:
        self.send(mqtt.encode_subscribe(Subscribe(1, ((topic_filter, qos),))))
        assert await self.receive() == Suback(1, bytes((qos,)))

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@pytest.fixture
def files(tmp_path: Path) -> BrokerFiles:
    return BrokerFiles(
        password=tmp_path / "password", users=tmp_path / "users", sessions=tmp_path / "mqtt.db"
    )


@pytest.fixture
def build(files: BrokerFiles, clock: Any) -> Callable[..., EmbeddedBroker]:
    return lambda **changes: EmbeddedBroker(
        host="127.0.0.1",
        port=0,
        files=files,
        sealer=RING,
        now=clock.now,
        limits=msgspec.structs.replace(LIMITS, **changes),
    )


@pytest.fixture
async def broker(build: Callable[..., EmbeddedBroker]) -> AsyncIterator[EmbeddedBroker]:
    async with build() as broker:
        yield broker


@pytest.fixture
async def open_client() -> AsyncIterator[Callable[[EmbeddedBroker], Any]]:
    clients: list[Client] = []

    async def open_client(broker: EmbeddedBroker) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", broker.port))
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        await client.close()


def password_of(files: BrokerFiles) -> bytes:
    return files.password.read_bytes().strip()


def messages(*numbers: int) -> list[Message]:
    return [Message("site/meters", b"%d" % number) for number in numbers]


async def test_subscriber_receives_what_is_published(
    broker: EmbeddedBroker, files: BrokerFiles, open_client: Any
) -> None:
    client = await open_client(broker)
    assert await client.log_in(password_of(files)) == Connack(False, 0)
    await client.subscribe("site/#", 0)
    assert await broker.publish(messages(1, 2)) == {}
    assert await client.receive_messages(2) == [1, 2]
    assert broker.statistics()["sent"] == 2
    assert broker.health().working


async def test_wrong_password_is_refused_and_counted(
    broker: EmbeddedBroker, open_client: Any
) -> None:
    client = await open_client(broker)
    assert await client.log_in(b"wrong") == Connack(False, 4)
    with pytest.raises(EOFError):
        await client.receive()
    assert broker.statistics()["refused_logins"] == 1


async def test_durable_subscriber_gets_what_came_while_it_and_the_broker_were_away(
    build: Any, files: BrokerFiles, open_client: Any
) -> None:
    async with build() as broker:
        client = await open_client(broker)
        await client.log_in(password_of(files), clean_session=False)
        await client.subscribe("site/#", 1)
        await broker.publish(messages(1))
        assert await client.receive_messages(1) == [1]
        await client.close()
        await broker.publish(messages(*range(2, 12)))
    async with build() as broker:
        await broker.publish(messages(12))
        client = await open_client(broker)
        assert await client.log_in(password_of(files), clean_session=False) == Connack(True, 0)
        assert await client.receive_messages(11) == list(range(2, 13))
        await broker.publish(messages(13))
        assert await client.receive_messages(1) == [13]


async def test_a_client_publishes_to_a_durable_subscriber_that_is_away(
    build: Any, files: BrokerFiles, open_client: Any
) -> None:
    async with build() as broker:
        away, client = await open_client(broker), await open_client(broker)
        await away.log_in(password_of(files), "away", clean_session=False)
        await away.subscribe("#", 1)
        await away.close()
        while broker.statistics()["connections"] > 1:
            await asyncio.sleep(0)
        await client.log_in(password_of(files), "client")
        client.send(mqtt.encode_publish(b"t", b"1", qos=1, packet_id=5, retain=True))
        assert await client.receive() == Acknowledgement(mqtt.PUBACK, 5)
    async with build() as broker:
        again = await open_client(broker)
        await again.log_in(password_of(files), "away", clean_session=False)
        assert await again.receive_messages(1) == [1]
        assert broker.hub.retained("t") is not None


async def test_message_not_acknowledged_comes_again_after_a_restart(
    build: Any, files: BrokerFiles, open_client: Any
) -> None:
    async with build() as broker:
        client = await open_client(broker)
        await client.log_in(password_of(files), clean_session=False)
        await client.subscribe("#", 1)
        await broker.publish(messages(1))
        assert isinstance(await client.receive(), Publish)
    async with build() as broker:
        client = await open_client(broker)
        await client.log_in(password_of(files), clean_session=False)
        assert await client.receive_messages(1) == [1]


async def test_subscriber_that_acknowledges_nothing_delays_only_itself(
    broker: EmbeddedBroker, files: BrokerFiles, open_client: Any
) -> None:
    slow, quick = await open_client(broker), await open_client(broker)
    await slow.log_in(password_of(files), "slow", clean_session=False)
    await slow.subscribe("#", 1)
    await quick.log_in(password_of(files), "quick")
    await quick.subscribe("#", 0)
    for number in range(20):
        assert await broker.publish(messages(number)) == {}
    assert await quick.receive_messages(20) == list(range(20))
    assert broker.statistics()["durable_sessions_behind"] == 1
    assert await slow.receive_messages(20) == list(range(20))


async def test_message_that_no_packet_holds_is_rejected(broker: EmbeddedBroker) -> None:
    failures = await broker.publish([Message("t", b"x" * 10_000), Message("t", b"x")])
    assert {place: type(failure) for place, failure in failures.items()} == {0: DeliveryRejected}


async def test_full_disk_is_told_and_loses_nothing(
    broker: EmbeddedBroker,
    files: BrokerFiles,
    open_client: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = await open_client(broker)
    await client.log_in(password_of(files), clean_session=False)
    await client.subscribe("#", 1)
    await client.close()
    write = broker._log.write

    def refuse(changes: object) -> dict[str, int]:
        raise StoreUnavailable("database or disk is full")

    monkeypatch.setattr(broker._log, "write", refuse)
    while broker.statistics()["connections"]:
        await asyncio.sleep(0)
    with pytest.raises(DeliveryUnavailable, match="disk is full"):
        await broker.publish(messages(1))
    assert "disk is full" in broker.health().detail
    assert "disk is full" in caplog.text
    monkeypatch.setattr(broker._log, "write", write)
    assert await broker.publish(messages(1)) == {}
    assert broker.health().working
    again = await open_client(broker)
    await again.log_in(password_of(files), clean_session=False)
    assert await again.receive_messages(1) == [1]


async def test_connections_are_limited(
    broker: EmbeddedBroker, files: BrokerFiles, open_client: Any
) -> None:
    for number in range(5):
        client = await open_client(broker)
        await client.log_in(password_of(files), f"c{number}")
    with pytest.raises(EOFError):
        await (await open_client(broker)).receive()
    assert broker.statistics()["connections"] == 5


async def test_strangers_of_one_place_leave_half_of_the_connections_to_users(
    build: Callable[..., EmbeddedBroker], files: BrokerFiles, open_client: Any
) -> None:
    """None of them says anything; somebody from another place logs in all the same."""
    connection = ConnectionLimits(connections=6, packet_bytes=10_000)
    async with build(connection=connection) as broker:
        strangers = [
            await asyncio.open_connection("127.0.0.1", broker.port, local_addr=("127.0.0.2", 0))
            for _ in range(20)
        ]
        while broker.statistics()["refused_connections"] < 17:
            await asyncio.sleep(0)
        user = await open_client(broker)
        assert await user.log_in(password_of(files)) == Connack(False, 0)
        for _, writer in strangers:
            writer.close()


async def test_a_login_that_is_denied_is_told_with_its_address(
    files: BrokerFiles, clock: Any, open_client: Any
) -> None:
    told: list[tuple[str, str, str]] = []
    made = EmbeddedBroker(
        host="127.0.0.1",
        port=0,
        files=files,
        sealer=RING,
        now=clock.now,
        limits=LIMITS,
        on_denied=lambda *denied: told.append(denied),
    )
    async with made as broker:
        await (await open_client(broker)).log_in(b"wrong")
    assert told == [("bittern", "127.0.0.1", "bad_credentials")]


async def test_house_keeping_ends_sessions_of_clients_that_stay_away(
    broker: EmbeddedBroker, files: BrokerFiles, open_client: Any, clock: Any
) -> None:
    client = await open_client(broker)
    await client.log_in(password_of(files), clean_session=False)
    await client.close()
    while broker.statistics()["connections"]:
        await asyncio.sleep(0)
    broker._keep_house()
    assert broker.statistics()["durable_sessions"] == 1
    clock.advance(LIMITS.log.expiry_s + 1)
    broker._keep_house()
    assert broker.statistics()["durable_sessions"] == 0


async def test_port_that_is_taken_is_told_and_leaves_nothing_behind(
    build: Any, broker: EmbeddedBroker, files: BrokerFiles
) -> None:
    second = EmbeddedBroker(
        host="127.0.0.1",
        port=broker.port,
        files=msgspec.structs.replace(files, sessions=files.sessions.with_name("other.db")),
        sealer=RING,
        now=broker.now,
    )
    with pytest.raises(OSError, match="address already in use"):
        await second.__aenter__()


def change_users(files: BrokerFiles, **accounts: Account | None) -> None:
    def work(known: dict[str, Account]) -> None:
        for name, account in accounts.items():
            if account is None:
                known.pop(name)
            else:
                known[name] = account

    Accounts(files.password, files.users).change(work)


async def test_user_added_while_the_broker_runs_logs_in_and_ends_when_removed(
    build: Any, files: BrokerFiles, open_client: Any
) -> None:
    async with build(follow_users_s=0.01) as broker:
        change_users(files, lake=WITHOUT_PASSWORD.with_password(b"fresh"))
        client = await open_client(broker)
        client.send(mqtt.encode_connect(Connect(client_id="c", username="lake", password=b"fresh")))
        assert await client.receive() == Connack(False, 0)
        change_users(files, lake=None)
        with pytest.raises(EOFError):
            await client.receive()


async def test_durable_session_of_a_user_removed_meanwhile_is_not_restored(
    build: Any, files: BrokerFiles, open_client: Any
) -> None:
    async with build() as broker:
        change_users(files, lake=WITHOUT_PASSWORD.with_password(b"fresh"))
        client = await open_client(broker)
        connect = Connect(client_id="c", username="lake", password=b"fresh", clean_session=False)
        client.send(mqtt.encode_connect(connect))
        assert await client.receive() == Connack(False, 0)
    change_users(files, lake=None)
    async with build() as broker:
        assert broker.statistics()["durable_sessions"] == 0


class TakenListener:
    address = ("127.0.0.1", 1)

    async def __aenter__(self) -> TakenListener:
        raise OSError("address already in use")

    async def __aexit__(self, *_: object) -> None: ...


async def test_tls_port_that_is_taken_is_told_and_leaves_nothing_behind(
    files: BrokerFiles, clock: Any
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    broker = EmbeddedBroker(
        host="127.0.0.1",
        port=port,
        files=files,
        sealer=RING,
        now=clock.now,
        tls=lambda make, on_failed: TakenListener(),
    )
    assert broker.tls_port is None
    with pytest.raises(OSError, match="address already in use"):
        await broker.__aenter__()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


class PlainListener:
    """In the place of TLS: what comes in is the broker's."""

    def __init__(self, make: Any, on_failed: Any) -> None:
        self._make = make
        self.on_failed = on_failed
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return host, port

    async def __aenter__(self) -> PlainListener:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()


async def test_second_listener_leads_to_the_same_broker_and_its_failures_are_counted(
    files: BrokerFiles, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    made: list[PlainListener] = []

    def listen(make: Any, on_failed: Any) -> PlainListener:
        made.append(PlainListener(make, on_failed))
        return made[0]

    broker = EmbeddedBroker(
        host="127.0.0.1", port=0, files=files, sealer=RING, now=clock.now, tls=listen
    )
    async with broker:
        client = Client(*await asyncio.open_connection("127.0.0.1", broker.tls_port))
        assert await client.log_in(password_of(files)) == Connack(False, 0)
        made[0].on_failed(None, "no common cipher", "192.0.2.1:5")
        assert broker.statistics()["failed_handshakes"] == 1
        assert "no common cipher" in caplog.text
    await client.close()
