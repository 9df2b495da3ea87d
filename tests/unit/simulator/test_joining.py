from __future__ import annotations

import pytest

from bittern.lorawan.crypto import (
    JOIN_REQUEST_TYPE,
    derive_js_enc_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    encrypt_join_accept,
)
from bittern.lorawan.frame import JoinAccept, parse
from bittern.simulator.complaint import Complaint, Objection
from bittern.simulator.joining import OpenJoin, Otaa, is_under
from bittern.types import EUI64, AppKey, DevAddr, DevEUI, JoinEUI, NetID, NwkKey, SNwkSIntKey

DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
NET_ID = NetID.from_hex("000013")
OTAA_1_0 = Otaa(join_eui=JOIN_EUI, app_key=AppKey(bytes([8]) * 16))
OTAA_1_1 = Otaa(join_eui=JOIN_EUI, app_key=AppKey(bytes([8]) * 16), nwk_key=NwkKey(bytes(16)))
SESSION_KEY = SNwkSIntKey(bytes([2]) * 16)
ACCEPT = JoinAccept(join_nonce=5, home_net_id=NET_ID, dev_addr=DevAddr.from_hex("26000001"))


def test_join_request_is_of_its_type() -> None:
    request = parse(OpenJoin(OTAA_1_0, DEV_EUI, 7).request(None, None))
    assert (request.dev_eui, request.join_eui, request.dev_nonce) == (DEV_EUI, JOIN_EUI, 7)


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_rejoin_request_is_of_its_type(rejoin_type: int) -> None:
    open_join = OpenJoin(OTAA_1_1, DEV_EUI, 9, rejoin_type)
    request = parse(open_join.request(NET_ID, SESSION_KEY))
    assert (request.rejoin_type, request.rj_count) == (rejoin_type, 9)
    assert open_join.keeps_radio is (rejoin_type == 2)


def test_rejoin_without_a_nwk_key_is_no_rejoin() -> None:
    with pytest.raises(ValueError, match="take a NwkKey"):
        OpenJoin(OTAA_1_0, DEV_EUI, 9, 1).request(NET_ID, SESSION_KEY)


def test_join_accept_with_another_mic_is_objected_to() -> None:
    frame = parse(encrypt_join_accept(OTAA_1_0.app_key, ACCEPT))
    with pytest.raises(Objection) as caught:
        OpenJoin(OTAA_1_0, DEV_EUI, 7).read(frame)
    assert caught.value.complaint is Complaint.WRONG_MIC


def test_join_accept_of_a_rejoin_is_under_another_key() -> None:
    key = derive_js_enc_key(OTAA_1_1.nwk_key, DEV_EUI)
    frame = parse(encrypt_join_accept(key, ACCEPT))
    with pytest.raises(Objection):
        OpenJoin(OTAA_1_1, DEV_EUI, 7, JOIN_REQUEST_TYPE).read(frame)


def test_keys_are_those_of_the_version() -> None:
    without = OpenJoin(OTAA_1_0, DEV_EUI, 7).derive(ACCEPT)
    assert without == derive_session_keys_1_0(
        OTAA_1_0.app_key, join_nonce=5, net_id=NET_ID, dev_nonce=7
    )
    opt_neg = JoinAccept(5, NET_ID, ACCEPT.dev_addr, opt_neg=True)
    assert OpenJoin(OTAA_1_1, DEV_EUI, 7).derive(opt_neg) == derive_session_keys_1_1(
        OTAA_1_1.nwk_key, OTAA_1_1.app_key, join_nonce=5, join_eui=JOIN_EUI, dev_nonce=7
    )


@pytest.mark.parametrize(
    ("dev_addr", "net_id", "expected"),
    [
        ("01ffffff", "000000", True),
        ("26000000", "000013", True),
        ("28000000", "000013", False),
        ("80000000", "200000", True),
        ("fc012345", "c00004", False),
        ("fc001234", "c00004", True),
        ("fe000080", "e00001", True),
    ],
)
def test_dev_addr_belongs_to_its_net_id(dev_addr: str, net_id: str, expected: bool) -> None:
    assert is_under(DevAddr.from_hex(dev_addr), NetID.from_hex(net_id)) is expected
