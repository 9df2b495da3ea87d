"""Every MAC command of LoRaWAN 1.0.x and 1.1: sequences of them to and from bytes.

A sequence is what FOpts or a FRMPayload on FPort 0 holds. A CID that is not known ends it: nobody
can tell where the next command begins (TS001-1.0.4, 5). ``parse_…`` then raises; ``read_…`` gives
the commands before it, too, which a network has to obey.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from bittern.errors import CommandError
from bittern.lorawan.commands.base import DownlinkCommand, MacCommand, UplinkCommand
from bittern.lorawan.commands.downlink import (
    DOWNLINK_COMMANDS,
    MAX_EIRP_DBM,
    ADRParamSetupReq,
    BeaconFreqReq,
    BeaconTimingAns,
    DeviceModeConf,
    DeviceTimeAns,
    DevStatusReq,
    DlChannelReq,
    DutyCycleReq,
    ForceRejoinReq,
    LinkADRReq,
    LinkCheckAns,
    NewChannelReq,
    PingSlotChannelReq,
    PingSlotInfoAns,
    RejoinParamSetupReq,
    RekeyConf,
    ResetConf,
    RXParamSetupReq,
    RXTimingSetupReq,
    TXParamSetupReq,
)
from bittern.lorawan.commands.uplink import (
    UPLINK_COMMANDS,
    ADRParamSetupAns,
    BeaconFreqAns,
    BeaconTimingReq,
    DeviceModeInd,
    DeviceTimeReq,
    DevStatusAns,
    DlChannelAns,
    DutyCycleAns,
    LinkADRAns,
    LinkCheckReq,
    NewChannelAns,
    PingSlotChannelAns,
    PingSlotInfoReq,
    RejoinParamSetupAns,
    RekeyInd,
    ResetInd,
    RXParamSetupAns,
    RXTimingSetupAns,
    TXParamSetupAns,
)

MAX_FOPTS_SIZE = 15

_C = TypeVar("_C", bound=MacCommand)

_UPLINK = {command.CID: command for command in UPLINK_COMMANDS}
_DOWNLINK = {command.CID: command for command in DOWNLINK_COMMANDS}


def parse_uplink_commands(data: bytes) -> list[UplinkCommand]:
    """Raises ``CommandError`` on an unknown CID or a command cut short."""
    return _parse(data, _UPLINK)


def parse_downlink_commands(data: bytes) -> list[DownlinkCommand]:
    """Raises ``CommandError`` on an unknown CID or a command cut short."""
    return _parse(data, _DOWNLINK)


def read_uplink_commands(data: bytes) -> tuple[list[UplinkCommand], CommandError | None]:
    """What can be read, and what ended it early."""
    return _read(data, _UPLINK)


def read_downlink_commands(data: bytes) -> tuple[list[DownlinkCommand], CommandError | None]:
    """What can be read, and what ended it early."""
    return _read(data, _DOWNLINK)


def pack_commands(commands: Iterable[MacCommand]) -> bytes:
    return b"".join([command.pack() for command in commands])


def _parse(data: bytes, known: Mapping[int, type[_C]]) -> list[_C]:
    commands, problem = _read(data, known)
    if problem is not None:
        raise problem
    return commands


def _read(data: bytes, known: Mapping[int, type[_C]]) -> tuple[list[_C], CommandError | None]:
    commands: list[_C] = []
    at = 0
    while at < len(data):
        command = known.get(data[at])
        if command is None:
            return commands, CommandError(f"unknown CID 0x{data[at]:02x} at byte {at}")
        end = at + 1 + command.SIZE
        if end > len(data):
            missing = end - len(data)
            return commands, CommandError(
                f"{command.__name__} at byte {at} lacks {missing} of {command.SIZE} bytes"
            )
        commands.append(command.read(data[at + 1 : end]))
        at = end
    return commands, None


__all__ = [
    "DOWNLINK_COMMANDS",
    "MAX_EIRP_DBM",
    "MAX_FOPTS_SIZE",
    "UPLINK_COMMANDS",
    "ADRParamSetupAns",
    "ADRParamSetupReq",
    "BeaconFreqAns",
    "BeaconFreqReq",
    "BeaconTimingAns",
    "BeaconTimingReq",
    "DevStatusAns",
    "DevStatusReq",
    "DeviceModeConf",
    "DeviceModeInd",
    "DeviceTimeAns",
    "DeviceTimeReq",
    "DlChannelAns",
    "DlChannelReq",
    "DownlinkCommand",
    "DutyCycleAns",
    "DutyCycleReq",
    "ForceRejoinReq",
    "LinkADRAns",
    "LinkADRReq",
    "LinkCheckAns",
    "LinkCheckReq",
    "MacCommand",
    "NewChannelAns",
    "NewChannelReq",
    "PingSlotChannelAns",
    "PingSlotChannelReq",
    "PingSlotInfoAns",
    "PingSlotInfoReq",
    "RXParamSetupAns",
    "RXParamSetupReq",
    "RXTimingSetupAns",
    "RXTimingSetupReq",
    "RejoinParamSetupAns",
    "RejoinParamSetupReq",
    "RekeyConf",
    "RekeyInd",
    "ResetConf",
    "ResetInd",
    "TXParamSetupAns",
    "TXParamSetupReq",
    "UplinkCommand",
    "pack_commands",
    "parse_downlink_commands",
    "parse_uplink_commands",
    "read_downlink_commands",
    "read_uplink_commands",
]
