"""What all MAC commands share: CID, size, names, and bits in their places."""

from __future__ import annotations

from typing import ClassVar, Self

import msgspec

from bittern.errors import CommandError

_SPECIFIED = {
    "tx_power": "TXPower",
    "rx1_dr_offset": "RX1DRoffset",
    "rx2_data_rate": "RX2DataRate",
    "rx1_dr_offset_ack": "RX1DRoffsetACK",
    "rx2_data_rate_ack": "RX2DataRateACK",
    "channel_ack": "ChannelACK",
    "power_ack": "PowerACK",
    "data_rate_ack": "DataRateACK",
    "channel_mask_ack": "ChannelMaskACK",
    "max_eirp": "MaxEIRP",
    "gw_cnt": "GwCnt",
    "min_dr": "MinDR",
    "max_dr": "MaxDR",
}


def specified_name(name: str) -> str:
    """``ch_mask_cntl`` -> ``ChMaskCntl``: the specification's spelling of a field."""
    return _SPECIFIED.get(name) or "".join(word.capitalize() for word in name.split("_"))


class MacCommand(msgspec.Struct, frozen=True, rename=specified_name):
    """One MAC command. Its fields encode under the specification's names.

    ``SIZE`` counts the bytes after the CID. A command without a payload inherits everything.
    """

    CID: ClassVar[int]
    SIZE: ClassVar[int] = 0

    @classmethod
    def spec_name(cls) -> str:
        return cls.__name__

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """From the bytes after the CID. Raises ``CommandError`` unless they are ``SIZE``."""
        if len(payload) != cls.SIZE:
            raise CommandError(
                f"{cls.__name__} has {cls.SIZE} bytes of payload, not {len(payload)}"
            )
        return cls.read(payload)

    @classmethod
    def read(cls, payload: bytes) -> Self:
        """``unpack`` of a payload of the right size."""
        return cls()

    def pack(self) -> bytes:
        """CID and payload. Raises ``ValueError`` if a value does not fit its field."""
        return bytes((self.CID,)) + self.write()

    def write(self) -> bytes:
        """The payload."""
        return b""


class UplinkCommand(MacCommand, frozen=True):
    """From device to network."""


class DownlinkCommand(MacCommand, frozen=True):
    """From network to device."""


def bits(value: int, width: int, shift: int = 0) -> int:
    """``value`` in its place. Raises ``ValueError`` if it would spill into its neighbour."""
    if not 0 <= value < 1 << width:
        raise ValueError(f"{value} does not fit {width} bits")
    return value << shift


def flags(*values: bool) -> bytes:
    """One byte; the first value is bit 0."""
    return bytes((sum(value << position for position, value in enumerate(values)),))


def frequency_bytes(frequency_hz: int) -> bytes:
    """Three bytes in steps of 100 Hz (TS001-1.0.4, 5.6). Raises ``ValueError``."""
    if frequency_hz % 100:
        raise ValueError(f"{frequency_hz} Hz is no multiple of 100 Hz")
    return bits(frequency_hz // 100, 24).to_bytes(3, "little")


def frequency_hz(wire: bytes) -> int:
    return int.from_bytes(wire, "little") * 100
