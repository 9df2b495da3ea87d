import pytest

from bittern.lorawan.regions import plan
from bittern.network.airtime_limits import AirtimeLimits, Limit


def test_a_european_band_has_its_hour_and_the_pause_of_the_station():
    assert AirtimeLimits(plan("EU868"), "EU868").at(869_525_000) == (
        Limit(("band", 869_400_000), hourly_s=360.0),
        Limit(("station", 10), pause_factor=10),
    )


def test_the_law_and_the_station_draw_the_bands_differently():
    limits = AirtimeLimits(plan("EU868"), "EU868")
    by_law, by_station = (
        list(pair) for pair in zip(limits.at(867_100_000), limits.at(868_100_000), strict=True)
    )
    assert by_law[0].hourly_s == by_law[1].hourly_s == 36.0
    assert [limit.pause_factor for limit in by_station] == [1000, 100]


@pytest.mark.parametrize(("region", "station"), [("US915", "US915"), ("AU915", "AU915")])
def test_where_there_is_no_duty_cycle_there_is_no_limit(region, station):
    chosen = plan(region)
    assert AirtimeLimits(chosen, station).at(chosen.rx2_frequency_hz) == ()


def test_a_station_that_does_not_know_the_region_keeps_no_pause():
    limits = AirtimeLimits(plan("EU868"), "IL915").at(868_100_000)
    assert [limit.pause_factor for limit in limits] == [0]


def test_what_was_found_once_is_kept():
    limits = AirtimeLimits(plan("EU868"), "EU868")
    assert limits.at(868_100_000) is limits.at(868_100_000)
