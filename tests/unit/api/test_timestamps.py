from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bittern.api.timestamps import READERS, WRITERS

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        ("iso8601", "2026-01-02T03:04:05.678000Z", MOMENT),
        ("iso8601", "2026-01-02T04:04:05.678+01:00", MOMENT),
        ("iso8601", "2026-01-02T03:04:05.678000123Z", MOMENT),
        ("iso8601", "2026-01-02T03:04:05.678", MOMENT),
        ("unixTimestamp", 1767323045.678, MOMENT),
        ("unixTimestamp", 1767323045, MOMENT.replace(microsecond=0)),
        ("rfc822", "Fri, 02 Jan 2026 03:04:05 GMT", MOMENT.replace(microsecond=0)),
    ],
)
def test_a_time_is_read(form: str, text: str | float, moment: datetime) -> None:
    assert READERS[form](text) == moment


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ("iso8601", "yesterday"),
        ("iso8601", 5),
        ("iso8601", "0001-01-01T00:00:00+23:00"),
        ("unixTimestamp", "5"),
        ("unixTimestamp", True),
        ("unixTimestamp", math.nan),
        ("unixTimestamp", math.inf),
        ("unixTimestamp", 1e300),
        pytest.param("unixTimestamp", 10**400, id="huge"),
        ("rfc822", "Fri"),
        ("rfc822", ""),
        ("rfc822", None),
    ],
)
def test_what_is_no_time_is_a_value_error(form: str, wrong: object) -> None:
    with pytest.raises(ValueError):
        READERS[form](wrong)


def test_each_form_is_written_in_utc() -> None:
    there = MOMENT.astimezone(timezone(timedelta(hours=5)))
    assert WRITERS["iso8601"](there) == "2026-01-02T03:04:05.678000Z"
    assert WRITERS["unixTimestamp"](there) == 1767323045.678
    assert WRITERS["rfc822"](there) == "Fri, 02 Jan 2026 03:04:05 GMT"


def test_a_whole_second_is_written_as_a_whole_number() -> None:
    written = WRITERS["unixTimestamp"](MOMENT.replace(microsecond=0))
    assert (written, type(written)) == (1767323045, int)
