from __future__ import annotations

from pathlib import Path

import pytest

from bittern.config import Secret
from bittern.errors import ConfigurationError, KeyProviderUnavailable
from bittern.keys.environment import credential_provider, environment_provider

DIGITS = "ab" * 32


async def test_a_variable_keeps_the_key() -> None:
    provider = environment_provider(Secret(DIGITS))
    assert (provider.name, provider.describe()) == ("environment", "variable BITTERN_KEYS__SECRET")
    wrapped = await provider.wrap(b"d" * 32, "c")
    assert await environment_provider(Secret(DIGITS)).unwrap(wrapped, "c") == b"d" * 32


def test_an_absent_variable_is_told_with_the_cure() -> None:
    with pytest.raises(KeyProviderUnavailable, match="is not set; set BITTERN_KEYS__SECRET"):
        environment_provider(None)


def test_what_is_no_key_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="64 hexadecimal digits") as caught:
        environment_provider(Secret("correct horse"))
    assert "horse" not in str(caught.value)


async def test_a_credential_of_systemd_keeps_the_key(tmp_path: Path) -> None:
    (tmp_path / "bittern-key").write_bytes(bytes(range(32)))
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    provider = credential_provider("bittern-key", environment)
    assert provider.name == "credential"
    wrapped = await provider.wrap(b"d" * 32, "c")
    again = credential_provider("bittern-key", environment)
    assert await again.unwrap(wrapped, "c") == b"d" * 32


def test_an_absent_credential_is_told_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(KeyProviderUnavailable, match="CREDENTIALS_DIRECTORY is not set"):
        credential_provider("bittern-key", {})
    with pytest.raises(KeyProviderUnavailable, match=r"no such file.*LoadCredentialEncrypted"):
        credential_provider("bittern-key", {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_a_credential_that_is_no_key_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "bittern-key").write_text("correct horse")
    with pytest.raises(ConfigurationError) as caught:
        credential_provider("bittern-key", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "horse" not in str(caught.value)
