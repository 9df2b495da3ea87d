"""Tables that several regions have alike, as EU863-870 had them before LR-FHSS."""

from __future__ import annotations

from bittern.lorawan.regions.plan import DataRate, PayloadSizes, fsk, lora

LORA_125: dict[int, DataRate] = {
    0: lora(12, 125),
    1: lora(11, 125),
    2: lora(10, 125),
    3: lora(9, 125),
    4: lora(8, 125),
    5: lora(7, 125),
}
EIGHT_DATA_RATES: dict[int, DataRate] = {**LORA_125, 6: lora(7, 250), 7: fsk(50_000)}

EIGHT_PAYLOAD_SIZES = PayloadSizes(
    plain={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242, 6: 242, 7: 242},
    repeater={0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222, 6: 222, 7: 222},
)

SIX_RX1_DATA_RATES: dict[int, tuple[int, ...]] = {
    0: (0, 0, 0, 0, 0, 0),
    1: (1, 0, 0, 0, 0, 0),
    2: (2, 1, 0, 0, 0, 0),
    3: (3, 2, 1, 0, 0, 0),
    4: (4, 3, 2, 1, 0, 0),
    5: (5, 4, 3, 2, 1, 0),
}
EIGHT_RX1_DATA_RATES: dict[int, tuple[int, ...]] = {
    **SIX_RX1_DATA_RATES,
    6: (6, 5, 4, 3, 2, 1),
    7: (7, 6, 5, 4, 3, 2),
}

SIX_TX_POWERS_DB = (0, -2, -4, -6, -8, -10)
EIGHT_TX_POWERS_DB = (0, -2, -4, -6, -8, -10, -12, -14)

BEACON_LAYOUTS = {8: (1, 7, 19), 9: (2, 8, 17), 10: (3, 9, 19), 11: (4, 10, 21), 12: (5, 11, 23)}
"""Offsets of time and GwSpecific, and the length, of a beacon by its spreading factor."""
