"""The shape of a region: data for every question, no branches for any region (RP002-1.0.4).

A ``DynamicPlan`` has a few default channels, and the network adds others by their frequency. A
``FixedPlan`` has all of its channels from the start, and the network masks those it does not hear.

A plan answers for frequencies and data rates that a gateway or a device claims, so what is in no
table is answered by ``None`` (or 0 bytes), not by an exception.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bittern.lorawan.regions.tables import (
    Channel,
    ChannelMask,
    ClassB,
    DataRate,
    DutyCycleBand,
    JoinChannel,
    Modulation,
    PayloadSizes,
    StationDataRate,
    SubBandMasks,
    fsk,
    hop,
    lora,
    lora_downlink,
    lora_uplink,
    lr_fhss,
)

__all__ = [
    "Channel",
    "ChannelMask",
    "ClassB",
    "DataRate",
    "DutyCycleBand",
    "DynamicPlan",
    "FixedPlan",
    "JoinChannel",
    "Modulation",
    "PayloadSizes",
    "Plan",
    "StationDataRate",
    "SubBandMasks",
    "fsk",
    "lora",
    "lora_downlink",
    "lora_uplink",
    "lr_fhss",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan(ABC):
    """What both kinds of plan have."""

    name: str
    """As AWS writes it: ``EU868``."""
    common_name: str
    """As RP002 writes it: ``EU863-870``."""
    aliases: tuple[str, ...] = ()
    """Other spellings in use."""
    station_region: str
    """The region that Basics Station is told: ``IL915`` unless it has a name of the region's own
    that it transmits under.

    Station 2.0.6 sends nothing at all in a region whose name it does not know, and it knows only
    EU868, US915, AU915, AS923-1, KR920 and IL915. In AS923-1 and KR920 it listens before it talks,
    which fails in gateways whose radio cannot, and in EU868 it keeps the duty cycles of Europe.
    IL915 means no more to it than a limit of 14 dBm, and AU915 one of 30 dBm. Who has a gateway
    that listens, or needs more power, sets the gateway's own ``station_region``.
    """
    frequency_range_hz: tuple[int, int]
    data_rates: Mapping[int, DataRate]
    payload_sizes: PayloadSizes
    max_eirp_dbm: float
    tx_power_offsets_db: tuple[int, ...]
    """By TXPower index: dB relative to the maximum EIRP."""
    rx1_data_rates: Mapping[int, tuple[int, ...]]
    """By uplink data rate, then by RX1DROffset."""
    rx1_data_rates_dwell: Mapping[int, tuple[int, ...]] | None = None
    """The same under a downlink dwell time of 400 ms, where that differs."""
    rx2_frequency_hz: int
    rx2_data_rate: int
    class_b: ClassB
    duty_cycle_bands: tuple[DutyCycleBand, ...] = ()
    """Empty where the region has no duty cycle."""
    listen_before_talk: str = ""
    """Who must find a channel free before sending; empty where nobody."""
    station_max_eirp_dbm: float | None = None
    """For ``max_eirp``, where ``station_region`` allows more than the region does."""
    has_tx_param_setup: bool = False
    """Devices of this region understand TxParamSetupReq."""
    boot_uplink_dwell: bool = False
    """What devices assume before a TxParamSetupReq."""
    boot_downlink_dwell: bool = False

    receive_delay1_s: int = 1
    join_accept_delay1_s: int = 5
    max_fcnt_gap: int = 16384
    """Of LoRaWAN before 1.0.4, where RP002 still states it."""
    adr_ack_limit: int = 64
    adr_ack_delay: int = 32

    # Data rates

    def max_payload_size(
        self, data_rate: int, *, repeater: bool = False, dwell: bool = False
    ) -> int:
        """N: the largest FRMPayload in bytes with empty FOpts; 0 if nothing may be sent.

        ``dwell``: the 400 ms limit applies in that direction.
        """
        sizes = self.payload_sizes
        plain, behind_repeater = sizes.plain, sizes.repeater
        if dwell and sizes.dwell is not None:
            plain, behind_repeater = sizes.dwell, sizes.dwell_repeater or sizes.dwell
        return (behind_repeater if repeater else plain).get(data_rate, 0)

    def rx1_data_rate(
        self, uplink_data_rate: int, rx1_dr_offset: int, *, downlink_dwell: bool = False
    ) -> int | None:
        """``None`` if the uplink's data rate or the offset is in no table."""
        table = self.rx1_data_rates
        if downlink_dwell and self.rx1_data_rates_dwell is not None:
            table = self.rx1_data_rates_dwell
        row = table.get(uplink_data_rate, ())
        return row[rx1_dr_offset] if 0 <= rx1_dr_offset < len(row) else None

    @property
    def max_rx1_dr_offset(self) -> int:
        return min(len(row) for row in self.rx1_data_rates.values()) - 1

    def tx_power_dbm(self, tx_power: int) -> float | None:
        """EIRP of a TXPower index; ``None`` if the region has no such index."""
        offsets = self.tx_power_offsets_db
        return self.max_eirp_dbm + offsets[tx_power] if 0 <= tx_power < len(offsets) else None

    @property
    def max_adr_data_rate(self) -> int:
        """The fastest that every device has: LoRa, 125 kHz, both by default and by its channels."""
        return max(
            dr
            for channel in self.join_channels
            for dr in range(channel.min_dr, channel.max_dr + 1)
            if (row := self.data_rates.get(dr)) is not None and row.bandwidth_khz == 125
        )

    # Channels

    @property
    @abstractmethod
    def join_channels(self) -> tuple[Channel, ...]:
        """Where devices send join-requests."""

    @abstractmethod
    def uplink_channels(self, sub_bands: Sequence[int] = ()) -> tuple[Channel, ...]:
        """What the network listens to. Sub-bands count from 1; none given means all."""

    @abstractmethod
    def channel_index(self, frequency_hz: int, data_rate: int) -> int | None:
        """TxCh: the index of the plan's own channel, ``None`` if it is none of them.

        A device of a dynamic plan may have other channels too; its session knows them.
        """

    @abstractmethod
    def rx1_frequency(self, uplink_frequency_hz: int) -> int | None:
        """``None`` if no channel of a fixed plan has the frequency."""

    def joined_on(self, frequency_hz: int) -> JoinChannel | None:
        """``None`` where a join-request has no RX1, as ``rx1_frequency``."""
        rx1_frequency_hz = self.rx1_frequency(frequency_hz)
        if rx1_frequency_hz is None:
            return None
        return JoinChannel(frequency_hz, rx1_frequency_hz, self.rx2_frequency_hz, self.class_b)

    @abstractmethod
    def cf_list(self, sub_bands: Sequence[int] = ()) -> bytes | None:
        """The 16 bytes of a join-accept that tell the device of ``uplink_channels``."""

    @abstractmethod
    def channel_masks(self, enabled: Iterable[int]) -> list[ChannelMask]:
        """The LinkADRReq masks, in order, that leave just these channel indices enabled."""

    def frequency_allowed(self, frequency_hz: int) -> bool:
        low, high = self.frequency_range_hz
        return low <= frequency_hz <= high

    def duty_cycle_band(self, frequency_hz: int) -> DutyCycleBand | None:
        for band in self.duty_cycle_bands:
            if band.min_hz <= frequency_hz <= band.max_hz:
                return band
        return None

    # Basics Station

    @cached_property
    def station_data_rates(self) -> tuple[StationDataRate, ...]:
        """Sixteen rows. LR-FHSS and the spreading factors below 7 are not the station's."""
        return tuple(_station_data_rate(self.data_rates.get(dr)) for dr in range(16))

    @abstractmethod
    def station_upchannels(self, sub_bands: Sequence[int] = ()) -> list[Channel]:
        """One entry for each modem: 125 kHz, wider LoRa and FSK are never in one range."""


