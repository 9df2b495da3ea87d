from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.radio import Window
from bittern.lorawan.regions import plan
from bittern.mac.session import ChannelState
from bittern.mac.windows import Windows, join_windows, windows

EU868, US915 = plan("EU868"), plan("US915")


def with_radio(device, **fields):
    session = device.session()
    return msgspec.structs.replace(session, radio=msgspec.structs.replace(session.radio, **fields))


def test_rx1_is_where_the_uplink_was_and_rx2_where_the_region_says(device):
    assert windows(device.session(), EU868, 5, 868_300_000) == Windows(
        delay_s=1,
        rx1=Window(5, 868_300_000),
        rx1_max_size=242,
        rx2=Window(0, 869_525_000),
        rx2_max_size=51,
    )


@pytest.mark.parametrize(("offset", "data_rate"), [(0, 5), (1, 4), (5, 0)])
def test_rx1_is_slower_by_the_offset_of_the_session(device, offset, data_rate):
    offered = windows(with_radio(device, rx1_dr_offset=offset), EU868, 5, 868_100_000)
    assert offered.rx1 == Window(data_rate, 868_100_000)


def test_delay_and_rx2_are_those_of_the_session(device):
    session = with_radio(device, rx1_delay_s=5, rx2_data_rate=3, rx2_frequency_hz=868_500_000)
    offered = windows(session, EU868, 5, 868_100_000)
    assert (offered.delay_s, offered.rx2, offered.rx2_max_size) == (
        5,
        Window(3, 868_500_000),
        115,
    )


def test_a_channel_may_have_its_downlink_elsewhere(device):
    moved = ChannelState(3, 867_100_000, downlink_frequency_hz=868_900_000)
    offered = windows(with_radio(device, extra_channels=(moved,)), EU868, 5, 867_100_000)
    assert offered.rx1 == Window(5, 868_900_000)


@pytest.mark.parametrize(
    ("data_rate", "frequency_hz", "rx1"),
    [
        (0, 903_900_000, Window(10, 923_300_000)),  # channel 8
        (3, 905_300_000, Window(13, 927_500_000)),  # channel 15
        (4, 904_600_000, Window(13, 923_900_000)),  # channel 65
    ],
)
def test_us915_answers_on_its_downlink_channels(make_device, data_rate, frequency_hz, rx1):
    offered = windows(make_device(plan=US915).session(), US915, data_rate, frequency_hz)
    assert offered.rx1 == rx1
    assert offered.rx2 == Window(8, 923_300_000)


def test_a_frequency_that_is_no_channel_leaves_rx2_alone(make_device):
    offered = windows(make_device(plan=US915).session(), US915, 0, 903_950_000)
    assert offered.rx1 is None
    assert offered.rx1_max_size == 0
    assert offered.max_size == offered.rx2_max_size == 53


def test_a_data_rate_without_an_answer_leaves_rx2_alone(device):
    assert windows(device.session(), EU868, 14, 868_100_000).rx1 is None


def test_a_join_is_answered_after_five_seconds_by_the_regions_defaults():
    assert join_windows(EU868, 2, 868_500_000) == Windows(
        delay_s=5,
        rx1=Window(2, 868_500_000),
        rx1_max_size=51,
        rx2=Window(0, 869_525_000),
        rx2_max_size=51,
    )


@pytest.mark.parametrize(("size", "rx1", "rx2"), [(51, True, True), (52, True, False)])
def test_windows_that_are_too_slow_for_a_size_are_not_offered(device, size, rx1, rx2):
    offered = windows(device.session(), EU868, 5, 868_100_000).fitting(size)
    assert (offered.rx1 is not None, offered.rx2 is not None) == (rx1, rx2)
    assert offered.delay_s == 1


def test_nothing_fits_beyond_the_roomier_window(device):
    offered = windows(device.session(), EU868, 5, 868_100_000)
    assert offered.max_size == 242
    none = offered.fitting(243)
    assert (none.rx1, none.rx2, none.max_size) == (None, None, 0)
