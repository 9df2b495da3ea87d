"""EU868 and the regions like it: two or three default channels, others as the network says."""

from __future__ import annotations

from bittern.simulator.regions.shape import DeviceRegion, Modulation, UplinkChannel

LORA_ROWS = {
    0: Modulation(12, 125),
    1: Modulation(11, 125),
    2: Modulation(10, 125),
    3: Modulation(9, 125),
    4: Modulation(8, 125),
    5: Modulation(7, 125),
}
EU868_ROWS = {**LORA_ROWS, 6: Modulation(7, 250), 7: Modulation(0, 0)}
_LORA_SIZES = {0: 59, 1: 59, 2: 59, 3: 123, 4: 250, 5: 250}
_EU868_SIZES = {**_LORA_SIZES, 6: 250, 7: 250}

# The same in all of these regions: as much slower as the offset says, DR0 at the slowest.
_LORA_RX1: dict[int, tuple[int, ...]] = {
    0: (0, 0, 0, 0, 0, 0),
    1: (1, 0, 0, 0, 0, 0),
    2: (2, 1, 0, 0, 0, 0),
    3: (3, 2, 1, 0, 0, 0),
    4: (4, 3, 2, 1, 0, 0),
    5: (5, 4, 3, 2, 1, 0),
}
_EU868_RX1: dict[int, tuple[int, ...]] = {**_LORA_RX1, 6: (6, 5, 4, 3, 2, 1), 7: (7, 6, 5, 4, 3, 2)}


def channels(*frequencies_hz: int) -> tuple[UplinkChannel, ...]:
    """Default channels: DR0 to DR5."""
    return tuple(UplinkChannel(frequency_hz, 0, 5) for frequency_hz in frequencies_hz)


# RP002-1.0.4, 2.4: EU863-870.
EU868 = DeviceRegion(
    name="EU868",
    kind="dynamic",
    data_rates=EU868_ROWS,
    max_mac_payload=_EU868_SIZES,
    default_channels=channels(868_100_000, 868_300_000, 868_500_000),
    frequency_range=(863_000_000, 870_000_000),
    rx1_data_rates=_EU868_RX1,
    rx2_frequency_hz=869_525_000,
    rx2_data_rate=0,
    rx2_data_rates=frozenset(range(8)),
    ping_slot_frequencies=(869_525_000,),
    ping_slot_data_rate=3,
    max_tx_power=7,
)

# RP002-1.0.4, 2.6: CN779-787.
CN779 = DeviceRegion(
    name="CN779",
    kind="dynamic",
    data_rates=EU868_ROWS,
    max_mac_payload=_EU868_SIZES,
    default_channels=channels(779_500_000, 779_700_000, 779_900_000),
    frequency_range=(779_500_000, 786_500_000),
    rx1_data_rates=_EU868_RX1,
    rx2_frequency_hz=786_000_000,
    rx2_data_rate=0,
    rx2_data_rates=frozenset(range(8)),
    ping_slot_frequencies=(785_000_000,),
    ping_slot_data_rate=3,
    max_tx_power=5,
)

# RP002-1.0.4, 2.7: EU433.
EU433 = DeviceRegion(
    name="EU433",
    kind="dynamic",
    data_rates=EU868_ROWS,
    max_mac_payload=_EU868_SIZES,
    default_channels=channels(433_175_000, 433_375_000, 433_575_000),
    frequency_range=(433_175_000, 434_665_000),
    rx1_data_rates=_EU868_RX1,
    rx2_frequency_hz=434_665_000,
    rx2_data_rate=0,
    rx2_data_rates=frozenset(range(8)),
    ping_slot_frequencies=(434_665_000,),
    ping_slot_data_rate=3,
    max_tx_power=5,
)

# RP002-1.0.4, 2.11: KR920-923.
KR920 = DeviceRegion(
    name="KR920",
    kind="dynamic",
    data_rates=LORA_ROWS,
    max_mac_payload=_LORA_SIZES,
    default_channels=channels(922_100_000, 922_300_000, 922_500_000),
    frequency_range=(920_900_000, 923_300_000),
    rx1_data_rates=_LORA_RX1,
    rx2_frequency_hz=921_900_000,
    rx2_data_rate=0,
    rx2_data_rates=frozenset(range(6)),
    ping_slot_frequencies=(923_100_000,),
    ping_slot_data_rate=3,
    max_tx_power=7,
)

# RP002-1.0.4, 2.12: IN865-867. There is no DR6; offsets 6 and 7 are faster than the uplink.
IN865 = DeviceRegion(
    name="IN865",
    kind="dynamic",
    data_rates={**LORA_ROWS, 7: Modulation(0, 0)},
    max_mac_payload={**_LORA_SIZES, 7: 250},
    default_channels=channels(865_062_500, 865_402_500, 865_985_000),
    frequency_range=(865_000_000, 867_000_000),
    rx1_data_rates={
        0: (0, 0, 0, 0, 0, 0, 1, 2),
        1: (1, 0, 0, 0, 0, 0, 2, 3),
        2: (2, 1, 0, 0, 0, 0, 3, 4),
        3: (3, 2, 1, 0, 0, 0, 4, 5),
        4: (4, 3, 2, 1, 0, 0, 5, 5),
        5: (5, 4, 3, 2, 1, 0, 5, 7),
        7: (7, 5, 5, 4, 3, 2, 7, 7),
    },
    rx2_frequency_hz=866_550_000,
    rx2_data_rate=2,
    rx2_data_rates=frozenset((0, 1, 2, 3, 4, 5, 7)),
    ping_slot_frequencies=(866_550_000,),
    ping_slot_data_rate=4,
    max_tx_power=10,
)

# RP002-1.0.4, 2.13: RU864-870.
RU864 = DeviceRegion(
    name="RU864",
    kind="dynamic",
    data_rates=EU868_ROWS,
    max_mac_payload=_EU868_SIZES,
    default_channels=channels(868_900_000, 869_100_000),
    frequency_range=(864_000_000, 870_000_000),
    rx1_data_rates=_EU868_RX1,
    rx2_frequency_hz=869_100_000,
    rx2_data_rate=0,
    rx2_data_rates=frozenset(range(8)),
    ping_slot_frequencies=(868_900_000,),
    ping_slot_data_rate=3,
    max_tx_power=7,
)
