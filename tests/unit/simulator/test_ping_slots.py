from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.lorawan.class_b import next_ping_slot
from bittern.lorawan.regions import plan
from bittern.simulator.ping_slots import ping_offset, ping_window, slot_beginning
from bittern.simulator.regions import device_region, region_names
from bittern.types import DevAddr

NOBODY = DevAddr(bytes(4))
FIRST_US = 2_120_000 + 0xE966 % 4096 * 30_000
"""AES-128 of zeros under a key of zeros begins 66 e9 (FIPS-197)."""

addresses = st.binary(min_size=4, max_size=4).map(DevAddr)


def test_the_offset_of_nobody_at_the_first_beacon_is_a_known_answer() -> None:
    assert [ping_offset(0, NOBODY, period) for period in (32, 4096)] == [6, 0xE966 % 4096]


@pytest.mark.parametrize(("off_us", "begins"), [(0, True), (20, True), (-20, True), (21, False)])
def test_a_slot_begins_at_its_time_and_not_beside_it(off_us: int, begins: bool) -> None:
    assert slot_beginning(FIRST_US + off_us, NOBODY, 7) is begins


def test_what_is_reserved_for_the_beacon_has_no_slots() -> None:
    assert not any(slot_beginning(at_us, NOBODY, 0) for at_us in range(0, 2_120_000 - 30, 10_000))


@given(after_us=st.integers(0, 1 << 50), dev_addr=addresses, periodicity=st.integers(0, 7))
def test_device_and_server_agree_on_slots_and_frequencies(
    after_us: int, dev_addr: DevAddr, periodicity: int
) -> None:
    slot = next_ping_slot(after_us, dev_addr, periodicity)
    assert slot_beginning(slot.gps_time_us, dev_addr, periodicity)
    assert not slot_beginning(slot.gps_time_us + 15_000, dev_addr, periodicity)
    for name in region_names():
        class_b = plan(name).class_b
        window = ping_window(device_region(name), dev_addr, slot.gps_time_us, None)
        frequency_hz = class_b.ping_slot_frequency_hz(dev_addr, slot.beacon_time_s)
        assert (window.frequency_hz, window.data_rate) == (
            frequency_hz,
            class_b.ping_slot_data_rate,
        )


@pytest.mark.parametrize(
    ("told", "frequency_hz", "data_rate"),
    [((868_300_000, 5), 868_300_000, 5), ((0, 2), 869_525_000, 2)],
)
def test_ping_slot_channel_req_moves_the_window(
    told: tuple[int, int], frequency_hz: int, data_rate: int
) -> None:
    window = ping_window(device_region("EU868"), NOBODY, FIRST_US, told)
    assert (window.frequency_hz, window.data_rate) == (frequency_hz, data_rate)
