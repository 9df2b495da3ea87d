from __future__ import annotations

import pytest

from bittern.lorawan.commands import (
    DOWNLINK_COMMANDS,
    MAX_EIRP_DBM,
    ADRParamSetupReq,
    BeaconFreqReq,
    BeaconTimingAns,
    DeviceModeConf,
    DeviceTimeAns,
    DevStatusReq,
    DlChannelReq,
    DownlinkCommand,
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
    parse_downlink_commands,
)

CASES: list[tuple[str, DownlinkCommand]] = [
    ("0101", ResetConf(minor=1)),
    ("02140f", LinkCheckAns(margin=20, gw_cnt=15)),
    ("0352040211", LinkADRReq(5, 2, ch_mask=0x0204, ch_mask_cntl=1, nb_trans=1)),
    ("03ffffff7f", LinkADRReq(15, 15, ch_mask=0xFFFF, ch_mask_cntl=7, nb_trans=15)),
    ("040d", DutyCycleReq(max_duty_cycle=13)),
    ("053b010204", RXParamSetupReq(3, 11, frequency_hz=26_265_700)),
    ("0500d2ad84", RXParamSetupReq(0, 0, frequency_hz=869_525_000)),
    ("06", DevStatusReq()),
    ("0703184f8450", NewChannelReq(3, 867_100_000, min_dr=0, max_dr=5)),
    ("070f00000042", NewChannelReq(15, 0, min_dr=2, max_dr=4)),
    ("0805", RXTimingSetupReq(delay=5)),
    ("091f", TXParamSetupReq(False, True, max_eirp=15)),
    ("0920", TXParamSetupReq(True, False, max_eirp=0)),
    ("0a01107a84", DlChannelReq(1, 868_200_000)),
    ("0b01", RekeyConf(minor=1)),
    ("0c65", ADRParamSetupReq(limit_exp=6, delay_exp=5)),
    ("0d04030201ff", DeviceTimeAns(0x01020304, 255)),
    ("0e251c", ForceRejoinReq(period=3, max_retries=4, rejoin_type=2, data_rate=5)),
    ("0fef", RejoinParamSetupReq(max_time_n=14, max_count_n=15)),
    ("10", PingSlotInfoAns()),
    ("1128768405", PingSlotChannelReq(868_100_000, data_rate=5)),
    ("12ff4207", BeaconTimingAns(delay=0x42FF, channel=7)),
    ("13287684", BeaconFreqReq(868_100_000)),
    ("2000", DeviceModeConf(device_class=0)),
]


@pytest.mark.parametrize(("wire", "command"), CASES, ids=[wire for wire, _ in CASES])
def test_command_is_read_and_written(wire: str, command: DownlinkCommand) -> None:
    assert parse_downlink_commands(bytes.fromhex(wire)) == [command]
    assert command.pack().hex() == wire


def test_every_command_is_tested() -> None:
    assert {type(command) for _, command in CASES} == set(DOWNLINK_COMMANDS)


@pytest.mark.parametrize(
    "command",
    [
        LinkADRReq(16, 0, 0),
        LinkADRReq(0, 16, 0),
        LinkADRReq(0, 0, 0x1_0000),
        LinkADRReq(0, 0, 0, ch_mask_cntl=8),
        LinkADRReq(0, 0, 0, nb_trans=16),
        RXParamSetupReq(8, 0, 0),
        NewChannelReq(256, 0, 0, 0),
        RXTimingSetupReq(16),
        DeviceTimeAns(2**32),
        ForceRejoinReq(0, 8, 0, 0),
        LinkCheckAns(-1, 0),
    ],
    ids=repr,
)
def test_value_that_does_not_fit_is_not_sent(command: DownlinkCommand) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        command.pack()


def test_device_time_counts_in_256ths() -> None:
    assert DeviceTimeAns.from_gps_time_us(1_300_000_000_500_000) == DeviceTimeAns(
        1_300_000_000, 128
    )
    assert DeviceTimeAns.from_gps_time_us(999_999) == DeviceTimeAns(0, 255)


def test_max_eirp_has_sixteen_steps() -> None:
    assert MAX_EIRP_DBM == (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)
