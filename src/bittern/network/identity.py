"""Identifiers that the network makes: of messages, and of addresses."""

from __future__ import annotations

from uuid import UUID

from bittern.network.ports import Randomness


def uplink_message_id(randomness: Randomness) -> str:
    """A version 4 UUID (RFC 9562, 5.4), lower case."""
    return str(UUID(int=randomness.getrandbits(128), version=4))


def downlink_message_id(randomness: Randomness) -> str:
    """Four groups of 8, 8, 4 and 4 hexadecimal digits, the form that AWS gives to downlinks."""
    digits = f"{randomness.getrandbits(96):024x}"
    return "-".join((digits[:8], digits[8:16], digits[16:20], digits[20:]))
