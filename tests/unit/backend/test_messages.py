from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.backend import messages
from bittern.backend.messages import (
    Answer,
    AppSKeyReq,
    HomeNSAns,
    HomeNSReq,
    JoinAns,
    JoinReq,
    Result,
    Unreadable,
)
from bittern.backend.values import Hex, ResultCode
from bittern.types import EUI64, DevAddr, NetID

HEADER = {
    "ProtocolVersion": "1.1",
    "SenderID": "000013",
    "ReceiverID": "70B3D57ED0000001",
    "TransactionID": 4711,
    "MessageType": "JoinReq",
}
JOIN_REQ = HEADER | {
    "MACVersion": "1.0.3",
    "PHYPayload": "00" * 23,
    "DevEUI": "0102030405060708",
    "DevAddr": "26011234",
    "DLSettings": "02",
    "RxDelay": 1,
    "CFList": "00" * 16,
}


def written(document: object) -> bytes:
    return json.dumps(document).encode()


def test_a_join_req_is_read() -> None:
    read = messages.read_request(written(JOIN_REQ))
    assert read == JoinReq(
        protocol_version="1.1",
        sender_id="000013",
        receiver_id="70B3D57ED0000001",
        transaction_id=4711,
        message_type="JoinReq",
        mac_version="1.0.3",
        phy_payload=Hex(bytes(23)),
        dev_eui=EUI64.from_hex("0102030405060708"),
        dev_addr=DevAddr.from_hex("26011234"),
        dl_settings=Hex(b"\x02"),
        rx_delay=1,
        cf_list=Hex(bytes(16)),
    )


@pytest.mark.parametrize("document", [JOIN_REQ, JOIN_REQ | {"MessageType": "RejoinReq"}])
def test_what_is_written_is_what_was_read(document: dict[str, Any]) -> None:
    read = messages.read_request(written(document))
    assert isinstance(read, JoinReq)
    assert json.loads(messages.encode(read)) == document


def test_the_other_requests_are_read_by_their_type() -> None:
    home = HEADER | {"MessageType": "HomeNSReq", "DevEUI": "0102030405060708"}
    assert isinstance(messages.read_request(written(home)), HomeNSReq)
    key = home | {"MessageType": "AppSKeyReq", "SessionKeyID": "0102"}
    assert isinstance(messages.read_request(written(key)), AppSKeyReq)


def test_members_of_other_versions_are_left_aside() -> None:
    known = messages.read_request(written(JOIN_REQ))
    assert (
        messages.read_request(written(JOIN_REQ | {"SenderNSID": "00", "VSExtension": {}})) == known
    )


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"DevEUI": "01"}, "EUI64 is 16 hexadecimal digits"),
    ({"DevEUI": 7}, "expected text, got int - at `$.DevEUI`"),
    ({"PHYPayload": "xyz"}, "not hexadecimal digits - at `$.PHYPayload`"),
    ({"RxDelay": 16}, "$.RxDelay"),
    ({"RxDelay": -1}, "$.RxDelay"),
    ({"RxDelay": "1"}, "$.RxDelay"),
    ({"DevAddr": None}, "$.DevAddr"),
    ({"TransactionID": 1 << 32}, "$.TransactionID"),
    ({"TransactionID": "7"}, "$.TransactionID"),
    ({"SenderID": ["000013"]}, "$.SenderID"),
    ({"SenderID": "0" * 300}, "$.SenderID"),
    ({"SenderToken": "no"}, "$.SenderToken"),
    ({"MessageType": "PRStartReq"}, "MessageType: a join server takes JoinReq"),
    ({"MessageType": "JoinAns"}, "MessageType: a join server takes JoinReq"),
    ({"MessageType": {}}, "MessageType: a join server takes JoinReq"),
]


@pytest.mark.parametrize(("wrong", "reason"), MALFORMED)
def test_what_is_wrong_is_named(wrong: dict[str, Any], reason: str) -> None:
    read = messages.read_request(written(JOIN_REQ | wrong))
    assert isinstance(read, Unreadable)
    assert read.code is ResultCode.MALFORMED_MESSAGE
    assert reason in read.reason


@pytest.mark.parametrize(
    "missing", sorted(set(JOIN_REQ) - {"CFList", "MessageType", "ProtocolVersion"})
)
def test_a_missing_member_is_named(missing: str) -> None:
    document = {name: value for name, value in JOIN_REQ.items() if name != missing}
    read = messages.read_request(written(document))
    assert isinstance(read, Unreadable)
    assert missing in read.reason


