"""US902-928 of RP002-1.0.4, 2.5, typed a second time."""

from __future__ import annotations

import pytest

from bittern.lorawan.regions.plan import Modulation
from bittern.lorawan.regions.us915 import US915
from bittern.types import DevAddr

DATA_RATES = """
0  up   LORA    10  125  11  11
1  up   LORA     9  125  53  53
2  up   LORA     8  125 125 125
3  up   LORA     7  125 242 222
4  up   LORA     8  500 242 222
5  up   LR_FHSS  0 1523  50  50
6  up   LR_FHSS  0 1523 125 125
8  down LORA    12  500  53  53
9  down LORA    11  500 129 129
10 down LORA    10  500 242 222
11 down LORA     9  500 242 222
12 down LORA     8  500 242 222
13 down LORA     7  500 242 222
"""
"""Index, direction, modulation, SF, kHz, largest FRMPayload without and with a repeater."""

RX1 = """
0 10 9 8 8
1 11 10 9 8
2 12 11 10 9
3 13 12 11 10
4 13 13 12 11
5 10 9 8 8
6 11 10 9 8
"""


@pytest.mark.parametrize("line", DATA_RATES.strip().splitlines())
def test_data_rate(line: str) -> None:
    index, direction, modulation, sf, khz, plain, repeater = line.split()
    rate = US915.data_rates[int(index)]
    assert (rate.modulation, rate.spreading_factor, rate.bandwidth_khz) == (
        Modulation(modulation),
        int(sf),
        int(khz),
    )
    assert (rate.uplink, rate.downlink) == (direction == "up", direction == "down")
    assert US915.max_payload_size(int(index)) == int(plain)
    assert US915.max_payload_size(int(index), repeater=True) == int(repeater)


def test_there_are_no_other_data_rates() -> None:
    assert sorted(US915.data_rates) == [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]


@pytest.mark.parametrize("line", RX1.strip().splitlines())
def test_rx1_data_rate(line: str) -> None:
    uplink, *expected = map(int, line.split())
    assert [US915.rx1_data_rate(uplink, offset) for offset in range(4)] == expected


def test_rx1_of_what_is_in_no_table() -> None:
    assert US915.rx1_data_rate(0, 4) is None
    assert US915.rx1_data_rate(8, 0) is None
    assert US915.max_rx1_dr_offset == 3


def test_powers() -> None:
    powers = [US915.tx_power_dbm(index) for index in range(16)]
    assert powers == [30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, None]


def test_channels() -> None:
    channels = US915.uplink_channels()
    assert len(channels) == 72
    assert channels[0] == (902_300_000, 0, 3)
    assert channels[63] == (914_900_000, 0, 3)
    assert channels[64] == (903_000_000, 4, 6)
    assert channels[71] == (914_200_000, 4, 6)
    assert US915.join_channels == channels
    assert US915.max_adr_data_rate == 3


def test_second_sub_band_is_channels_8_to_15_and_65() -> None:
    assert US915.enabled_indices((2,)) == (*range(8, 16), 65)
    channels = US915.uplink_channels((2,))
    assert [channel.frequency_hz for channel in channels] == [
        903_900_000 + 200_000 * n for n in range(8)
    ] + [904_600_000]


@pytest.mark.parametrize("sub_band", [0, 9, -1])
def test_sub_band_that_is_none_is_refused(sub_band: int) -> None:
    with pytest.raises(ValueError, match=f"US915 has sub-bands 1 to 8, not {sub_band}"):
        US915.uplink_channels((sub_band,))


def test_channel_index_needs_frequency_and_data_rate() -> None:
    assert US915.channel_index(903_900_000, 0) == 8
    assert US915.channel_index(904_600_000, 4) == 65
    assert US915.channel_index(904_600_000, 0) is None
    assert US915.channel_index(903_950_000, 0) is None


@pytest.mark.parametrize(
    ("uplink_hz", "downlink_hz"),
    [
        (902_300_000, 923_300_000),
        (902_500_000, 923_900_000),
        (903_700_000, 927_500_000),
        (903_900_000, 923_300_000),
        (914_900_000, 927_500_000),
        (903_000_000, 923_300_000),
        (914_200_000, 927_500_000),
    ],
)
def test_rx1_is_on_the_channel_modulo_eight(uplink_hz: int, downlink_hz: int) -> None:
    assert US915.rx1_frequency(uplink_hz) == downlink_hz


def test_frequency_of_no_channel_has_no_rx1() -> None:
    assert US915.rx1_frequency(902_400_000) is None


def test_rx2() -> None:
    assert (US915.rx2_frequency_hz, US915.rx2_data_rate) == (923_300_000, 8)


def test_cf_list_masks_the_other_sub_bands() -> None:
    """Channels 8..15 and 65: ChMask0 is FF00, ChMask4 is 0002."""
    expected = "00ff" + "0000" * 3 + "0200" + "0000" * 2 + "00" + "01"
    assert US915.cf_list((2,)) == bytes.fromhex(expected)
    assert US915.cf_list() == b"\xff" * 9 + bytes(6) + b"\x01"


def test_link_adr_masks_of_one_sub_band_switch_all_off_first() -> None:
    assert US915.channel_masks(US915.enabled_indices((2,))) == [(7, 0x0002), (0, 0xFF00)]


def test_link_adr_masks_of_all_channels_are_one() -> None:
    assert US915.channel_masks(range(72)) == [(6, 0x00FF)]


def test_link_adr_masks_of_nearly_all_channels_switch_all_on_first() -> None:
    assert US915.channel_masks(range(1, 72)) == [(6, 0x00FF), (0, 0xFFFE)]


def test_class_b_hops_through_eight_frequencies() -> None:
    class_b = US915.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (8, 8)
    assert class_b.beacon_layout == (5, 11, 23)
    assert class_b.beacon_frequency_hz(0) == 923_300_000
    assert class_b.beacon_frequency_hz(128 * 9) == 923_900_000
    dev_addr = DevAddr.from_hex("0314cf36")
    assert class_b.ping_slot_frequency_hz(dev_addr, 1_203_778_364) == 925_700_000


def test_station_is_told_what_it_can_hear() -> None:
    """As a genuine Basics Station took it."""
    assert US915.station_region == "US915"
    assert US915.frequency_range_hz == (902_000_000, 928_000_000)
    assert [tuple(rate) for rate in US915.station_data_rates] == [
        *((sf, 125, 0) for sf in (10, 9, 8, 7)),
        (8, 500, 0),
        *((-1, 0, 0),) * 3,
        *((sf, 500, 1) for sf in (12, 11, 10, 9, 8, 7)),
        *((-1, 0, 0),) * 2,
    ]
    upchannels = [tuple(channel) for channel in US915.station_upchannels((2,))]
    assert upchannels[:8] == [(903_900_000 + 200_000 * n, 0, 3) for n in range(8)]
    assert upchannels[8:] == [(904_600_000, 4, 4)]


def test_there_is_no_duty_cycle() -> None:
    assert US915.duty_cycle_band(902_300_000) is None
