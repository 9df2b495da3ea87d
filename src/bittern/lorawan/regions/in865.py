"""IN865-867 (RP002-1.0.4, 2.12)."""

from __future__ import annotations

from bittern.lorawan.regions.common import BEACON_LAYOUTS, LORA_125, SIX_RX1_DATA_RATES
from bittern.lorawan.regions.plan import Channel, ClassB, DynamicPlan, PayloadSizes, fsk

IN865 = DynamicPlan(
    name="IN865",
    common_name="IN865-867",
    aliases=("IN865-868",),
    # The station's only name for 30 dBm, which India allows as well.
    station_region="AU915",
    frequency_range_hz=(865_000_000, 867_000_000),
    data_rates={**LORA_125, 7: fsk(50_000)},
    payload_sizes=PayloadSizes(
        plain={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242, 7: 242},
        repeater={0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222, 7: 222},
    ),
    max_eirp_dbm=30,
    tx_power_offsets_db=(0, -2, -4, -6, -8, -10, -12, -14, -16, -18, -20),
    # Offsets 6 and 7 go up instead of down. There is no DR6 to go to.
    rx1_data_rates={
        0: (*SIX_RX1_DATA_RATES[0], 1, 2),
        1: (*SIX_RX1_DATA_RATES[1], 2, 3),
        2: (*SIX_RX1_DATA_RATES[2], 3, 4),
        3: (*SIX_RX1_DATA_RATES[3], 4, 5),
        4: (*SIX_RX1_DATA_RATES[4], 5, 5),
        5: (*SIX_RX1_DATA_RATES[5], 5, 7),
        7: (7, 5, 5, 4, 3, 2, 7, 7),
    },
    rx2_frequency_hz=866_550_000,
    rx2_data_rate=2,
    class_b=ClassB(
        beacon_data_rate=4,
        beacon_frequencies_hz=(866_550_000,),
        beacon_layout=BEACON_LAYOUTS[8],
        ping_slot_data_rate=4,
        ping_slot_frequencies_hz=(866_550_000,),
    ),
    default_channels=(
        Channel(865_062_500, 0, 5),
        Channel(865_402_500, 0, 5),
        Channel(865_985_000, 0, 5),
    ),
    added_channels=(
        Channel(866_185_000, 0, 5),
        Channel(866_385_000, 0, 5),
        Channel(866_585_000, 0, 5),
        Channel(866_785_000, 0, 5),
    ),
    station_channels=(Channel(865_985_000, 7, 7),),
)
