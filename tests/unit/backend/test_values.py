from __future__ import annotations

import pytest

from bittern.backend.values import (
    ANSWERED_BY,
    Hex,
    ResultCode,
    from_text,
    spelled,
    to_text,
    version_of,
)
from bittern.lorawan.versions import MacVersion
from bittern.types import EUI64, AppKey, NetID


@pytest.mark.parametrize("text", ["0aFF", "0x0aFF"])
def test_bytes_are_read_with_and_without_a_prefix(text: str) -> None:
    assert from_text(Hex, text) == b"\x0a\xff"


def test_identifiers_are_read_in_their_size() -> None:
    assert from_text(NetID, "0x000013") == NetID.from_hex("000013")
    with pytest.raises(ValueError, match="EUI64 is 16 hexadecimal digits"):
        from_text(EUI64, "0102")


@pytest.mark.parametrize("value", [7, None, ["00"], {}])
def test_bytes_are_text(value: object) -> None:
    with pytest.raises(ValueError, match="expected text"):
        from_text(Hex, value)


def test_what_is_no_hexadecimal_is_not_repeated() -> None:
    """It may be most of a key."""
    with pytest.raises(ValueError, match=r"^not hexadecimal digits$"):
        from_text(Hex, "c0ffee0y")


def test_bytes_are_written_in_upper_case_and_keys_never() -> None:
    assert to_text(b"\xab\xcd") == "ABCD"
    with pytest.raises(TypeError):
        to_text(AppKey(bytes(16)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dev_eui", "DevEUI"),
        ("rx_delay", "RxDelay"),
        ("phy_payload", "PHYPayload"),
        ("s_nwk_s_int_key", "SNwkSIntKey"),
        ("protocol_version", "ProtocolVersion"),
        ("h_net_id", "HNetID"),
    ],
)
def test_names_are_spelled_as_the_specification_has_them(name: str, text: str) -> None:
    assert spelled(name) == text


def test_every_request_has_an_answer_of_its_name() -> None:
    assert all(
        asked.removesuffix("Req") == told.removesuffix("Ans") for asked, told in ANSWERED_BY.items()
    )


def test_results_are_their_words() -> None:
    assert ResultCode("MICFailed") is ResultCode.MIC_FAILED
    assert f"{ResultCode.UNKNOWN_DEV_EUI}" == "UnknownDevEUI"


def test_versions_are_those_of_the_link_layer() -> None:
    assert version_of("1.0.3") is MacVersion.LORAWAN_1_0_3
    assert version_of("1.1") is MacVersion.LORAWAN_1_1
    with pytest.raises(ValueError, match=r"no LoRaWAN 1\.9"):
        version_of("1.9")
