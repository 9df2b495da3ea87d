"""Who keeps the data keys: a port. A data key is stored only as its provider has wrapped it.

`context` says what is wrapped, such as ``bittern data key 3``. It is bound to the result, as
associated data or as an encryption context: what was wrapped for one purpose does not unwrap for
another.
"""

from __future__ import annotations

from typing import Protocol


class KeyProvider(Protocol):
    """Wraps and unwraps. Nothing that it says of itself holds a key."""

    @property
    def name(self) -> str:
        """As in the configuration: ``file``, ``environment``, ``credential`` and so on."""
        ...

    def describe(self) -> str:
        """Where the key is, never what it is: ``file /srv/bittern/data.key``."""
        ...

    async def wrap(self, data_key: bytes, context: str) -> bytes:
        """Raises as `unwrap`."""
        ...

    async def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Raises `KeyProviderRefused` (access denied, another key, tampered, another context) and
        `KeyProviderUnavailable` (it may answer later)."""
        ...

    async def close(self) -> None: ...


def context_of(key_id: int) -> str:
    """Under which the data key of an id is wrapped."""
    return f"bittern data key {key_id}"
