from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bittern.config import Keys, Secret
from bittern.keys.choose import provider_of
from bittern.keys.token import Token


def test_a_file_in_the_data_directory_unless_told_otherwise(tmp_path: Path) -> None:
    default, other = tmp_path / "data.key", tmp_path / "other.key"
    assert provider_of(Keys(), default).describe() == f"file {default}"
    assert provider_of(Keys(path=other), default).describe() == f"file {other}"


def test_key_services_are_not_asked_before_they_are_needed(tmp_path: Path) -> None:
    keys = Keys(
        provider="aws-kms",
        kms_key="alias/a",
        vault_url="https://vault.example",
        pkcs11_module=tmp_path / "absent.so",
        pkcs11_token="t",
    )
    told = {
        name: provider_of(msgspec.structs.replace(keys, provider=name), tmp_path).describe()
        for name in ("aws-kms", "vault-transit", "pkcs11")
    }
    assert told == {
        "aws-kms": "alias/a",
        "vault-transit": "transit/bittern at https://vault.example",
        "pkcs11": f"key bittern in token t by {tmp_path / 'absent.so'}",
    }
    Token._open.clear()


def test_what_needs_not_be_installed_is_imported_by_nobody() -> None:
    code = (
        "import sys; sys.modules['pkcs11'] = None; import bittern.keys.choose, bittern.app,"
        " bittern.cli.token, bittern.cli.device"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_environment_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = tmp_path / "data.key"
    chosen = provider_of(Keys(provider="environment", secret=Secret("00" * 32)), default)
    assert chosen.name == "environment"
    (tmp_path / "mine").write_text("00" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    chosen = provider_of(Keys(provider="credential", credential="mine"), default)
    assert chosen.describe() == f"credential {tmp_path / 'mine'}"
    assert not default.exists()
