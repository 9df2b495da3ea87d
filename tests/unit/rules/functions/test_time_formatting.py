from __future__ import annotations

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bittern.rules.functions.time_formatting import format_time, is_format

MOMENT = 1497028786123  # 2017-06-09 17:19:46.123 UTC


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd HH:mm:ss.SSS", "2017-06-09 17:19:46.123"),
        ("G C YYYY y", "AD 20 2017 2017"),
        ("x-'W'ww-e", "2017-W23-5"),
        ("DDD dd d", "160 09 9"),
        ("EEEE, MMMM d", "Friday, June 9"),
        ("KK hh kk", "05 05 17"),
        ("z Z ZZ ZZZ", "UTC +0000 +00:00 UTC"),
    ],
)
def test_letters_of_joda_time(pattern: str, expected: str) -> None:
    assert format_time(pattern, MOMENT, UTC) == expected


def test_a_zone_has_its_name_by_season() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert format_time("HH z ZZZ", MOMENT, berlin) == "19 CEST Europe/Berlin"
    assert format_time("HH z", 0, berlin) == "01 CET"


def test_an_offset_is_its_own_name() -> None:
    half_past = timezone(timedelta(hours=2, minutes=30))
    assert format_time("z ZZZ Z", 0, half_past) == "+02:30 +02:30 +0230"
    assert format_time("z", 0, ZoneInfo("America/Sao_Paulo")) == "-03:00"


def test_midnight_and_noon() -> None:
    assert format_time("h K k H a", 0, UTC) == "12 0 24 0 AM"
    assert format_time("h K k H a", 43_200_000, UTC) == "12 0 12 12 PM"


@pytest.mark.parametrize("moment", [10**30, -(10**30), -(10**14), 253_402_300_800_000])
def test_years_are_1_to_9999(moment: int) -> None:
    assert format_time("yyyy", moment, UTC) is None


def test_the_last_and_first_moments_may_be_out_of_a_zones_calendar() -> None:
    assert format_time("HH", 253_402_300_799_000, ZoneInfo("Asia/Tokyo")) is None
    assert format_time("HH", -62_135_596_800_000, ZoneInfo("America/New_York")) is None


@pytest.mark.parametrize("pattern", ["j", "yyyy-b", "'", "l" * 3])
def test_what_is_no_pattern(pattern: str) -> None:
    assert not is_format(pattern)
    assert format_time(pattern, MOMENT, UTC) is None
