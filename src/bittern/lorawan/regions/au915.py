"""AU915-928 (RP002-1.0.4, 2.8)."""

from __future__ import annotations

from bittern.lorawan.regions.common import BEACON_LAYOUTS
from bittern.lorawan.regions.plan import (
    Channel,
    ClassB,
    FixedPlan,
    PayloadSizes,
    SubBandMasks,
    lora_downlink,
    lora_uplink,
    lr_fhss,
)

DOWNLINK_DATA_RATES = {dr: lora_downlink(20 - dr, 500) for dr in range(8, 14)}
DOWNLINK_SIZES = {8: 53, 9: 129, 10: 242, 11: 242, 12: 242, 13: 242}
DOWNLINK_SIZES_REPEATER = {8: 53, 9: 129, 10: 222, 11: 222, 12: 222, 13: 222}
DOWNLINK_FREQUENCIES_HZ = tuple(923_300_000 + 600_000 * n for n in range(8))

AU915 = FixedPlan(
    name="AU915",
    common_name="AU915-928",
    station_region="AU915",
    frequency_range_hz=(915_000_000, 928_000_000),
    data_rates={
        0: lora_uplink(12, 125),
        1: lora_uplink(11, 125),
        2: lora_uplink(10, 125),
        3: lora_uplink(9, 125),
        4: lora_uplink(8, 125),
        5: lora_uplink(7, 125),
        6: lora_uplink(8, 500),
        7: lr_fhss(1523, "1/3", 162),
        **DOWNLINK_DATA_RATES,
    },
    payload_sizes=PayloadSizes(
        plain={0: 51, 1: 51, 2: 51, 3: 115, 4: 242, 5: 242, 6: 242, 7: 50, **DOWNLINK_SIZES},
        repeater={
            **{0: 51, 1: 51, 2: 51, 3: 115, 4: 222, 5: 222, 6: 222, 7: 50},
            **DOWNLINK_SIZES_REPEATER,
        },
        dwell={0: 0, 1: 0, 2: 11, 3: 53, 4: 125, 5: 242, 6: 242, 7: 50, **DOWNLINK_SIZES},
        dwell_repeater={
            **{0: 0, 1: 0, 2: 11, 3: 53, 4: 125, 5: 222, 6: 222, 7: 50},
            **DOWNLINK_SIZES_REPEATER,
        },
    ),
    max_eirp_dbm=30,
    tx_power_offsets_db=(0, -2, -4, -6, -8, -10, -12, -14, -16, -18, -20, -22, -24, -26, -28),
    rx1_data_rates={
        0: (8, 8, 8, 8, 8, 8),
        1: (9, 8, 8, 8, 8, 8),
        2: (10, 9, 8, 8, 8, 8),
        3: (11, 10, 9, 8, 8, 8),
        4: (12, 11, 10, 9, 8, 8),
        5: (13, 12, 11, 10, 9, 8),
        6: (13, 13, 12, 11, 10, 9),
        7: (9, 8, 8, 8, 8, 8),
    },
    rx2_frequency_hz=923_300_000,
    rx2_data_rate=8,
    class_b=ClassB(
        beacon_data_rate=8,
        beacon_frequencies_hz=DOWNLINK_FREQUENCIES_HZ,
        beacon_layout=BEACON_LAYOUTS[12],
        ping_slot_data_rate=8,
        ping_slot_frequencies_hz=DOWNLINK_FREQUENCIES_HZ,
    ),
    has_tx_param_setup=True,
    boot_uplink_dwell=True,
    narrow_channels=tuple(Channel(915_200_000 + 200_000 * n, 0, 5) for n in range(64)),
    wide_channels=tuple(Channel(915_900_000 + 1_600_000 * n, 6, 7) for n in range(8)),
    downlink_frequencies_hz=DOWNLINK_FREQUENCIES_HZ,
    masks=SubBandMasks(all_narrow_on=6, all_narrow_off=7),
)
