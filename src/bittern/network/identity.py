"""Identifiers that the network makes: of messages, and of addresses."""

from __future__ import annotations

from bittern.network.ports import Randomness

_VERSION_AND_VARIANT = 0xF << 76 | 0x3 << 62
_VERSION_4 = 0x4 << 76 | 0x2 << 62


def uplink_message_id(randomness: Randomness) -> str:
    """A version 4 UUID (RFC 9562, 5.4), lower case. Written here because every uplink has one, and
    `uuid` takes four times as long."""
    bits = randomness.getrandbits(128) & ~_VERSION_AND_VARIANT | _VERSION_4
    digits = f"{bits:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def downlink_message_id(randomness: Randomness) -> str:
    """Four groups of 8, 8, 4 and 4 hexadecimal digits, the form that AWS gives to downlinks."""
    digits = f"{randomness.getrandbits(96):024x}"
    return "-".join((digits[:8], digits[8:16], digits[16:20], digits[20:]))
