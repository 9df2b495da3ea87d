from __future__ import annotations

import pytest

from bittern.simulator.station_text import data_fields, data_uri, id6
from bittern.types import EUI64


@pytest.mark.parametrize(
    ("eui", "text"),
    [
        ("0016c001ff000001", "16:c001:ff00:1"),
        ("0000000000000001", "::1"),
        ("0000000000020001", "::2:1"),
        ("0000000000020000", "::2:0"),
        ("0001000000000000", "1::"),
        ("0001000200000000", "1:2::"),
        ("0001000000000002", "1::2"),
        ("0001000000020003", "1:0:2:3"),
        ("0000000100020003", "0:1:2:3"),
    ],
)
def test_id6_shortens_in_five_shapes_only(eui: str, text: str) -> None:
    assert id6(EUI64.from_hex(eui)) == text


def test_data_frame_is_taken_apart_with_signed_numbers() -> None:
    phy = bytes.fromhex("40f17dbe4982000002011a2b3c4dffeeddcc")
    assert data_fields(phy) == {
        "msgtype": "updf",
        "MHdr": 0x40,
        "DevAddr": 0x49BE7DF1,
        "FCtrl": 0x82,
        "FCnt": 0,
        "FOpts": "0201",
        "FPort": 0x1A,
        "FRMPayload": "2B3C4D",
        "MIC": int.from_bytes(bytes.fromhex("ffeeddcc"), "little", signed=True),
    }


def test_absent_port_is_minus_one() -> None:
    fields = data_fields(bytes.fromhex("40f17dbe49000000ffeeddcc"))
    assert (fields["FPort"], fields["FRMPayload"], fields["FOpts"]) == (-1, "", "")


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        ("wss://localhost:8887/router/1", True),
        ("ws://127.0.0.1:80/x", True),
        ("wss://localhost/x", False),
        ("wss://localhost:8887", False),
        ("https://localhost:8887/x", False),
        ("wss://localhost:8887/" + "x" * 120, False),
    ],
)
def test_data_uri_needs_scheme_port_and_path(uri: str, good: bool) -> None:
    assert (data_uri(uri) == uri) is good
