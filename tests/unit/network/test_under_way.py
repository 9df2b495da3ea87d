from __future__ import annotations

import pytest

from bittern.network.airtime_ledger import Slot
from bittern.network.under_way import UnderWay
from bittern.testing import examples
from bittern.types import Instant

DEVICE, OTHER = examples.dev_eui(1), examples.dev_eui(2)
RX1, RX2 = Slot(Instant(101.0), 0.25, 868_100_000), Slot(Instant(102.0), 1.5, 869_525_000)


class Watch:
    """What is under way, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.time = Instant(100.0)
        self.under_way = UnderWay(lambda: self.time)

    def seen(self) -> tuple[Instant | None, Instant | None]:
        return self.under_way.begun_by(DEVICE), self.under_way.over_at(DEVICE)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_nothing_is_under_way_before_anything_was_sent(watch):
    assert watch.seen() == (None, None)


def test_until_it_is_reported_a_frame_may_be_sent_in_its_last_window(watch):
    watch.under_way.taken(DEVICE, 1, (RX1, RX2))
    assert watch.seen() == (102.0, 103.5)


def test_a_report_tells_when_the_frame_is_over(watch):
    watch.under_way.taken(DEVICE, 1, (RX1, RX2))
    watch.time = Instant(101.1)
    watch.under_way.begun(DEVICE, 1, Instant(101.1), 0.25)
    assert watch.seen() == (None, pytest.approx(101.35))
    watch.time = Instant(101.4)
    assert watch.seen() == (None, None)


def test_of_two_frames_the_later_counts(watch):
    """Several gateways send at once, or an answer follows what was sent before."""
    watch.under_way.taken(DEVICE, 1, (RX2,))
    watch.under_way.taken(DEVICE, 2, (RX1,))
    watch.under_way.begun(DEVICE, 2, RX1.at, 0.25)
    assert watch.seen() == (102.0, 103.5)


def test_what_is_lost_is_not_under_way_any_more(watch):
    watch.under_way.taken(DEVICE, 1, (RX1,))
    watch.under_way.taken(DEVICE, 2, (RX2,))
    watch.under_way.lost(DEVICE, 2)
    assert watch.seen() == (101.0, 101.25)
    watch.under_way.lost(DEVICE, 1)
    watch.under_way.lost(DEVICE, 1)
    assert watch.seen() == (None, None)
    assert len(watch.under_way) == 0


def test_a_frame_that_is_on_air_after_it_was_given_up_counts_again(watch):
    watch.under_way.taken(DEVICE, 1, (RX1,))
    watch.under_way.lost(DEVICE, 1)
    watch.under_way.begun(DEVICE, 1, Instant(104.0), 0.25)
    assert watch.seen() == (104.0, 104.25)


def test_devices_do_not_wait_for_each_other(watch):
    watch.under_way.taken(OTHER, 1, (RX2,))
    assert watch.seen() == (None, None)


def test_what_is_over_is_forgotten(watch):
    for number in range(1000):
        watch.time = Instant(watch.time + 10)
        slot = RX1._replace(at=Instant(watch.time + 1))
        watch.under_way.taken(examples.dev_eui(number), number, (slot,))
        watch.under_way.begun(examples.dev_eui(number), number, slot.at, slot.airtime_s)
    assert len(watch.under_way) == 1
