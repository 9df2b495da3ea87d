from __future__ import annotations

import pytest

from bittern.errors import KeyProviderRefused
from bittern.keys.local import LocalProvider, kept_key
from bittern.keys.ring import KeyRing

KEY, DATA_KEY = bytes(range(32)), b"d" * 32


def provider(key: bytes = KEY) -> LocalProvider:
    return LocalProvider("file", "file x.key", key, "bring it back")


async def test_a_wrapped_key_unwraps_in_its_context_only() -> None:
    wrapped = await provider().wrap(DATA_KEY, "bittern data key 1")
    assert DATA_KEY not in wrapped
    assert await provider().unwrap(wrapped, "bittern data key 1") == DATA_KEY
    with pytest.raises(KeyProviderRefused, match="data key 2"):
        await provider().unwrap(wrapped, "bittern data key 2")
    with pytest.raises(KeyProviderRefused):
        await provider(bytes(32)).unwrap(wrapped, "bittern data key 1")


async def test_no_changed_bit_unwraps() -> None:
    wrapped = await provider().wrap(DATA_KEY, "c")
    for bit in range(8 * len(wrapped)):
        changed = bytearray(wrapped)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyProviderRefused):
            await provider().unwrap(bytes(changed), "c")


async def test_what_wraps_is_not_what_is_kept() -> None:
    """It may have sealed by itself in an earlier version."""
    sealed = KeyRing({1: KEY}).seal(DATA_KEY, "c")
    with pytest.raises(KeyProviderRefused):
        await provider().unwrap(sealed, "c")


def test_a_provider_says_where_and_never_what() -> None:
    assert (provider().name, provider().describe()) == ("file", "file x.key")
    assert repr(provider()) == "LocalProvider('file x.key')"


@pytest.mark.parametrize("text", [KEY, KEY.hex().encode(), KEY.hex().upper().encode() + b"\n"])
def test_a_kept_key_is_digits_or_bytes(text: bytes) -> None:
    assert kept_key(text) == KEY


@pytest.mark.parametrize("text", [b"", b"x" * 64, KEY.hex()[:-1].encode(), KEY + b"\n"])
def test_anything_else_is_no_kept_key(text: bytes) -> None:
    assert kept_key(text) is None
