from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.outputs import backlog as module
from bittern.outputs.backlog import Backlog
from bittern.store.records import Delivery

Make = Callable[..., Delivery]


def live(capacity: int = 3) -> Backlog:
    backlog = Backlog(capacity)
    assert backlog.begin_page() == 0
    assert backlog.page([], 0, complete=True) == []
    return backlog


def sequences(deliveries: list[Delivery]) -> list[int]:
    return [one.sequence for one in deliveries]


def test_store_is_read_before_the_first_offer_is_taken(make_delivery: Make) -> None:
    backlog = Backlog(3)
    assert backlog.reading
    assert not backlog.offered(make_delivery(5))
    assert backlog.begin_page() == 0


def test_offers_are_taken_until_memory_is_full(make_delivery: Make) -> None:
    backlog = live(capacity=2)
    assert [backlog.offered(make_delivery(n)) for n in (1, 2, 3)] == [True, True, False]
    assert backlog.reading
    assert len(backlog) == 2


def test_message_left_in_the_store_is_not_overtaken(make_delivery: Make) -> None:
    backlog = live(capacity=1)
    assert backlog.offered(make_delivery(1))
    assert not backlog.offered(make_delivery(2))
    backlog.done([1])
    assert not backlog.offered(make_delivery(3))
    after = backlog.begin_page()
    assert after == 1
    page = [make_delivery(2), make_delivery(3)]
    assert sequences(backlog.page(page, after, complete=True)) == [2]
    assert backlog.reading
    backlog.done([2])
    assert sequences(backlog.page(page[1:], backlog.begin_page(), complete=True)) == [3]
    assert not backlog.reading


def test_message_in_memory_is_not_taken_twice(make_delivery: Make) -> None:
    backlog = live(capacity=10)
    assert backlog.offered(make_delivery(2))
    assert not backlog.offered(make_delivery(2))
    assert 2 in backlog


def test_new_messages_during_the_last_page_follow_it_from_memory(make_delivery: Make) -> None:
    backlog = Backlog(10)
    after = backlog.begin_page()
    assert not backlog.offered(make_delivery(3))
    taken = backlog.page([make_delivery(1), make_delivery(2)], after, complete=True)
    assert sequences(taken) == [1, 2, 3]
    assert not backlog.reading


def test_new_messages_during_an_earlier_page_wait_in_the_store(make_delivery: Make) -> None:
    backlog = Backlog(10)
    after = backlog.begin_page()
    assert not backlog.offered(make_delivery(9))
    taken = backlog.page([make_delivery(1), make_delivery(2)], after, complete=False)
    assert sequences(taken) == [1, 2]
    assert backlog.begin_page() == 2


def test_commit_seen_late_is_read_although_the_page_went_beyond_it(make_delivery: Make) -> None:
    backlog = Backlog(10)
    after = backlog.begin_page()
    assert not backlog.offered(make_delivery(3))
    page = [make_delivery(2), make_delivery(4)]
    assert sequences(backlog.page(page, after, complete=False)) == [2, 4]
    assert backlog.begin_page() == 2


def test_more_arrivals_than_are_kept_are_read_from_the_store(
    make_delivery: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ARRIVALS", 1)
    backlog = Backlog(10)
    after = backlog.begin_page()
    for n in (5, 7, 6):
        assert not backlog.offered(make_delivery(n))
    assert backlog.page([make_delivery(8)], after, complete=True)[0].sequence == 8
    assert backlog.reading
    assert backlog.begin_page() == 4


def test_page_that_failed_is_asked_again(make_delivery: Make) -> None:
    backlog = Backlog(10)
    backlog.begin_page()
    assert not backlog.offered(make_delivery(4))
    backlog.page_failed()
    assert backlog.reading
    assert backlog.begin_page() == 0


def test_a_backlog_that_owes_nothing_takes_messages_at_once(make_delivery: Make) -> None:
    backlog = Backlog(1, owes_nothing=True)
    assert not backlog.reading
    assert backlog.offered(make_delivery(1))


def test_an_adopted_message_is_in_memory_whatever_room_there_is(make_delivery: Make) -> None:
    backlog = live(capacity=1)
    assert backlog.offered(make_delivery(1))
    backlog.adopt(2)
    assert 2 in backlog
    assert backlog.room == -1
    assert not backlog.offered(make_delivery(3))


def test_what_others_put_into_the_store_is_looked_for_from_its_beginning(
    make_delivery: Make,
) -> None:
    backlog = live(capacity=5)
    assert backlog.offered(make_delivery(3))
    backlog.look_again()
    after = backlog.begin_page()
    assert after == 0
    backlog.look_again()
    page = [make_delivery(2), make_delivery(3)]
    assert sequences(backlog.page(page, after, complete=True)) == [2]
    assert backlog.begin_page() == 0
    assert backlog.page([], 0, complete=True) == []
    assert not backlog.reading


@given(
    capacity=st.integers(1, 4),
    steps=st.lists(st.sampled_from(["commit", "late", "strike", "ask", "answer", "fail"])),
)
def test_every_message_is_taken_once_and_in_order(capacity: int, steps: list[str]) -> None:
    """Against a model of the store: whatever is owed reaches memory, in order of sequence."""
    make = _make
    backlog = Backlog(capacity)
    owed: dict[int, Delivery] = {}
    taken: list[int] = []
    asked: tuple[int, list[Delivery]] | None = None
    committed = 0

    def take(deliveries: list[Delivery]) -> None:
        taken.extend(one.sequence for one in deliveries)

    def step(name: str) -> None:
        nonlocal asked, committed
        if name in ("commit", "late"):
            committed += 1
            owed[committed] = make(committed)
            if backlog.offered(owed[committed]):
                take([owed[committed]])
        elif name == "strike":
            for sequence in [s for s in taken if s in owed][:1]:
                del owed[sequence]
                backlog.done([sequence])
        elif name == "ask" and asked is None and backlog.reading and backlog.room:
            after = backlog.begin_page()
            asked = (after, [owed[s] for s in sorted(owed) if s > after][:2])
        elif name == "answer" and asked is not None:
            after, page = asked
            asked = None
            take(backlog.page(page, after, complete=len(page) < 2))
        elif name == "fail" and asked is not None:
            asked = None
            backlog.page_failed()
        assert len(backlog) <= capacity

    for name in steps:
        step(name)
    for _ in range(committed + 3):
        for name in ("answer", "strike", "ask", "answer", "strike", "strike"):
            step(name)
    assert taken == list(range(1, committed + 1))


def _make(sequence: int) -> Delivery:
    from bittern.types import EUI64, DevEUI, Instant

    return Delivery(
        message_id="m",
        dev_eui=DevEUI(EUI64.from_int(1)),
        destination="d",
        document=b"",
        created_at=Instant(0),
        sequence=sequence,
    )
