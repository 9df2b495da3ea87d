"""The shape of a region as a device has it: tables, and how they are read (RP002-1.0.4, 2.3)."""

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
    """M, the largest MACPayload in bytes, without repeater and without dwell time limit.

    Downlinks are held against it whatever the dwell time (RP002-1.0.4, 2.10.6).
    """
    max_mac_payload_dwell: dict[int, int] | None = None
    """The same for uplinks of at most 400 ms; what is not in it cannot be sent then."""
    default_channels: tuple[UplinkChannel, ...]
    """Dynamic: those that cannot be changed. Fixed: all of them, by index."""
    frequency_range: tuple[int, int]
    join_data_rate: int | None = None
    """Fixed plans: of join-requests on 125 kHz channels. ``None``: the device's choice."""
    rx1_data_rates: dict[int, tuple[int, ...]]
    """By uplink data rate: the RX1 data rate for each RX1DROffset."""
    rx1_data_rates_dwell: dict[int, tuple[int, ...]] | None = None
    """The same while downlinks may last 400 ms at most."""
    rx1_frequencies: tuple[int, ...] | None = None
    """Fixed plans: RX1 of channel n is number n modulo 8. ``None``: RX1 is where the uplink was."""
    rx2_frequency_hz: int
    rx2_data_rate: int
    rx2_data_rates: frozenset[int]
    """What RXParamSetupReq may choose."""
    ping_slot_frequencies: tuple[int, ...]
    """What ping slots hop through."""
    ping_slot_data_rate: int
    max_tx_power: int
    """The largest TXPower index."""
    tx_param_setup: bool = False
    """Whether TXParamSetupReq belongs to the region."""

    def rx1_data_rate(
        self, uplink_data_rate: int, offset: int, *, downlink_dwell: bool = False
    ) -> int:
        if downlink_dwell and self.rx1_data_rates_dwell is not None:
            return self.rx1_data_rates_dwell[uplink_data_rate][offset]
        return self.rx1_data_rates[uplink_data_rate][offset]

    def largest_uplink(self, data_rate: int, *, dwell: bool = False) -> int:
        """M in bytes; 0 if the data rate cannot be used."""
        sizes = self.max_mac_payload
        if dwell and self.max_mac_payload_dwell is not None:
            sizes = self.max_mac_payload_dwell
        return sizes.get(data_rate, 0)

    def rx1_frequency_hz(self, index: int, channel: UplinkChannel) -> int:
        if channel.downlink_frequency_hz is not None:
            return channel.downlink_frequency_hz
        if self.rx1_frequencies is None:
            return channel.frequency_hz
        return self.rx1_frequencies[index % 8]

    def permits(self, frequency_hz: int) -> bool:
        low, high = self.frequency_range
        return low <= frequency_hz <= high
