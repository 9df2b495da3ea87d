"""How much weaker a signal could have been and still be understood."""

from __future__ import annotations

from bittern.lorawan.regions.plan import DataRate

REQUIRED_SNR_DB = {
    5: -2.5,
    6: -5.0,
    7: -7.5,
    8: -10.0,
    9: -12.5,
    10: -15.0,
    11: -17.5,
    12: -20.0,
}
"""Demodulation floor by spreading factor (Semtech SX1302 and SX1261/2 data sheets)."""


def required_snr_db(data_rate: DataRate) -> float:
    """FSK and LR-FHSS have no such table: 0 dB."""
    return REQUIRED_SNR_DB.get(data_rate.spreading_factor, 0.0)


def margin_db(snr_db: float, data_rate: DataRate) -> float:
    """SNR above the demodulation floor."""
    return snr_db - required_snr_db(data_rate)
