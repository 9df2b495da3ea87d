"""What is in a backup: its last entry, in the clear, authenticated under the ring.

It names the data keys as their provider has wrapped them: without the provider nothing opens.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Sequence

import msgspec

from bittern.errors import BackupUnusable
from bittern.keys.data_keys import DataKey
from bittern.keys.ring import KeyRing, derived_key
from bittern.types import Instant

FORMAT = 1
NAME = "manifest.json"
DATABASE = "bittern.db"
BROKER = "mqtt.db"
KEY_FILE = "data.key"
LONGEST = 16 << 20
PURPOSE = "backup"

_PLAIN_NAME = re.compile(r"[^/\\\x00-\x1f]+(/[^/\\\x00-\x1f]+)*")


class Part(msgspec.Struct, frozen=True):
    """One file."""

    name: str
    """Relative to the data directory."""
    size: int
    """Bytes of the file."""
    sha256: str
    """Of the part as it is in the backup, sealed."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    bittern: str
    """The version that made it."""
    schema: int
    """Of the database."""
    created_at: Instant
    salt: str
    """Drawn for this backup: no two share the key of a part."""
    provider: str
    provider_is: str
    """Where its key is."""
    keys: tuple[DataKey, ...]
    parts: tuple[Part, ...]
    with_key: bool
    """The provider's key file is in it, in the clear."""
    seal: str = ""
    """HMAC-SHA256 of all other fields."""


class BackupKeys:
    """What one backup is sealed and authenticated by, derived from the ring and its salt."""

    def __init__(self, ring: KeyRing, salt: str) -> None:
        self._base = ring.derived(f"{PURPOSE} {salt}")

    def of_part(self, name: str) -> bytes:
        return derived_key(self._base, f"part {name}")

    def seal(self, manifest: Manifest) -> Manifest:
        return msgspec.structs.replace(manifest, seal=self._code(manifest))

    def is_genuine(self, manifest: Manifest) -> bool:
        return hmac.compare_digest(self._code(manifest), manifest.seal)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def _code(self, manifest: Manifest) -> str:
        bare = msgspec.structs.replace(manifest, seal="")
        encoded = msgspec.json.encode(bare, order="sorted")
        return hmac.digest(derived_key(self._base, "manifest"), encoded, "sha256").hex()


def new_salt() -> str:
    return os.urandom(16).hex()


def encode(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def decode(data: bytes, path: str) -> Manifest:
    """Raises `BackupUnusable`. Its names are safe to join to a folder."""
    try:
        form = msgspec.json.decode(data, type=_Form).format
        if form > FORMAT:
            raise BackupUnusable(path, f"format {form} is of a later bittern; this one reads 1")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BackupUnusable(path, "its manifest cannot be read") from None
    _check_names([part.name for part in manifest.parts], path)
    if not manifest.keys:
        raise BackupUnusable(path, "its manifest names no data key")
    return manifest


class _Form(msgspec.Struct):
    format: int


def _check_names(names: Sequence[str], path: str) -> None:
    for name in names:
        if not is_plain(name):
            raise BackupUnusable(path, f"a part has the name {name!r}")
    if len(set(names)) != len(names):
        raise BackupUnusable(path, "two parts have one name")


def is_plain(name: str) -> bool:
    """Whether it stays below a folder that it is joined to, and can be told on a line."""
    return bool(_PLAIN_NAME.fullmatch(name)) and not {"", ".", ".."} & set(name.split("/"))
