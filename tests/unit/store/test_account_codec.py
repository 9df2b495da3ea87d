from __future__ import annotations

import msgspec
import pytest

from bittern.errors import SealBroken
from bittern.keys.ring import KeyRing
from bittern.store.account_codec import (
    access_key_from_row,
    access_key_to_row,
    account_from_row,
    account_to_row,
)
from bittern.testing.examples import ACCESS_KEY, ACCOUNT, NOW


def test_records_come_back_from_their_rows(vault: KeyRing) -> None:
    used = msgspec.structs.replace(ACCESS_KEY, active=False, last_used_at=NOW)
    assert account_from_row(account_to_row(ACCOUNT)) == ACCOUNT
    for key in (ACCESS_KEY, used):
        assert access_key_from_row(access_key_to_row(key, vault), vault) == key


def test_a_secret_is_not_in_its_row(vault: KeyRing) -> None:
    assert ACCESS_KEY.secret.expose() not in repr(access_key_to_row(ACCESS_KEY, vault))


def test_a_secret_opens_only_under_its_own_id(vault: KeyRing) -> None:
    row = access_key_to_row(ACCESS_KEY, vault)
    with pytest.raises(SealBroken):
        access_key_from_row(("AKIAEXAMPLE000000002", *row[1:]), vault)
