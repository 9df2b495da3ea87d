"""Ping slots, from the text of TS001-1.0.4, 13."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB
from hypothesis import given
from hypothesis import strategies as st

from bittern.lorawan.class_b import (
    BEACON_PERIOD_S,
    PingSlot,
    beacon_time_s,
    next_ping_slot,
    ping_offset,
    ping_period,
)
from bittern.types import DevAddr

NOBODY = DevAddr(bytes(4))
SOMEBODY = DevAddr.from_hex("26011bda")
addresses = st.binary(min_size=4, max_size=4).map(DevAddr)
periodicities = st.integers(0, 7)
times_us = st.integers(0, (1 << 32) * 1_000_000 - 1)


def rand(beacon_s: int, dev_addr: DevAddr) -> int:
    """The formula once more: aes128_encrypt(16 x 0x00, beaconTime | DevAddr | pad16)."""
    block = beacon_s.to_bytes(4, "little") + bytes(dev_addr)[::-1] + bytes(8)
    encrypted = Cipher(AES128(bytes(16)), ECB()).encryptor().update(block)
    return encrypted[0] + 256 * encrypted[1]


def test_the_draw_is_the_known_answer_of_aes_where_all_is_zero() -> None:
    # FIPS-197's AES-128 of a zero block under a zero key begins 66 e9 4b d4.
    assert ping_offset(0, NOBODY, 7) == 0xE966 % 4096
    assert ping_offset(0, NOBODY, 0) == 0xE966 % 32


@given(beacon=st.integers(0, (1 << 25) - 1), dev_addr=addresses, periodicity=periodicities)
def test_the_offset_is_the_specified_one(beacon: int, dev_addr: DevAddr, periodicity: int) -> None:
    beacon_s = beacon * BEACON_PERIOD_S
    expected = rand(beacon_s, dev_addr) % (32 << periodicity)
    assert ping_offset(beacon_s, dev_addr, periodicity) == expected


@pytest.mark.parametrize(("periodicity", "slots"), [(0, 32), (4, 512), (7, 4096)])
def test_a_ping_slot_comes_every_two_to_the_periodicity_seconds(
    periodicity: int, slots: int
) -> None:
    assert ping_period(periodicity) == slots
    assert 0.96 * 2**periodicity == pytest.approx(slots * 0.030)


@pytest.mark.parametrize("periodicity", [-1, 8])
def test_another_periodicity_does_not_exist(periodicity: int) -> None:
    with pytest.raises(ValueError, match="0 to 7"):
        ping_period(periodicity)


def test_the_first_slot_is_counted_from_the_end_of_the_beacon() -> None:
    first_us = 2_120_000 + 0xE966 % 4096 * 30_000
    assert next_ping_slot(0, NOBODY, 7) == PingSlot(first_us, 0)
    assert next_ping_slot(first_us, NOBODY, 7) == PingSlot(first_us, 0)


def test_after_the_last_slot_of_a_beacon_comes_the_first_of_the_next() -> None:
    only = next_ping_slot(0, NOBODY, 7)
    following = next_ping_slot(only.gps_time_us + 1, NOBODY, 7)
    assert following.beacon_time_s == 128
    assert following.gps_time_us == 130_120_000 + rand(128, NOBODY) % 4096 * 30_000


@given(after_us=times_us, dev_addr=addresses, periodicity=periodicities)
def test_the_next_slot_is_the_first_that_is_not_missed(
    after_us: int, dev_addr: DevAddr, periodicity: int
) -> None:
    """Against all slots of this beacon period and the next, written out."""
    beacon_s = after_us // 128_000_000 * 128
    period = 32 << periodicity
    every = [
        start * 1_000_000 + 2_120_000 + slot * 30_000
        for start in (beacon_s, beacon_s + 128)
        for slot in range(rand(start & 0xFFFFFFFF, dev_addr) % period, 4096, period)
    ]
    found = next_ping_slot(after_us, dev_addr, periodicity)
    assert found.gps_time_us == min(slot for slot in every if slot >= after_us)
    assert found.beacon_time_s == beacon_time_s(found.gps_time_us)


@given(dev_addr=addresses, beacon=st.integers(0, 1 << 24), periodicity=periodicities)
def test_every_beacon_period_has_as_many_slots_as_the_periodicity_says(
    dev_addr: DevAddr, beacon: int, periodicity: int
) -> None:
    at_us, found = beacon * 128_000_000, 0
    while (slot := next_ping_slot(at_us, dev_addr, periodicity)).beacon_time_s == beacon * 128:
        assert slot.gps_time_us + 30_000 <= (beacon + 1) * 128_000_000 - 3_000_000, "the guard"
        at_us, found = slot.gps_time_us + 1, found + 1
    assert found == 2 ** (7 - periodicity)


def test_two_devices_do_not_meet_for_ever() -> None:
    met = [
        ping_offset(beacon, NOBODY, 0) == ping_offset(beacon, SOMEBODY, 0)
        for beacon in range(0, 128 * 200, 128)
    ]
    assert any(met)
    assert not all(met)
