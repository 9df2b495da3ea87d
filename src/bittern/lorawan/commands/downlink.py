"""MAC commands from network to device, by CID (TS001-1.0.4, 5; LoRaWAN 1.1, 5, 14, 18)."""

from __future__ import annotations

from typing import Self

from bittern.lorawan.commands.base import (
    DownlinkCommand,
    bits,
    frequency_bytes,
    frequency_hz,
)

MAX_EIRP_DBM = (8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36)
"""By MaxEIRP of a TXParamSetupReq (TS001-1.0.4, table 23)."""


class ResetConf(DownlinkCommand, frozen=True):
    """1.1, 5.1."""

    CID = 0x01
    SIZE = 1
    minor: int = 1

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.minor, 4),))


class LinkCheckAns(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.1."""

    CID = 0x02
    SIZE = 2
    margin: int
    """dB above the demodulation floor, 0..254, at the best gateway."""
    gw_cnt: int
    """Gateways that heard the request."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0], payload[1])

    def write(self) -> bytes:
        return bytes((bits(self.margin, 8), bits(self.gw_cnt, 8)))


class LinkADRReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.2. 15 in ``data_rate`` or ``tx_power`` keeps what is (1.0.4 and 1.1)."""

    CID = 0x03
    SIZE = 4
    data_rate: int
    tx_power: int
    ch_mask: int
    """Bit 0 is the first channel of the block that ``ch_mask_cntl`` chooses."""
    ch_mask_cntl: int = 0
    nb_trans: int = 1
    """Transmissions of each uplink; 0 keeps what is."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(
            payload[0] >> 4,
            payload[0] & 0x0F,
            payload[1] | payload[2] << 8,
            payload[3] >> 4 & 0x07,
            payload[3] & 0x0F,
        )

    def write(self) -> bytes:
        mask = bits(self.ch_mask, 16)
        rate = bits(self.data_rate, 4, 4) | bits(self.tx_power, 4)
        redundancy = bits(self.ch_mask_cntl, 3, 4) | bits(self.nb_trans, 4)
        return bytes((rate, mask & 0xFF, mask >> 8, redundancy))


class DutyCycleReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.3: the device may send 1/2^max_duty_cycle of the time."""

    CID = 0x04
    SIZE = 1
    max_duty_cycle: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.max_duty_cycle, 4),))


class RXParamSetupReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.4."""

    CID = 0x05
    SIZE = 4
    rx1_dr_offset: int
    rx2_data_rate: int
    frequency_hz: int
    """Of RX2."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] >> 4 & 0x07, payload[0] & 0x0F, frequency_hz(payload[1:]))

    def write(self) -> bytes:
        settings = bits(self.rx1_dr_offset, 3, 4) | bits(self.rx2_data_rate, 4)
        return bytes((settings,)) + frequency_bytes(self.frequency_hz)


class DevStatusReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.5."""

    CID = 0x06


class NewChannelReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.6. Dynamic plans only; a frequency of 0 removes the channel."""

    CID = 0x07
    SIZE = 5
    ch_index: int
    frequency_hz: int
    min_dr: int
    max_dr: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0], frequency_hz(payload[1:4]), payload[4] & 0x0F, payload[4] >> 4)

    def write(self) -> bytes:
        rates = bits(self.max_dr, 4, 4) | bits(self.min_dr, 4)
        return (
            bytes((bits(self.ch_index, 8),)) + frequency_bytes(self.frequency_hz) + bytes((rates,))
        )


class RXTimingSetupReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.7."""

    CID = 0x08
    SIZE = 1
    delay: int
    """Seconds to RX1; 0 means 1."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.delay, 4),))


class TXParamSetupReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.8. Where the region has it: ``Plan.has_tx_param_setup``."""

    CID = 0x09
    SIZE = 1
    downlink_dwell_time: bool
    """400 ms at most."""
    uplink_dwell_time: bool
    max_eirp: int
    """An index of ``MAX_EIRP_DBM``."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(bool(payload[0] & 0x20), bool(payload[0] & 0x10), payload[0] & 0x0F)

    def write(self) -> bytes:
        dwell = self.downlink_dwell_time << 5 | self.uplink_dwell_time << 4
        return bytes((dwell | bits(self.max_eirp, 4),))


class DlChannelReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.6: RX1 of this channel is on another frequency."""

    CID = 0x0A
    SIZE = 4
    ch_index: int
    frequency_hz: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0], frequency_hz(payload[1:]))

    def write(self) -> bytes:
        return bytes((bits(self.ch_index, 8),)) + frequency_bytes(self.frequency_hz)


