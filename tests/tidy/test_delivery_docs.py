"""What `docs/delivery.md` promises is what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from bittern.config.settings import settings
from bittern.outputs.backoff import Backoff
from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.channel import LaneStatistics
from bittern.outputs.dispatch import FAULT_TOLD_S
from bittern.outputs.evaluation import CALL_LIMIT_S
from bittern.outputs.parts import Reason
from bittern.outputs.retention import Limits, Retention
from bittern.store.rule_records import DeliveryUsage
from bittern.types import Instant

TEXT = (Path(__file__).parents[2] / "docs/delivery.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Its text, each paragraph and item in one line."""
    found = TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return re.sub(r"\n +(?! |\d\.)|\n(?=[a-z])", " ", found)


def test_every_setting_is_told_and_each_that_is_told_is_one() -> None:
    named = set(re.findall(r"`(delivery\.[a-z_]+)`", TEXT))
    assert named == {path for path in settings() if path.startswith("delivery.")}


def test_every_reason_of_a_dead_letter_is_listed_once() -> None:
    rows = re.findall(r"^\| .+ \| `([a-z_]+)` \|$", section("When something fails"), re.MULTILINE)
    assert sorted(rows) == sorted(get_args(Reason))


class Full:
    """A database over its budget, and what was done about it."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.letters = 3

    async def trim_dead_letters(self, failed_before: Instant, most_bytes: int) -> int:
        if most_bytes < 100:
            self.done.append("dead letters are dropped, the oldest first")
            self.letters = 0
        return 0

    async def delivery_usage(self) -> DeliveryUsage:
        return DeliveryUsage(
            bytes_used=200, owed=1, dead_letters=self.letters, dead_letter_bytes=self.letters
        )


async def test_room_is_made_in_the_order_that_is_told() -> None:
    items = re.findall(
        r"^ *\d\. (.+?)[;.]", section("What is kept, and for how long"), re.MULTILINE
    )
    store = Full()
    limits = Limits(dead_letter_s=1.0, dead_letter_bytes=100, budget_bytes=100)
    retention = Retention(store, limits, lambda: Instant(0))
    await retention.enforce()
    if retention.is_full:
        store.done.append("messages of devices are refused")
    assert [item.split(" (")[0] for item in items] == store.done


def test_times_and_bounds_are_as_they_are() -> None:
    """In seconds, and in messages."""
    told = {int(number) for number in re.findall(r"(\d+) (?:s|seconds)\b", TEXT)}
    bounds = DispatchSettings()
    there = {bounds.anchor_after_s, bounds.retention_s, Backoff().ceiling_s}
    assert told == there | {CALL_LIMIT_S, FAULT_TOLD_S}
    [most] = re.findall(r"more than ([\d,]+) messages", " ".join(TEXT.split()))
    assert int(most.replace(",", "")) == bounds.capacity


def test_figures_of_lanes_and_of_the_budget_are_told() -> None:
    lane = set(re.findall(r"`(?:bittern_lane)?_([a-z_]+?)(?:_total)?`", section("Watching it")))
    assert lane == {name for name in LaneStatistics._fields if name != "last_failure"}
    limits = Limits(dead_letter_s=1.0, dead_letter_bytes=1, budget_bytes=1)
    figures = Retention(Full(), limits, lambda: Instant(0)).statistics()
    told = re.findall(r"`bittern_delivery_([a-z_]+)`", TEXT)
    assert told
    assert set(told) <= set(figures)
