"""EU863-870 (RP002-1.0.4, 2.4)."""

from __future__ import annotations

from bittern.lorawan.regions.common import BEACON_LAYOUTS
from bittern.lorawan.regions.plan import (
    Channel,
    ClassB,
    DutyCycleBand,
    DynamicPlan,
    PayloadSizes,
    fsk,
    lora,
    lr_fhss,
)

_LR_FHSS_SIZES = {8: 50, 9: 115, 10: 50, 11: 115}

EU868 = DynamicPlan(
    name="EU868",
    common_name="EU863-870",
    station_region="EU868",
    frequency_range_hz=(863_000_000, 870_000_000),
    data_rates={
        0: lora(12, 125),
        1: lora(11, 125),
        2: lora(10, 125),
        3: lora(9, 125),
        4: lora(8, 125),
        5: lora(7, 125),
        6: lora(7, 250),
        7: fsk(50_000),
        8: lr_fhss(137, "1/3", 162),
        9: lr_fhss(137, "2/3", 325),
        10: lr_fhss(336, "1/3", 162),
        11: lr_fhss(336, "2/3", 325),
    },
    payload_sizes=PayloadSizes(
        plain={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242, 6: 242, 7: 242, **_LR_FHSS_SIZES},
        repeater={0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222, 6: 222, 7: 222, **_LR_FHSS_SIZES},
    ),
    max_eirp_dbm=16,
    tx_power_offsets_db=(0, -2, -4, -6, -8, -10, -12, -14),
    rx1_data_rates={
        0: (0, 0, 0, 0, 0, 0),
        1: (1, 0, 0, 0, 0, 0),
        2: (2, 1, 0, 0, 0, 0),
        3: (3, 2, 1, 0, 0, 0),
        4: (4, 3, 2, 1, 0, 0),
        5: (5, 4, 3, 2, 1, 0),
        6: (6, 5, 4, 3, 2, 1),
        7: (7, 6, 5, 4, 3, 2),
        8: (1, 0, 0, 0, 0, 0),
        9: (2, 1, 0, 0, 0, 0),
        10: (1, 0, 0, 0, 0, 0),
        11: (2, 1, 0, 0, 0, 0),
    },
    rx2_frequency_hz=869_525_000,
    rx2_data_rate=0,
    class_b=ClassB(
        beacon_data_rate=3,
        beacon_frequencies_hz=(869_525_000,),
        beacon_layout=BEACON_LAYOUTS[9],
        ping_slot_data_rate=3,
        ping_slot_frequencies_hz=(869_525_000,),
    ),
    # ETSI EN 300 220-2 V3.2.1, table B.1: bands K, L, M, N, P and R.
    duty_cycle_bands=(
        DutyCycleBand(863_000_000, 865_000_000, 0.001, 16.15),
        DutyCycleBand(865_000_000, 868_000_000, 0.01, 16.15),
        DutyCycleBand(868_000_000, 868_600_000, 0.01, 16.15),
        DutyCycleBand(868_700_000, 869_200_000, 0.001, 16.15),
        DutyCycleBand(869_400_000, 869_650_000, 0.1, 29.15),
        DutyCycleBand(869_700_000, 870_000_000, 0.01, 16.15),
    ),
    default_channels=(
        Channel(868_100_000, 0, 5),
        Channel(868_300_000, 0, 5),
        Channel(868_500_000, 0, 5),
    ),
    added_channels=(
        Channel(867_100_000, 0, 5),
        Channel(867_300_000, 0, 5),
        Channel(867_500_000, 0, 5),
        Channel(867_700_000, 0, 5),
        Channel(867_900_000, 0, 5),
    ),
    station_channels=(Channel(868_300_000, 6, 6), Channel(868_800_000, 7, 7)),
)
