"""Accounts and their access keys."""

from __future__ import annotations

from typing import Protocol

from bittern.store.account_records import AccessKey, Account
from bittern.types import Instant


class Accounts(Protocol):
    """Who owns resources, and who may ask for them."""

    async def add_account(self, account: Account) -> None:
        """Raises `Conflict` for a taken id."""
        ...

    async def account(self, account_id: str) -> Account | None: ...
    async def accounts(self) -> list[Account]:
        """In order of id."""
        ...

    async def add_access_key(self, key: AccessKey) -> None:
        """Raises `NotFound` without its account, `Conflict` for a taken id."""
        ...

    async def access_key(self, key_id: str) -> AccessKey | None: ...
    async def access_keys(self, account: str | None = None) -> list[AccessKey]:
        """Of one account, or of all, in order of account and id."""
        ...

    async def set_access_key_active(self, key_id: str, active: bool) -> None:
        """Raises `NotFound`."""
        ...

    async def access_key_used(self, key_id: str, at: Instant) -> None:
        """The latest use is kept; a key that is not there is ignored. No change is told."""
        ...

    async def remove_access_key(self, key_id: str) -> None:
        """Raises `NotFound`."""
        ...
