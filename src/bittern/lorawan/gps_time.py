"""GPS time: seconds since 1980-01-06 without leap seconds (TS001-1.0.4, 5.9 DeviceTimeAns)."""

from __future__ import annotations

from bittern.types import Instant

GPS_EPOCH_UTC_S = 315_964_800
"""1980-01-06T00:00:00Z in seconds since 1970-01-01."""

GPS_UTC_OFFSET_S = 18
"""Leap seconds since 1980; unchanged since 2017-01-01 (IERS Bulletin C)."""


def gps_time_us(at: Instant) -> int:
    """Microseconds of GPS time."""
    return round((at - GPS_EPOCH_UTC_S + GPS_UTC_OFFSET_S) * 1_000_000)


def utc_of_gps_us(gps_us: int) -> Instant:
    """The instant of a GPS time in microseconds."""
    return Instant(gps_us / 1_000_000 + GPS_EPOCH_UTC_S - GPS_UTC_OFFSET_S)
