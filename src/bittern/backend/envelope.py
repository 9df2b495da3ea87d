"""Keys in messages: wrapped for whoever is to have them (TS002-1.1.0, 11.3: KeyEnvelope)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from bittern.backend.messages import KeyEnvelope
from bittern.backend.values import Hex
from bittern.lorawan.crypto import bare_key, unwrap_key, wrap_key
from bittern.types import AES128Key, KeyEncryptionKey

K = TypeVar("K", bound=AES128Key)


class Kek(msgspec.Struct, frozen=True):
    """A key-encryption key by the label that both ends know it by."""

    label: str
    key: KeyEncryptionKey


def sealed(key: AES128Key, kek: Kek | None) -> KeyEnvelope:
    """Without `kek` TLS alone protects it."""
    if kek is None:
        return KeyEnvelope(aes_key=Hex(bare_key(key)))
    return KeyEnvelope(kek_label=kek.label, aes_key=Hex(wrap_key(kek.key, key)))


def opened(kind: type[K], envelope: KeyEnvelope, keks: Mapping[str, KeyEncryptionKey]) -> K | str:
    """The key, or why it cannot be had."""
    label = envelope.kek_label
    if not label:
        try:
            return kind(envelope.aes_key)
        except ValueError as error:
            return str(error)
    kek = keks.get(label)
    if kek is None:
        return f"{kind.__name__} is wrapped by {label!r}, which this server does not have"
    try:
        return unwrap_key(kind, kek, envelope.aes_key)
    except ValueError as error:
        return f"{kind.__name__} is wrapped by another {label!r}: {error}"
