from __future__ import annotations

import pytest

from bittern.errors import CommandError
from bittern.lorawan.commands import (
    DOWNLINK_COMMANDS,
    UPLINK_COMMANDS,
    DevStatusAns,
    DevStatusReq,
    LinkADRAns,
    LinkADRReq,
    LinkCheckReq,
    pack_commands,
    parse_downlink_commands,
    parse_uplink_commands,
    read_downlink_commands,
    read_uplink_commands,
)


def test_sequence_is_read_in_order() -> None:
    assert parse_uplink_commands(bytes.fromhex("020307" + "06ff0a")) == [
        LinkCheckReq(),
        LinkADRAns(),
        DevStatusAns(255, 10),
    ]


def test_no_bytes_are_no_commands() -> None:
    assert parse_uplink_commands(b"") == []
    assert read_downlink_commands(b"") == ([], None)


def test_a_cid_means_another_command_in_the_other_direction() -> None:
    assert parse_downlink_commands(b"\x06") == [DevStatusReq()]
    with pytest.raises(CommandError):
        parse_uplink_commands(b"\x06")


def test_commands_before_an_unknown_one_still_count() -> None:
    commands, problem = read_uplink_commands(bytes.fromhex("02" + "80aabb"))
    assert commands == [LinkCheckReq()]
    assert str(problem) == "unknown CID 0x80 at byte 1"


def test_commands_before_one_cut_short_still_count() -> None:
    commands, problem = read_downlink_commands(bytes.fromhex("06" + "035204"))
    assert commands == [DevStatusReq()]
    assert str(problem) == "LinkADRReq at byte 1 lacks 2 of 4 bytes"


@pytest.mark.parametrize("wire", ["80", "0280", "03"])
def test_parsing_refuses_what_it_cannot_read_whole(wire: str) -> None:
    with pytest.raises(CommandError):
        parse_uplink_commands(bytes.fromhex(wire))


def test_commands_are_packed_one_after_another() -> None:
    packed = pack_commands([DevStatusReq(), LinkADRReq(5, 0, 7)])
    assert packed.hex() == "06" + "0350070001"
    assert parse_downlink_commands(packed) == [DevStatusReq(), LinkADRReq(5, 0, 7)]


@pytest.mark.parametrize("known", [UPLINK_COMMANDS, DOWNLINK_COMMANDS])
def test_each_cid_is_taken_once(known: tuple[type, ...]) -> None:
    cids = [command.CID for command in known]  # type: ignore[attr-defined]
    assert cids == sorted(set(cids))
