from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from bittern.rules.functions.zones import offset_text, zone


@pytest.mark.parametrize(
    ("name", "minutes"),
    [("Z", 0), ("UTC", 0), ("+05:30", 330), ("-0300", -180), ("GMT+2", 120), ("UTC+01:00", 60)],
)
def test_offsets(name: str, minutes: int) -> None:
    found = zone(name)
    assert found is not None
    assert found.utcoffset(None) == timedelta(minutes=minutes)


@pytest.mark.parametrize("name", ["America/Belize", "PST", "CET", "Asia/Kolkata"])
def test_regions_and_abbreviations(name: str) -> None:
    assert zone(name) not in (None, UTC)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Base",
        "+25:00",
        "+01:75",
        "../etc/passwd",
        "/etc/passwd",
        "a\0b",
        "x" * 200,
        "\ud800",
    ],
)
def test_what_is_no_zone(name: str) -> None:
    assert zone(name) is None


def test_offsets_as_text() -> None:
    assert offset_text(timedelta(minutes=-90), ":") == "-01:30"
    assert offset_text(timedelta(hours=2), "") == "+0200"
