"""With error actions in `test_dispatch.py`; here without a rule, and what is logged."""

from __future__ import annotations

from typing import Any

import pytest

from bittern.outputs.giving_up import GivingUp
from bittern.outputs.parts import Failure, part_of
from bittern.types import Instant


class Book:
    def __init__(self) -> None:
        self.letters: list[Any] = []

    def bury(self, letter: Any) -> None:
        self.letters.append(letter)


def failing(book: Book, logged: int = 10) -> GivingUp:
    return GivingUp(book, lambda rule, part: None, lambda: Instant(9), logged)  # type: ignore[arg-type]


def test_a_share_without_a_rule_is_buried_to_be_owed_again_as_it_was(make_delivery: Any) -> None:
    book = Book()
    part = part_of(make_delivery(3), "1/gone/0/http", "t")
    failure = Failure(reason="rule_not_found", detail="gone", attempts=1)
    failing(book).give_up(None, [(part, part.lane, failure)], "")
    [letter] = book.letters
    assert (letter.owed_as, letter.lane, letter.rule) == (3, "1/gone/0/http", "gone")
    assert letter.document == part.with_envelope().document
    assert letter.failed_at == 9


def test_only_the_first_are_logged_until_it_is_time_again(
    make_delivery: Any, caplog: pytest.LogCaptureFixture
) -> None:
    giving_up = failing(Book(), logged=1)
    failure = Failure(reason="rejected", detail="no")
    for n in (1, 2):
        giving_up.give_up(None, [(make_delivery(n), "", failure)], "")
    assert "message_id=m1" in caplog.text
    assert "message_id=m2" not in caplog.text
    giving_up.log_again()
    giving_up.give_up(None, [(make_delivery(3), "", failure)], "")
    assert "message_id=m3" in caplog.text
    assert giving_up.dead_letters == 3