def _station_data_rate(data_rate: DataRate | None) -> StationDataRate:
    match data_rate:
        case DataRate(modulation=Modulation.FSK):
            return StationDataRate(0, 0, 0)
        case DataRate(modulation=Modulation.LORA, spreading_factor=sf) if sf >= 7:
            return StationDataRate(sf, data_rate.bandwidth_khz, int(not data_rate.uplink))
        case _:
            return StationDataRate(-1, 0, 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class DynamicPlan(Plan):
    """EU868 and its like."""

    default_channels: tuple[Channel, ...]
    """Known to every device; never removed."""
    added_channels: tuple[Channel, ...] = ()
    """What the network adds by CFList, at most five."""
    station_channels: tuple[Channel, ...] = ()
    """What a gateway hears beyond 125 kHz: 250 kHz and FSK."""

    @property
    def join_channels(self) -> tuple[Channel, ...]:
        return self.default_channels

    def uplink_channels(self, sub_bands: Sequence[int] = ()) -> tuple[Channel, ...]:
        """There are no sub-bands here: raises ``ValueError`` if some are given."""
        if sub_bands:
            raise ValueError(f"{self.name} has no sub-bands")
        return self.default_channels + self.added_channels

    def channel_index(self, frequency_hz: int, data_rate: int) -> int | None:
        for index, channel in enumerate(self.default_channels + self.added_channels):
            if channel.frequency_hz == frequency_hz:
                return index
        return None

    def rx1_frequency(self, uplink_frequency_hz: int) -> int | None:
        """The uplink's, unless a DlChannelReq moved it, which the session knows."""
        return uplink_frequency_hz

    def cf_list(self, sub_bands: Sequence[int] = ()) -> bytes | None:
        """CFListType 0: five frequencies of 3 bytes in 100 Hz, 0 where there is none."""
        if not self.added_channels:
            return None
        frequencies = [channel.frequency_hz // 100 for channel in self.added_channels]
        listed = b"".join(frequency.to_bytes(3, "little") for frequency in frequencies)
        return listed.ljust(15, b"\x00") + b"\x00"

    def channel_masks(self, enabled: Iterable[int]) -> list[ChannelMask]:
        """One mask of channels 0..15."""
        return [ChannelMask(0, sum(1 << index for index in sorted(set(enabled))))]

    def station_upchannels(self, sub_bands: Sequence[int] = ()) -> list[Channel]:
        return [*self.uplink_channels(sub_bands), *self.station_channels]


@dataclass(frozen=True, eq=False, kw_only=True)
class FixedPlan(Plan):
    """US915 and its like. Channels are indexed narrow ones first, then wide ones."""

    narrow_channels: tuple[Channel, ...]
    """125 kHz."""
    wide_channels: tuple[Channel, ...] = ()
    """500 kHz, one for each eight narrow ones; CN470 has none."""
    downlink_frequencies_hz: tuple[int, ...]
    """RX1 is on the uplink's channel index modulo their number."""
    masks: SubBandMasks
    common_join_channels: tuple[JoinChannel, ...] = ()
    """Where devices join, if not on every channel; each with windows of its own."""

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        return self.narrow_channels + self.wide_channels

    @cached_property
    def _index_by_frequency(self) -> dict[int, int]:
        return {channel.frequency_hz: index for index, channel in enumerate(self.channels)}

    @property
    def join_channels(self) -> tuple[Channel, ...]:
        if not self.common_join_channels:
            return self.channels
        indices = (self._index_by_frequency[one.frequency_hz] for one in self.common_join_channels)
        return tuple(self.channels[index] for index in indices)

    def joined_on(self, frequency_hz: int) -> JoinChannel | None:
        for one in self.common_join_channels:
            if one.frequency_hz == frequency_hz:
                return one
        return None if self.common_join_channels else super().joined_on(frequency_hz)

    @property
    def sub_band_count(self) -> int:
        return len(self.narrow_channels) // 8

    @property
    def customary_sub_bands(self) -> tuple[int, ...]:
        """What gateways hear where nobody has chosen: the second, as networks at large do."""
        return (min(2, self.sub_band_count),)

    def enabled_indices(self, sub_bands: Sequence[int] = ()) -> tuple[int, ...]:
        """The channels of these sub-bands (1 is the first): eight narrow and, if any, the wide."""
        if not sub_bands:
            return tuple(range(len(self.channels)))
        for sub_band in sub_bands:
            if not 1 <= sub_band <= self.sub_band_count:
                raise ValueError(
                    f"{self.name} has sub-bands 1 to {self.sub_band_count}, not {sub_band}"
                )
        chosen = sorted(set(sub_bands))
        narrow = [8 * (sub_band - 1) + i for sub_band in chosen for i in range(8)]
        wide = [len(self.narrow_channels) + sub_band - 1 for sub_band in chosen]
        return tuple(narrow + wide if self.wide_channels else narrow)

    def uplink_channels(self, sub_bands: Sequence[int] = ()) -> tuple[Channel, ...]:
        """Raises ``ValueError`` on a sub-band that is none."""
        return tuple(self.channels[index] for index in self.enabled_indices(sub_bands))

    def channel_index(self, frequency_hz: int, data_rate: int) -> int | None:
        index = self._index_by_frequency.get(frequency_hz)
        if index is None:
            return None
        channel = self.channels[index]
        return index if channel.min_dr <= data_rate <= channel.max_dr else None

    def rx1_frequency(self, uplink_frequency_hz: int) -> int | None:
        index = self._index_by_frequency.get(uplink_frequency_hz)
        return None if index is None else hop(self.downlink_frequencies_hz, index)

    def cf_list(self, sub_bands: Sequence[int] = ()) -> bytes | None:
        """CFListType 1: masks of 16 channels each."""
        mask = sum(1 << index for index in self.enabled_indices(sub_bands))
        return mask.to_bytes(15, "little") + b"\x01"

    def channel_masks(self, enabled: Iterable[int]) -> list[ChannelMask]:
        """First all narrow channels on or off, whichever is nearer, then the blocks that differ."""
        wanted = sum(1 << index for index in set(enabled))
        narrow_count = len(self.narrow_channels)
        all_narrow = (1 << narrow_count) - 1
        wide = wanted >> narrow_count
        narrow = wanted & all_narrow
        off = self.masks.all_narrow_off
        if off is not None and 2 * narrow.bit_count() < narrow_count:
            first, current = ChannelMask(off, wide), 0
        else:
            first, current = ChannelMask(self.masks.all_narrow_on, wide), all_narrow
        blocks = range((narrow_count + 15) // 16)
        differing = [
            ChannelMask(block, narrow >> 16 * block & 0xFFFF)
            for block in blocks
            if (narrow ^ current) >> 16 * block & 0xFFFF
        ]
        return [first, *differing]

    def station_upchannels(self, sub_bands: Sequence[int] = ()) -> list[Channel]:
        """LR-FHSS is not the station's, so a wide channel has its LoRa data rate only."""
        return [
            Channel(channel.frequency_hz, channel.min_dr, self._last_station_dr(channel))
            for channel in self.uplink_channels(sub_bands)
        ]

    def _last_station_dr(self, channel: Channel) -> int:
        return max(
            dr
            for dr in range(channel.min_dr, channel.max_dr + 1)
            if self.station_data_rates[dr].spreading_factor >= 0
        )
