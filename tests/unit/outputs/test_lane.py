from __future__ import annotations

from collections.abc import Callable

import pytest

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.backoff import Backoff
from bittern.outputs.lane import Batch, Lane, Limits
from bittern.store.records import Delivery
from bittern.types import Instant

Make = Callable[..., Delivery]
NOW = Instant(100.0)


def later(seconds: float) -> Instant:
    return Instant(NOW + seconds)


@pytest.fixture
def lane() -> Lane:
    return Lane(Backoff(first_s=1.0, ceiling_s=8.0), lambda: 1.0, Limits(batch_messages=4))


def take(lane: Lane, now: Instant = NOW) -> Batch:
    batch = lane.take(now)
    assert batch is not None
    return batch


def sequences(batch: Batch) -> list[int]:
    return [one.sequence for one in batch.deliveries]


def test_empty_lane_has_nothing(lane: Lane) -> None:
    assert lane.take(NOW) is None
    assert lane.next_timer() is None


def test_messages_of_several_devices_share_a_batch(lane: Lane, make_delivery: Make) -> None:
    for sequence, device in [(1, 1), (2, 2), (3, 1)]:
        lane.add(make_delivery(sequence, device))
    assert sequences(take(lane)) == [1, 3, 2]
    assert lane.take(NOW) is None


def test_device_waits_while_its_batch_is_under_way(lane: Lane, make_delivery: Make) -> None:
    lane.add(make_delivery(1, device=1))
    first = take(lane)
    lane.add(make_delivery(2, device=1))
    lane.add(make_delivery(3, device=2))
    assert sequences(take(lane)) == [3]
    assert lane.take(NOW) is None
    lane.came_back(first, {}, NOW)
    assert sequences(take(lane)) == [2]


def test_batches_under_way_are_limited(make_delivery: Make) -> None:
    lane = Lane(Backoff(), lambda: 1.0, Limits(batch_messages=1, batches=2))
    for device in (1, 2, 3):
        lane.add(make_delivery(device, device))
    assert lane.take(NOW)
    assert lane.take(NOW)
    assert lane.take(NOW) is None
    assert (lane.under_way, lane.queued) == (2, 1)


def test_long_queue_of_a_device_goes_out_in_parts(lane: Lane, make_delivery: Make) -> None:
    for sequence in range(1, 7):
        lane.add(make_delivery(sequence))
    first = take(lane)
    assert sequences(first) == [1, 2, 3, 4]
    assert lane.came_back(first, {}, NOW).delivered == first.deliveries
    assert sequences(take(lane)) == [5, 6]


def test_message_read_back_late_goes_before_those_that_overtook_it(
    lane: Lane, make_delivery: Make
) -> None:
    for sequence in (5, 7, 3, 6):
        lane.add(make_delivery(sequence))
    assert sequences(take(lane)) == [3, 5, 6, 7]


def test_unavailable_message_blocks_its_device_alone(lane: Lane, make_delivery: Make) -> None:
    for sequence, device in [(1, 1), (2, 2), (3, 1)]:
        lane.add(make_delivery(sequence, device))
    batch = take(lane)
    busy = DeliveryUnavailable("busy")
    outcome = lane.came_back(batch, {0: busy, 1: busy}, NOW)
    assert [one.sequence for one in outcome.delivered] == [2]
    lane.add(make_delivery(4, 1))
    lane.add(make_delivery(5, 2))
    assert sequences(take(lane)) == [5]
    assert lane.next_timer() == later(1)
    assert lane.take(later(0.9)) is None
    assert sequences(take(lane, later(1))) == [1, 3, 4]


def test_each_failure_in_a_row_waits_longer(lane: Lane, make_delivery: Make) -> None:
    lane.add(make_delivery(1))
    now, delays = NOW, []
    for _ in range(5):
        lane.came_back(take(lane, now), {0: DeliveryUnavailable("busy")}, now)
        due = lane.next_timer()
        assert due is not None
        delays.append(due - now)
        now = due
    assert delays == [1, 2, 4, 8, 8]
    lane.came_back(take(lane, now), {}, now)
    assert lane.next_timer() is None
    assert lane.queued == 0


def test_rejected_message_makes_way(lane: Lane, make_delivery: Make) -> None:
    for sequence in (1, 2):
        lane.add(make_delivery(sequence))
    batch = take(lane)
    outcome = lane.came_back(batch, {0: DeliveryRejected("too large")}, NOW)
    assert outcome.rejected == [(batch.deliveries[0], "too large", 1)]
    assert outcome.delivered == [batch.deliveries[1]]
    assert lane.take(NOW) is None


def test_message_that_arrived_behind_a_failed_one_is_delivered(
    lane: Lane, make_delivery: Make
) -> None:
    for sequence in (1, 2):
        lane.add(make_delivery(sequence))
    batch = take(lane)
    outcome = lane.came_back(batch, {0: DeliveryUnavailable("busy")}, NOW)
    assert [one.sequence for one in outcome.delivered] == [2]
    assert sequences(take(lane, later(1))) == [1]


def test_dead_output_stops_the_lane_and_is_tried_by_one_batch(
    lane: Lane, make_delivery: Make
) -> None:
    for sequence in range(1, 6):
        lane.add(make_delivery(sequence, device=sequence))
    first, second = take(lane), take(lane)
    assert lane.unavailable(first, NOW) == 1
    assert lane.unavailable(second, later(0.5)) == 0.5
    assert lane.take(later(0.5)) is None
    assert lane.next_timer() == later(1)
    trial = take(lane, later(1))
    assert lane.take(later(1)) is None
    assert lane.unavailable(trial, later(1)) == 2
    trial = take(lane, later(3))
    lane.came_back(trial, {}, later(3))
    assert len(trial.deliveries) + len(take(lane, later(3)).deliveries) == 5


def test_batch_that_was_lost_goes_out_again_in_order(lane: Lane, make_delivery: Make) -> None:
    for sequence in (1, 2):
        lane.add(make_delivery(sequence))
    batch = take(lane)
    lane.add(make_delivery(3))
    lane.unavailable(batch, NOW)
    assert sequences(take(lane, later(1))) == [1, 2, 3]


def test_older_message_that_came_while_a_batch_was_lost_keeps_its_place(
    lane: Lane, make_delivery: Make
) -> None:
    lane.add(make_delivery(5))
    batch = take(lane)
    lane.add(make_delivery(2))
    lane.unavailable(batch, NOW)
    assert sequences(take(lane, later(1))) == [2, 5]


def test_lane_forgets_devices_that_have_nothing(lane: Lane, make_delivery: Make) -> None:
    lane.add(make_delivery(1))
    lane.came_back(take(lane), {}, NOW)
    assert not lane._devices
