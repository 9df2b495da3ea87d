"""AS923, four groups of countries with the same plan at other frequencies (RP002-1.0.4, 2.10)."""

from __future__ import annotations

from bittern.simulator.regions.dynamic import EU868_ROWS, channels
from bittern.simulator.regions.shape import DeviceRegion


def _group(
    name: str, *, first_hz: int, second_hz: int, frequency_range: tuple[int, int]
) -> DeviceRegion:
    """The second channel has the beacons and the ping slots too."""
    return DeviceRegion(
        name=name,
        kind="dynamic",
        data_rates=EU868_ROWS,
        max_mac_payload={0: 59, 1: 59, 2: 123, 3: 123, 4: 250, 5: 250, 6: 250, 7: 250},
        max_mac_payload_dwell={2: 19, 3: 61, 4: 133, 5: 250, 6: 250, 7: 250},
        default_channels=channels(first_hz, second_hz),
        frequency_range=frequency_range,
        rx1_data_rates={
            0: (0, 0, 0, 0, 0, 0, 1, 2),
            1: (1, 0, 0, 0, 0, 0, 2, 3),
            2: (2, 1, 0, 0, 0, 0, 3, 4),
            3: (3, 2, 1, 0, 0, 0, 4, 5),
            4: (4, 3, 2, 1, 0, 0, 5, 6),
            5: (5, 4, 3, 2, 1, 0, 6, 7),
            6: (6, 5, 4, 3, 2, 1, 7, 7),
            7: (7, 6, 5, 4, 3, 2, 7, 7),
        },
        rx1_data_rates_dwell={
            0: (2, 2, 2, 2, 2, 2, 2, 2),
            1: (2, 2, 2, 2, 2, 2, 2, 3),
            2: (2, 2, 2, 2, 2, 2, 3, 4),
            3: (3, 2, 2, 2, 2, 2, 4, 5),
            4: (4, 3, 2, 2, 2, 2, 5, 6),
            5: (5, 4, 3, 2, 2, 2, 6, 7),
            6: (6, 5, 4, 3, 2, 2, 7, 7),
            7: (7, 6, 5, 4, 3, 2, 7, 7),
        },
        rx2_frequency_hz=first_hz,
        rx2_data_rate=2,
        rx2_data_rates=frozenset(range(8)),
        ping_slot_frequencies=(second_hz,),
        ping_slot_data_rate=3,
        max_tx_power=7,
        tx_param_setup=True,
    )


AS923_1 = _group(
    "AS923-1",
    first_hz=923_200_000,
    second_hz=923_400_000,
    frequency_range=(915_000_000, 928_000_000),
)
AS923_2 = _group(
    "AS923-2",
    first_hz=921_400_000,
    second_hz=921_600_000,
    frequency_range=(920_000_000, 923_000_000),
)
AS923_3 = _group(
    "AS923-3",
    first_hz=916_600_000,
    second_hz=916_800_000,
    frequency_range=(915_000_000, 921_000_000),
)
AS923_4 = _group(
    "AS923-4",
    first_hz=917_300_000,
    second_hz=917_500_000,
    frequency_range=(917_000_000, 920_000_000),
)
