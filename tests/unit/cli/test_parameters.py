from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bittern.cli.parameters import EuiRange, cups_uri, parsed, secret, station_uri
from bittern.cli.parameters import _range as eui_range
from bittern.types import AppKey

KEY = "000102030405060708090a0b0c0d0e0f"


def test_what_does_not_parse_is_wrong_usage_in_the_words_of_the_parser() -> None:
    with pytest.raises(typer.BadParameter, match="invalid literal"):
        parsed(int)("x")
    assert parsed(int)("7") == 7


def test_key_is_taken_as_digits_or_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY.upper()}\nanything else\n")
    assert secret(AppKey)(KEY) == secret(AppKey)(f"@{file}") == AppKey.from_hex(KEY)


def test_key_is_asked_for_unseen_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def prompt(text: str, *, hide_input: bool, err: bool) -> str:
        asked.append((text, hide_input))
        return KEY

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", prompt)
    assert secret(AppKey)("-") == AppKey.from_hex(KEY)
    assert asked == [("AppKey", True)]


@pytest.mark.parametrize("content", [KEY[:-1], "schlüssel", ""])
def test_file_without_a_key_is_not_quoted(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    with pytest.raises(typer.BadParameter) as refused:
        secret(AppKey)(f"@{file}")
    assert content == "" or content[:6] not in str(refused.value).replace(str(file), "")


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("0000000000000001-00000000000000ff", EuiRange(1, 255)),
        ("00000000000000fF", EuiRange(255, 255)),
    ],
)
def test_range_of_euis(text: str, ends: EuiRange) -> None:
    assert eui_range(text) == ends


@pytest.mark.parametrize("text", ["", "1-2", "00000000000000ff-0000000000000001"])
def test_range_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"FIRST-LAST|is behind"):
        eui_range(text)


@pytest.mark.parametrize("uri", ["wss://a:1", "wss://10.0.0.1:8887"])
def test_uri_as_a_station_takes_it(uri: str) -> None:
    assert station_uri(uri) == uri


@pytest.mark.parametrize(
    "uri", ["ws://a:1", "wss://a", "wss://a:1/", "wss://u@a:1", "a:1", "wss://[::1]:1"]
)
def test_uri_that_a_station_does_not_take(uri: str) -> None:
    with pytest.raises(ValueError, match="wss://HOST:PORT"):
        station_uri(uri)


@pytest.mark.parametrize(
    "uri", ["http://a:1", "https://a", "https://a:1/", f"https://{'a' * 130}:1"]
)
def test_uri_of_cups_is_what_a_station_takes(uri: str) -> None:
    assert cups_uri("https://cups.example.com:443") == "https://cups.example.com:443"
    with pytest.raises(ValueError, match=r"not https://HOST|127 characters"):
        cups_uri(uri)