def test_version_1_0_says_malformed_request() -> None:
    read = messages.read_request(written(JOIN_REQ | {"ProtocolVersion": "1.0", "RxDelay": 99}))
    assert isinstance(read, Unreadable)
    assert read.code is ResultCode.MALFORMED_REQUEST


@pytest.mark.parametrize("version", ["2.0", "1", "", None, 1.1, []])
def test_other_versions_are_refused_before_anything_else(version: object) -> None:
    read = messages.read_request(written({"ProtocolVersion": version, "TransactionID": 9}))
    assert isinstance(read, Unreadable)
    assert read.code is ResultCode.INVALID_PROTOCOL_VERSION
    answer = messages.answer_to(read)
    assert (answer.protocol_version, answer.transaction_id) == ("1.1", 9)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff\xfe", b"null", b"[" * 9000, b'{"a":' * 9000]
)
def test_what_is_no_message_has_an_answer_all_the_same(body: bytes) -> None:
    read = messages.read_request(body)
    assert isinstance(read, Unreadable)
    told = json.loads(messages.encode(messages.answer_to(read)))
    assert told["Result"]["ResultCode"] in ("MalformedMessage", "InvalidProtocolVersion")


def test_a_refusal_goes_back_to_its_sender_with_its_token() -> None:
    document = JOIN_REQ | {"MessageType": "RejoinReq", "SenderToken": "0xAB", "RxDelay": 77}
    read = messages.read_request(written(document))
    assert isinstance(read, Unreadable)
    answer = messages.answer_to(read)
    assert answer.message_type == "RejoinAns"
    assert (answer.sender_id, answer.receiver_id) == ("70B3D57ED0000001", "000013")
    assert (answer.transaction_id, answer.receiver_token) == (4711, b"\xab")


def test_an_answer_has_the_header_of_its_request_turned_round() -> None:
    request = messages.read_request(written(JOIN_REQ | {"SenderToken": "AB"}))
    assert isinstance(request, JoinReq)
    answer = JoinAns(**messages.heading(request), result=Result(result_code="Success"))
    assert (answer.sender_id, answer.receiver_id) == (request.receiver_id, request.sender_id)
    assert answer.message_type == "JoinAns"
    assert answer.receiver_token == b"\xab"
    assert messages.read_answer(messages.encode(answer), JoinAns, request) == answer


ASKED = HomeNSReq(
    protocol_version="1.1",
    sender_id="000013",
    receiver_id="70B3D57ED0000001",
    transaction_id=4711,
    message_type="HomeNSReq",
    dev_eui=EUI64.from_int(7),
)
HOME = HEADER | {
    "MessageType": "HomeNSAns",
    "Result": {"ResultCode": "Success"},
    "HNetID": "000013",
}


def test_an_answer_is_read() -> None:
    answer = messages.read_answer(written(HOME), HomeNSAns, ASKED)
    assert isinstance(answer, HomeNSAns)
    assert answer.h_net_id == NetID.from_hex("000013")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"TransactionID": 1}, "an answer to transaction 1, not 4711"),
        ({"MessageType": "JoinAns"}, "a JoinAns for a HomeNSReq"),
        ({"HNetID": "00"}, "cannot be read: NetID is 6 hexadecimal digits"),
        ({"Result": {}}, "cannot be read"),
        ({"Result": "Success"}, "cannot be read"),
    ],
)
def test_an_answer_that_does_not_fit_is_named(wrong: dict[str, Any], reason: str) -> None:
    read = messages.read_answer(written(HOME | wrong), HomeNSAns, ASKED)
    assert isinstance(read, str)
    assert reason in read


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from([*JOIN_REQ, "SenderToken", "SessionKeyID"]), json_values),
    st.sampled_from(["JoinReq", "RejoinReq", "HomeNSReq", "AppSKeyReq", None]),
)
def test_no_message_is_an_exception(wrong: dict[str, Any], kind: str | None) -> None:
    document = JOIN_REQ | wrong | ({} if kind is None else {"MessageType": kind})
    read = messages.read_request(written(document))
    if isinstance(read, Unreadable):
        told = json.loads(messages.encode(messages.answer_to(read)))
        assert told["Result"]["ResultCode"] != "Success"
        assert told["MessageType"].endswith("Ans")


@given(st.binary(max_size=300))
def test_no_bytes_are_an_exception(body: bytes) -> None:
    assert isinstance(messages.read_request(body), Unreadable)
    assert isinstance(messages.read_answer(body, Answer, ASKED), str)
