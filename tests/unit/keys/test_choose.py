from __future__ import annotations

from pathlib import Path

import pytest

from bittern.config import Keys, Secret
from bittern.keys.choose import provider_of


def test_a_file_in_the_data_directory_unless_told_otherwise(tmp_path: Path) -> None:
    default, other = tmp_path / "data.key", tmp_path / "other.key"
    assert provider_of(Keys(), default).describe() == f"file {default}"
    assert provider_of(Keys(path=other), default).describe() == f"file {other}"


def test_the_environment_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    default = tmp_path / "data.key"
    chosen = provider_of(Keys(provider="environment", secret=Secret("00" * 32)), default)
    assert chosen.name == "environment"
    (tmp_path / "mine").write_text("00" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    chosen = provider_of(Keys(provider="credential", credential="mine"), default)
    assert chosen.describe() == f"credential {tmp_path / 'mine'}"
    assert not default.exists()
