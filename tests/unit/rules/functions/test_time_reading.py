from __future__ import annotations

import pytest

from bittern.rules.functions.time_reading import is_format, read_time

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("1970-01-02", "yyyy-MM-dd", DAY),
        ("00-1-2", "yy-M-d", 10958 * DAY),
        ("1970-01-01T24:00", "yyyy-MM-dd'T'HH:mm", DAY),
        ("1970-01-01 12 AM", "yyyy-MM-dd hh a", 0),
        ("1970-01-01 12 PM", "yyyy-MM-dd hh a", DAY // 2),
        ("1970-01-01 00 PM", "yyyy-MM-dd KK a", DAY // 2),
        ("1970-01-01 24", "yyyy-MM-dd kk", 0),
        ("1970-01-01 00:00:00.5", "yyyy-MM-dd HH:mm:ss.S", 500),
        ("1970-01-01 00:00:00.123456789", "yyyy-MM-dd HH:mm:ss.SSSSSSSSS", 123),
        ("AD 1970 Jan 1", "G uuuu MMM d", 0),
        ("1970-01-01GMT+1", "yyyy-MM-ddO", -DAY // 24),
        ("1970-01-01-01", "yyyy-MM-ddx", DAY // 24),
        ("1970-01-01+05:30", "yyyy-MM-ddXXX", -19_800_000),
        ("1970-01-01 00:00 CET", "yyyy-MM-dd HH:mm z", -DAY // 24),
        ("1970-01-01", "yyyy-MM-dd[ HH:mm]", 0),
        ("2020-02-31", "yyyy-MM-dd", 18321 * DAY),
    ],
)
def test_letters_of_java(text: str, pattern: str, expected: int) -> None:
    assert read_time(text, pattern) == expected


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("1970-1-1", "yyyy-MM-dd"),
        ("1970-01-32", "yyyy-MM-dd"),
        ("1970-00-01", "yyyy-MM-dd"),
        ("1970-01-01 25", "yyyy-MM-dd HH"),
        ("1970-01-01 24:01", "yyyy-MM-dd HH:mm"),
        ("1970-01-01 00:60", "yyyy-MM-dd HH:mm"),
        ("1970-01-01 05", "yyyy-MM-dd hh"),
        ("1970-01-01 13 AM", "yyyy-MM-dd hh a"),
        ("1970-01", "yyyy-MM"),
        ("01-01", "MM-dd"),
        ("1970-366", "yyyy-DDD"),
        ("0000-01-01", "yyyy-MM-dd"),
        ("1970-01-01 XYZ", "yyyy-MM-dd z"),
        ("1970-01-01", ""),
        ("\ud800", "yyyy"),
        ("1" * 1000, "y"),
    ],
)
def test_what_does_not_fit_is_no_time(text: str, pattern: str) -> None:
    assert read_time(text, pattern) is None


@pytest.mark.parametrize("pattern", ["bb", "yyyy yyyy", "HHH", "V", "[yyyy", "SSSSSSSSSS"])
def test_what_is_no_pattern(pattern: str) -> None:
    assert not is_format(pattern)
    assert read_time("1", pattern) is None
