"""``/update-info``: what stations send is read, and what they refuse is never sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.errors import GatewayProtocolError
from bittern.gateway.cups import (
    HEADER_LIMIT,
    IMAGE_LIMIT,
    NOTHING,
    CupsAnswer,
    CupsRequest,
    check_uri,
    encode,
    head,
    read_answer,
    read_request,
)
from bittern.types import EUI64, GatewayEUI, Refusal

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))

# As a station 2.0.6 writes it, members in its order.
GENUINE = (
    b'{"router":"16:c001:ff00:1","cupsUri":"https://127.0.0.1:8443","tcUri":null,'
    b'"cupsCredCrc":3735928559,"tcCredCrc":2077607535,'
    b'"station":"2.0.6(linux/testsim) 2026-11-20 10:00:00","model":"linux","package":null,'
    b'"keys":[305419896]}'
)


def request(**changes: object) -> bytes:
    told = json.loads(GENUINE) | changes
    return json.dumps({name: value for name, value in told.items() if value != ...}).encode()


def test_a_genuine_request_is_read() -> None:
    assert read_request(GENUINE) == CupsRequest(
        gateway_eui=GATEWAY,
        cups_uri="https://127.0.0.1:8443",
        lns_uri="",
        cups_crc=0xDEADBEEF,
        lns_crc=2077607535,
        station="2.0.6(linux/testsim) 2026-11-20 10:00:00",
        model="linux",
        package="",
        key_crcs=(0x12345678,),
    )


@pytest.mark.parametrize(
    "router", ["16:c001:ff00:1", "00-16-C0-01-FF-00-00-01", " 0016c001ff000001", 6403564293324801]
)
def test_the_gateway_is_told_in_any_form_of_an_eui(router: object) -> None:
    assert read_request(request(router=router)).gateway_eui == GATEWAY


def test_what_need_not_be_there_may_be_missing() -> None:
    bare = read_request(b'{"router":"::1","cupsCredCrc":0,"tcCredCrc":4294967295}')
    assert (bare.cups_uri, bare.station, bare.key_crcs) == ("", "", ())
    assert bare.lns_crc == 0xFFFF_FFFF


def test_nulls_are_nothing() -> None:
    told = read_request(request(cupsUri=None, station=None, model=None, keys=None))
    assert (told.cups_uri, told.station, told.model, told.key_crcs) == ("", "", "", ())


def test_blanks_around_text_are_dropped_and_those_within_are_kept() -> None:
    told = read_request(request(package=" 1.0  b\r\n", model="a\x00b\x1b[2J"))
    assert told.package == "1.0  b"
    assert told.model == "a\ufffdb\ufffd[2J"


def test_unknown_fields_are_passed_over() -> None:
    assert read_request(request(os="linux", more={"x": [1]})) == read_request(GENUINE)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "truncated"),
        (b"[]", "array"),
        (b"\xff", "malformed"),
        (b"[" * 100_000, ""),
        (request(router=...), "router"),
        (request(router=None), r"\$\.router"),
        (request(cupsCredCrc=...), "cupsCredCrc"),
        (request(tcCredCrc=-1), r"\$\.tcCredCrc"),
        (request(tcCredCrc=2**32), r"\$\.tcCredCrc"),
        (request(cupsUri=1), r"\$\.cupsUri"),
        (request(model="x" * 256), r"\$\.model"),
        (request(keys=["1"]), r"\$\.keys"),
        (request(keys=[1] * 65), r"\$\.keys"),
    ],
)
def test_a_malformed_request_names_what_did_not_match(body: bytes, named: str) -> None:
    with pytest.raises(GatewayProtocolError, match=f"^CUPS request: .*{named}") as caught:
        read_request(body)
    assert caught.value.refusal is Refusal.MALFORMED_MESSAGE


@pytest.mark.parametrize("router", ["", "x", "16:c001:ff00:1:2", -1, 2**64 - 1 + 1])
def test_a_malformed_eui_has_its_own_refusal(router: object) -> None:
    with pytest.raises(GatewayProtocolError) as caught:
        read_request(request(router=router))
    assert caught.value.refusal is Refusal.MALFORMED_GATEWAY_EUI


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(sorted(json.loads(GENUINE)))


@given(
    st.binary()
    | st.builds(lambda changes: request(**changes), st.dictionaries(fields, json_values))
)
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    try:
        told = read_request(body)
    except GatewayProtocolError as error:
        assert error.refusal in (Refusal.MALFORMED_MESSAGE, Refusal.MALFORMED_GATEWAY_EUI)
    else:
        assert len(told.gateway_eui) == 8
        assert (told.station + told.model + told.package).isprintable()


@given(st.integers(0, len(GENUINE) - 1), st.integers(0, 255))
def test_a_request_with_one_wrong_byte_is_read_or_refused(at: int, byte: int) -> None:
    body = GENUINE[:at] + bytes([byte]) + GENUINE[at + 1 :]
    try:
        read_request(body)
    except GatewayProtocolError as error:
        assert str(error).startswith("CUPS request: ")


def test_no_change_is_fourteen_zero_bytes() -> None:
    assert encode(CupsAnswer()) == NOTHING == bytes(14)


def test_each_part_stands_behind_its_length() -> None:
    answer = CupsAnswer("https://c:1", "wss://l:2", b"\x30" * 3, b"\x31" * 258, b"s" * 9)
    assert encode(answer, b"image") == (
        b"\x0bhttps://c:1" + b"\x09wss://l:2" + b"\x03\x00" + b"\x30" * 3
        + b"\x02\x01" + b"\x31" * 258 + b"\x09\x00\x00\x00" + b"s" * 9
        + b"\x05\x00\x00\x00" + b"image"
    )  # fmt: skip


def test_the_head_tells_of_an_image_that_follows() -> None:
    answer = CupsAnswer(signature=bytes(75))
    assert head(answer, 5) + b"image" == encode(answer, b"image")
    assert head(answer, IMAGE_LIMIT).endswith(b"\xff\xff\xff\x7f")


def test_both_uris_are_within_what_a_station_reads_first() -> None:
    longest = CupsAnswer("https://" + "c" * 117 + ":1", "wss://" + "l" * 119 + ":1")
    assert HEADER_LIMIT + len(encode(longest)) - 12 < 8192


@pytest.mark.parametrize(
    ("answer", "image_length", "reason"),
    [
        (CupsAnswer(cups_uri="https://c"), 0, "port"),
        (CupsAnswer(lns_uri="https://c:1"), 0, "wss"),
        (CupsAnswer(cups_credentials=bytes(65536)), 0, "65535 bytes"),
        (CupsAnswer(lns_credentials=bytes(65536)), 0, "65535 bytes"),
        (CupsAnswer(signature=bytes(7)), 1, "8 to 132"),
        (CupsAnswer(signature=bytes(133)), 1, "8 to 132"),
        (CupsAnswer(signature=bytes(75)), 0, "go together"),
        (CupsAnswer(), 1, "go together"),
        (CupsAnswer(signature=bytes(75)), 2**31, "2 GiB"),
        (CupsAnswer(signature=bytes(75)), -1, "2 GiB"),
    ],
)
def test_what_a_station_would_refuse_is_not_sent(
    answer: CupsAnswer, image_length: int, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        head(answer, image_length)


@pytest.mark.parametrize(
    "uri",
    [
        "wss://lns.example.org:8887",
        "WSS://LNS:1",
        "wss://127.0.0.1:65535",
        "wss://" + "a" * 119 + ":1",
    ],
)
def test_uris_that_a_station_takes(uri: str) -> None:
    check_uri(uri, "lns")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "lns:8887",
        "ws://lns:8887",
        "https://lns:8887",
        "wss://lns",
        "wss://lns:",
        "wss://:8887",
        "wss://lns:0",
        "wss://lns:65536",
        "wss://lns:99999999999999",
        "wss://lns:8887/",
        "wss://lns:8887/path",
        "wss://lns:8887?x",
        "wss://user@lns:8887",
        "wss://lns :8887",
        "wss://lns:8887\n",
        "wss://lns:８８",  # noqa: RUF001 — digits, and none that a station reads
        "wss://bücher:8887",
        "wss://[::1]:8887",
        "wss://" + "a" * 120 + ":1",
    ],
)
def test_uris_that_a_station_does_not_take(uri: str) -> None:
    with pytest.raises(ValueError, match=r"URI|HOST:PORT"):
        check_uri(uri, "lns")


def test_an_answer_does_not_print_what_is_secret() -> None:
    printed = repr(CupsAnswer("https://c:1", cups_credentials=b"secret", lns_credentials=b"secret"))
    assert "https://c:1" in printed
    assert "secret" not in printed


uris = st.sampled_from(["", "https://c.example.org:443"])


@given(
    uris,
    st.sampled_from(["", "wss://l.example.org:8887"]),
    st.binary(max_size=600),
    st.binary(max_size=600),
    st.binary(min_size=8, max_size=132),
    st.binary(max_size=600),
)
def test_an_answer_is_taken_as_it_was_meant(
    cups_uri: str, lns_uri: str, cups: bytes, lns: bytes, signature: bytes, image: bytes
) -> None:
    answer = CupsAnswer(cups_uri, lns_uri, cups, lns, signature if image else b"")
    assert read_answer(encode(answer, image)) == (answer, image)
    assert read_answer(encode(answer, image) + b"more") == (answer, image)


@given(st.binary(max_size=64))
def test_whatever_is_answered_is_taken_or_refused(body: bytes) -> None:
    try:
        read_answer(body)
    except ValueError:
        assert body != NOTHING


@pytest.mark.parametrize("length", range(14))
def test_an_answer_cut_short_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="ends within"):
        read_answer(NOTHING[:length])


@pytest.mark.parametrize("size", [7, 133])
def test_a_station_takes_no_signature_of_another_size(size: int) -> None:
    body = bytes(6) + size.to_bytes(4, "little") + bytes(size) + bytes(4)
    with pytest.raises(ValueError, match="8 to 132"):
        read_answer(body)
