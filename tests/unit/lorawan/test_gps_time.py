"""GPS time and UTC."""

from __future__ import annotations

from bittern.lorawan.gps_time import gps_time_us, utc_of_gps_us
from bittern.types import Instant


def test_gps_time_is_eighteen_seconds_ahead_of_utc() -> None:
    # 2017-01-01T00:00:00Z, the day of the last leap second, is GPS second 1167264018.
    assert gps_time_us(Instant(1_483_228_800)) == 1_167_264_018_000_000


def test_a_microsecond_of_today_survives_both_ways() -> None:
    at = Instant(1_763_690_000.123456)
    assert gps_time_us(at) % 1_000_000 == 123_456
    assert abs(utc_of_gps_us(gps_time_us(at)) - at) < 1e-6
