from __future__ import annotations

import pytest

from bittern.errors import FrameError
from bittern.lorawan.frame import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    JoinAccept,
    JoinRequest,
    MType,
    Proprietary,
    RejoinRequest,
    parse,
    parse_join_accept,
)
from bittern.types import EUI64, DevAddr, DevEUI, JoinEUI, NetID

MIC = bytes.fromhex("2b11ff0d")
DEV_ADDR = DevAddr.from_hex("49be7df1")
UPLINK = bytes.fromhex("40f17dbe4900020001954378762b11ff0d")
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001b7ad2"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))


def test_uplink_is_read_field_by_field() -> None:
    assert parse(UPLINK) == DataUp(
        mtype=MType.UNCONFIRMED_DATA_UP,
        dev_addr=DEV_ADDR,
        fcnt16=2,
        fport=1,
        frm_payload=bytes.fromhex("95437876"),
        mic=MIC,
    )


@pytest.mark.parametrize(
    ("fctrl", "field"), [(0x80, "adr"), (0x40, "adr_ack_req"), (0x20, "ack"), (0x10, "class_b")]
)
def test_each_uplink_flag_is_a_bit_of_fctrl(fctrl: int, field: str) -> None:
    frame = parse(UPLINK[:5] + bytes((fctrl,)) + UPLINK[6:])
    assert isinstance(frame, DataUp)
    flags = {name: getattr(frame, name) for name in ("adr", "adr_ack_req", "ack", "class_b")}
    assert flags == {name: name == field for name in flags}
    assert frame.fctrl == fctrl


@pytest.mark.parametrize(("fctrl", "field"), [(0x80, "adr"), (0x20, "ack"), (0x10, "fpending")])
def test_each_downlink_flag_is_a_bit_of_fctrl(fctrl: int, field: str) -> None:
    frame = parse(b"\x60" + UPLINK[1:5] + bytes((fctrl,)) + UPLINK[6:])
    assert isinstance(frame, DataDown)
    flags = {name: getattr(frame, name) for name in ("adr", "ack", "fpending")}
    assert flags == {name: name == field for name in flags}
    assert frame.fctrl == fctrl


@pytest.mark.parametrize(
    ("mhdr", "kind", "confirmed"),
    [(0x40, DataUp, False), (0x80, DataUp, True), (0x60, DataDown, False), (0xA0, DataDown, True)],
)
def test_mtype_tells_direction_and_confirmation(mhdr: int, kind: type, confirmed: bool) -> None:
    frame = parse(bytes((mhdr,)) + UPLINK[1:])
    assert isinstance(frame, kind)
    assert isinstance(frame, DataUp | DataDown)
    assert frame.confirmed is confirmed
    assert frame.mhdr == mhdr
    assert frame.to_bytes() == bytes((mhdr,)) + UPLINK[1:]


def test_fopts_end_where_fport_begins() -> None:
    frame = parse(UPLINK[:5] + b"\x03" + UPLINK[6:8] + b"\x02\x06\x0d" + UPLINK[8:])
    assert isinstance(frame, DataUp)
    assert (frame.fopts, frame.fport) == (b"\x02\x06\x0d", 1)
    assert frame.frm_payload == bytes.fromhex("95437876")


def test_frame_without_fport_has_no_payload() -> None:
    frame = parse(UPLINK[:8] + MIC)
    assert isinstance(frame, DataUp)
    assert (frame.fport, frame.frm_payload) == (None, b"")
    assert frame.to_bytes() == UPLINK[:8] + MIC


def test_fport_with_an_empty_payload_is_kept() -> None:
    frame = parse(UPLINK[:9] + MIC)
    assert isinstance(frame, DataUp)
    assert (frame.fport, frame.frm_payload) == (1, b"")
    assert frame.to_bytes() == UPLINK[:9] + MIC


@pytest.mark.parametrize(
    ("phy_payload", "reason"),
    [
        (b"", "PHYPayload of 0 bytes has no room for MHDR and MIC"),
        (b"\x40\x00\x00\x00", "PHYPayload of 4 bytes has no room for MHDR and MIC"),
        (b"\x40" + bytes(255), "PHYPayload of 256 bytes; a radio frame has at most 255"),
        (b"\x41" + UPLINK[1:], "Major 1 in MHDR 0x41; LoRaWAN R1 is 0"),
        (UPLINK[:7] + MIC, "data frame of 11 bytes; MHDR, FHDR and MIC alone are 12"),
        (
            UPLINK[:5] + b"\x06" + UPLINK[6:],
            "FOptsLen 6 reaches beyond the frame of 17 bytes",
        ),
        (
            UPLINK[:5] + b"\x01" + UPLINK[6:8] + b"\x02\x00" + MIC,
            "FPort 0 together with FOpts",
        ),
        (bytes(22), "join-request of 22 bytes; it has 23"),
        (bytes(24), "join-request of 24 bytes; it has 23"),
        (b"\x20" + bytes(20), "join-accept of 21 bytes; it has 17, or 33 with a CFList"),
        (b"\xc0\x03" + bytes(17), "rejoin-request of type 3; there are 0, 1 and 2"),
        (b"\xc0\x00" + bytes(22), "rejoin-request of type 0 has 19 bytes, this one 24"),
        (b"\xc0\x01" + bytes(17), "rejoin-request of type 1 has 24 bytes, this one 19"),
    ],
)
def test_what_does_not_fit_is_said(phy_payload: bytes, reason: str) -> None:
    with pytest.raises(FrameError) as error:
        parse(phy_payload)
    assert str(error.value) == reason


