"""MAC commands from device to network, by CID (TS001-1.0.4, 5; LoRaWAN 1.1, 5, 14, 18).

Of an answer's flags the specification's bit 0 is written first.
"""

from __future__ import annotations

from typing import Self

from bittern.lorawan.commands.base import UplinkCommand, bits, flags


class ResetInd(UplinkCommand, frozen=True):
    """An ABP device has restarted (1.1, 5.1)."""

    CID = 0x01
    SIZE = 1
    minor: int = 1
    """1 is LoRaWAN 1.1."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.minor, 4),))


class LinkCheckReq(UplinkCommand, frozen=True):
    """How well am I heard? (TS001-1.0.4, 5.1)"""

    CID = 0x02


class LinkADRAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.2: nothing is changed unless all three are true."""

    CID = 0x03
    SIZE = 1
    channel_mask_ack: bool = True
    data_rate_ack: bool = True
    power_ack: bool = True

    @classmethod
    def read(cls, payload: bytes) -> Self:
        status = payload[0]
        return cls(bool(status & 1), bool(status & 2), bool(status & 4))

    def write(self) -> bytes:
        return flags(self.channel_mask_ack, self.data_rate_ack, self.power_ack)


class DutyCycleAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.3."""

    CID = 0x04


class RXParamSetupAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.4: repeated in every uplink until a downlink comes."""

    CID = 0x05
    SIZE = 1
    channel_ack: bool = True
    rx2_data_rate_ack: bool = True
    rx1_dr_offset_ack: bool = True

    @classmethod
    def read(cls, payload: bytes) -> Self:
        status = payload[0]
        return cls(bool(status & 1), bool(status & 2), bool(status & 4))

    def write(self) -> bytes:
        return flags(self.channel_ack, self.rx2_data_rate_ack, self.rx1_dr_offset_ack)


class DevStatusAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.5."""

    CID = 0x06
    SIZE = 2
    battery: int
    """0: external power, 1..254: from lowest to full, 255: unknown."""
    margin: int
    """SNR of the DevStatusReq in dB, -32..31."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        six_bits = payload[1] & 0x3F
        return cls(payload[0], six_bits - 64 if six_bits >= 32 else six_bits)

    def write(self) -> bytes:
        return bytes((bits(self.battery, 8), bits(self.margin + 32, 6) ^ 32))


class NewChannelAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.6."""

    CID = 0x07
    SIZE = 1
    channel_frequency_ok: bool = True
    data_rate_range_ok: bool = True

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(bool(payload[0] & 1), bool(payload[0] & 2))

    def write(self) -> bytes:
        return flags(self.channel_frequency_ok, self.data_rate_range_ok)


class RXTimingSetupAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.7: repeated in every uplink until a downlink comes."""

    CID = 0x08


class TXParamSetupAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.8."""

    CID = 0x09


class DlChannelAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 5.6: repeated in every uplink until a downlink comes."""

    CID = 0x0A
    SIZE = 1
    channel_frequency_ok: bool = True
    uplink_frequency_exists: bool = True

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(bool(payload[0] & 1), bool(payload[0] & 2))

    def write(self) -> bytes:
        return flags(self.channel_frequency_ok, self.uplink_frequency_exists)


class RekeyInd(UplinkCommand, frozen=True):
    """A device that joined uses its new session (1.1, 5.10)."""

    CID = 0x0B
    SIZE = 1
    minor: int = 1

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x0F)

    def write(self) -> bytes:
        return bytes((bits(self.minor, 4),))


class ADRParamSetupAns(UplinkCommand, frozen=True):
    """1.1, 5.11."""

    CID = 0x0C


class DeviceTimeReq(UplinkCommand, frozen=True):
    """What time was it at the end of this uplink? (TS001-1.0.4, 5.9)"""

    CID = 0x0D


class RejoinParamSetupAns(UplinkCommand, frozen=True):
    """1.1, 5.14."""

    CID = 0x0F
    SIZE = 1
    time_ok: bool = True
    """The device has accepted the time limit too, not only the count."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(bool(payload[0] & 1))

    def write(self) -> bytes:
        return flags(self.time_ok)


class PingSlotInfoReq(UplinkCommand, frozen=True):
    """TS001-1.0.4, 12.1: a ping slot every 2^periodicity seconds."""

    CID = 0x10
    SIZE = 1
    periodicity: int

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0] & 0x07)

    def write(self) -> bytes:
        return bytes((bits(self.periodicity, 3),))


class PingSlotChannelAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 12.3."""

    CID = 0x11
    SIZE = 1
    channel_frequency_ok: bool = True
    data_rate_ok: bool = True

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(bool(payload[0] & 1), bool(payload[0] & 2))

    def write(self) -> bytes:
        return flags(self.channel_frequency_ok, self.data_rate_ok)


class BeaconTimingReq(UplinkCommand, frozen=True):
    """LoRaWAN 1.0.2 and before; DeviceTimeReq has replaced it (1.1, 14.4)."""

    CID = 0x12


class BeaconFreqAns(UplinkCommand, frozen=True):
    """TS001-1.0.4, 12.2."""

    CID = 0x13
    SIZE = 1
    beacon_frequency_ok: bool = True

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(bool(payload[0] & 1))

    def write(self) -> bytes:
        return flags(self.beacon_frequency_ok)


class DeviceModeInd(UplinkCommand, frozen=True):
    """1.1, 18.1: the class that the device is in from now on."""

    CID = 0x20
    SIZE = 1
    device_class: int
    """0: A, 2: C."""

    @classmethod
    def read(cls, payload: bytes) -> Self:
        return cls(payload[0])

    def write(self) -> bytes:
        return bytes((bits(self.device_class, 8),))


UPLINK_COMMANDS: tuple[type[UplinkCommand], ...] = (
    ResetInd,
    LinkCheckReq,
    LinkADRAns,
    DutyCycleAns,
    RXParamSetupAns,
    DevStatusAns,
    NewChannelAns,
    RXTimingSetupAns,
    TXParamSetupAns,
    DlChannelAns,
    RekeyInd,
    ADRParamSetupAns,
    DeviceTimeReq,
    RejoinParamSetupAns,
    PingSlotInfoReq,
    PingSlotChannelAns,
    BeaconTimingReq,
    BeaconFreqAns,
    DeviceModeInd,
)
