"""CN779-787 (RP002-1.0.4, 2.6)."""

from __future__ import annotations

from bittern.lorawan.regions.common import (
    BEACON_LAYOUTS,
    EIGHT_DATA_RATES,
    EIGHT_PAYLOAD_SIZES,
    EIGHT_RX1_DATA_RATES,
    SIX_TX_POWERS_DB,
)
from bittern.lorawan.regions.plan import Channel, ClassB, DutyCycleBand, DynamicPlan

CN779 = DynamicPlan(
    name="CN779",
    common_name="CN779-787",
    aliases=("CN780",),
    station_region="IL915",
    station_max_eirp_dbm=12.15,
    frequency_range_hz=(779_000_000, 787_000_000),
    data_rates=EIGHT_DATA_RATES,
    payload_sizes=EIGHT_PAYLOAD_SIZES,
    max_eirp_dbm=12.15,
    tx_power_offsets_db=SIX_TX_POWERS_DB,
    rx1_data_rates=EIGHT_RX1_DATA_RATES,
    rx2_frequency_hz=786_000_000,
    rx2_data_rate=0,
    class_b=ClassB(
        beacon_data_rate=3,
        beacon_frequencies_hz=(785_000_000,),
        beacon_layout=BEACON_LAYOUTS[9],
        ping_slot_data_rate=3,
        ping_slot_frequencies_hz=(785_000_000,),
    ),
    duty_cycle_bands=(DutyCycleBand(779_000_000, 787_000_000, 0.01, 12.15),),
    default_channels=(
        Channel(779_500_000, 0, 5),
        Channel(779_700_000, 0, 5),
        Channel(779_900_000, 0, 5),
    ),
    added_channels=(
        Channel(780_100_000, 0, 5),
        Channel(780_300_000, 0, 5),
        Channel(780_500_000, 0, 5),
        Channel(780_700_000, 0, 5),
        Channel(780_900_000, 0, 5),
    ),
    station_channels=(Channel(779_700_000, 6, 6), Channel(779_900_000, 7, 7)),
)
