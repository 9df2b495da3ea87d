"""How the last uplink of a device was heard, in a few bytes: a session keeps it for each uplink.

It is for statistics alone and decides nothing: what an answer needs is in `Session.heard_by`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

from bittern.lorawan.radio import Reception
from bittern.types import EUI64, GatewayEUI

GATEWAYS_KEPT = 8
_NO_PORT = 0xFF  # reserved (TS001-1.0.4, 4.3.2)
_HEAD = struct.Struct("<BBI")
_GATEWAY = struct.Struct("<8shh")


class HeardAt(msgspec.Struct, frozen=True):
    """By one gateway."""

    gateway_eui: GatewayEUI
    rssi_dbm: int
    snr_db: float


class LastHeard(msgspec.Struct, frozen=True):
    """One uplink."""

    fport: int | None
    data_rate: int
    frequency_hz: int
    gateways: tuple[HeardAt, ...]
    """The best first, `GATEWAYS_KEPT` at most."""


def packed(fport: int | None, receptions: Iterable[Reception]) -> bytes:
    """`receptions` come best first."""
    heard = list(receptions)[:GATEWAYS_KEPT]
    best = heard[0]
    parts = [_HEAD.pack(_NO_PORT if fport is None else fport, best.data_rate, best.frequency_hz)]
    parts += [
        _GATEWAY.pack(one.gateway_eui, _within(one.rssi_dbm), _within(round(one.snr_db * 100)))
        for one in heard
    ]
    return b"".join(parts)


def unpacked(kept: bytes) -> LastHeard | None:
    """None where nothing is kept: the session was not heard, or by an earlier version."""
    if not kept:
        return None
    fport, data_rate, frequency_hz = _HEAD.unpack_from(kept)
    return LastHeard(
        fport=None if fport == _NO_PORT else fport,
        data_rate=data_rate,
        frequency_hz=frequency_hz,
        gateways=tuple(
            HeardAt(GatewayEUI(EUI64(eui)), rssi_dbm, snr / 100)
            for eui, rssi_dbm, snr in _GATEWAY.iter_unpack(kept[_HEAD.size :])
        ),
    )


def _within(value: int) -> int:
    """What a gateway tells is not to be trusted with our arithmetic."""
    return max(-0x8000, min(value, 0x7FFF))
