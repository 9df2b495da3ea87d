"""CN470-510 until RP002: 96 channels (LoRaWAN 1.0.3 Regional Parameters revision A, 2.7).

Most devices made for China still have it, so gateways can be given it by name.
"""

from __future__ import annotations

from bittern.lorawan.regions.common import (
    BEACON_LAYOUTS,
    EIGHT_TX_POWERS_DB,
    LORA_125,
    SIX_RX1_DATA_RATES,
)
from bittern.lorawan.regions.plan import Channel, ClassB, FixedPlan, PayloadSizes, SubBandMasks

_BEACON_FREQUENCIES_HZ = tuple(508_300_000 + 200_000 * n for n in range(8))

CN470_96 = FixedPlan(
    name="CN470-96",
    common_name="CN470-510 until RP002",
    aliases=("CN470-RP001", "CN470-510-RP001"),
    station_region="IL915",
    frequency_range_hz=(470_000_000, 510_000_000),
    data_rates=LORA_125,
    payload_sizes=PayloadSizes(
        plain={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242},
        repeater={0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222},
    ),
    max_eirp_dbm=19.15,
    tx_power_offsets_db=EIGHT_TX_POWERS_DB,
    rx1_data_rates=SIX_RX1_DATA_RATES,
    rx2_frequency_hz=505_300_000,
    rx2_data_rate=0,
    class_b=ClassB(
        beacon_data_rate=2,
        beacon_frequencies_hz=_BEACON_FREQUENCIES_HZ,
        beacon_layout=BEACON_LAYOUTS[10],
        ping_slot_data_rate=2,
        ping_slot_frequencies_hz=_BEACON_FREQUENCIES_HZ,
    ),
    narrow_channels=tuple(Channel(470_300_000 + 200_000 * n, 0, 5) for n in range(96)),
    downlink_frequencies_hz=tuple(500_300_000 + 200_000 * n for n in range(48)),
    masks=SubBandMasks(all_narrow_on=6, all_narrow_off=None),
)
