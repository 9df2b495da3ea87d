"""A provider that has its key in its own process: what the file and the environment have in common.

The key that wraps is derived from what they keep (HKDF, purpose "wrap data keys"), so that what is
kept may be a data key of an earlier version, which sealed by it directly.
"""

from __future__ import annotations

import re

from bittern.errors import KeyProviderRefused, SealBroken
from bittern.keys.ring import KEY_SIZE, KeyRing, derived_key

PURPOSE = "wrap data keys"
_DIGITS = re.compile(rb"[0-9A-Fa-f]{64}")
_WRAPPING = 1


class LocalProvider:
    """Wraps as `KeyRing` seals; the context is the place."""

    def __init__(self, name: str, where: str, kept: bytes, cure: str) -> None:
        self._name = name
        self._where = where
        self._cure = cure
        self._ring = KeyRing({_WRAPPING: derived_key(kept, PURPOSE)})

    @property
    def name(self) -> str:
        return self._name

    def describe(self) -> str:
        return self._where

    async def wrap(self, data_key: bytes, context: str) -> bytes:
        return self._ring.seal(data_key, context)

    async def unwrap(self, wrapped: bytes, context: str) -> bytes:
        try:
            return self._ring.open(wrapped, context)
        except SealBroken:
            reason = f"does not unwrap {context}: it was wrapped by another key, or was changed"
            raise KeyProviderRefused(self._name, self._where, reason, self._cure) from None

    async def close(self) -> None: ...

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._where!r})"


def kept_key(text: bytes) -> bytes | None:
    """Of what a person gave: 64 hexadecimal digits, or 32 bytes as they are. None: neither."""
    if len(text) == KEY_SIZE:
        return text
    digits = text.strip()
    return bytes.fromhex(digits.decode("ascii")) if _DIGITS.fullmatch(digits) else None
