"""Accounts and access keys on SQLite."""

from __future__ import annotations

from bittern.store.account_codec import (
    access_key_from_row,
    access_key_to_row,
    account_from_row,
    account_to_row,
)
from bittern.store.account_records import AccessKey, Account
from bittern.store.sqlite.database import Database
from bittern.store.sqlite.transaction import Transaction
from bittern.types import Instant


class SqliteAccounts:
    _database: Database

    async def add_account(self, account: Account) -> None:
        row = account_to_row(account)

        def work(transaction: Transaction) -> None:
            transaction.require_new("account", row[:1], "account", account.id)
            transaction.execute("insert_account", row)
            transaction.change("account", account.id)

        await self._database.write(work)

    async def account(self, account_id: str) -> Account | None:
        return self._database.read_one("account", (account_id,), account_from_row)

    async def accounts(self) -> list[Account]:
        return await self._database.read_aside("accounts", (), account_from_row)

    async def add_access_key(self, key: AccessKey) -> None:
        row = access_key_to_row(key, self._database.vault)

        def work(transaction: Transaction) -> None:
            transaction.require_there("account", (key.account,), "account", key.account)
            transaction.require_new("access_key", row[:1], "access key", key.id)
            transaction.execute("insert_access_key", row)
            transaction.change("access_key", key.id)

        await self._database.write(work)

    async def access_key(self, key_id: str) -> AccessKey | None:
        vault = self._database.vault
        return self._database.read_one(
            "access_key", (key_id,), lambda row: access_key_from_row(row, vault)
        )

    async def access_keys(self, account: str | None = None) -> list[AccessKey]:
        vault = self._database.vault
        return await self._database.read_aside(
            "access_keys", (account,), lambda row: access_key_from_row(row, vault)
        )

    async def set_access_key_active(self, key_id: str, active: bool) -> None:
        def work(transaction: Transaction) -> None:
            row = (active, key_id)
            transaction.execute_on("set_access_key_active", row, "access key", key_id)
            transaction.change("access_key", key_id)

        await self._database.write(work)

    async def access_key_used(self, key_id: str, at: Instant) -> None:
        def work(transaction: Transaction) -> None:
            transaction.execute("use_access_key", (at, key_id, at))

        await self._database.write(work)

    async def remove_access_key(self, key_id: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.execute_on("delete_access_key", (key_id,), "access key", key_id)
            transaction.change("access_key", key_id)

        await self._database.write(work)
