from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bittern.errors import AlreadyServed
from bittern.network.events import FrameRefused, JoinAnswered, NetworkEvent, UplinkDelivered
from bittern.network.journal import Journal
from bittern.servers.feed import (
    Feed,
    Lost,
    Watching,
    decode_line,
    encode_line,
)
from bittern.servers.local_socket import reachable
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant, Refusal

DEV_EUI = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
DEV_ADDR = DevAddr.from_hex("26011bda")
REFUSED = FrameRefused(
    at=Instant(5.0), refusal=Refusal.MIC_MISMATCH, reason="no session", dev_addr=DEV_ADDR
)


def feed_socket(data_dir: Path) -> Path:
    return data_dir / "run" / "feed.sock"


def uplink(fcnt: int = 7) -> UplinkDelivered:
    return UplinkDelivered(
        at=Instant(1.5),
        dev_eui=DEV_EUI,
        dev_addr=DEV_ADDR,
        fcnt=fcnt,
        fport=2,
        payload=b"\x01\x02",
        confirmed=False,
        frequency_hz=868_100_000,
        data_rate=5,
        gateways=((GATEWAY, -42, 9.5),),
    )


@asynccontextmanager
async def watched(path: Path) -> AsyncIterator[asyncio.StreamReader]:
    with reachable(path) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    try:
        assert decode_line(await reader.readline()) == Watching("0")
        yield reader
    finally:
        writer.close()


def feed(journal: Journal, path: Path, **settings: int) -> Feed:
    return Feed(journal, path, version="0", **settings)


async def test_watcher_reads_every_event_in_order(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path), watched(path) as reader:
        journal.record(uplink(1))
        journal.record(REFUSED)
        assert decode_line(await reader.readline()) == uplink(1)
        assert decode_line(await reader.readline()) == REFUSED


def test_identifiers_are_lower_case_hexadecimal_and_payloads_base64() -> None:
    assert json.loads(encode_line(uplink())) == {
        "event": "uplink",
        "at": 1.5,
        "dev_eui": "70b3d57ed0000001",
        "dev_addr": "26011bda",
        "fcnt": 7,
        "fport": 2,
        "payload": "AQI=",
        "confirmed": False,
        "frequency_hz": 868_100_000,
        "data_rate": 5,
        "gateways": [["0016c001ff000001", -42, 9.5]],
    }


@pytest.mark.parametrize(
    "line",
    [
        uplink(),
        REFUSED,
        JoinAnswered(
            at=Instant(0.0), dev_eui=DEV_EUI, dev_addr=DEV_ADDR, dev_nonce=1, gateway_eui=None
        ),
        Lost(3),
        Watching("0.1"),
    ],
)
def test_a_line_survives_the_way_to_the_watcher(line: NetworkEvent | Lost | Watching) -> None:
    assert decode_line(encode_line(line)) == line


async def test_journal_is_not_watched_while_nobody_is_connected(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path) as served:
        assert not journal.watched
        async with watched(path), watched(path):
            assert journal.watched
            assert served.statistics()["watchers"] == 2
        await until(lambda: not journal.watched)


async def test_only_the_owner_may_open_the_socket(tmp_path: Path) -> None:
    path = feed_socket(tmp_path)
    async with feed(Journal(), path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_slow_watcher_is_told_how_much_it_lost(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path, buffered_lines=10) as served, watched(path) as reader:
        for fcnt in range(25):  # in one turn of the loop: nothing is sent meanwhile
            journal.record(uplink(fcnt))
        lines = [decode_line(await reader.readline()) for _ in range(11)]
        assert lines == [*(uplink(fcnt) for fcnt in range(10)), Lost(15)]
        assert served.statistics()["lines_lost"] == 15
        journal.record(uplink(99))
        assert decode_line(await reader.readline()) == uplink(99)


async def test_watcher_that_never_reads_holds_nobody_up(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path, buffered_lines=10) as served, watched(path):
        while not served.statistics()["lines_lost"]:
            journal.record(uplink())
            await asyncio.sleep(0)
        async with watched(path) as reader:
            journal.record(uplink(123))
            assert decode_line(await reader.readline()) == uplink(123)


async def test_end_of_the_feed_sends_what_is_buffered_and_ends_the_watcher(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path):
        connection = watched(path)
        reader = await connection.__aenter__()
        journal.record(uplink())
    assert decode_line(await reader.readline()) == uplink()
    assert await reader.readline() == b""
    await connection.__aexit__(None, None, None)
    assert not path.exists()


async def test_watcher_that_never_reads_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bittern.servers.feed.FAREWELL_S", 0.01)
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path, buffered_lines=10) as served, watched(path):
        while not served.statistics()["lines_lost"]:
            journal.record(uplink())
            await asyncio.sleep(0)


async def test_what_a_watcher_says_is_not_kept(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    async with feed(journal, path) as served:
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"hello\n" * 10_000)
        await writer.drain()
        await until(lambda: served.statistics()["watchers"] == 1)
        writer.close()
        await until(lambda: served.statistics()["watchers"] == 0)


async def test_second_server_of_a_data_directory_is_refused(tmp_path: Path) -> None:
    path = feed_socket(tmp_path)
    async with feed(Journal(), path):
        with pytest.raises(AlreadyServed, match=str(tmp_path)):
            async with feed(Journal(), path):
                pass
        async with watched(path):
            pass


async def test_socket_that_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    journal, path = Journal(), feed_socket(tmp_path)
    killed = feed(journal, path)
    await killed.__aenter__()
    killed._server.close()  # as the kernel does; the file stays
    assert path.exists()
    async with feed(journal, path), watched(path):
        pass


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)
