from __future__ import annotations

from bittern.store.notes import Note
from bittern.store.summaries import (
    Summary,
    Wanted,
    day_of,
    day_text,
    hour_of,
    hours_of,
    note_name,
    wanted_of,
)
from bittern.types import Instant

MIDNIGHT = 1_767_312_000.0  # 2026-01-02T00:00:00Z


def a_note(body: str, name: str = "dev/2026-01-02") -> Note:
    return Note(kind="summary", name=name, at=Instant(MIDNIGHT), body=body)


def test_summaries_add_up() -> None:
    one = Summary(uplinks=1, lost=2, rssi_dbm={-80: 1}, up_s=1.5, devices=3, gateways=1)
    one.add(Summary(uplinks=2, rssi_dbm={-80: 1, -90: 4}, snr_quarters={30: 1}, devices=4))
    assert one == Summary(
        uplinks=3,
        lost=2,
        rssi_dbm={-80: 2, -90: 4},
        snr_quarters={30: 1},
        up_s=1.5,
        devices=4,
        gateways=1,
    )


def test_what_is_counted_elsewhere_is_not_changed() -> None:
    other = Summary(rssi_dbm={-80: 1})
    one = Summary()
    one.add(other)
    one.add(other)
    assert (one.rssi_dbm, other.rssi_dbm) == ({-80: 2}, {-80: 1})


def test_a_day_survives_its_note_and_is_short() -> None:
    day = {3: Summary(uplinks=4, rssi_dbm={-87: 2}), 17: Summary(down_s=300.0)}
    text = day_text(day)
    assert text == '{"3":{"u":4,"r":{"-87":2}},"17":{"dn":300.0}}'
    assert day_of(a_note(text)) == day
    assert day_of(None) == {}
    hours = hours_of(a_note('{"17":{"u":2},"3":{"u":1}}'))
    assert [(at, one.uplinks) for at, one in hours] == [
        (MIDNIGHT + 3 * 3600, 1),
        (MIDNIGHT + 17 * 3600, 2),
    ]


def test_names_are_in_the_order_of_days() -> None:
    names = [note_name("dev", MIDNIGHT + day * 86_400) for day in range(-3, 400, 7)]
    assert names == sorted(names)
    assert note_name("dev", MIDNIGHT) == "dev/2026-01-02"
    assert note_name("dev", MIDNIGHT - 0.001) == "dev/2026-01-01"
    assert (hour_of(MIDNIGHT), hour_of(MIDNIGHT - 1)) == (0, 23)


def test_nothing_is_wanted_until_somebody_says_so() -> None:
    assert wanted_of(None) == Wanted(enabled=False)
    assert wanted_of(a_note('{"enabled":true}')) == Wanted(enabled=True)
