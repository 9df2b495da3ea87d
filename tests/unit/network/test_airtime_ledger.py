import pytest

from bittern.lorawan.regions import plan
from bittern.network.airtime_ledger import GUARD_S, AirtimeLedger, GatewayAirtime, Obstacle, Slot
from bittern.network.airtime_limits import AirtimeLimits
from bittern.testing import examples
from bittern.types import Instant

RX1, RX2, SLOW = 868_100_000, 869_525_000, 867_100_000
NOW = Instant(1000.0)


def account(region: str = "EU868", station: str = "US915") -> GatewayAirtime:
    """Of a station that keeps no pauses, unless a region is named under which it does."""
    return GatewayAirtime(AirtimeLimits(plan(region), station))


def slot(at: float, airtime_s: float = 0.05, frequency_hz: int = RX1) -> Slot:
    return Slot(Instant(at), airtime_s, frequency_hz)


# The radio


@pytest.mark.parametrize(
    ("at", "is_free"),
    [(1000.9, True), (1000.96, False), (1001.0, False), (1001.06, False), (1001.1, True)],
)
def test_a_radio_sends_one_frame_at_a_time(at, is_free):
    radio = account("US915")
    radio.book(1, [slot(1001.0)], NOW)
    assert radio.obstacle(slot(at)) is (None if is_free else Obstacle.RADIO_BUSY)


def test_the_second_window_is_not_kept_free_but_is_booked_when_the_gateway_took_it():
    """Most frames go in their first; if once both are wanted, the station decides."""
    radio = account("US915")
    radio.book(1, [slot(1001.0), slot(1002.0, frequency_hz=RX2)], NOW)
    assert not radio.obstacle(slot(1002.0))
    assert radio.obstacle(slot(1001.0))
    radio.settle(1, RX2, Instant(1002.0))
    assert radio.obstacle(slot(1002.0))
    assert not radio.obstacle(slot(1001.0))


def test_a_frame_that_began_later_than_was_thought_is_accounted_for_when_it_did():
    radio = account(station="EU868")
    radio.book(1, [slot(1001.0)], NOW)
    radio.settle(1, RX1, Instant(1001.3), begun_at=Instant(1001.2))
    assert radio.obstacle(slot(1001.2)) is Obstacle.NO_AIRTIME
    assert radio.free_from(slot(1001.2)) == pytest.approx(1006.2 + GUARD_S)


def test_windows_of_one_frequency_are_told_apart_by_the_time_of_the_report():
    radio = account("US915")
    radio.book(1, [slot(1001.0), slot(1002.0)], NOW)
    radio.settle(1, RX1, Instant(1002.02))
    assert not radio.obstacle(slot(1001.0))
    assert radio.obstacle(slot(1002.0))


def test_a_frame_that_was_not_reported_never_went_on_air():
    radio = account("US915")
    radio.book(1, [slot(1001.0)], NOW)
    radio.release(1)
    assert not radio.obstacle(slot(1001.0))
    assert radio.unreported == 1


def test_the_first_free_time_is_behind_all_that_is_in_the_way():
    radio = account("US915")
    for number, at in enumerate((1001.0, 1001.1, 1001.2)):
        radio.book(number, [slot(at)], NOW)
    assert radio.free_from(slot(1001.0)) == pytest.approx(1001.25 + GUARD_S)
    assert radio.free_from(slot(1000.5)) == 1000.5


# The law


def test_a_band_used_up_is_closed_until_the_first_frame_is_an_hour_old():
    radio = account()
    for number in range(30):
        radio.book(number, [slot(1000 + number * 2, 1.2)], NOW)
        radio.settle(number, RX1, NOW)
    assert radio.share_used(RX1, NOW) == pytest.approx(1.0)
    assert radio.obstacle(slot(2000.0)) is Obstacle.NO_AIRTIME
    assert radio.free_from(slot(2000.0)) == pytest.approx(1000 + 3600)
    assert not radio.obstacle(slot(2000.0, frequency_hz=RX2)), "the other band is open"


