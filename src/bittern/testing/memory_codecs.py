"""Payload codecs of the store in memory."""

from __future__ import annotations

from bittern.store.codec_records import CodecRecord
from bittern.store.records import ChangeKind
from bittern.testing.memory_fleet import require_new, require_there


class MemoryCodecs:
    """What `MemoryStore` has of payload codecs."""

    def __init__(self) -> None:
        self._codecs: dict[tuple[str, str], CodecRecord] = {}

    def _change(self, kind: ChangeKind, identity: object) -> None:
        raise NotImplementedError

    async def add_codec(self, codec: CodecRecord) -> None:
        require_new(self._codecs, (codec.account, codec.name), "codec", codec.name)
        self._keep(codec)

    async def codec(self, account: str, name: str) -> CodecRecord | None:
        return self._codecs.get((account, name))

    async def codecs(self, account: str) -> list[CodecRecord]:
        return [self._codecs[key] for key in sorted(self._codecs) if key[0] == account]

    async def replace_codec(self, codec: CodecRecord) -> None:
        require_there(self._codecs, (codec.account, codec.name), "codec", codec.name)
        self._keep(codec)

    async def remove_codec(self, account: str, name: str) -> None:
        require_there(self._codecs, (account, name), "codec", name)
        del self._codecs[account, name]
        self._change("codec", f"{account}/{name}")

    def _keep(self, codec: CodecRecord) -> None:
        self._codecs[codec.account, codec.name] = codec
        self._change("codec", f"{codec.account}/{codec.name}")
