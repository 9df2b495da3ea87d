from __future__ import annotations

from typing import Any

import pytest

from bittern.outputs.retention import LOUD_AGAIN_S, Limits, Retention
from bittern.store.rule_records import DeliveryUsage
from bittern.types import Instant


class Store:
    """Each dead letter is a hundred bytes, which their going frees."""

    def __init__(self, others: int = 0, letters: int = 0) -> None:
        self.others = others
        self.letters = letters
        self.trims: list[tuple[float, int]] = []

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int:
        self.trims.append((failed_before, most_bytes))
        kept = min(self.letters, most_bytes // 100)
        dropped, self.letters = self.letters - kept, kept
        return dropped

    async def delivery_usage(self) -> DeliveryUsage:
        size = 100 * self.letters
        return DeliveryUsage(
            bytes_used=self.others + size,
            owed=7,
            dead_letters=self.letters,
            dead_letter_bytes=size,
        )


def retention(store: Store, clock: Any) -> Retention:
    limits = Limits(dead_letter_s=60, dead_letter_bytes=1000, budget_bytes=2000)
    return Retention(store, limits, clock.now)


async def test_dead_letters_are_kept_within_their_age_and_size(clock: Any) -> None:
    store = Store(letters=15)
    kept = retention(store, clock)
    assert kept.health().detail == "not measured yet"
    await kept.enforce()
    assert store.trims == [(940.0, 1000)]
    assert (store.letters, kept.is_full) == (10, False)
    assert kept.statistics()["dropped"] == 5


async def test_over_the_budget_the_oldest_dead_letters_go_first(clock: Any) -> None:
    store = Store(others=1500, letters=8)
    kept = retention(store, clock)
    await kept.enforce()
    assert (store.letters, kept.is_full) == (5, False)


async def test_without_dead_letters_messages_are_refused_and_loudly(
    clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(others=2500, letters=3)
    kept = retention(store, clock)
    for _ in range(3):
        await kept.enforce()
    assert (store.letters, kept.is_full) == (0, True)
    assert caplog.text.count("the disk budget is reached") == 1
    assert not kept.health().working
    assert "messages refused" in kept.health().detail
    clock.advance(LOUD_AGAIN_S)
    await kept.enforce()
    assert caplog.text.count("the disk budget is reached") == 2


async def test_messages_are_accepted_again_when_there_is_some_room(clock: Any) -> None:
    store = Store(others=2500)
    kept = retention(store, clock)
    await kept.enforce()
    store.others = 1950
    await kept.enforce()
    assert kept.is_full
    store.others = 1800
    await kept.enforce()
    assert not kept.is_full
    assert kept.statistics()["full"] == 0
