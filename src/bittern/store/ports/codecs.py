"""Payload codecs."""

from __future__ import annotations

from typing import Protocol

from bittern.store.codec_records import CodecRecord


class CodecStore(Protocol):
    """Payload codecs. A profile may name one that is not there: its messages then say so."""

    async def add_codec(self, codec: CodecRecord) -> None:
        """Raises `Conflict` for a taken name."""
        ...

    async def codec(self, account: str, name: str) -> CodecRecord | None: ...
    async def codecs(self, account: str) -> list[CodecRecord]:
        """In order of name."""
        ...

    async def replace_codec(self, codec: CodecRecord) -> None:
        """The whole record of its account and name; `NotFound` without one."""
        ...

    async def remove_codec(self, account: str, name: str) -> None:
        """Raises `NotFound`."""
        ...
