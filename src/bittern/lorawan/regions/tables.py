"""The rows of a region's tables (RP002-1.0.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from bittern.types import DevAddr


class Modulation(StrEnum):
    """As AWS writes them."""

    LORA = "LORA"
    FSK = "FSK"
    LR_FHSS = "LR_FHSS"


class DataRate(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a region's data rate table. What a modulation does not have is 0."""

    modulation: Modulation
    spreading_factor: int = 0
    """LoRa: 5..12."""
    bandwidth_khz: int = 0
    """LoRa: 125, 250, 500. LR-FHSS: the occupied channel width."""
    bit_rate: int = 0
    """FSK and LR-FHSS, bits per second."""
    coding_rate: str = ""
    uplink: bool = True
    downlink: bool = True


def lora(spreading_factor: int, bandwidth_khz: int) -> DataRate:
    return DataRate(
        modulation=Modulation.LORA,
        spreading_factor=spreading_factor,
        bandwidth_khz=bandwidth_khz,
        coding_rate="4/5",
    )


def lora_uplink(spreading_factor: int, bandwidth_khz: int) -> DataRate:
    return msgspec.structs.replace(lora(spreading_factor, bandwidth_khz), downlink=False)


def lora_downlink(spreading_factor: int, bandwidth_khz: int) -> DataRate:
    return msgspec.structs.replace(lora(spreading_factor, bandwidth_khz), uplink=False)


def fsk(bit_rate: int) -> DataRate:
    return DataRate(modulation=Modulation.FSK, bit_rate=bit_rate)


def lr_fhss(bandwidth_khz: int, coding_rate: str, bit_rate: int) -> DataRate:
    """LR-FHSS, from device to gateway only."""
    return DataRate(
        modulation=Modulation.LR_FHSS,
        bandwidth_khz=bandwidth_khz,
        coding_rate=coding_rate,
        bit_rate=bit_rate,
        downlink=False,
    )


class Channel(NamedTuple):
    """An uplink channel and the data rates that a device may use on it."""

    frequency_hz: int
    min_dr: int
    max_dr: int


class ChannelMask(NamedTuple):
    """ChMaskCntl and ChMask of one LinkADRReq (TS001-1.0.4, 5.3)."""

    control: int
    mask: int


class StationDataRate(NamedTuple):
    """A row of Basics Station's ``DRs``: SF (0: FSK, -1: undefined), kHz, 1 if downlink only."""

    spreading_factor: int
    bandwidth_khz: int
    downlink_only: int


class DutyCycleBand(NamedTuple):
    """A part of the spectrum with its own limit on time on air."""

    min_hz: int
    max_hz: int
    duty_cycle: float
    """1 is no limit."""
    max_eirp_dbm: float


@dataclass(frozen=True, slots=True)
class PayloadSizes:
    """N by data rate: bytes of the largest FRMPayload with empty FOpts; M, a MACPayload, is N + 8.

    ``repeater`` leaves room for a repeater's header. ``dwell`` is under a dwell time of 400 ms.
    """

    plain: Mapping[int, int]
    repeater: Mapping[int, int]
    dwell: Mapping[int, int] | None = None
    dwell_repeater: Mapping[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ClassB:
    """Beacons and ping slots (TS001-1.0.4, 11 and 14; RP002-1.0.4, "Class B beacon").

    Several frequencies are hopped through: a beacon by its time, a ping slot by DevAddr and time.
    """

    beacon_data_rate: int
    beacon_frequencies_hz: tuple[int, ...]
    beacon_layout: tuple[int, int, int]
    """Offsets of time and GwSpecific, and the length, as Basics Station wants them."""
    ping_slot_data_rate: int
    ping_slot_frequencies_hz: tuple[int, ...]

    def beacon_frequency_hz(self, beacon_time_s: int) -> int:
        """``beacon_time_s``: GPS seconds, a multiple of the 128 s beacon period."""
        return hop(self.beacon_frequencies_hz, beacon_time_s // 128)

    def ping_slot_frequency_hz(self, dev_addr: DevAddr, beacon_time_s: int) -> int:
        return hop(self.ping_slot_frequencies_hz, int(dev_addr) + beacon_time_s // 128)


def hop(frequencies_hz: Sequence[int], step: int) -> int:
    return frequencies_hz[step % len(frequencies_hz)]


class JoinChannel(NamedTuple):
    """What the channel of a join-request decides: where RX1 and RX2 of the join-accept are, and
    then RX2 and class B of the session, until a command moves them."""

    frequency_hz: int
    rx1_frequency_hz: int
    rx2_frequency_hz: int
    class_b: ClassB


@dataclass(frozen=True, kw_only=True)
class SubBandMasks:
    """How a fixed plan's LinkADRReq says "all" and "none" (RP002-1.0.4, ChMaskCntl tables)."""

    all_narrow_on: int
    """ChMaskCntl that enables every 125 kHz channel; its ChMask is that of the wide channels."""
    all_narrow_off: int | None
    """The same for disabling; ``None`` where there is none."""
