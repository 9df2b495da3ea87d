from __future__ import annotations

import msgspec
import pytest

from bittern.store.account_records import AccessSecret
from bittern.testing.examples import ACCESS_KEY, ACCOUNT


def test_a_secret_does_not_print() -> None:
    assert ACCESS_KEY.secret.expose() not in repr(ACCESS_KEY)
    with pytest.raises(TypeError):
        msgspec.json.encode(ACCESS_KEY)


def test_secrets_are_compared_by_what_they_hold() -> None:
    assert AccessSecret("one") == AccessSecret("one")
    assert AccessSecret("one") != AccessSecret("two")
    assert AccessSecret("one") != "one"
    assert len({AccessSecret("one"), AccessSecret("one")}) == 1


@pytest.mark.parametrize(
    "account", ["", "12345678901", "1234567890123", "12345678901a", "\u0661" * 12]
)
def test_an_account_has_twelve_digits(account: str) -> None:
    with pytest.raises(ValueError, match="12 digits"):
        msgspec.structs.replace(ACCOUNT, id=account)


@pytest.mark.parametrize("key_id", ["", "AKIA", "akiaexample000000001", "AKIA/EXAMPLE00000001"])
def test_an_access_key_id_fits_into_a_credential(key_id: str) -> None:
    with pytest.raises(ValueError, match="16 to 128"):
        msgspec.structs.replace(ACCESS_KEY, id=key_id)


def test_a_key_has_a_policy_and_a_short_printable_description() -> None:
    with pytest.raises(ValueError, match="without a policy"):
        msgspec.structs.replace(ACCESS_KEY, policies=())
    with pytest.raises(ValueError, match="printable"):
        msgspec.structs.replace(ACCESS_KEY, description="a\x1b[31m")
    with pytest.raises(ValueError, match="256 characters"):
        msgspec.structs.replace(ACCOUNT, name="n" * 257)
