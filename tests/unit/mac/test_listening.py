from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.class_b import PingSlot, next_ping_slot
from bittern.lorawan.radio import Window
from bittern.lorawan.regions import plan
from bittern.mac.listening import always, in_ping_slot, next_slot
from bittern.mac.session import Session
from bittern.testing import examples

SLOT = PingSlot(gps_time_us=128_000_000 * 9 + 2_120_000, beacon_time_s=128 * 9)


def session(region: str = "EU868", **radio: object) -> Session:
    made = examples.session(region=region)
    return msgspec.structs.replace(made, radio=msgspec.structs.replace(made.radio, **radio))


def test_class_c_listens_in_rx2_as_the_device_was_told():
    told = session(rx2_data_rate=3, rx2_frequency_hz=868_300_000)
    windows = always(told, plan("EU868"))
    assert (windows.rx1, windows.rx2) == (None, Window(3, 868_300_000))
    assert (windows.max_size, windows.rx2_max_size) == (115, 115)


def test_a_dwell_time_limits_what_class_c_takes():
    region = plan("AS923-1")
    free = session("AS923-1", rx2_data_rate=3, downlink_dwell=False)
    limited = session("AS923-1", rx2_data_rate=3, downlink_dwell=True)
    unknown = session("AS923-1", rx2_data_rate=3)
    assert always(free, region).max_size > always(limited, region).max_size > 0
    assert always(unknown, region) == always(free, region), "as devices start there"


def test_a_ping_slot_is_where_the_region_has_it():
    assert in_ping_slot(session(), plan("EU868"), SLOT).rx2 == Window(3, 869_525_000)


def test_where_the_region_hops_the_slot_depends_on_device_and_beacon():
    """US902-928: 923.3 MHz and 600 kHz times (DevAddr + beacon time / 128) mod 8."""
    at = session("US915")
    channel = (int(at.dev_addr) + 9) % 8
    windows = in_ping_slot(at, plan("US915"), SLOT)
    assert windows.rx2 == Window(8, 923_300_000 + 600_000 * channel)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"ping_slot_frequency_hz": 868_500_000}, Window(3, 868_500_000)),
        ({"ping_slot_data_rate": 0}, Window(0, 869_525_000)),
    ],
)
def test_ping_slot_channel_req_moves_it(told, expected):
    assert in_ping_slot(session(**told), plan("EU868"), SLOT).rx2 == expected


def test_slots_come_as_often_as_the_device_has_told_and_else_once_for_each_beacon():
    dev_addr = examples.DEV_ADDR
    assert next_slot(session(ping_slot_periodicity=0), 5) == next_ping_slot(5, dev_addr, 0)
    assert next_slot(session(), 5) == next_ping_slot(5, dev_addr, 7)
