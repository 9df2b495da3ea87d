"""`sqs` through trouble: nothing is lost, and in a FIFO queue order per device holds."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from aws_services import MISSING, OWN, REASON, Moto, output_of, url_of
from chaos_proxy import Proxy
from output_chaos import carry, check_arrivals, free_port

pytestmark = [pytest.mark.integration, pytest.mark.skipif(bool(MISSING), reason=REASON)]
DEVICES, EACH = 10, 24


@pytest.fixture
async def moto(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Moto]:
    for name, value in OWN.items():
        monkeypatch.setenv(name, value)
    async with Moto(free_port()) as running:
        yield running


@pytest.mark.parametrize("suffix", ["", ".fifo"], ids=["standard", "fifo"])
async def test_nothing_is_lost_in_trouble(
    moto: Moto, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs = moto.client("sqs")
    attributes = {"FifoQueue": "true"} if suffix else {}
    url = sqs.create_queue(QueueName=f"uplinks{suffix}", Attributes=attributes)["QueueUrl"]
    async with (
        Proxy(free_port(), moto.port) as proxy,
        output_of({"sqs": {"queueUrl": url}}, url_of(proxy.port), tmp_path) as output,
    ):
        troubles = [proxy.restart, proxy.slow, proxy.be_busy, proxy.lose_answers, proxy.restart]
        result = await carry(output, devices=DEVICES, each=EACH, troubles=troubles)
    arrived = received(sqs, url)
    assert result.rejected == []
    assert result.delivered == DEVICES * EACH
    assert all(proxy.spoiled[trouble] for trouble in ("busy", "loses_answers", "slow"))
    if not suffix:
        # A standard queue keeps no order, and moto gives messages out as it likes.
        arrived.sort()
    copies = check_arrivals(arrived, DEVICES, EACH)
    assert not (suffix and copies)
    with capsys.disabled():
        print(f"\nsqs{suffix}: {result}, {copies} copies, trouble {proxy.spoiled}")


def received(sqs: Any, url: str) -> list[tuple[int, int]]:
    """What is in the queue, as it hands it out; a message leaves when it was taken."""
    found: list[tuple[int, int]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for place, one in enumerate(messages):
            document = json.loads(one["Body"])
            found.append((document["device"], document["n"]))
            messages[place] = {"Id": str(place), "ReceiptHandle": one["ReceiptHandle"]}
        sqs.delete_message_batch(QueueUrl=url, Entries=messages)
    return found
