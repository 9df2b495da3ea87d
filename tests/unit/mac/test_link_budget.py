from __future__ import annotations

from itertools import pairwise

import pytest

from bittern.lorawan.regions.plan import fsk, lora
from bittern.mac.link_budget import REQUIRED_SNR_DB, margin_db


@pytest.mark.parametrize(
    ("spreading_factor", "snr_db", "margin"),
    [(7, -7.5, 0), (7, 5.0, 12.5), (12, -20.0, 0), (10, -20.0, -5), (9, 0.0, 12.5)],
)
def test_the_margin_is_what_is_above_the_demodulation_floor(spreading_factor, snr_db, margin):
    assert margin_db(snr_db, lora(spreading_factor, 125)) == margin


def test_each_spreading_factor_needs_two_and_a_half_db_less():
    floors = [REQUIRED_SNR_DB[sf] for sf in range(5, 13)]
    assert {a - b for a, b in pairwise(floors)} == {2.5}


def test_fsk_is_counted_from_0():
    assert margin_db(9.5, fsk(50_000)) == 9.5
