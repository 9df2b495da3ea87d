"""How a batch goes out by services that take one message, or a few, in a call.

Messages of one device arrive in their order; nothing else is promised, so devices go side by side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable
from bittern.outputs.aws_errors import AwsRejected, Unreachable
from bittern.outputs.port import Failures, Message

BEHIND = DeliveryUnavailable("an earlier message of its device goes first")
PUT_OFF = DeliveryUnavailable("the receiver is slow: put off")
START_S = 20.0
"""No call is begun so long after the first: what is left is put off, not given up."""
WAVE_S = 8.0
"""No wave is begun so long after the first. The last may take `START_S`, and the time of a call:
together less than a batch has."""

Fates = dict[int, DeliveryError]
SendOne = Callable[[int], Awaitable[None]]
"""Sends the message at a position. Raises `DeliveryError`."""
SendBatch = Callable[[Sequence[int]], Awaitable[Failures]]
"""Sends the messages at positions. Raises `DeliveryError` where all of them failed alike."""


class Room(NamedTuple):
    """What a service takes in one call."""

    entries: int
    size: int


async def one_by_one(messages: Sequence[Message], send: SendOne, at_once: int) -> Fates:
    """Each by its own call, some side by side; of one device one after the other."""
    fates: Fates = {}
    chains = deque(_by_device(messages))
    until = _now() + START_S
    down: list[DeliveryError] = []

    async def work() -> None:
        while chains:
            await _send_chain(chains.popleft(), send, fates, until, down)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(chains))):
            group.create_task(work())
    return fates


async def _send_chain(
    chain: deque[int], send: SendOne, fates: Fates, until: float, down: list[DeliveryError]
) -> None:
    while chain:
        if down or _now() > until:
            fates.update(dict.fromkeys(chain, down[0] if down else PUT_OFF))
            return
        place = chain.popleft()
        try:
            await send(place)
        except DeliveryRejected as rejection:
            fates[place] = rejection
        except DeliveryUnavailable as unavailable:
            if isinstance(unavailable, Unreachable):
                down.append(unavailable)
            fates[place] = unavailable
            fates.update(dict.fromkeys(chain, BEHIND))
            return


async def in_waves(messages: Sequence[Message], send: SendBatch) -> Fates:
    """In batches with one message of each device, where a batch keeps no order.

    The next of a device goes when the one before it has arrived.
    """
    fates: Fates = {}
    chains = _by_device(messages)
    until = _now() + WAVE_S
    while chains:
        wave = [chain[0] for chain in chains]
        found = await send(wave) if _now() <= until else dict.fromkeys(wave, PUT_OFF)
        fates.update(found)
        going: list[deque[int]] = []
        for chain in chains:
            failure = found.get(chain.popleft())
            if isinstance(failure, DeliveryUnavailable):
                fates.update(dict.fromkeys(chain, BEHIND))
            elif chain:
                going.append(chain)
        chains = going
    return fates


async def in_batches(
    places: Iterable[int],
    send: SendBatch,
    *,
    room: Room,
    size: Callable[[int], int],
    receiver: Callable[[int], Hashable] = lambda place: None,
) -> Fates:
    """In calls of the service's size, one after the other, each to one receiver.

    A call that is refused as a whole is parted until those that the refusal is about are alone. One
    that cannot be made leaves the rest for later.
    """
    fates: Fates = {}
    batches = deque(_batches(places, room, size, receiver))
    until = _now() + START_S
    while batches:
        batch = batches.popleft()
        if _now() > until:
            fates.update(dict.fromkeys(batch, PUT_OFF))
            continue
        try:
            fates.update(await send(batch))
        except AwsRejected as rejection:
            if len(batch) == 1 or rejection.is_of_the_receiver:
                fates.update(dict.fromkeys(batch, rejection))
            else:
                half = len(batch) // 2
                batches.extendleft((batch[half:], batch[:half]))
        except DeliveryUnavailable as unavailable:
            left = [place for later in (batch, *batches) for place in later]
            fates.update(dict.fromkeys(left, unavailable))
            return fates
    return fates


def of_owners(found: Fates, owners: Sequence[int], fates: Fates) -> Fates:
    """From the fates of parts to those of the messages that they are of; adds to `fates`.

    A message of which one part may go later goes later, with all of them.
    """
    for number, failure in found.items():
        known = fates.get(owners[number])
        if known is None or isinstance(known, DeliveryRejected):
            fates[owners[number]] = failure
    return fates


def _batches(
    places: Iterable[int],
    room: Room,
    size: Callable[[int], int],
    receiver: Callable[[int], Hashable],
) -> list[list[int]]:
    """What is too long even alone goes alone: the service says so."""
    batches: list[list[int]] = []
    total, last = 0, None
    for place in places:
        to, length = receiver(place), size(place)
        full = batches and (len(batches[-1]) == room.entries or total + length > room.size)
        if not batches or full or to != last:
            batches.append([])
            total = 0
        batches[-1].append(place)
        total, last = total + length, to
    return batches


def _by_device(messages: Sequence[Message]) -> list[deque[int]]:
    chains: dict[Hashable, deque[int]] = {}
    for place, message in enumerate(messages):
        chains.setdefault(message.device, deque()).append(place)
    return list(chains.values())


def _now() -> float:
    return asyncio.get_running_loop().time()
