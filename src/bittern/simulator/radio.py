"""The radio side of a simulated device: channels, data rate, receive windows.

Every method that the network's commands reach answers with the bits of that command's answer, and
changes nothing unless all bits are set (TS001-1.0.4, 5).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from bittern.lorawan.frame import MIC_SIZE
from bittern.simulator.complaint import Complaint, Objection
from bittern.simulator.regions import (
    JOIN_ACCEPT_DELAY1_S,
    RECEIVE_DELAY1_S,
    RX2_AFTER_RX1_S,
    DeviceRegion,
    Modulation,
    UplinkChannel,
)

KEEP = 0xF
"""DataRate and TXPower of LinkADRReq that change nothing."""


@dataclass(frozen=True, slots=True)
class Emission:
    """One uplink as it leaves the antenna."""

    phy_payload: bytes
    channel: int
    frequency_hz: int
    data_rate: int
    modulation: Modulation


@dataclass(frozen=True, slots=True)
class ReceiveWindow:
    """When and where the device listens; the delay counts from the end of its uplink."""

    name: str
    delay_s: int
    frequency_hz: int
    data_rate: int
    modulation: Modulation


@dataclass(frozen=True, slots=True)
class LinkAdr:
    """One LinkADRReq (TS001-1.0.4, 5.3)."""

    data_rate: int
    tx_power: int
    ch_mask: int
    ch_mask_cntl: int
    nb_trans: int

    @classmethod
    def unpack(cls, content: bytes) -> LinkAdr:
        return cls(
            data_rate=content[0] >> 4,
            tx_power=content[0] & 0x0F,
            ch_mask=int.from_bytes(content[1:3], "little"),
            ch_mask_cntl=content[3] >> 4 & 0b111,
            nb_trans=content[3] & 0x0F,
        )


@dataclass(slots=True)
class DeviceRadio:
    """What the device was told of its radio. A join starts a new one."""

    region: DeviceRegion
    data_rate: int
    channels: dict[int, UplinkChannel] = field(default_factory=dict)
    enabled: set[int] = field(default_factory=set)
    tx_power: int = 0
    nb_trans: int = 1
    uplink_dwell: bool = False
    """No uplink may last longer than 400 ms."""
    downlink_dwell: bool = False
    """Likewise no downlink, which makes RX1 faster."""
    rx1_delay_s: int = RECEIVE_DELAY1_S
    rx1_dr_offset: int = 0
    rx2_frequency_hz: int = 0
    rx2_data_rate: int = 0
    max_duty_cycle: int = 0
    """The aggregated duty cycle is 1 / 2^this."""
    eirp_and_dwell_time: int | None = None
    """The last TXParamSetupReq, as sent."""
    max_tx_power: int | None = None
    """The largest TXPower index of this device, where it has less than the region."""
    max_data_rate: int | None = None
    """Likewise its fastest data rate."""

    @classmethod
    def of(
        cls, region: DeviceRegion, data_rate: int, sub_bands: tuple[int, ...] = ()
    ) -> DeviceRadio:
        """As it leaves the factory; ``sub_bands`` 1..8 narrow a fixed plan."""
        channels = dict(enumerate(region.default_channels))
        enabled = set(channels)
        if sub_bands:
            enabled = {i for n in sub_bands for i in (*range(8 * n - 8, 8 * n), 63 + n)}
        return cls(
            region,
            data_rate,
            channels,
            enabled,
            rx2_frequency_hz=region.rx2_frequency_hz,
            rx2_data_rate=region.rx2_data_rate,
            # Right in every country of the region, until the network tells (RP002-1.0.4, 2.3).
            uplink_dwell=region.tx_param_setup,
        )

    def enable_defaults(self) -> None:
        """The last resort of a device that hears nothing (TS001-1.0.4, 4.3.1.1)."""
        self.enabled |= set(range(len(self.region.default_channels)))

    # Sending

    def choose_channel(self, chance: random.Random) -> int:
        """A channel for a data frame, at random among those of the data rate."""
        fitting = [i for i in sorted(self.enabled) if self.channels[i].allows(self.data_rate)]
        if not fitting:
            raise ValueError(f"no enabled channel has data rate {self.data_rate}")
        return chance.choice(fitting)

    def choose_join_channel(self, chance: random.Random, attempt: int) -> tuple[int, int]:
        """Channel and data rate of a join-request.

        Dynamic plans: a default channel at the device's data rate. Fixed ones: 125 kHz channels and
        500 kHz channels take turns, each at the data rate for joins (RP002-1.0.4, 2.5.2 and 2.8.2).
        """
        join_data_rate = self.region.join_data_rate
        if join_data_rate is None:
            return chance.randrange(len(self.region.default_channels)), self.data_rate
        wide = sorted(i for i in self.enabled if i >= 64)
        narrow = sorted(i for i in self.enabled if i < 64)
        if wide and (attempt % 2 or not narrow):
            choice = chance.choice(wide)
            return choice, self.channels[choice].min_data_rate
        return chance.choice(narrow), join_data_rate

    def largest_uplink(self, data_rate: int) -> int:
        """MACPayload in bytes; 0 where the dwell time forbids the data rate."""
        return self.region.largest_uplink(data_rate, dwell=self.uplink_dwell)

    def can_send(self, data_rate: int) -> bool:
        """Some enabled channel has the data rate, and the dwell time allows it."""
        allowed = any(self.channels[i].allows(data_rate) for i in self.enabled)
        return allowed and self.largest_uplink(data_rate) > 0

    def emission(self, phy_payload: bytes, channel: int, data_rate: int) -> Emission:
        """Raises ``ValueError`` if the frame would last longer than the dwell time."""
        if len(phy_payload) - 1 - MIC_SIZE > self.largest_uplink(data_rate):
            raise ValueError(f"{len(phy_payload)} bytes are too long for data rate {data_rate}")
        return Emission(
            phy_payload,
            channel,
            self.channels[channel].frequency_hz,
            data_rate,
            self.region.data_rates[data_rate],
        )

    # Listening

    def windows(self, sent: Emission, *, join: bool) -> tuple[ReceiveWindow, ReceiveWindow]:
        """RX1 and RX2 after that uplink (TS001-1.0.4, 3.3; join delays: RP002-1.0.4, 2.5.8).

        What the network moved counts for data frames only.
        """
        dwell = self.downlink_dwell and not join
        delay_s = JOIN_ACCEPT_DELAY1_S if join else self.rx1_delay_s
        offset = 0 if join else self.rx1_dr_offset
        rx1_data_rate = self.region.rx1_data_rate(sent.data_rate, offset, downlink_dwell=dwell)
        channel = self.channels[sent.channel]
        if join:
            channel = replace(channel, downlink_frequency_hz=None)
        return (
            self._window(
                "RX1",
                delay_s,
                self.region.rx1_frequency_hz(sent.channel, channel),
                rx1_data_rate,
            ),
            self.rx2_window(delay_s + RX2_AFTER_RX1_S, join=join),
        )

    def rx2_window(self, delay_s: int = 0, *, join: bool = False) -> ReceiveWindow:
        if join:
            region = self.region
            return self._window("RX2", delay_s, region.rx2_frequency_hz, region.rx2_data_rate)
        return self._window("RX2", delay_s, self.rx2_frequency_hz, self.rx2_data_rate)

    def _window(self, name: str, delay_s: int, frequency_hz: int, data_rate: int) -> ReceiveWindow:
        modulation = self.region.data_rates[data_rate]
        return ReceiveWindow(name, delay_s, frequency_hz, data_rate, modulation)

    # Told by the join-accept

    def apply_dl_settings(self, rx1_dr_offset: int, rx2_data_rate: int, rx_delay: int) -> None:
        if rx1_dr_offset >= len(self.region.rx1_data_rates[0]):
            raise Objection(Complaint.IMPOSSIBLE_PARAMETER, f"RX1DROffset {rx1_dr_offset}")
        if rx2_data_rate not in self.region.rx2_data_rates:
            raise Objection(Complaint.IMPOSSIBLE_PARAMETER, f"RX2DataRate {rx2_data_rate}")
        self.rx1_dr_offset = rx1_dr_offset
        self.rx2_data_rate = rx2_data_rate
        self.rx1_delay_s = max(rx_delay, 1)

    def apply_cf_list(self, cf_list: bytes) -> None:
        """Type 0: five channels more. Type 1: masks of the fixed ones (RP002-1.0.4, 2.5.4)."""
        wanted = 0 if self.region.kind == "dynamic" else 1
        if cf_list[15] != wanted:
            raise Objection(
                Complaint.IMPOSSIBLE_PARAMETER,
                f"CFListType {cf_list[15]} in {self.region.name}, which has {wanted}",
            )
        if wanted:
            masks = int.from_bytes(cf_list[:9], "little")
            self.enabled = {i for i in self.channels if masks >> i & 1}
            if not self.enabled:
                raise Objection(Complaint.IMPOSSIBLE_PARAMETER, "CFList without a channel")
            return
        first = len(self.region.default_channels)
        for i in range(5):
            frequency_hz = 100 * int.from_bytes(cf_list[3 * i : 3 * i + 3], "little")
            if frequency_hz == 0:
                continue
            if not self.region.permits(frequency_hz):
                raise Objection(Complaint.IMPOSSIBLE_PARAMETER, f"CFList: {frequency_hz} Hz")
            self.channels[first + i] = UplinkChannel(frequency_hz, 0, 5)
            self.enabled.add(first + i)

    # Told by MAC commands: each returns the status bits of its answer

    def link_adr(self, block: list[LinkAdr]) -> int:
        """TS001-1.0.4, 5.3: masks add up over the block, the rest is the last command's."""
        enabled: set[int] | None = set(self.enabled)
        for request in block:
            enabled = enabled if enabled is None else self._masked(enabled, request)
        last = block[-1]
        data_rate = self.data_rate if last.data_rate == KEEP else last.data_rate
        tx_power = self.tx_power if last.tx_power == KEEP else last.tx_power
        mask_ok = bool(enabled)
        among = enabled or self.enabled
        fastest = max(self.region.data_rates) if self.max_data_rate is None else self.max_data_rate
        least = self.region.max_tx_power if self.max_tx_power is None else self.max_tx_power
        dr_ok = data_rate in self.region.data_rates and any(
            self.channels[i].allows(data_rate) for i in among
        )
        dr_ok = dr_ok and data_rate <= fastest and self.largest_uplink(data_rate) > 0
        power_ok = tx_power <= least
        if mask_ok and dr_ok and power_ok:
            self.enabled, self.data_rate, self.tx_power = set(among), data_rate, tx_power
            self.nb_trans = last.nb_trans or self.nb_trans
        return mask_ok | dr_ok << 1 | power_ok << 2

    def _masked(self, enabled: set[int], request: LinkAdr) -> set[int] | None:
        """``None`` if the mask cannot be: a channel that is not defined, a reserved ChMaskCntl."""
        if self.region.kind == "dynamic":
            return self._masked_dynamic(request)
        return self._masked_fixed(enabled, request)

    def _masked_dynamic(self, request: LinkAdr) -> set[int] | None:
        if request.ch_mask_cntl == 6:
            return set(self.channels)
        if request.ch_mask_cntl != 0:
            return None
        wanted = {i for i in range(16) if request.ch_mask >> i & 1}
        return wanted if wanted <= set(self.channels) else None

    def _masked_fixed(self, enabled: set[int], request: LinkAdr) -> set[int] | None:
        """RP002-1.0.4, 2.5.5 and 2.8.5, with the erratum of 2023: in ChMaskCntl 5 a bit stands for
        a block of eight channels and its wide one, and there are eight blocks."""
        cntl, mask = request.ch_mask_cntl, request.ch_mask
        bits = {i for i in range(16) if mask >> i & 1}
        wide = {64 + i for i in bits if i < 8}
        if cntl <= 3:
            bank = range(16 * cntl, 16 * cntl + 16)
            return enabled - set(bank) | {16 * cntl + i for i in bits}
        if cntl == 4:
            return enabled - set(range(64, 72)) | wide
        if cntl == 5:
            return {i for n in bits if n < 8 for i in (*range(8 * n, 8 * n + 8), 64 + n)}
        return set(range(64)) | wide if cntl == 6 else wide

    def rx_param_setup(self, rx1_dr_offset: int, rx2_data_rate: int, frequency_hz: int) -> int:
        """TS001-1.0.4, 5.5."""
        channel_ok = self.region.permits(frequency_hz)
        rx2_ok = rx2_data_rate in self.region.rx2_data_rates
        offset_ok = rx1_dr_offset < len(self.region.rx1_data_rates[0])
        if channel_ok and rx2_ok and offset_ok:
            self.rx1_dr_offset = rx1_dr_offset
            self.rx2_data_rate = rx2_data_rate
            self.rx2_frequency_hz = frequency_hz
        return channel_ok | rx2_ok << 1 | offset_ok << 2

    def new_channel(self, index: int, frequency_hz: int, dr_range: int) -> int:
        """TS001-1.0.4, 5.6: frequency 0 takes the channel away."""
        min_data_rate, max_data_rate = dr_range & 0x0F, dr_range >> 4
        if not len(self.region.default_channels) <= index < 16:
            return 0
        frequency_ok = frequency_hz == 0 or self.region.permits(frequency_hz)
        range_ok = min_data_rate <= max_data_rate and max_data_rate in self.region.data_rates
        if frequency_hz == 0:
            self.channels.pop(index, None)
            self.enabled.discard(index)
            return 0b11
        if frequency_ok and range_ok:
            self.channels[index] = UplinkChannel(frequency_hz, min_data_rate, max_data_rate)
            self.enabled.add(index)
        return frequency_ok | range_ok << 1

    def tx_param_setup(self, eirp_and_dwell_time: int) -> None:
        """TS001-1.0.4, 5.8. A data rate that is too slow from now on is left."""
        self.eirp_and_dwell_time = eirp_and_dwell_time
        self.downlink_dwell = bool(eirp_and_dwell_time & 0x20)
        self.uplink_dwell = bool(eirp_and_dwell_time & 0x10)
        while not self.can_send(self.data_rate) and self.data_rate < max(self.region.data_rates):
            self.data_rate += 1

    def dl_channel(self, index: int, frequency_hz: int) -> int:
        """TS001-1.0.4, 5.10."""
        frequency_ok = self.region.permits(frequency_hz)
        channel = self.channels.get(index)
        if channel is not None and frequency_ok:
            self.channels[index] = replace(channel, downlink_frequency_hz=frequency_hz)
        return frequency_ok | (channel is not None) << 1
