from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Failures, Message
from bittern.outputs.service import ServiceOutput


class Scripted(ServiceOutput):
    def __init__(self, answer: Callable[[], Failures]) -> None:
        super().__init__("scripted", limit_s=0.01)
        self.answer = answer

    async def send(self, messages: Sequence[Message]) -> Failures:
        return self.answer()


MESSAGES = [Message("", b"%d" % number) for number in range(3)]


async def test_what_arrived_is_counted_and_the_output_works() -> None:
    async with Scripted(lambda: {1: DeliveryRejected("too large")}) as output:
        assert list(await output.publish(MESSAGES)) == [1]
        assert output.statistics() == {"delivered": 2, "rejected": 1, "failed": 0}
        assert output.health() == (True, "delivering")


async def test_unavailable_receiver_is_told_in_health() -> None:
    def refuse() -> Failures:
        raise DeliveryUnavailable("connection refused")

    output = Scripted(refuse)
    with pytest.raises(DeliveryUnavailable):
        await output.publish(MESSAGES)
    assert output.health() == (False, "connection refused")
    assert output.statistics()["failed"] == 3


async def test_nothing_but_rejections_is_no_health() -> None:
    output = Scripted(lambda: dict.fromkeys(range(3), DeliveryRejected("no such table")))
    await output.publish(MESSAGES)
    assert output.health() == (False, "rejected: no such table")


async def test_silent_receiver_is_unavailable() -> None:
    class Silent(Scripted):
        async def send(self, messages: Sequence[Message]) -> Failures:
            await asyncio.Event().wait()
            return {}

    output = Silent(dict)
    with pytest.raises(DeliveryUnavailable, match="no answer within"):
        await output.publish(MESSAGES)
    assert not output.health().working
