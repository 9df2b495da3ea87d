from __future__ import annotations

from dataclasses import replace

from bittern.simulator.regions import AS923_1, EU868, US915, UplinkChannel


def test_channel_allows_its_data_rates() -> None:
    channel = UplinkChannel(868_100_000, 1, 3)
    assert [data_rate for data_rate in range(6) if channel.allows(data_rate)] == [1, 2, 3]


def test_dynamic_regions_hear_rx1_where_they_sent() -> None:
    assert EU868.rx1_frequency_hz(1, EU868.default_channels[1]) == 868_300_000


def test_fixed_regions_hear_rx1_on_the_channel_modulo_eight() -> None:
    channels = US915.default_channels
    heard_hz = [US915.rx1_frequency_hz(i, channels[i]) for i in (0, 9, 63, 64, 71)]
    assert heard_hz == [923_300_000, 923_900_000, 927_500_000, 923_300_000, 927_500_000]


def test_dl_channel_moves_rx1() -> None:
    moved = replace(EU868.default_channels[0], downlink_frequency_hz=869_000_000)
    assert EU868.rx1_frequency_hz(0, moved) == 869_000_000


def test_dwell_time_counts_where_the_region_has_it() -> None:
    assert EU868.rx1_data_rate(0, 0, downlink_dwell=True) == 0
    assert EU868.largest_uplink(0, dwell=True) == 59
    assert AS923_1.rx1_data_rate(0, 0, downlink_dwell=True) == 2
    assert AS923_1.largest_uplink(2, dwell=True) == 19


def test_nothing_can_be_sent_at_a_data_rate_of_no_table() -> None:
    assert US915.largest_uplink(5) == 0
    assert AS923_1.largest_uplink(1, dwell=True) == 0


def test_frequencies_of_the_range_are_permitted() -> None:
    low_hz, high_hz = EU868.frequency_range
    assert EU868.permits(low_hz)
    assert EU868.permits(high_hz)
    assert not EU868.permits(low_hz - 100)
    assert not EU868.permits(high_hz + 100)
