"""AS923-1 to AS923-4 (RP002-1.0.4, 2.10): one plan, shifted by a group's AS923_FREQ_OFFSET."""

from __future__ import annotations

from bittern.lorawan.regions.common import BEACON_LAYOUTS, EIGHT_DATA_RATES, EIGHT_TX_POWERS_DB
from bittern.lorawan.regions.plan import Channel, ClassB, DutyCycleBand, DynamicPlan, PayloadSizes

PAYLOAD_SIZES = PayloadSizes(
    plain={0: 51, 1: 51, 2: 115, 3: 115, 4: 242, 5: 242, 6: 242, 7: 242},
    repeater={0: 51, 1: 51, 2: 115, 3: 115, 4: 222, 5: 222, 6: 222, 7: 222},
    dwell={0: 0, 1: 0, 2: 11, 3: 53, 4: 125, 5: 242, 6: 242, 7: 242},
    dwell_repeater={0: 0, 1: 0, 2: 11, 3: 53, 4: 125, 5: 222, 6: 222, 7: 222},
)
# Offsets 6 and 7 go up instead of down.
RX1_DATA_RATES = {
    0: (0, 0, 0, 0, 0, 0, 1, 2),
    1: (1, 0, 0, 0, 0, 0, 2, 3),
    2: (2, 1, 0, 0, 0, 0, 3, 4),
    3: (3, 2, 1, 0, 0, 0, 4, 5),
    4: (4, 3, 2, 1, 0, 0, 5, 6),
    5: (5, 4, 3, 2, 1, 0, 6, 7),
    6: (6, 5, 4, 3, 2, 1, 7, 7),
    7: (7, 6, 5, 4, 3, 2, 7, 7),
}
RX1_DATA_RATES_DWELL = {
    0: (2, 2, 2, 2, 2, 2, 2, 2),
    1: (2, 2, 2, 2, 2, 2, 2, 3),
    2: (2, 2, 2, 2, 2, 2, 3, 4),
    3: (3, 2, 2, 2, 2, 2, 4, 5),
    4: (4, 3, 2, 2, 2, 2, 5, 6),
    5: (5, 4, 3, 2, 2, 2, 6, 7),
    6: (6, 5, 4, 3, 2, 2, 7, 7),
    7: (7, 6, 5, 4, 3, 2, 7, 7),
}


def _group(
    name: str,
    *,
    offset_hz: int,
    range_hz: tuple[int, int],
    added_hz: tuple[int, ...],
    aliases: tuple[str, ...] = (),
    listen_before_talk: str = "",
) -> DynamicPlan:
    first_hz, second_hz = 923_200_000 + offset_hz, 923_400_000 + offset_hz
    return DynamicPlan(
        name=name,
        common_name=name,
        aliases=aliases,
        # Under AS923-1 the station listens before it talks, and stays silent if its radio cannot.
        station_region="IL915",
        frequency_range_hz=range_hz,
        data_rates=EIGHT_DATA_RATES,
        payload_sizes=PAYLOAD_SIZES,
        max_eirp_dbm=16,
        tx_power_offsets_db=EIGHT_TX_POWERS_DB,
        rx1_data_rates=RX1_DATA_RATES,
        rx1_data_rates_dwell=RX1_DATA_RATES_DWELL,
        rx2_frequency_hz=first_hz,
        rx2_data_rate=2,
        class_b=ClassB(
            beacon_data_rate=3,
            beacon_frequencies_hz=(second_hz,),
            beacon_layout=BEACON_LAYOUTS[9],
            ping_slot_data_rate=3,
            ping_slot_frequencies_hz=(second_hz,),
        ),
        duty_cycle_bands=(DutyCycleBand(*range_hz, 0.01, 16),),
        listen_before_talk=listen_before_talk,
        has_tx_param_setup=True,
        # Whether the dwell time of uplinks is limited depends on the country (2.3); the shorter
        # payloads are right in every one.
        boot_uplink_dwell=True,
        default_channels=(Channel(first_hz, 0, 5), Channel(second_hz, 0, 5)),
        added_channels=tuple(Channel(frequency_hz, 0, 5) for frequency_hz in added_hz),
        # 250 kHz around the first channel would reach beyond the radio that hears it.
        station_channels=(Channel(second_hz, 6, 6), Channel(first_hz, 7, 7)),
    )


AS923_1 = _group(
    "AS923-1",
    offset_hz=0,
    range_hz=(915_000_000, 928_000_000),
    added_hz=(922_000_000, 922_200_000, 922_400_000, 922_600_000, 922_800_000),
    aliases=("AS923", "AS923JP", "AS920-923", "AS923-925"),
    listen_before_talk="devices and gateways in Japan; a gateway whose radio can listen has"
    " station_region AS923-1",
)
AS923_2 = _group(
    "AS923-2",
    offset_hz=-1_800_000,
    range_hz=(920_000_000, 923_000_000),
    added_hz=(921_800_000, 922_000_000, 922_200_000, 922_400_000, 922_600_000),
)
AS923_3 = _group(
    "AS923-3",
    offset_hz=-6_600_000,
    range_hz=(915_000_000, 921_000_000),
    added_hz=(917_000_000, 917_200_000, 917_400_000, 917_600_000, 917_800_000),
)
AS923_4 = _group(
    "AS923-4",
    offset_hz=-5_900_000,
    range_hz=(917_000_000, 920_000_000),
    added_hz=(917_700_000, 917_900_000, 918_100_000, 918_300_000, 918_500_000),
)
