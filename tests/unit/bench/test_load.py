"""What the generator does apart from sockets; the whole of it is in tests/integration."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench import load
from bench.frames import Copy
from bench.ledger import Ledger
from bench.load import parser, pump, wait_for_the_rest
from bench.subscriber import as_arguments


class RecordingGateway:
    def __init__(self) -> None:
        self.sent: list[tuple[float, bytes]] = []

    def send(self, message: bytes) -> None:
        self.sent.append((time.monotonic(), message))


async def test_uplinks_leave_when_they_are_due_and_by_their_gateways(tmp_path: Path) -> None:
    gateways = [RecordingGateway(), RecordingGateway()]
    uplinks = [(Copy(0, b"a"),), (Copy(1, b"b"), Copy(0, b"b")), (Copy(1, b"c"),)]
    ledger = Ledger.create(tmp_path / "ledger", 3, run=1)
    start = await pump(uplinks, [0.0, 0.01, 0.03], gateways, ledger)  # type: ignore[arg-type]
    assert [message for _, message in gateways[0].sent] == [b"a", b"b"]
    assert [message for _, message in gateways[1].sent] == [b"b", b"c"]
    for sent_at, due in zip(ledger.sent_at.tolist(), [0.0, 0.01, 0.03], strict=True):
        assert sent_at >= start + due
    ledger.close()


async def test_waiting_ends_when_nothing_comes_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "PATIENCE_S", 0.01)
    ledger = Ledger.create(tmp_path / "ledger", 2, run=1)
    ledger.arrived((1, 0), 1.0)
    await wait_for_the_rest(ledger)
    assert ledger.received == 1
    ledger.close()


def test_subscriber_is_started_with_the_generators_options() -> None:
    given = ["--mqtt=localhost:1", "--topic=t", "--qos=0", "--username=u", "--clean"]
    options = parser().parse_args(["--files=x", *given])
    assert as_arguments(options) == given
