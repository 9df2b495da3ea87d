"""Accounts and access keys to and from what a database keeps, in the manner of `codec`.

The secret of a key has to be known to check a signature, so it is kept, sealed. Its place in the
store names key and account: a row that is moved to another account does not open.
"""

from __future__ import annotations

from bittern.keys.ring import Vault
from bittern.store import places
from bittern.store.account_records import AccessKey, AccessSecret, Account
from bittern.store.codec import Rest, Row
from bittern.types import Instant

# Accounts: id, name, created_at


def account_to_row(account: Account) -> Row:
    return account.id, account.name, account.created_at


def account_from_row(row: Row) -> Account:
    return Account(id=row[0], name=row[1], created_at=Instant(row[2]))


# Access keys: id, account, active, last_used_at, record (the rest), secret (sealed)

_access_key = Rest(AccessKey, ("id", "account", "active", "last_used_at", "secret"), "json")


def access_key_to_row(key: AccessKey, vault: Vault) -> Row:
    return (
        key.id,
        key.account,
        key.active,
        key.last_used_at,
        _access_key.dump(key).decode(),
        vault.seal(key.secret.expose().encode(), places.of_access_secret(key.account, key.id).now),
    )


def access_key_from_row(row: Row, vault: Vault) -> AccessKey:
    key_id, account, active, last_used_at, record, sealed = row
    return AccessKey(
        id=key_id,
        account=account,
        active=bool(active),
        last_used_at=None if last_used_at is None else Instant(last_used_at),
        secret=AccessSecret(vault.open(sealed, *places.of_access_secret(account, key_id)).decode()),
        **_access_key.load(record),
    )
