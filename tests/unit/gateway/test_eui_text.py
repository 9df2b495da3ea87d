"""EUI text as Basics Station writes and reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.gateway.eui_text import format_dashed, format_id6, parse_eui
from bittern.types import EUI64

ID6 = [
    ("0016c001ff000001", "16:c001:ff00:1"),
    ("000000000000000d", "::d"),
    ("00000000000c000d", "::c:d"),
    ("000a000000000000", "a::"),
    ("000a000b00000000", "a:b::"),
    ("000a00000000000d", "a::d"),
    ("000a0000000c000d", "a:0:c:d"),
    ("000a000b0000000d", "a:b:0:d"),
    ("0000000b000c000d", "0:b:c:d"),
    ("000a000b000c0000", "a:b:c:0"),
    ("00000000000c0000", "::c:0"),
    ("0000000b00000000", "0:b::"),
    ("0000000000000000", "::0"),
    ("ffffffffffffffff", "ffff:ffff:ffff:ffff"),
]


@pytest.mark.parametrize(("digits", "text"), ID6)
def test_id6_is_written_as_a_station_writes_it(digits: str, text: str) -> None:
    assert format_id6(EUI64.from_hex(digits)) == text


@pytest.mark.parametrize(("digits", "text"), ID6)
def test_id6_is_read(digits: str, text: str) -> None:
    assert parse_eui(text) == EUI64.from_hex(digits)
    assert parse_eui(text.upper()) == EUI64.from_hex(digits)


@pytest.mark.parametrize(
    "text",
    [
        "00-16-C0-01-FF-00-00-01",
        "00-16-c0-01-ff-00-00-01",
        "00:16:c0:01:ff:00:00:01",
        "0016C001FF000001",
        "0016:c001:ff00:0001",
    ],
)
def test_other_spellings_are_read(text: str) -> None:
    assert parse_eui(text) == EUI64.from_hex("0016c001ff000001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "::",
        ":",
        "1:2:3",
        "1:2:3:4:5",
        "1:2:3:4::",
        "::1:2:3:4",
        "1::2::3",
        "1:::2",
        ":1:2:3",
        "1:2:3:",
        "12345:1:1:1",
        "g::1",
        "16-c001-ff00-1",
        "00-16:C0-01-FF-00-00-01",
        "0016c001ff00000",
        "0016c001ff0000011",
        " ::d",
        "::d\n",
        "0x16c001ff000001",
        "\uff11::2",
    ],
)
def test_what_is_no_eui_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="not an EUI-64"):
        parse_eui(text)


def test_dashed_text_is_upper_case_bytes() -> None:
    assert format_dashed(EUI64.from_hex("0016c001ff00000a")) == "00-16-C0-01-FF-00-00-0A"


@given(st.binary(min_size=8, max_size=8).map(EUI64))
def test_both_spellings_come_back(eui: EUI64) -> None:
    assert parse_eui(format_id6(eui)) == eui
    assert parse_eui(format_dashed(eui)) == eui


@given(st.text(alphabet="0123456789abcdefABCDEF:-", max_size=24))
def test_any_text_is_an_eui_or_a_value_error(text: str) -> None:
    try:
        eui = parse_eui(text)
    except ValueError:
        return
    assert parse_eui(format_id6(eui)) == eui
