"""When the outbox owes a message no longer; failures with their rules in `test_dispatch.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bittern.outputs.bounds import DispatchSettings
from bittern.outputs.parts import Failure, part_of
from bittern.outputs.shares import Shares

NO = Failure(reason="rejected", detail="no")


class Book:
    """What is written, and what is given up."""

    def __init__(self) -> None:
        self.struck: list[int] = []
        self.given_up: list[list[str]] = []

    def delivered(self, sequences: list[int]) -> None:
        self.struck += sequences

    def give_up(self, rule: Any, told: list[Any], topic: str) -> None:
        self.given_up.append([lane for _, lane, _ in told])


class Lane:
    rule = None

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self.struck: list[int] = []

    def strike(self, rows: list[int]) -> None:
        self.struck += rows


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def shares(book: Any, outbox: Any) -> Shares:
    return Shares(
        outbox,
        book,
        book,
        lambda name, work: None,
        bounds=DispatchSettings(),
        chance=lambda: 1.0,
        sleep=asyncio.sleep,
    )


def test_a_message_is_done_with_when_each_lane_has_its_share(shares: Shares, book: Book) -> None:
    shares.shared(1, 3)
    shares.shared(2, 1)
    shares.released([1, 2])
    assert book.struck == [2]
    shares.anchored([1])
    assert book.struck == [2]
    shares.released([1])
    assert book.struck == [2, 1]
    assert shares.done == 2


def test_shares_that_failed_are_given_up_together_at_the_end(
    shares: Shares, book: Book, make_delivery: Any
) -> None:
    shares.shared(1, 3)
    for name in ("a", "b"):
        shares.failed(Lane(name), part_of(make_delivery(1), name, ""), NO, True)  # type: ignore[arg-type]
    assert book.given_up == []
    shares.released([1])
    assert book.given_up == [["a", "b"]]
    assert book.struck == [1]


def test_the_row_of_a_share_that_failed_is_struck_off(
    shares: Shares, book: Book, make_delivery: Any
) -> None:
    lane = Lane("a")
    shares.failed(lane, part_of(make_delivery(1), "a", ""), NO, False)  # type: ignore[arg-type]
    assert book.given_up == [["a"]]
    assert lane.struck == [1]
    assert book.struck == []
