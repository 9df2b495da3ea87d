from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bittern.cli.tail import Wanted, _follow
from bittern.network.events import FrameRefused, GatewayConnected, NetworkEvent, UplinkRepeated
from bittern.network.journal import Journal
from bittern.servers.feed import Feed
from bittern.types import EUI64, DevEUI, GatewayEUI, Instant, Refusal

ONE = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
TWO = DevEUI(EUI64.from_hex("70b3d57ed0000002"))
ALL = Wanted(frozenset(), frozenset())
AT = Instant(0.0)


def repeated(dev_eui: DevEUI = ONE, fcnt: int = 1) -> UplinkRepeated:
    return UplinkRepeated(at=AT, dev_eui=dev_eui, fcnt=fcnt)


REFUSED = FrameRefused(at=AT, refusal=Refusal.MIC_MISMATCH, reason="no", dev_eui=ONE)
CONNECTED = GatewayConnected(at=AT, gateway_eui=GatewayEUI(EUI64(bytes(8))), station="2.0.6")


class Server:
    """A feed, and somebody who tails it."""

    def __init__(self, socket: Path) -> None:
        self.journal = Journal()
        self.feed = Feed(self.journal, socket, version="9")
        self.socket = socket

    async def tail(
        self, *events: NetworkEvent, wanted: Wanted = ALL, count: int | None, as_json: bool = False
    ) -> None:
        async with asyncio.timeout(10):
            following = asyncio.create_task(_follow(self.socket, wanted, count, as_json))
            while not self.feed.statistics()["watchers"]:
                await asyncio.sleep(0)
            for event in events:
                self.journal.record(event)
            assert await following


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path / "run/feed.sock")
    async with server.feed:
        yield server


async def test_events_are_lines(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    await server.tail(repeated(), REFUSED, count=2)
    captured = capsys.readouterr()
    first, second = captured.out.splitlines()
    assert first.split()[1:] == ["retransmission", str(ONE), "FCnt", "1"]
    assert second.endswith("mic_mismatch: no")
    assert captured.err == "watching bittern 9\n"


async def test_json_is_what_the_feed_sends(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    await server.tail(repeated(fcnt=7), count=1, as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "event": "retransmission",
        "at": 0.0,
        "dev_eui": str(ONE),
        "fcnt": 7,
    }


async def test_count_counts_what_is_shown(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = Wanted(frozenset([TWO]), frozenset())
    await server.tail(
        repeated(ONE), repeated(TWO, 5), repeated(ONE), repeated(TWO, 6), wanted=wanted, count=2
    )
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["5", "6"]


async def test_tail_ends_with_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = Server(tmp_path / "feed.sock")
    async with server.feed:
        following = asyncio.create_task(_follow(server.socket, ALL, None, False))
        while not server.feed.statistics()["watchers"]:
            await asyncio.sleep(0)
    assert await following
    assert "the server has ended" in capsys.readouterr().err


async def test_what_was_lost_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(tmp_path / "feed.sock")
    server.feed = Feed(server.journal, server.socket, version="9", buffered_lines=2)
    async with server.feed:
        following = asyncio.create_task(_follow(server.socket, ALL, None, False))
        while not server.feed.statistics()["watchers"]:
            await asyncio.sleep(0)
        for fcnt in range(5):  # one finds room beside the greeting
            server.journal.record(repeated(fcnt=fcnt))
    assert await following
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "4 events lost" in captured.err


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (ALL, [True, True, True, True]),
        (Wanted(frozenset([ONE]), frozenset()), [True, False, True, False]),
        (Wanted(frozenset(), frozenset(["refusal"])), [False, False, True, False]),
        (Wanted(frozenset([TWO]), frozenset(["retransmission"])), [False, True, False, False]),
    ],
)
def test_filters_leave_what_they_name(wanted: Wanted, shown: list[bool]) -> None:
    events = [repeated(ONE), repeated(TWO), REFUSED, CONNECTED]
    assert [wanted.includes(event) for event in events] == shown


def test_without_a_server_it_says_so(bittern) -> None:
    done = bittern("tail")
    assert done.exit_code == 1
    assert done.stderr == f"bittern: no server runs on {bittern.data_dir}\n"


def test_event_that_is_none_is_wrong_usage(bittern) -> None:
    done = bittern("tail", "--event", "joins")
    assert done.exit_code == 2
    assert "join, " in done.stderr
