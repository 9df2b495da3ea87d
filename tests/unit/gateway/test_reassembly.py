"""Frames put together again from a station's messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.gateway import reassembly
from bittern.gateway.lns_messages import DataUp, JoinRequest, Proprietary, Rejoin, UpInfo

HEARD = UpInfo(xtime=1, rssi=-35, snr=9)


def data_up(**fields: object) -> DataUp:
    usual: dict[str, object] = dict(
        mhdr=0x40,
        dev_addr=0x26011BDA,
        fctrl=0x80,
        fcnt=2,
        fopts="",
        fport=1,
        frm_payload="954378762B11FF0D",
        mic=0xE2B10DE0 - 2**32,
        data_rate=5,
        frequency_hz=868100000,
        upinfo=HEARD,
    )
    return DataUp(**(usual | fields))  # type: ignore[arg-type]


def test_data_frame_is_exact() -> None:
    assert reassembly.data_up(data_up()).hex() == "40da1b0126800200" + "01954378762b11ff0d" + (
        "e00db1e2"
    )


def test_negative_dev_addr_is_its_upper_half() -> None:
    frame = reassembly.data_up(data_up(dev_addr=-2, mic=-1))
    assert frame[1:5].hex() == "feffffff"
    assert frame[-4:].hex() == "ffffffff"


def test_frame_without_fport_ends_behind_fopts() -> None:
    frame = reassembly.data_up(data_up(fctrl=0x82, fopts="0307", fport=-1, frm_payload="", mic=1))
    assert frame.hex() == "40da1b0126820200030701000000"


def test_fport_without_payload_is_kept() -> None:
    frame = reassembly.data_up(data_up(fport=0, frm_payload="", mic=1))
    assert frame.hex() == "40da1b01268002000001000000"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"fopts": "03"}, "FOpts has 1 bytes, FCtrl says 0"),
        ({"fctrl": 3}, "FOpts has 0 bytes, FCtrl says 3"),
        ({"fport": -1}, "FRMPayload without FPort"),
        ({"frm_payload": "0"}, "FRMPayload is not hexadecimal"),
        ({"frm_payload": "xy"}, "FRMPayload is not hexadecimal"),
        ({"fopts": "é0"}, "FOpts is not hexadecimal"),
        ({"frm_payload": "00" * 243}, "a frame of 256 bytes"),
    ],
)
def test_fields_that_do_not_fit_together_are_refused(
    fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        reassembly.data_up(data_up(**fields))


def test_largest_frame_is_taken() -> None:
    assert len(reassembly.data_up(data_up(frm_payload="00" * 242))) == 255


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 65535),
    st.binary(max_size=15),
    st.integers(0, 255),
    st.binary(max_size=200),
    st.integers(-(2**31), 2**31 - 1),
)
def test_every_field_stands_where_the_specification_puts_it(
    dev_addr: int, fcnt: int, fopts: bytes, fport: int, frm_payload: bytes, mic: int
) -> None:
    frame = reassembly.data_up(
        data_up(
            dev_addr=dev_addr,
            fctrl=0xA0 | len(fopts),
            fcnt=fcnt,
            fopts=fopts.hex().upper(),
            fport=fport,
            frm_payload=frm_payload.hex().upper(),
            mic=mic,
        )
    )
    behind_fopts = 8 + len(fopts)
    assert frame[0] == 0x40
    assert int.from_bytes(frame[1:5], "little", signed=True) == dev_addr
    assert frame[5] == 0xA0 | len(fopts)
    assert int.from_bytes(frame[6:8], "little") == fcnt
    assert frame[8:behind_fopts] == fopts
    assert frame[behind_fopts] == fport
    assert frame[behind_fopts + 1 : -4] == frm_payload
    assert int.from_bytes(frame[-4:], "little", signed=True) == mic


@pytest.mark.parametrize("spelling", ["", "_capital"])
def test_join_request_is_exact_in_both_spellings(spelling: str) -> None:
    message = JoinRequest(
        mhdr=0,
        dev_nonce=0x0102,
        mic=0x04030201,
        data_rate=5,
        frequency_hz=868100000,
        upinfo=HEARD,
        **{
            f"join_eui{spelling}": "70-B3-D5-7E-D0-00-00-DC",
            f"dev_eui{spelling}": "00-AF-EE-7C-F5-ED-6F-1E",
        },
    )
    assert reassembly.join_request(message).hex() == (
        "00" + "dc0000d07ed5b370" + "1e6fedf57ceeaf00" + "0201" + "01020304"
    )


def test_rejoin_has_the_layout_of_a_join_request() -> None:
    message = Rejoin(
        mhdr=0xC0,
        join_eui="70-B3-D5-7E-D0-00-00-DC",
        dev_eui="00-AF-EE-7C-F5-ED-6F-1E",
        dev_nonce=1,
        mic=1,
        data_rate=5,
        frequency_hz=868100000,
        upinfo=HEARD,
    )
    frame = reassembly.join_request(message)
    assert frame[0] == 0xC0
    assert len(frame) == 23


@pytest.mark.parametrize("field", ["pdu", "pdu_capital"])
def test_rejoin_that_is_given_whole_is_taken_whole(field: str) -> None:
    whole = "C000130000" + "1E6FEDF57CEEAF00" + "0100" + "01020304"
    message = Rejoin(data_rate=5, frequency_hz=868100000, upinfo=HEARD, mhdr=0xC0, **{field: whole})
    assert reassembly.join_request(message) == bytes.fromhex(whole)


def test_rejoin_that_is_no_hexadecimal_is_refused() -> None:
    message = Rejoin(data_rate=5, frequency_hz=868100000, upinfo=HEARD, pdu="C0 and so on")
    with pytest.raises(ValueError, match="PDU is not hexadecimal"):
        reassembly.join_request(message)


def test_join_request_without_eui_is_refused() -> None:
    message = JoinRequest(
        mhdr=0,
        dev_eui="00-AF-EE-7C-F5-ED-6F-1E",
        dev_nonce=1,
        mic=1,
        data_rate=5,
        frequency_hz=868100000,
        upinfo=HEARD,
    )
    with pytest.raises(ValueError, match="JoinEui is absent"):
        reassembly.join_request(message)


def test_proprietary_frame_is_all_there() -> None:
    message = Proprietary(frm_payload="E0010203", data_rate=5, frequency_hz=868100000, upinfo=HEARD)
    assert reassembly.proprietary(message).hex() == "e0010203"
