"""How long a frame is on air."""

from __future__ import annotations

from bittern.lorawan.regions.plan import DataRate, Modulation

_FSK_OVERHEAD = 5 + 3 + 1 + 2
"""Preamble, sync word, length and CRC (RP002-1.0.4, 3.2)."""
_LR_FHSS_BIT_RATE = 488.28125
"""Physical bits per second, whatever the coding rate."""
_LR_FHSS_HEADERS = {"1/3": 3, "2/3": 2}
"""A more robust payload has more copies of the header."""
_LR_FHSS_CODED_BITS = {"1/3": (3, 1), "2/3": (3, 2)}


def time_on_air_s(data_rate: DataRate, size: int, *, crc: bool = True) -> float:
    """Seconds that a PHYPayload of ``size`` bytes takes.

    ``crc``: the radio adds a CRC to LoRa frames; to uplinks, not to downlinks (TS001-1.0.4, 3).
    """
    match data_rate.modulation:
        case Modulation.LORA:
            return _lora(data_rate, size, crc)
        case Modulation.FSK:
            return (size + _FSK_OVERHEAD) * 8 / data_rate.bit_rate
        case Modulation.LR_FHSS:
            return _lr_fhss(data_rate, size)


def _lora(data_rate: DataRate, size: int, crc: bool) -> float:
    """Semtech AN1200.13: preamble 8, explicit header, coding rate 4/5."""
    sf = data_rate.spreading_factor
    symbol_s = (1 << sf) / (data_rate.bandwidth_khz * 1000)
    low_data_rate_optimize = symbol_s > 0.016
    bits = 8 * size - 4 * sf + 28 + 16 * crc
    bits_per_block = 4 * (sf - 2 * low_data_rate_optimize)
    blocks = max(-(-bits // bits_per_block), 0)
    return (8 + 4.25 + 8 + 5 * blocks) * symbol_s


def _lr_fhss(data_rate: DataRate, size: int) -> float:
    """Boquet et al., "LR-FHSS: Overview and Performance Analysis", 2021, section III.

    Payload and CRC-16 with six bits of trellis termination, coded, in hops of 48 bits and 2 more.
    """
    bits_out, bits_in = _LR_FHSS_CODED_BITS[data_rate.coding_rate]
    coded = -(-((size + 2) * 8 + 6) * bits_out // bits_in)
    hops = -(-coded // 48)
    headers = _LR_FHSS_HEADERS[data_rate.coding_rate]
    return (114 * headers + coded + 2 * hops) / _LR_FHSS_BIT_RATE
