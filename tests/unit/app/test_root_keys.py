from __future__ import annotations

from pathlib import Path

from bittern.app.root_keys import root_keys_of
from bittern.config import Configuration, Keys
from bittern.keys.token import Token


async def test_without_a_token_there_is_none() -> None:
    async with root_keys_of(Configuration()) as root_keys:
        assert root_keys is None


async def test_a_token_is_not_asked_before_a_device_needs_it(tmp_path: Path) -> None:
    keys = Keys(pkcs11_module=tmp_path / "absent.so", pkcs11_token="t")
    async with root_keys_of(Configuration(keys=keys)) as root_keys:
        assert root_keys is not None
        assert root_keys.describe() == f"token t by {tmp_path / 'absent.so'}"
    assert not Token._open
