from __future__ import annotations

import pytest

from bittern.lorawan.regions.tables import (
    ClassB,
    Modulation,
    fsk,
    hop,
    lora,
    lora_downlink,
    lora_uplink,
    lr_fhss,
)
from bittern.types import DevAddr


def test_lora_is_of_both_directions_unless_said_otherwise() -> None:
    assert (lora(7, 125).uplink, lora(7, 125).downlink) == (True, True)
    assert (lora_uplink(7, 125).uplink, lora_uplink(7, 125).downlink) == (True, False)
    assert (lora_downlink(7, 500).uplink, lora_downlink(7, 500).downlink) == (False, True)
    assert lora(7, 125).coding_rate == "4/5"


def test_fsk_has_a_bit_rate_only() -> None:
    rate = fsk(50_000)
    assert (rate.modulation, rate.bit_rate, rate.spreading_factor, rate.bandwidth_khz) == (
        Modulation.FSK,
        50_000,
        0,
        0,
    )


def test_lr_fhss_is_never_a_downlink() -> None:
    assert not lr_fhss(137, "1/3", 162).downlink


@pytest.mark.parametrize(("step", "frequency_hz"), [(0, 10), (1, 20), (2, 10), (7, 20)])
def test_hopping_starts_anew_at_the_end(step: int, frequency_hz: int) -> None:
    assert hop((10, 20), step) == frequency_hz


def test_ping_slots_hop_by_address_too() -> None:
    class_b = ClassB(
        beacon_data_rate=3,
        beacon_frequencies_hz=(1, 2, 3),
        beacon_layout=(2, 8, 17),
        ping_slot_data_rate=3,
        ping_slot_frequencies_hz=(1, 2, 3),
    )
    assert [class_b.beacon_frequency_hz(128 * n) for n in range(4)] == [1, 2, 3, 1]
    addresses = [DevAddr.from_int(n) for n in range(3)]
    assert [class_b.ping_slot_frequency_hz(one, 128) for one in addresses] == [2, 3, 1]
