"""EU863-870 of RP002-1.0.4, 2.4, typed a second time."""

from __future__ import annotations

import pytest

from bittern.lorawan.regions.eu868 import EU868
from bittern.lorawan.regions.plan import Modulation

DATA_RATES = """
0  LORA    12 125  51  51
1  LORA    11 125  51  51
2  LORA    10 125  51  51
3  LORA     9 125 115 115
4  LORA     8 125 242 222
5  LORA     7 125 242 222
6  LORA     7 250 242 222
7  FSK      0   0 242 222
8  LR_FHSS  0 137  50  50
9  LR_FHSS  0 137 115 115
10 LR_FHSS  0 336  50  50
11 LR_FHSS  0 336 115 115
"""
"""Index, modulation, SF, kHz, largest FRMPayload without and with a repeater."""

RX1 = """
0  0 0 0 0 0 0
1  1 0 0 0 0 0
2  2 1 0 0 0 0
3  3 2 1 0 0 0
4  4 3 2 1 0 0
5  5 4 3 2 1 0
6  6 5 4 3 2 1
7  7 6 5 4 3 2
8  1 0 0 0 0 0
9  2 1 0 0 0 0
10 1 0 0 0 0 0
11 2 1 0 0 0 0
"""


@pytest.mark.parametrize("line", DATA_RATES.strip().splitlines())
def test_data_rate(line: str) -> None:
    index, modulation, sf, khz, plain, repeater = line.split()
    rate = EU868.data_rates[int(index)]
    assert (rate.modulation, rate.spreading_factor, rate.bandwidth_khz) == (
        Modulation(modulation),
        int(sf),
        int(khz),
    )
    assert rate.uplink
    assert rate.downlink == (modulation != "LR_FHSS")
    assert EU868.max_payload_size(int(index)) == int(plain)
    assert EU868.max_payload_size(int(index), repeater=True) == int(repeater)


def test_rates_that_are_no_lora() -> None:
    assert EU868.data_rates[7].bit_rate == 50_000
    codings = {
        dr: (EU868.data_rates[dr].coding_rate, EU868.data_rates[dr].bit_rate) for dr in (8, 9)
    }
    assert codings == {8: ("1/3", 162), 9: ("2/3", 325)}


def test_there_are_no_other_data_rates() -> None:
    assert sorted(EU868.data_rates) == list(range(12))
    assert EU868.max_payload_size(12) == 0


@pytest.mark.parametrize("line", RX1.strip().splitlines())
def test_rx1_data_rate(line: str) -> None:
    uplink, *expected = map(int, line.split())
    assert [EU868.rx1_data_rate(uplink, offset) for offset in range(6)] == expected


def test_rx1_of_what_is_in_no_table() -> None:
    assert EU868.rx1_data_rate(5, 6) is None
    assert EU868.rx1_data_rate(5, -1) is None
    assert EU868.rx1_data_rate(12, 0) is None
    assert EU868.max_rx1_dr_offset == 5


def test_powers() -> None:
    powers = [EU868.tx_power_dbm(index) for index in range(9)]
    assert powers == [16, 14, 12, 10, 8, 6, 4, 2, None]


def test_receive_windows() -> None:
    assert (EU868.rx2_frequency_hz, EU868.rx2_data_rate) == (869_525_000, 0)
    assert (EU868.receive_delay1_s, EU868.join_accept_delay1_s) == (1, 5)
    assert EU868.rx1_frequency(868_300_000) == 868_300_000
    assert EU868.max_fcnt_gap == 16384


def test_channels() -> None:
    megahertz = [868.1, 868.3, 868.5, 867.1, 867.3, 867.5, 867.7, 867.9]
    channels = EU868.uplink_channels()
    assert [channel.frequency_hz for channel in channels] == [round(f * 1e6) for f in megahertz]
    assert {(channel.min_dr, channel.max_dr) for channel in channels} == {(0, 5)}
    assert EU868.join_channels == channels[:3]
    assert EU868.max_adr_data_rate == 5


def test_channel_index_is_the_devices() -> None:
    assert EU868.channel_index(868_100_000, 5) == 0
    assert EU868.channel_index(867_900_000, 0) == 7
    assert EU868.channel_index(868_200_000, 0) is None


def test_cf_list_tells_the_five_added_channels() -> None:
    cf_list = EU868.cf_list()
    assert cf_list is not None
    steps = [int.from_bytes(cf_list[at : at + 3], "little") for at in range(0, 15, 3)]
    assert [step * 100 for step in steps] == [
        867_100_000,
        867_300_000,
        867_500_000,
        867_700_000,
        867_900_000,
    ]
    assert cf_list[15:] == b"\x00"


def test_all_eight_channels_are_one_mask() -> None:
    assert EU868.channel_masks(range(8)) == [(0, 0x00FF)]


def test_there_are_no_sub_bands() -> None:
    with pytest.raises(ValueError, match="EU868 has no sub-bands"):
        EU868.uplink_channels((1,))


@pytest.mark.parametrize(
    ("frequency_hz", "duty_cycle", "max_eirp_dbm"),
    [
        (863_000_000, 0.001, 16.15),
        (866_000_000, 0.01, 16.15),
        (868_100_000, 0.01, 16.15),
        (868_800_000, 0.001, 16.15),
        (869_525_000, 0.1, 29.15),
        (869_800_000, 0.01, 16.15),
    ],
)
def test_duty_cycle(frequency_hz: int, duty_cycle: float, max_eirp_dbm: float) -> None:
    band = EU868.duty_cycle_band(frequency_hz)
    assert band is not None
    assert (band.duty_cycle, band.max_eirp_dbm) == (duty_cycle, max_eirp_dbm)


@pytest.mark.parametrize("frequency_hz", [862_900_000, 868_650_000, 869_300_000, 870_100_000])
def test_frequency_between_the_bands_has_none(frequency_hz: int) -> None:
    assert EU868.duty_cycle_band(frequency_hz) is None


def test_class_b_stays_on_one_frequency() -> None:
    class_b = EU868.class_b
    assert (class_b.beacon_data_rate, class_b.ping_slot_data_rate) == (3, 3)
    assert {class_b.beacon_frequency_hz(128 * n) for n in range(9)} == {869_525_000}
    assert class_b.beacon_layout == (2, 8, 17)


def test_station_is_told_what_it_can_hear() -> None:
    """As a genuine Basics Station took it."""
    assert EU868.station_region == "EU868"
    assert EU868.frequency_range_hz == (863_000_000, 870_000_000)
    rates = [tuple(rate) for rate in EU868.station_data_rates]
    assert rates[:6] == [(sf, 125, 0) for sf in (12, 11, 10, 9, 8, 7)]
    assert rates[6:] == [(7, 250, 0), (0, 0, 0)] + [(-1, 0, 0)] * 8
    upchannels = [tuple(channel) for channel in EU868.station_upchannels()]
    assert upchannels[:8] == [tuple(channel) for channel in EU868.uplink_channels()]
    assert upchannels[8:] == [(868_300_000, 6, 6), (868_800_000, 7, 7)]
