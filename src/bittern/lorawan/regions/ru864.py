"""RU864-870 (RP002-1.0.4, 2.13)."""

from __future__ import annotations

from bittern.lorawan.regions.common import (
    BEACON_LAYOUTS,
    EIGHT_DATA_RATES,
    EIGHT_PAYLOAD_SIZES,
    EIGHT_RX1_DATA_RATES,
    EIGHT_TX_POWERS_DB,
)
from bittern.lorawan.regions.plan import Channel, ClassB, DutyCycleBand, DynamicPlan

RU864 = DynamicPlan(
    name="RU864",
    common_name="RU864-870",
    # Under EU868 the station would keep the duty cycles of Europe, a hundredth of Russia's on the
    # default channels.
    station_region="IL915",
    frequency_range_hz=(864_000_000, 870_000_000),
    data_rates=EIGHT_DATA_RATES,
    payload_sizes=EIGHT_PAYLOAD_SIZES,
    max_eirp_dbm=16,
    tx_power_offsets_db=EIGHT_TX_POWERS_DB,
    rx1_data_rates=EIGHT_RX1_DATA_RATES,
    rx2_frequency_hz=869_100_000,
    rx2_data_rate=0,
    class_b=ClassB(
        beacon_data_rate=3,
        beacon_frequencies_hz=(869_100_000,),
        beacon_layout=BEACON_LAYOUTS[9],
        ping_slot_data_rate=3,
        ping_slot_frequencies_hz=(868_900_000,),
    ),
    # 25 mW ERP; 100 mW in the last one. The first is closed to airports.
    duty_cycle_bands=(
        DutyCycleBand(864_000_000, 865_000_000, 0.001, 16.15),
        DutyCycleBand(866_000_000, 868_000_000, 0.01, 16.15),
        DutyCycleBand(868_700_000, 869_200_000, 0.1, 22.15),
    ),
    default_channels=(Channel(868_900_000, 0, 5), Channel(869_100_000, 0, 5)),
    added_channels=(
        Channel(866_100_000, 0, 5),
        Channel(866_300_000, 0, 5),
        Channel(866_500_000, 0, 5),
        Channel(866_700_000, 0, 5),
        Channel(866_900_000, 0, 5),
    ),
    station_channels=(Channel(868_900_000, 6, 6), Channel(869_100_000, 7, 7)),
)