def test_reserved_bits_are_ignored_and_not_written() -> None:
    frame = parse(b"\x5c" + UPLINK[1:])
    assert isinstance(frame, DataUp)
    assert frame.to_bytes() == UPLINK


def test_largest_frame_is_accepted() -> None:
    frame = parse(UPLINK[:9] + bytes(242) + MIC)
    assert isinstance(frame, DataUp)
    assert len(frame.frm_payload) == 242


def test_join_request_is_read_and_written() -> None:
    phy_payload = bytes.fromhex("00010000d07ed5b370d27a1b000ba304003412") + MIC
    frame = parse(phy_payload)
    assert frame == JoinRequest(JOIN_EUI, DEV_EUI, 0x1234, MIC)
    assert frame.to_bytes() == phy_payload
    assert frame.mhdr == 0x00


@pytest.mark.parametrize("rejoin_type", [0, 2])
def test_rejoin_request_of_types_0_and_2_names_the_network(rejoin_type: int) -> None:
    phy_payload = bytes((0xC0, rejoin_type)) + bytes.fromhex("563412d27a1b000ba304000500") + MIC
    frame = parse(phy_payload)
    assert frame == RejoinRequest(rejoin_type, DEV_EUI, 5, NetID.from_hex("123456"), None, MIC)
    assert frame.to_bytes() == phy_payload
    assert frame.mhdr == 0xC0


def test_rejoin_request_of_type_1_names_the_join_server() -> None:
    phy_payload = bytes.fromhex("c001010000d07ed5b370d27a1b000ba30400ff01") + MIC
    frame = parse(phy_payload)
    assert frame == RejoinRequest(1, DEV_EUI, 0x01FF, None, JOIN_EUI, MIC)
    assert frame.to_bytes() == phy_payload


def test_join_accept_is_not_opened() -> None:
    phy_payload = b"\x20" + bytes(range(32))
    frame = parse(phy_payload)
    assert frame == EncryptedJoinAccept(bytes(range(32)))
    assert frame.to_bytes() == phy_payload
    assert frame.mhdr == 0x20


def test_clear_join_accept_is_read_and_written() -> None:
    clear = bytes.fromhex("20030201563412f17dbe49d305") + MIC
    accept = JoinAccept(
        join_nonce=0x010203,
        home_net_id=NetID.from_hex("123456"),
        dev_addr=DEV_ADDR,
        opt_neg=True,
        rx1_dr_offset=5,
        rx2_data_rate=3,
        rx_delay=5,
        mic=MIC,
    )
    assert parse_join_accept(clear) == accept
    assert accept.to_bytes() == clear
    assert accept.mhdr == 0x20


def test_cf_list_follows_the_rx_delay() -> None:
    cf_list = bytes(range(15)) + b"\x00"
    clear = bytes.fromhex("20030201563412f17dbe490001") + cf_list + MIC
    accept = parse_join_accept(clear)
    assert (accept.cf_list, accept.mic) == (cf_list, MIC)
    assert accept.to_bytes() == clear


@pytest.mark.parametrize("clear", [b"", b"\x20" + bytes(15), b"\x20" + bytes(17), bytes(17)])
def test_what_is_no_clear_join_accept_is_refused(clear: bytes) -> None:
    with pytest.raises(FrameError, match="join-accept"):
        parse_join_accept(clear)


def test_proprietary_frame_keeps_its_bytes() -> None:
    frame = parse(b"\xe0hello" + MIC)
    assert frame == Proprietary(b"hello", MIC)
    assert frame.to_bytes() == b"\xe0hello" + MIC


def test_mtypes_are_spelled_as_in_the_specification() -> None:
    assert [mtype.spec_name for mtype in MType] == [
        "JoinRequest",
        "JoinAccept",
        "UnconfirmedDataUp",
        "UnconfirmedDataDown",
        "ConfirmedDataUp",
        "ConfirmedDataDown",
        "RejoinRequest",
        "Proprietary",
    ]


def test_frame_that_cannot_be_on_air_is_not_written() -> None:
    with pytest.raises(AssertionError, match="four bits"):
        DataUp(MType.UNCONFIRMED_DATA_UP, DEV_ADDR, fopts=bytes(16)).to_bytes()
    with pytest.raises(AssertionError, match="needs an FPort"):
        DataUp(MType.UNCONFIRMED_DATA_UP, DEV_ADDR, frm_payload=b"x").to_bytes()
