"""EU433 (RP002-1.0.4, 2.7)."""

from __future__ import annotations

from bittern.lorawan.regions.common import (
    BEACON_LAYOUTS,
    EIGHT_DATA_RATES,
    EIGHT_PAYLOAD_SIZES,
    EIGHT_RX1_DATA_RATES,
    SIX_TX_POWERS_DB,
)
from bittern.lorawan.regions.plan import Channel, ClassB, DutyCycleBand, DynamicPlan

EU433 = DynamicPlan(
    name="EU433",
    common_name="EU433",
    aliases=("EU433-434", "EU433.05-434.79"),
    station_region="IL915",
    station_max_eirp_dbm=12.15,
    frequency_range_hz=(433_050_000, 434_790_000),
    data_rates=EIGHT_DATA_RATES,
    payload_sizes=EIGHT_PAYLOAD_SIZES,
    max_eirp_dbm=12.15,
    tx_power_offsets_db=SIX_TX_POWERS_DB,
    rx1_data_rates=EIGHT_RX1_DATA_RATES,
    rx2_frequency_hz=434_665_000,
    rx2_data_rate=0,
    class_b=ClassB(
        beacon_data_rate=3,
        beacon_frequencies_hz=(434_665_000,),
        beacon_layout=BEACON_LAYOUTS[9],
        ping_slot_data_rate=3,
        ping_slot_frequencies_hz=(434_665_000,),
    ),
    duty_cycle_bands=(DutyCycleBand(433_050_000, 434_790_000, 0.01, 12.15),),
    default_channels=(
        Channel(433_175_000, 0, 5),
        Channel(433_375_000, 0, 5),
        Channel(433_575_000, 0, 5),
    ),
    added_channels=(
        Channel(433_775_000, 0, 5),
        Channel(433_975_000, 0, 5),
        Channel(434_175_000, 0, 5),
        Channel(434_375_000, 0, 5),
        Channel(434_575_000, 0, 5),
    ),
    station_channels=(Channel(433_375_000, 6, 6), Channel(433_575_000, 7, 7)),
)
