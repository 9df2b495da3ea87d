"""Payload codecs on SQLite."""

from __future__ import annotations

from bittern.store.codec_records import CodecRecord, codec_from_row, codec_to_row
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction


class SqliteCodecs:
    _database: Database

    async def add_codec(self, codec: CodecRecord) -> None:
        row = codec_to_row(codec)

        def work(transaction: Transaction) -> None:
            transaction.require_new("codec", row[:2], "codec", codec.name)
            transaction.execute("insert_codec", row)
            transaction.change("codec", "/".join(row[:2]))

        await self._database.write(work)

    async def codec(self, account: str, name: str) -> CodecRecord | None:
        return self._database.read_one("codec", (account, name), codec_from_row)

    async def codecs(self, account: str) -> list[CodecRecord]:
        return await self._database.read_aside("codecs", (account,), codec_from_row)

    async def replace_codec(self, codec: CodecRecord) -> None:
        row = codec_to_row(codec)

        def work(transaction: Transaction) -> None:
            transaction.execute_on("replace_codec", row, "codec", codec.name)
            transaction.change("codec", "/".join(row[:2]))

        await self._database.write(work)

    async def remove_codec(self, account: str, name: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.execute_on("delete_codec", (account, name), "codec", name)
            transaction.change("codec", f"{account}/{name}")

        await self._database.write(work)