class RekeyConf(DownlinkCommand, frozen=True):
    """1.1, 5.10."""

    CID = 0x0B
    SIZE = 1
    minor: int = 1

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.minor, 4),))


class ADRParamSetupReq(DownlinkCommand, frozen=True):
    """1.1, 5.11: ADR_ACK_LIMIT and ADR_ACK_DELAY are 2 to these powers."""

    CID = 0x0C
    SIZE = 1
    limit_exp: int
    delay_exp: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] >> 4, payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.limit_exp, 4, 4) | bits(self.delay_exp, 4),))


class DeviceTimeAns(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 5.9: the time at the end of the uplink that asked."""

    CID = 0x0D
    SIZE = 5
    seconds: int
    """Since 1980-01-06, without leap seconds."""
    fraction: int = 0
    """In 1/256 s."""

    @classmethod
    def from_gps_time_us(cls, gps_time_us: int) -> Self:
        seconds, rest_us = divmod(gps_time_us, 1_000_000)
        return cls(seconds & 0xFFFF_FFFF, rest_us * 256 // 1_000_000)

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(int.from_bytes(payload[:4], "little"), payload[4])

    def write(self) -> bytes:
        return bits(self.seconds, 32).to_bytes(4, "little") + bytes((bits(self.fraction, 8),))


class ForceRejoinReq(DownlinkCommand, frozen=True):
    """1.1, 5.13: send rejoin-requests, at once and then again."""

    CID = 0x0E
    SIZE = 2
    period: int
    """32 s x 2^period + up to 32 s between two."""
    max_retries: int
    rejoin_type: int
    """0 or 2."""
    data_rate: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        word = int.from_bytes(payload, "little")
        return cls(word >> 11 & 0x07, word >> 8 & 0x07, word >> 4 & 0x07, word & 0x0F)

    def write(self) -> bytes:
        when = bits(self.period, 3, 11) | bits(self.max_retries, 3, 8)
        what = bits(self.rejoin_type, 3, 4) | bits(self.data_rate, 4)
        return (when | what).to_bytes(2, "little")


class RejoinParamSetupReq(DownlinkCommand, frozen=True):
    """1.1, 5.14: a rejoin every 2^(max_time_n + 10) seconds or 2^(max_count_n + 4) uplinks."""

    CID = 0x0F
    SIZE = 1
    max_time_n: int
    max_count_n: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] >> 4, payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.max_time_n, 4, 4) | bits(self.max_count_n, 4),))


class PingSlotInfoAns(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 12.1."""

    CID = 0x10


class PingSlotChannelReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 12.3. A frequency of 0 returns to the region's."""

    CID = 0x11
    SIZE = 4
    frequency_hz: int
    data_rate: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(frequency_hz(payload[:3]), payload[3] & 0x0F)

    def write(self) -> bytes:
        return frequency_bytes(self.frequency_hz) + bytes((bits(self.data_rate, 4),))


class BeaconTimingAns(DownlinkCommand, frozen=True):
    """LoRaWAN 1.0.2 and before (1.1, 14.4)."""

    CID = 0x12
    SIZE = 3
    delay: int
    """The next beacon starts within 30 ms after 30 ms x delay from the end of this downlink."""
    channel: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] | payload[1] << 8, payload[2])

    def write(self) -> bytes:
        return bits(self.delay, 16).to_bytes(2, "little") + bytes((bits(self.channel, 8),))


class BeaconFreqReq(DownlinkCommand, frozen=True):
    """TS001-1.0.4, 12.2. A frequency of 0 returns to the region's."""

    CID = 0x13
    SIZE = 3
    frequency_hz: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(frequency_hz(payload))

    def write(self) -> bytes:
        return frequency_bytes(self.frequency_hz)


class DeviceModeConf(DownlinkCommand, frozen=True):
    """1.1, 18.1."""

    CID = 0x20
    SIZE = 1
    device_class: int
    """0: A, 2: C."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0])

    def write(self) -> bytes:
        return bytes((bits(self.device_class, 8),))


DOWNLINK_COMMANDS: tuple[type[DownlinkCommand], ...] = (
    ResetConf,
    LinkCheckAns,
    LinkADRReq,
    DutyCycleReq,
    RXParamSetupReq,
    DevStatusReq,
    NewChannelReq,
    RXTimingSetupReq,
    TXParamSetupReq,
    DlChannelReq,
    RekeyConf,
    ADRParamSetupReq,
    DeviceTimeAns,
    ForceRejoinReq,
    RejoinParamSetupReq,
    PingSlotInfoAns,
    PingSlotChannelReq,
    BeaconTimingAns,
    BeaconFreqReq,
    DeviceModeConf,
)
