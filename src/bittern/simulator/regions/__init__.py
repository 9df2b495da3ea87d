"""What a device knows of its region, typed in a second time from RP002-1.0.4.

The server's plans are in ``lorawan/regions``; nothing here reads them, so that the two check each
other. Frequencies are in Hz, data rates are indices of the region's table.
"""

from __future__ import annotations

from bittern.simulator.regions.as923 import AS923_1, AS923_2, AS923_3, AS923_4
from bittern.simulator.regions.catalogue import device_region, region_names
from bittern.simulator.regions.dynamic import CN779, EU433, EU868, IN865, KR920, RU864
from bittern.simulator.regions.fixed import AU915, US915
from bittern.simulator.regions.shape import (
    JOIN_ACCEPT_DELAY1_S,
    RECEIVE_DELAY1_S,
    RX2_AFTER_RX1_S,
    DeviceRegion,
    Modulation,
    UplinkChannel,
)

__all__ = [
    "AS923_1",
    "AS923_2",
    "AS923_3",
    "AS923_4",
    "AU915",
    "CN779",
    "EU433",
    "EU868",
    "IN865",
    "JOIN_ACCEPT_DELAY1_S",
    "KR920",
    "RECEIVE_DELAY1_S",
    "RU864",
    "RX2_AFTER_RX1_S",
    "US915",
    "DeviceRegion",
    "Modulation",
    "UplinkChannel",
    "device_region",
    "region_names",
]
