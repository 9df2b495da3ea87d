from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.port import Failures, Message
from bittern.outputs.service import ServiceOutput, in_turn


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


async def test_behind_a_message_that_waits_all_wait() -> None:
    seen: list[bytes] = []

    async def deliver(message: Message) -> None:
        seen.append(message.payload)
        if message.payload == b"1":
            raise DeliveryUnavailable("busy")

    failures = await in_turn(MESSAGES, deliver, call_s=1)
    assert list(failures) == [1, 2]
    assert seen == [b"0", b"1"]


async def test_a_rejected_message_holds_up_nobody() -> None:
    async def deliver(message: Message) -> None:
        if message.payload == b"1":
            raise DeliveryRejected("bad")

    assert list(await in_turn(MESSAGES, deliver, call_s=1)) == [1]


async def test_receiver_that_takes_nothing_is_unavailable_as_a_whole() -> None:
    async def deliver(message: Message) -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeliveryUnavailable, match="no answer within"):
        await in_turn(MESSAGES, deliver, call_s=0.001)


async def test_slow_receiver_gets_the_rest_of_a_batch_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bittern.outputs.service.CALL_LIMIT_S", -1.0)
    seen: list[bytes] = []

    async def deliver(message: Message) -> None:
        seen.append(message.payload)

    failures = await in_turn(MESSAGES, deliver, call_s=1)
    assert seen == [b"0"]
    assert list(failures) == [1, 2]
    assert isinstance(failures[1], DeliveryUnavailable)
