"""What a device knows of its region, typed in a second time from RP002-1.0.4.

The server's plans are in ``lorawan/regions``; nothing here reads them, so that the two check each
other. Frequencies are in Hz, data rates are indices of the region's table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

JOIN_ACCEPT_DELAY1_S = 5
RECEIVE_DELAY1_S = 1
RX2_AFTER_RX1_S = 1


@dataclass(frozen=True, slots=True)
class Modulation:
    """A row of the data rate table. FSK has spreading factor 0."""

    spreading_factor: int
    bandwidth_khz: int


@dataclass(frozen=True, slots=True)
class UplinkChannel:
    """A channel that the device may send on."""

    frequency_hz: int
    min_data_rate: int
    max_data_rate: int
    downlink_frequency_hz: int | None = None
    """Where RX1 listens, if not as the region says: set by DlChannelReq."""

    def allows(self, data_rate: int) -> bool:
        return self.min_data_rate <= data_rate <= self.max_data_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRegion:
    """The regional parameters from the device's point of view."""

    name: str
    kind: Literal["dynamic", "fixed"]
    data_rates: dict[int, Modulation]
    """All that the device can send or receive."""
    max_mac_payload: dict[int, int]
    """M, the largest MACPayload in bytes, without repeater and without dwell time limit."""
    default_channels: tuple[UplinkChannel, ...]
    """Dynamic: those that cannot be changed. Fixed: all of them, by index."""
    frequency_range: tuple[int, int]
    rx1_data_rates: dict[int, tuple[int, ...]]
    """By uplink data rate: the RX1 data rate for each RX1DROffset."""
    rx1_frequencies: tuple[int, ...] | None
    """Fixed plans: RX1 of channel n is number n modulo 8. ``None``: RX1 is where the uplink was."""
    rx2_frequency_hz: int
    rx2_data_rate: int
    rx2_data_rates: frozenset[int]
    """What RXParamSetupReq may choose."""
    max_tx_power: int
    """The largest TXPower index."""
    tx_param_setup: bool
    """Whether TXParamSetupReq belongs to the region."""

    def rx1_data_rate(self, uplink_data_rate: int, offset: int) -> int:
        return self.rx1_data_rates[uplink_data_rate][offset]

    def rx1_frequency_hz(self, index: int, channel: UplinkChannel) -> int:
        if channel.downlink_frequency_hz is not None:
            return channel.downlink_frequency_hz
        if self.rx1_frequencies is None:
            return channel.frequency_hz
        return self.rx1_frequencies[index % 8]

    def permits(self, frequency_hz: int) -> bool:
        low, high = self.frequency_range
        return low <= frequency_hz <= high


# RP002-1.0.4, 2.5: EU863-870.
EU868 = DeviceRegion(
    name="EU868",
    kind="dynamic",
    data_rates={
        0: Modulation(12, 125),
        1: Modulation(11, 125),
        2: Modulation(10, 125),
        3: Modulation(9, 125),
        4: Modulation(8, 125),
        5: Modulation(7, 125),
        6: Modulation(7, 250),
        7: Modulation(0, 0),
    },
    max_mac_payload={0: 59, 1: 59, 2: 59, 3: 123, 4: 250, 5: 250, 6: 250, 7: 250},
    default_channels=(
        UplinkChannel(868_100_000, 0, 5),
        UplinkChannel(868_300_000, 0, 5),
        UplinkChannel(868_500_000, 0, 5),
    ),
    frequency_range=(863_000_000, 870_000_000),
    rx1_data_rates={
        0: (0, 0, 0, 0, 0, 0),
        1: (1, 0, 0, 0, 0, 0),
        2: (2, 1, 0, 0, 0, 0),
        3: (3, 2, 1, 0, 0, 0),
        4: (4, 3, 2, 1, 0, 0),
        5: (5, 4, 3, 2, 1, 0),
        6: (6, 5, 4, 3, 2, 1),
        7: (7, 6, 5, 4, 3, 2),
    },
    rx1_frequencies=None,
    rx2_frequency_hz=869_525_000,
    rx2_data_rate=0,
    rx2_data_rates=frozenset(range(8)),
    max_tx_power=7,
    tx_param_setup=False,
)

# RP002-1.0.4, 2.6: US902-928.
US915 = DeviceRegion(
    name="US915",
    kind="fixed",
    data_rates={
        0: Modulation(10, 125),
        1: Modulation(9, 125),
        2: Modulation(8, 125),
        3: Modulation(7, 125),
        4: Modulation(8, 500),
        8: Modulation(12, 500),
        9: Modulation(11, 500),
        10: Modulation(10, 500),
        11: Modulation(9, 500),
        12: Modulation(8, 500),
        13: Modulation(7, 500),
    },
    max_mac_payload={
        0: 19,
        1: 61,
        2: 133,
        3: 250,
        4: 250,
        8: 61,
        9: 137,
        10: 250,
        11: 250,
        12: 250,
        13: 250,
    },
    default_channels=(
        *(UplinkChannel(902_300_000 + 200_000 * n, 0, 3) for n in range(64)),
        *(UplinkChannel(903_000_000 + 1_600_000 * n, 4, 4) for n in range(8)),
    ),
    frequency_range=(902_000_000, 928_000_000),
    rx1_data_rates={
        0: (10, 9, 8, 8),
        1: (11, 10, 9, 8),
        2: (12, 11, 10, 9),
        3: (13, 12, 11, 10),
        4: (13, 13, 12, 11),
    },
    rx1_frequencies=tuple(923_300_000 + 600_000 * n for n in range(8)),
    rx2_frequency_hz=923_300_000,
    rx2_data_rate=8,
    rx2_data_rates=frozenset(range(8, 14)),
    max_tx_power=14,
    tx_param_setup=False,
)

_REGIONS = {region.name: region for region in (EU868, US915)}


def device_region(name: str) -> DeviceRegion:
    """The region of that name. Raises ``ValueError`` with the known names."""
    try:
        return _REGIONS[name]
    except KeyError:
        known = ", ".join(sorted(_REGIONS))
        raise ValueError(f"no simulated device for region {name!r}; known: {known}") from None
