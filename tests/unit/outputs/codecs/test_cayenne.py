from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import CodecError
from bittern.outputs.codecs.cayenne import KINDS, decode, encode

# myDevices Cayenne documentation, "Cayenne Low Power Payload", Examples.
SPECIFIED = [
    ("03670110056700FF", {"temperature_3": 27.2, "temperature_5": 25.5}),
    ("0167FFD7067104D2FB2E0000", {"temperature_1": -4.1, "accelerometer_6": (1.234, -1.234, 0.0)}),
    ("018806765FF2960A0003E8", {"gps_1": (42.3519, -87.9094, 10.0)}),
]
# By the table of types of the same page.
BY_TYPE = [
    ("000001", {"digital_in_0": 1}),
    ("FF01FF", {"digital_out_255": 255}),
    ("0202FF9C", {"analog_in_2": -1.0}),
    ("0303FFFF", {"analog_out_3": -0.01}),
    ("0465FFFF", {"luminosity_4": 65535}),
    ("056601", {"presence_5": 1}),
    ("066865", {"relative_humidity_6": 50.5}),
    ("07732794", {"barometric_pressure_7": 1013.2}),
    ("0886FFFF00018000", {"gyrometer_8": (-0.01, 0.01, -327.68)}),
    ("0964FFFFFFFF", {"generic_sensor_9": 4294967295}),
    ("0A740CE4", {"voltage_10": 33.0}),
    ("0B850000003C", {"unix_time_11": 60}),
    ("", {}),
]
AXES = {"gps": ("latitude", "longitude", "altitude")}


def spelled(values: dict[str, object]) -> dict[str, object]:
    return {
        name: dict(zip(AXES.get(name.rpartition("_")[0], ("x", "y", "z")), value, strict=True))
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }


@pytest.mark.parametrize(("text", "values"), SPECIFIED + BY_TYPE)
def test_bytes_become_the_specified_values_and_these_the_bytes(
    text: str, values: dict[str, object]
) -> None:
    assert decode(bytes.fromhex(text)) == spelled(values)
    assert encode(spelled(values)) == bytes.fromhex(text)


def test_the_later_value_of_a_channel_counts() -> None:
    assert decode(bytes.fromhex("036701100367FFFF")) == {"temperature_3": -0.1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("03", "byte 0: a channel without a type"),
        ("0399", "byte 1: there is no type 153"),
        ("036701", "byte 2: 1 bytes of temperature, which has 2"),
        ("0367011003", "byte 4: a channel without a type"),
    ],
)
def test_bytes_that_are_none_are_refused_with_their_place(text: str, reason: str) -> None:
    with pytest.raises(CodecError, match=reason):
        decode(bytes.fromhex(text))


@pytest.mark.parametrize(
    "data",
    [
        [1],
        {"temperature": 1},
        {"temperature_256": 1},
        {"warmth_1": 1},
        {"temperature_1": "warm"},
        {"temperature_1": 4000},
        {"temperature_1": float("nan")},
        {"temperature_1": float("inf")},
        {"presence_1": -1},
        {"gps_1": 5},
        {"gps_1": {"latitude": 1, "longitude": 2}},
    ],
)
def test_values_that_cannot_be_sent_are_refused(data: object) -> None:
    with pytest.raises(CodecError):
        encode(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_refused(payload: bytes) -> None:
    try:
        values = decode(payload)
    except CodecError:
        return
    assert decode(encode(values)) == values


@given(st.sampled_from(KINDS), st.integers(0, 255), st.data())
def test_every_bit_of_a_value_is_kept(kind: object, channel: int, data: st.DataObject) -> None:
    number, size = kind.number, kind.size  # type: ignore[attr-defined]
    raw = bytes([channel, number]) + data.draw(st.binary(min_size=size, max_size=size))
    assert encode(decode(raw)) == raw
