"""What passes between the gateways and the network: receptions, transmissions, reports.

Times of a gateway's own clock (``xtime``) and its antenna (``rctx``) are opaque here: they go back
to the gateway as they came. ``data_rate`` is always an index of the region's table.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from bittern.types import DevEUI, GatewayEUI, Instant

DeviceClass = Literal["A", "B", "C"]


class Window(NamedTuple):
    """Where a receive window listens, and so where a gateway sends."""

    data_rate: int
    frequency_hz: int


class Reception(msgspec.Struct, frozen=True, gc=False):
    """One gateway heard one frame."""

    gateway_eui: GatewayEUI
    frequency_hz: int
    data_rate: int
    rssi_dbm: int
    snr_db: float
    received_at: Instant
    """When the server got the message."""
    xtime: int
    """The gateway's clock at the end of the frame; beyond 2^53, never a float."""
    rctx: int
    gps_time_us: int | None = None
    """Microseconds since 1980-01-06 without leap seconds; ``None``: the gateway has no GPS time."""
    fine_timestamp: int | None = None
    """Nanoseconds within the GPS second; ``None`` if the gateway has none."""


class Transmission(msgspec.Struct, frozen=True, kw_only=True):
    """One frame for one gateway to send.

    Class A: ``rx1`` and/or ``rx2``, ``xtime`` and ``rctx`` of the uplink that opens the windows.
    Class C: as class A, or ``rx2`` alone for "now". Class B: ``rx1`` at ``gps_time_us``.
    """

    downlink_id: int
    dev_eui: DevEUI
    device_class: DeviceClass
    phy_payload: bytes
    rx_delay_s: int
    """From the end of the uplink to RX1; RX2 is one second later."""
    rx1: Window | None = None
    rx2: Window | None = None
    xtime: int | None = None
    rctx: int | None = None
    gps_time_us: int | None = None
    priority: int = 0
    """0..255; of two that overlap the higher one is sent."""


class TransmissionReport(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway says that it sent a frame, and in which window."""

    downlink_id: int
    gateway_eui: GatewayEUI
    dev_eui: DevEUI
    frequency_hz: int
    data_rate: int
    xtime: int
    gps_time_us: int | None = None
    at: Instant
    """When the server got the message."""
