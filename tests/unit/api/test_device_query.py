from __future__ import annotations

import time

import pytest

from bittern.api.device_query import FIELDS, QueryNotUnderstood, parse

METER = {
    "DeviceName": "meter-7",
    "DeviceProfileName": "MyWirelessDevice",
    "DeviceProfileId": "d6d8ef8e-7045-496d-b3f4-ebcaa1d564bf",
    "DevEui": "70b3d57ed0000001",
    "tags.site": "north wing",
}


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("DeviceName: meter-7", True),
        ("DeviceName:meter-7", True),
        ("devicename : meter-7", True),
        ("DeviceName: Meter-7", False),
        ("DeviceName: meter", False),
        ("DeviceName: m*", True),
        ("DeviceName: *-?", True),
        ("DeviceName: *-??", False),
        ("DeviceName: meter-[7]", False),
        ("DevEui: 70B3D57ED0000001", True),
        ("DevEui: 70B3*", True),
        ('tags.site: "north wing"', True),
        ("tags.site: north*", True),
        ("Tags.Site: north*", False),
        ("ThingName: *", False),
        (
            "DeviceProfileName: MyWirelessDevice AND "
            "DeviceProfileId: d6d8ef8e-7045-496d-b3f4-ebcaa1d564bf",
            True,
        ),
        ("DeviceName: x OR DeviceName: m*", True),
        ("DeviceName: m* DevEui: ff*", False),
        ("DeviceName: m* OR DevEui: ff* AND DevEui: ee*", True),
        ("(DeviceName: m* OR DevEui: ff*) AND DevEui: ee*", False),
        ("NOT DeviceName: x", True),
        ("NOT NOT DeviceName: x", False),
        ("DeviceName: m* NOT (DevEui: 70*)", False),
        ("NOT ThingName: *", True),
    ],
)
def test_a_query_holds_or_not(query: str, holds: bool) -> None:
    assert parse(query).matches(METER) == holds


def test_quotes_hold_what_would_end_a_value() -> None:
    query = parse(r'DeviceName: "a (\"b\") AND c"')
    assert query.matches({"DeviceName": 'a ("b") AND c'})
    assert parse('DeviceName: ""').matches({"DeviceName": ""})


def test_a_query_tells_what_it_asks_for() -> None:
    query = parse("NOT devicename: a OR (tags.Site: b AND DevEui: c)")
    assert query.fields == {"DeviceName", "tags.Site", "DevEui"}


def test_every_field_is_understood() -> None:
    for field in FIELDS.values():
        assert parse(f"{field}: x").matches({field: "x"})


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Colour: red", "the field 'Colour' is not known; known are DeviceName, DeviceProfileId"),
        ("tags.: x", "the field 'tags.' is not known"),
        ("meter-7", "'meter-7' is not understood: a term is of the form Field: value"),
        ("DeviceName:", "'DeviceName:' is not understood"),
        ('DeviceName: "a', "'DeviceName: \"a' is not understood"),
        ("x" * 50, "…' is not understood"),
        ("", "it ends where a term is expected"),
        ("DeviceName: a AND", "it ends where a term is expected"),
        ("DeviceName: a OR OR DeviceName: b", "'OR' at position 18, where a term is expected"),
        ("(DeviceName: a", "it ends where a closing bracket is expected"),
        ("DeviceName: a)", "')' at position 14, where AND, OR or the end is expected"),
        ("(" * 30 + "DeviceName: a" + ")" * 30, "it is nested more than 20 times"),
    ],
)
def test_what_is_not_understood_is_named(query: str, said: str) -> None:
    with pytest.raises(QueryNotUnderstood) as refusal:
        parse(query)
    assert said in str(refusal.value)


def test_many_wildcards_take_no_longer() -> None:
    query = parse("DeviceName: " + "*a" * 500 + "b")
    before = time.process_time()
    assert not query.matches({"DeviceName": "a" * 256})
    assert time.process_time() - before < 1
