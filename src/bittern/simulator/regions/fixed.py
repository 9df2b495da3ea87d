"""US915 and AU915: 64 channels of 125 kHz and 8 of 500 kHz, all known from the start."""

from __future__ import annotations

from bittern.simulator.regions.shape import DeviceRegion, Modulation, UplinkChannel

_DOWNLINK_ROWS = {
    8: Modulation(12, 500),
    9: Modulation(11, 500),
    10: Modulation(10, 500),
    11: Modulation(9, 500),
    12: Modulation(8, 500),
    13: Modulation(7, 500),
}
_DOWNLINK_SIZES = {8: 61, 9: 137, 10: 250, 11: 250, 12: 250, 13: 250}
_DOWNLINK_FREQUENCIES = tuple(923_300_000 + 600_000 * n for n in range(8))

# RP002-1.0.4, 2.5: US902-928.
US915 = DeviceRegion(
    name="US915",
    kind="fixed",
    data_rates={
        0: Modulation(10, 125),
        1: Modulation(9, 125),
        2: Modulation(8, 125),
        3: Modulation(7, 125),
        4: Modulation(8, 500),
        **_DOWNLINK_ROWS,
    },
    max_mac_payload={0: 19, 1: 61, 2: 133, 3: 250, 4: 250, **_DOWNLINK_SIZES},
    default_channels=(
        *(UplinkChannel(902_300_000 + 200_000 * n, 0, 3) for n in range(64)),
        *(UplinkChannel(903_000_000 + 1_600_000 * n, 4, 4) for n in range(8)),
    ),
    frequency_range=(902_000_000, 928_000_000),
    join_data_rate=0,
    rx1_data_rates={
        0: (10, 9, 8, 8),
        1: (11, 10, 9, 8),
        2: (12, 11, 10, 9),
        3: (13, 12, 11, 10),
        4: (13, 13, 12, 11),
    },
    rx1_frequencies=_DOWNLINK_FREQUENCIES,
    rx2_frequency_hz=923_300_000,
    rx2_data_rate=8,
    rx2_data_rates=frozenset(range(8, 14)),
    ping_slot_frequencies=_DOWNLINK_FREQUENCIES,
    ping_slot_data_rate=8,
    max_tx_power=14,
)

# RP002-1.0.4, 2.8: AU915-928.
AU915 = DeviceRegion(
    name="AU915",
    kind="fixed",
    data_rates={
        0: Modulation(12, 125),
        1: Modulation(11, 125),
        2: Modulation(10, 125),
        3: Modulation(9, 125),
        4: Modulation(8, 125),
        5: Modulation(7, 125),
        6: Modulation(8, 500),
        **_DOWNLINK_ROWS,
    },
    max_mac_payload={0: 59, 1: 59, 2: 59, 3: 123, 4: 250, 5: 250, 6: 250, **_DOWNLINK_SIZES},
    max_mac_payload_dwell={2: 19, 3: 61, 4: 133, 5: 250, 6: 250},
    default_channels=(
        *(UplinkChannel(915_200_000 + 200_000 * n, 0, 5) for n in range(64)),
        *(UplinkChannel(915_900_000 + 1_600_000 * n, 6, 6) for n in range(8)),
    ),
    frequency_range=(915_000_000, 928_000_000),
    # The fastest that a join-request of 400 ms needs, so that every country's limit is kept.
    join_data_rate=2,
    rx1_data_rates={
        0: (8, 8, 8, 8, 8, 8),
        1: (9, 8, 8, 8, 8, 8),
        2: (10, 9, 8, 8, 8, 8),
        3: (11, 10, 9, 8, 8, 8),
        4: (12, 11, 10, 9, 8, 8),
        5: (13, 12, 11, 10, 9, 8),
        6: (13, 13, 12, 11, 10, 9),
    },
    rx1_frequencies=_DOWNLINK_FREQUENCIES,
    rx2_frequency_hz=923_300_000,
    rx2_data_rate=8,
    rx2_data_rates=frozenset(range(8, 14)),
    ping_slot_frequencies=_DOWNLINK_FREQUENCIES,
    ping_slot_data_rate=8,
    max_tx_power=14,
    tx_param_setup=True,
)
