from bittern.gateway.liveness import SAMPLES_KEPT, Liveness
from bittern.types import Instant


def opened(interval_s: float = 30, timeout_s: float = 20) -> Liveness:
    return Liveness(Instant(0), interval_s=interval_s, timeout_s=timeout_s)


def measured(*samples_s: float) -> Liveness:
    """A ping is answered after each of these times."""
    liveness = opened()
    for sample_s in samples_s:
        asked_at = liveness.next_timer()
        assert liveness.fire(asked_at) == "ping"
        liveness.pong(Instant(asked_at + sample_s))
    return liveness


def test_a_ping_is_due_soon_and_then_regularly() -> None:
    liveness = opened()
    assert liveness.next_timer() == 1
    assert liveness.fire(Instant(0.9)) is None
    assert liveness.fire(Instant(1)) == "ping"
    liveness.heard(Instant(2))
    assert liveness.next_timer() == 31
    assert liveness.fire(Instant(31)) == "ping"


def test_who_says_nothing_after_a_ping_is_gone() -> None:
    liveness = opened()
    liveness.fire(Instant(1))
    assert liveness.next_timer() == 21
    assert liveness.fire(Instant(20.9)) is None
    assert liveness.fire(Instant(21)) == "silent"


def test_further_pings_do_not_prolong_the_silence() -> None:
    liveness = opened(interval_s=5, timeout_s=12)
    assert [liveness.fire(Instant(at)) for at in (1, 6, 11)] == ["ping"] * 3
    assert liveness.next_timer() == 13
    assert liveness.fire(Instant(13)) == "silent"


def test_nothing_is_known_before_the_first_pong() -> None:
    liveness = opened()
    liveness.fire(Instant(1))
    liveness.heard(Instant(1.5))
    assert liveness.round_trip_s is None


def test_the_worst_of_late_counts() -> None:
    assert measured(0.25, 0.75, 0.5).round_trip_s == 0.75


def test_a_bad_moment_is_forgotten() -> None:
    assert measured(5.0, *[0.125] * (SAMPLES_KEPT - 1)).round_trip_s == 5.0
    assert measured(5.0, *[0.125] * SAMPLES_KEPT).round_trip_s == 0.125


def test_a_pong_answers_the_oldest_ping() -> None:
    liveness = opened()
    for at in (1, 31):
        assert liveness.fire(Instant(at)) == "ping"
        liveness.heard(Instant(at))
    liveness.pong(Instant(32))
    assert liveness.round_trip_s == 31
    liveness.pong(Instant(32))
    assert liveness.round_trip_s == 31


def test_a_pong_that_nobody_asked_for_says_nothing() -> None:
    liveness = opened()
    liveness.pong(Instant(5))
    assert liveness.round_trip_s is None
