from __future__ import annotations

import pytest

from bittern.errors import CommandError
from bittern.lorawan.commands import LinkADRReq, LinkCheckReq, TXParamSetupReq
from bittern.lorawan.commands.base import (
    bits,
    flags,
    frequency_bytes,
    frequency_hz,
    specified_name,
)


def test_bits_do_not_spill() -> None:
    assert bits(5, 3, 4) == 0x50
    for value in (-1, 8):
        with pytest.raises(ValueError, match="does not fit 3 bits"):
            bits(value, 3)


def test_first_flag_is_bit_0() -> None:
    assert flags(True, False, True) == b"\x05"


def test_frequency_is_24_bits_of_100_hz() -> None:
    assert frequency_bytes(868_100_000).hex() == "287684"
    assert frequency_hz(bytes.fromhex("287684")) == 868_100_000
    assert frequency_bytes(0) == bytes(3)


@pytest.mark.parametrize("hz", [868_100_050, -100, 1_677_721_600])
def test_frequency_that_cannot_be_sent_is_refused(hz: int) -> None:
    with pytest.raises(ValueError, match=r"Hz|bits"):
        frequency_bytes(hz)


def test_unpack_wants_just_its_size() -> None:
    assert LinkCheckReq.unpack(b"") == LinkCheckReq()
    for payload in (b"", bytes(3), bytes(5)):
        with pytest.raises(CommandError, match="LinkADRReq has 4 bytes of payload, not"):
            LinkADRReq.unpack(payload)


@pytest.mark.parametrize(
    ("name", "specified"),
    [
        ("ch_mask_cntl", "ChMaskCntl"),
        ("tx_power", "TXPower"),
        ("nb_trans", "NbTrans"),
        ("rx1_dr_offset", "RX1DRoffset"),
        ("frequency_hz", "FrequencyHz"),
    ],
)
def test_fields_are_spelled_as_specified(name: str, specified: str) -> None:
    assert specified_name(name) == specified


def test_command_is_named_as_specified() -> None:
    assert TXParamSetupReq.spec_name() == "TXParamSetupReq"
