from __future__ import annotations

import pytest

from bittern.lorawan.commands import (
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
    UplinkCommand,
    parse_uplink_commands,
)

CASES: list[tuple[str, UplinkCommand]] = [
    ("0101", ResetInd(minor=1)),
    ("02", LinkCheckReq()),
    ("0301", LinkADRAns(channel_mask_ack=True, data_rate_ack=False, power_ack=False)),
    ("0302", LinkADRAns(channel_mask_ack=False, data_rate_ack=True, power_ack=False)),
    ("0304", LinkADRAns(channel_mask_ack=False, data_rate_ack=False, power_ack=True)),
    ("04", DutyCycleAns()),
    ("0501", RXParamSetupAns(True, False, False)),
    ("0502", RXParamSetupAns(channel_ack=False, rx2_data_rate_ack=True, rx1_dr_offset_ack=False)),
    ("0504", RXParamSetupAns(channel_ack=False, rx2_data_rate_ack=False, rx1_dr_offset_ack=True)),
    ("060022", DevStatusAns(battery=0, margin=-30)),
    ("06ff1f", DevStatusAns(battery=255, margin=31)),
    ("067f3f", DevStatusAns(battery=127, margin=-1)),
    ("060120", DevStatusAns(battery=1, margin=-32)),
    ("0701", NewChannelAns(channel_frequency_ok=True, data_rate_range_ok=False)),
    ("0702", NewChannelAns(channel_frequency_ok=False, data_rate_range_ok=True)),
    ("08", RXTimingSetupAns()),
    ("09", TXParamSetupAns()),
    ("0a01", DlChannelAns(channel_frequency_ok=True, uplink_frequency_exists=False)),
    ("0a02", DlChannelAns(channel_frequency_ok=False, uplink_frequency_exists=True)),
    ("0b01", RekeyInd(minor=1)),
    ("0c", ADRParamSetupAns()),
    ("0d", DeviceTimeReq()),
    ("0f01", RejoinParamSetupAns(time_ok=True)),
    ("0f00", RejoinParamSetupAns(time_ok=False)),
    ("1003", PingSlotInfoReq(periodicity=3)),
    ("1101", PingSlotChannelAns(channel_frequency_ok=True, data_rate_ok=False)),
    ("1102", PingSlotChannelAns(channel_frequency_ok=False, data_rate_ok=True)),
    ("12", BeaconTimingReq()),
    ("1301", BeaconFreqAns(beacon_frequency_ok=True)),
    ("1300", BeaconFreqAns(beacon_frequency_ok=False)),
    ("2002", DeviceModeInd(device_class=2)),
]


@pytest.mark.parametrize(("wire", "command"), CASES, ids=[wire for wire, _ in CASES])
def test_command_is_read_and_written(wire: str, command: UplinkCommand) -> None:
    assert parse_uplink_commands(bytes.fromhex(wire)) == [command]
    assert command.pack().hex() == wire


def test_every_command_is_tested() -> None:
    assert {type(command) for _, command in CASES} == set(UPLINK_COMMANDS)


def test_reserved_bits_are_ignored() -> None:
    assert parse_uplink_commands(bytes.fromhex("03ff")) == [LinkADRAns()]
    assert parse_uplink_commands(bytes.fromhex("06ffc0")) == [DevStatusAns(255, 0)]
    assert parse_uplink_commands(bytes.fromhex("10ff")) == [PingSlotInfoReq(7)]


@pytest.mark.parametrize("margin", [-33, 32])
def test_margin_has_six_bits(margin: int) -> None:
    with pytest.raises(ValueError, match="6 bits"):
        DevStatusAns(0, margin).pack()
