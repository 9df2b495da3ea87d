"""When and where a device of class B listens, computed as the device does (TS001-1.0.4, 13).

The server's computation is in ``lorawan/class_b.py``; nothing here reads it, so that the two check
each other. GPS times are microseconds since 1980-01-06 without leap seconds.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import ECB

from bittern.simulator.radio import ReceiveWindow
from bittern.simulator.regions import DeviceRegion
from bittern.types import DevAddr

TOLERANCE_US = 20


def slot_beginning(gps_us: int, dev_addr: DevAddr, periodicity: int) -> bool:
    """Whether one of the device's ping slots begins at that time."""
    beacon_s = gps_us // 128_000_000 * 128
    into_window_us = gps_us - beacon_s * 1_000_000 - 2_120_000
    number, off_us = divmod(into_window_us + TOLERANCE_US, 30_000)
    if off_us > 2 * TOLERANCE_US or not 0 <= number < 4096:
        return False
    ping_period = 32 << periodicity
    return (number - ping_offset(beacon_s, dev_addr, ping_period)) % ping_period == 0


def ping_offset(beacon_s: int, dev_addr: DevAddr, ping_period: int) -> int:
    """TS001-1.0.4, 13.2: one block of AES-128 under a key of zeros."""
    block = beacon_s.to_bytes(4, "little") + dev_addr.to_wire() + bytes(8)
    rand = Cipher(AES128(bytes(16)), ECB()).encryptor().update(block)  # nosec B305
    return int.from_bytes(rand[:2], "little") % ping_period


def ping_window(
    region: DeviceRegion, dev_addr: DevAddr, gps_us: int, channel: tuple[int, int] | None
) -> ReceiveWindow:
    """Where a slot at that time listens; ``channel`` is what PingSlotChannelReq has set."""
    frequencies_hz, data_rate = region.ping_slot_frequencies, region.ping_slot_data_rate
    beacon_number = gps_us // 128_000_000
    frequency_hz = frequencies_hz[(int(dev_addr) + beacon_number) % len(frequencies_hz)]
    if channel is not None:
        frequency_hz, data_rate = channel[0] or frequency_hz, channel[1]
    return ReceiveWindow("PING", 0, frequency_hz, data_rate, region.data_rates[data_rate])
