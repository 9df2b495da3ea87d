from __future__ import annotations

import pytest

from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.regions.plan import fsk, lora, lr_fhss


@pytest.mark.parametrize(
    ("sf", "khz", "size", "milliseconds"),
    [
        # The Semtech LoRa calculator: CR 4/5, explicit header, CRC, preamble 8.
        (7, 125, 10, 41.216),
        (8, 125, 10, 72.192),
        (9, 125, 10, 144.384),
        (10, 125, 10, 288.768),
        (11, 125, 10, 577.536),
        (12, 125, 10, 991.232),
        (7, 250, 10, 20.608),
        (7, 500, 10, 10.304),
        (7, 125, 13, 46.336),
        (7, 125, 15, 46.336),
        (7, 125, 16, 51.456),
    ],
)
def test_lora(sf: int, khz: int, size: int, milliseconds: float) -> None:
    assert time_on_air_s(lora(sf, khz), size) == pytest.approx(milliseconds / 1000, abs=1e-9)


def test_downlink_without_crc_may_be_shorter() -> None:
    """SF7, 16 bytes: (128 - 28 + 28) / 28 is 5 blocks, with 16 bits of CRC it is 6."""
    assert time_on_air_s(lora(7, 125), 16) == pytest.approx(0.051456)
    assert time_on_air_s(lora(7, 125), 16, crc=False) == pytest.approx(0.046336)


def test_low_data_rate_optimization_begins_above_16_ms_symbols() -> None:
    """SF12 at 250 kHz (16.4 ms) has it, SF12 at 500 kHz (8.2 ms) has not."""
    assert time_on_air_s(lora(12, 250), 50) == pytest.approx((20.25 + 5 * 10) * 4096 / 250_000)
    assert time_on_air_s(lora(12, 500), 50) == pytest.approx((20.25 + 5 * 9) * 4096 / 500_000)


def test_an_empty_frame_still_has_preamble_and_header() -> None:
    assert time_on_air_s(lora(12, 125), 0, crc=False) == pytest.approx(20.25 * 4096 / 125_000)


def test_fsk_adds_preamble_sync_length_and_crc() -> None:
    assert time_on_air_s(fsk(50_000), 200) == pytest.approx(0.033760)


@pytest.mark.parametrize(
    ("rate", "size", "bits"),
    [
        # 3 headers of 114 bits; (10 + 2) x 8 + 6 = 102, x 3 = 306 bits in 7 hops with 2 more each.
        ("1/3", 10, 342 + 306 + 14),
        # 2 headers; 102 x 3 / 2 = 153 bits in 4 hops.
        ("2/3", 10, 228 + 153 + 8),
        # 50 bytes: 422 x 3 = 1266 bits in 27 hops.
        ("1/3", 50, 342 + 1266 + 54),
    ],
)
def test_lr_fhss(rate: str, size: int, bits: int) -> None:
    assert time_on_air_s(lr_fhss(137, rate, 0), size) == pytest.approx(bits / 488.28125)