def test_what_has_left_the_hour_is_forgotten():
    radio = account()
    radio.book(1, [slot(1000.0, 18.0)], NOW)
    assert radio.share_used(RX1, NOW) == 0.5
    assert radio.share_used(RX1, Instant(4601.0)) == 0.0


def test_the_window_that_was_used_is_the_one_that_counts():
    radio = account()
    radio.book(1, [slot(1001.0, 0.05), slot(1002.0, 1.3, RX2)], NOW)
    assert (radio.share_used(RX1, NOW), radio.share_used(RX2, NOW)) == (0.05 / 36, 0.0)
    radio.settle(1, RX2, Instant(1002.0))
    assert radio.share_used(RX1, NOW) == pytest.approx(0.0)
    assert radio.share_used(RX2, NOW) == pytest.approx(1.3 / 360)


def test_a_booking_that_is_taken_back_costs_nothing():
    radio = account()
    radio.book(1, [slot(1001.0, 20.0)], NOW)
    radio.release(1)
    assert radio.share_used(RX1, NOW) == pytest.approx(0.0)
    assert radio.load(NOW) == 0.0


def test_where_there_is_no_duty_cycle_no_share_is_ever_used():
    radio = account("US915")
    radio.book(1, [slot(1001.0, 400.0)], NOW)
    assert radio.share_used(RX1, NOW) == 0.0


# The station's pauses


def test_a_station_pauses_in_the_whole_band_after_each_frame():
    radio = account(station="EU868")
    radio.book(1, [slot(1001.0, 0.05)], NOW)
    assert radio.free_from(slot(1002.0, frequency_hz=868_500_000)) == pytest.approx(
        1006.0 + GUARD_S
    )
    assert not radio.obstacle(slot(1002.0, frequency_hz=RX2))


def test_after_a_slow_frame_in_the_strictest_band_it_is_silent_there_for_long():
    radio = account(station="EU868")
    radio.book(1, [slot(1001.0, 1.3, SLOW)], NOW)
    assert radio.free_from(slot(1010.0, 1.3, SLOW)) == pytest.approx(2301.0 + GUARD_S)


def test_a_frame_whose_pause_would_reach_the_next_one_waits_behind_it():
    radio = account(station="EU868")
    radio.book(1, [slot(1020.0, 0.05)], NOW)
    assert not radio.obstacle(slot(1010.0, 0.05))
    assert radio.free_from(slot(1016.0, 0.05)) == pytest.approx(1025.0 + GUARD_S)


# Load and reports


def test_load_is_the_share_of_its_time_that_a_gateway_sends():
    radio = account("US915")
    for second in range(0, 600, 10):
        radio.book(second, [slot(1000.0 + second, 2.5)], Instant(1000.0 + second))
    assert radio.load(Instant(1600.0)) == pytest.approx(0.25, rel=0.1)
    assert radio.load(Instant(2800.0)) < 0.001


def test_a_report_ends_the_silence_of_a_gateway():
    radio = account()
    for number in range(2):
        radio.book(number, [slot(1001.0 + number)], NOW)
        radio.release(number)
    assert radio.unreported == 2
    radio.book(3, [slot(1010.0)], NOW)
    radio.settle(3, RX1, NOW)
    assert radio.unreported == 0


def test_a_late_report_of_what_nobody_remembers_changes_nothing():
    radio = account()
    radio.settle(7, RX1, NOW)
    assert radio.share_used(RX1, NOW) == 0.0


def test_frames_that_ended_are_not_kept():
    radio = account("US915")
    for number in range(100):
        radio.book(number, [slot(1000.0 + number)], Instant(1000.0 + number))
    assert list(radio._booked) == [99]


def test_an_account_outlives_a_change_of_its_limits():
    ledger = AirtimeLedger()
    europe, anywhere = AirtimeLimits(plan("EU868"), "EU868"), AirtimeLimits(plan("US915"), "US915")
    first = ledger.account(examples.GATEWAY_EUI, europe)
    assert ledger.account(examples.GATEWAY_EUI, anywhere) is first
    assert first.limits is anywhere
    assert ledger.known(examples.GATEWAY_EUI) is first
    assert list(ledger) == [examples.GATEWAY_EUI]
