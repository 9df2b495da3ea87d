"""What gateways of a herd do apart from sockets."""

from __future__ import annotations

import asyncio
import ssl

import pytest

from bench import herd
from bench.herd import (
    PATIENCE_S,
    Herd,
    HerdGateway,
    Tally,
    explained,
    resumes,
    source_address,
)
from bittern.errors import BitternError


class Waits:
    """Stands in for ``asyncio.sleep``; ends the gateway's life after so many."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
        self.pauses: list[float] = []
        self._count = count
        monkeypatch.setattr(herd.asyncio, "sleep", self)

    async def __call__(self, pause_s: float) -> None:
        if len(self.pauses) == self._count:
            raise asyncio.CancelledError
        self.pauses.append(pause_s)


def a_gateway(tally: Tally) -> HerdGateway:
    gateway = HerdGateway.__new__(HerdGateway)
    gateway._tally = tally
    gateway._data = None
    return gateway


async def refused(*_: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


async def test_discovery_is_tried_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, tally = Waits(monkeypatch, 8), Tally()
    gateway = a_gateway(tally)
    gateway._discover = refused  # type: ignore[assignment,method-assign]
    with pytest.raises(asyncio.CancelledError):
        await gateway.keep()
    assert waits.pauses == [10, 20, 30, 40, 50, 60, 60, 60]
    assert tally.failures == {"connection refused": 9}


async def test_same_address_is_tried_five_times_before_discovery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits, discoveries = Waits(monkeypatch, 7), 0

    async def discovered() -> str:
        nonlocal discoveries
        discoveries += 1
        return "wss://127.0.0.1:1/gateway/x"

    gateway = a_gateway(Tally())
    gateway._discover = discovered  # type: ignore[method-assign]
    gateway._attach = refused  # type: ignore[assignment,method-assign]
    with pytest.raises(asyncio.CancelledError):
        await gateway.keep()
    assert waits.pauses == [0, 1, 2, 4, 8, 16, 0]
    assert discoveries == 2


def test_source_addresses_are_taken_in_turn() -> None:
    taken = [source_address(index, 3) for index in range(4)]
    assert taken == ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1"]


@pytest.mark.parametrize("part, expected", [(0.0, 0), (0.25, 25), (0.5, 50), (1.0, 100)])
def test_the_part_that_resumes_is_spread_evenly(part: float, expected: int) -> None:
    chosen = [resumes(index, part) for index in range(100)]
    assert sum(chosen) == expected
    assert abs(sum(chosen[:50]) - expected / 2) <= 1


@pytest.mark.parametrize(
    "error, expected",
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (TimeoutError(), "TimeoutError"),
        (ConnectionError("closed before the answer"), "closed before the answer"),
        (BitternError("unknown gateway (0016-c001)"), "unknown gateway"),
    ],
)
def test_failures_of_one_cause_are_counted_as_one(error: Exception, expected: str) -> None:
    assert explained(error) == expected


def test_failed_handshakes_are_named_by_openssl() -> None:
    error = ssl.SSLError(1, "[SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] failure")
    assert explained(error) == "TLS: SSLError"
    error.reason = "SSLV3_ALERT_HANDSHAKE_FAILURE"
    assert explained(error) == "TLS: SSLV3_ALERT_HANDSHAKE_FAILURE"


async def test_waiting_for_all_ends_at_its_limit_and_by_a_fault() -> None:
    whole = Herd.__new__(Herd)
    whole.gateways, whole._tasks = [a_gateway(Tally())], []
    assert not await whole.all_connected(0.0)

    async def faulty() -> None:
        raise ValueError("a fault of the benchmark")

    whole._tasks = [asyncio.create_task(faulty())]
    with pytest.raises(ValueError, match="a fault"):
        await whole.all_connected(PATIENCE_S)


def test_a_new_storm_begins_with_nothing_counted() -> None:
    tally = Tally(connected_at=[1.0], took_s=[0.1], handshakes=2, resumed=1)
    tally.failures["x"] += 1
    tally.clear()
    assert tally == Tally()
