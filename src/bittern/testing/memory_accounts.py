"""Accounts and access keys of the store in memory."""

from __future__ import annotations

import msgspec

from bittern.store.account_records import AccessKey, Account
from bittern.store.records import ChangeKind
from bittern.testing.memory_fleet import require_new, require_there
from bittern.types import Instant


class MemoryAccounts:
    """What `MemoryStore` has of accounts."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._access_keys: dict[str, AccessKey] = {}

    def _change(self, kind: ChangeKind, identity: object) -> None:
        raise NotImplementedError

    async def add_account(self, account: Account) -> None:
        require_new(self._accounts, account.id, "account", account.id)
        self._accounts[account.id] = account
        self._change("account", account.id)

    async def account(self, account_id: str) -> Account | None:
        return self._accounts.get(account_id)

    async def accounts(self) -> list[Account]:
        return [self._accounts[account_id] for account_id in sorted(self._accounts)]

    async def add_access_key(self, key: AccessKey) -> None:
        require_there(self._accounts, key.account, "account", key.account)
        require_new(self._access_keys, key.id, "access key", key.id)
        self._access_keys[key.id] = key
        self._change("access_key", key.id)

    async def access_key(self, key_id: str) -> AccessKey | None:
        return self._access_keys.get(key_id)

    async def access_keys(self, account: str | None = None) -> list[AccessKey]:
        found = [key for key in self._access_keys.values() if account in (None, key.account)]
        return sorted(found, key=lambda key: (key.account, key.id))

    async def set_access_key_active(self, key_id: str, active: bool) -> None:
        require_there(self._access_keys, key_id, "access key", key_id)
        key = self._access_keys[key_id]
        self._access_keys[key_id] = msgspec.structs.replace(key, active=active)
        self._change("access_key", key_id)

    async def access_key_used(self, key_id: str, at: Instant) -> None:
        key = self._access_keys.get(key_id)
        if key is not None and (key.last_used_at is None or key.last_used_at < at):
            self._access_keys[key_id] = msgspec.structs.replace(key, last_used_at=at)

    async def remove_access_key(self, key_id: str) -> None:
        require_there(self._access_keys, key_id, "access key", key_id)
        del self._access_keys[key_id]
        self._change("access_key", key_id)
