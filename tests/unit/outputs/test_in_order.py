from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs import in_order
from bittern.outputs.aws_errors import AwsRejected, Unreachable
from bittern.outputs.in_order import (
    BEHIND,
    PUT_OFF,
    Fates,
    Room,
    in_batches,
    in_waves,
    of_owners,
    one_by_one,
)
from bittern.outputs.port import Failures, Message
from bittern.types import EUI64

BUSY = DeliveryUnavailable("busy")
DOWN = Unreachable("down")
BAD = AwsRejected("bad", "ValidationException")
GONE = AwsRejected("gone", "ResourceNotFoundException")


def of_devices(*devices: int) -> list[Message]:
    return [Message("", b"", device=EUI64.from_int(device)) for device in devices]


class Receiver:
    def __init__(self, **failures: DeliveryError) -> None:
        """``p3=BUSY``: the message at position 3."""
        self.failures = {int(name[1:]): failure for name, failure in failures.items()}
        self.got: list[int] = []
        self.calls: list[list[int]] = []
        self.under_way = self.most = 0

    async def one(self, place: int) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        self.calls.append([place])
        if place in self.failures:
            raise self.failures[place]
        self.got.append(place)

    async def batch(self, places: Sequence[int]) -> Failures:
        self.calls.append(list(places))
        failed = {place: self.failures[place] for place in places if place in self.failures}
        self.got += [place for place in places if place not in failed]
        return failed

    async def whole(self, places: Sequence[int]) -> Failures:
        """Refuses a call as a whole for one of its messages."""
        self.calls.append(list(places))
        for place in places:
            if place in self.failures:
                raise self.failures[place]
        self.got += places
        return {}


async def batches(receiver: Receiver, count: int, entries: int = 4) -> Fates:
    return await in_batches(
        range(count), receiver.whole, room=Room(entries, 100), size=lambda place: 1
    )


async def test_devices_go_side_by_side_and_each_in_order() -> None:
    receiver = Receiver()
    assert await one_by_one(of_devices(1, 1, 2, 3, 1), receiver.one, 2) == {}
    assert [place for place in receiver.got if place in (0, 1, 4)] == [0, 1, 4]
    assert receiver.most == 2


async def test_behind_a_message_that_waits_its_device_waits() -> None:
    receiver = Receiver(p0=BUSY)
    fates = await one_by_one(of_devices(1, 1, 2), receiver.one, 2)
    assert fates == {0: BUSY, 1: BEHIND}
    assert receiver.got == [2]


async def test_behind_a_rejected_message_the_device_goes_on() -> None:
    receiver = Receiver(p0=BAD)
    assert await one_by_one(of_devices(1, 1), receiver.one, 2) == {0: BAD}
    assert receiver.got == [1]


async def test_nobody_knocks_at_a_receiver_that_is_down() -> None:
    receiver = Receiver(p0=DOWN)
    fates = await one_by_one(of_devices(1, 1, 2, 3), receiver.one, 1)
    assert fates == {0: DOWN, 1: BEHIND, 2: DOWN, 3: DOWN}
    assert receiver.calls == [[0]]


async def test_what_a_slow_receiver_does_not_get_to_is_put_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("START_S", "WAVE_S"):
        monkeypatch.setattr(in_order, name, -1.0)
    receiver = Receiver()
    assert await one_by_one(of_devices(1, 2), receiver.one, 2) == {0: PUT_OFF, 1: PUT_OFF}
    assert await in_waves(of_devices(1, 1), receiver.batch) == {0: PUT_OFF, 1: BEHIND}
    assert await batches(receiver, 2) == {0: PUT_OFF, 1: PUT_OFF}
    assert receiver.calls == []


async def test_messages_of_nobody_known_go_in_their_order() -> None:
    receiver = Receiver()
    await one_by_one([Message("", b"") for _ in range(4)], receiver.one, 4)
    assert receiver.got == [0, 1, 2, 3]
    assert receiver.most == 1


async def test_a_wave_has_one_message_of_each_device() -> None:
    receiver = Receiver()
    assert await in_waves(of_devices(1, 1, 2, 1, 2), receiver.batch) == {}
    assert receiver.calls == [[0, 2], [1, 4], [3]]


async def test_after_a_failure_the_device_is_in_no_later_wave() -> None:
    receiver = Receiver(p0=BUSY, p2=BAD)
    fates = await in_waves(of_devices(1, 1, 2, 2), receiver.batch)
    assert fates == {0: BUSY, 1: BEHIND, 2: BAD}
    assert receiver.calls == [[0, 2], [3]]


async def test_batches_are_as_large_as_they_may_be() -> None:
    receiver = Receiver()
    assert await batches(receiver, 10) == {}
    assert receiver.calls == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


async def test_batches_are_no_larger_than_the_service_takes() -> None:
    receiver = Receiver()
    sizes = [60, 50, 50, 200, 1]
    await in_batches(range(5), receiver.whole, room=Room(10, 100), size=sizes.__getitem__)
    assert receiver.calls == [[0], [1, 2], [3], [4]]


async def test_a_batch_has_one_receiver() -> None:
    receiver = Receiver()
    await in_batches(
        range(4), receiver.whole, room=Room(10, 100), size=lambda _: 1, receiver="aabb".__getitem__
    )
    assert receiver.calls == [[0, 1], [2, 3]]


async def test_one_bad_message_spoils_no_other() -> None:
    receiver = Receiver(p2=BAD)
    assert await batches(receiver, 5) == {2: BAD}
    assert receiver.got == [0, 1, 3, 4]


async def test_a_refused_receiver_is_not_asked_for_each_message() -> None:
    receiver = Receiver(p0=GONE)
    assert await batches(receiver, 4) == dict.fromkeys(range(4), GONE)
    assert len(receiver.calls) == 1


async def test_a_call_that_cannot_be_made_leaves_the_rest_for_later() -> None:
    receiver = Receiver(p5=BUSY)
    assert await batches(receiver, 12) == dict.fromkeys(range(4, 12), BUSY)
    assert receiver.got == [0, 1, 2, 3]


def test_a_message_fares_as_its_parts() -> None:
    owners = [0, 0, 1, 2]
    rejected = DeliveryRejected("no")
    assert of_owners({0: rejected, 1: BUSY, 2: rejected}, owners, {}) == {0: BUSY, 1: rejected}
    assert of_owners({0: BUSY, 1: rejected}, owners, {}) == {0: BUSY}
