"""Payload codecs that an operator registers, and their rows.

A codec is public knowledge of a device's maker: nothing of it is sealed.
"""

from __future__ import annotations

import re

import msgspec

from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
MOST_SCRIPT_BYTES = 512 * 1024
"""In UTF-8. Most scripts of makers have 2 to 60 KB; those bundled with libraries more."""

Row = tuple[str, str, str, float]


class CodecRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A script as of LoRa Alliance TS013, by the name that device profiles call it by."""

    account: str = DEFAULT_ACCOUNT
    name: str
    script: str
    created_at: Instant

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(
                f"{self.name!r} names no codec: 1 to 64 letters, digits and -._ are wanted, and a"
                " letter or digit first"
            )
        size = len(self.script.encode())
        if size > MOST_SCRIPT_BYTES:
            raise ValueError(f"the script has {size} bytes, {MOST_SCRIPT_BYTES} at most")


def codec_to_row(codec: CodecRecord) -> Row:
    """account, name, script, created_at."""
    return codec.account, codec.name, codec.script, codec.created_at


def codec_from_row(row: Row) -> CodecRecord:
    account, name, script, created_at = row
    return CodecRecord(account=account, name=name, script=script, created_at=Instant(created_at))
