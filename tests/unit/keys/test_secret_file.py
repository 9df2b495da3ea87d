from __future__ import annotations

from pathlib import Path

import pytest

from bittern.errors import KeyFileExposed, KeyProviderUnavailable
from bittern.keys.secret_file import first_line


def written(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_the_first_line_is_the_secret(tmp_path: Path, mode: int) -> None:
    assert first_line(written(tmp_path / "f", b"abc\nmore\n", mode), "p").expose() == "abc"


@pytest.mark.parametrize("mode", [0o604, 0o666])
def test_a_file_that_everybody_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileExposed):
        first_line(written(tmp_path / "f", b"abc", mode), "p")


@pytest.mark.parametrize("content", [b"", b"\nabc", b"abc\xff"])
def test_what_is_no_secret_is_not_repeated(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KeyProviderUnavailable) as caught:
        first_line(written(tmp_path / "f", content), "p")
    assert "abc" not in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyProviderUnavailable, match=f"{tmp_path / 'f'}: no such file"):
        first_line(tmp_path / "f", "p")
