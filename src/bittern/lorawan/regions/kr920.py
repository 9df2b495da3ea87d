"""KR920-923 (RP002-1.0.4, 2.11)."""

from __future__ import annotations

from bittern.lorawan.regions.common import (
    BEACON_LAYOUTS,
    EIGHT_TX_POWERS_DB,
    LORA_125,
    SIX_RX1_DATA_RATES,
)
from bittern.lorawan.regions.plan import Channel, ClassB, DutyCycleBand, DynamicPlan, PayloadSizes

KR920 = DynamicPlan(
    name="KR920",
    common_name="KR920-923",
    # Under KR920 the station listens before it talks, and stays silent if its radio cannot.
    station_region="IL915",
    frequency_range_hz=(920_900_000, 923_300_000),
    data_rates=LORA_125,
    payload_sizes=PayloadSizes(
        plain={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242},
        repeater={0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222},
    ),
    max_eirp_dbm=14,
    tx_power_offsets_db=EIGHT_TX_POWERS_DB,
    rx1_data_rates=SIX_RX1_DATA_RATES,
    rx2_frequency_hz=921_900_000,
    rx2_data_rate=0,
    class_b=ClassB(
        beacon_data_rate=3,
        beacon_frequencies_hz=(923_100_000,),
        beacon_layout=BEACON_LAYOUTS[9],
        ping_slot_data_rate=3,
        ping_slot_frequencies_hz=(923_100_000,),
    ),
    # Listening before talking stands for the duty cycle. The power is the devices'; gateways may
    # use 23 dBm throughout.
    duty_cycle_bands=(
        DutyCycleBand(920_900_000, 922_000_000, 1, 10),
        DutyCycleBand(922_000_000, 923_300_000, 1, 14),
    ),
    listen_before_talk="devices and gateways in Korea, on every channel; a gateway whose radio can"
    " listen has station_region KR920",
    default_channels=(
        Channel(922_100_000, 0, 5),
        Channel(922_300_000, 0, 5),
        Channel(922_500_000, 0, 5),
    ),
    added_channels=(
        Channel(922_700_000, 0, 5),
        Channel(922_900_000, 0, 5),
        Channel(923_100_000, 0, 5),
        Channel(923_300_000, 0, 5),
    ),
)
