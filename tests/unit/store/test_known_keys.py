from __future__ import annotations

import re
from pathlib import Path

import pytest

from bittern.store import known_keys
from bittern.store.known_keys import fingerprint, known
from bittern.types import EUI64, AppKey

DEV_EUI = EUI64.from_hex("24e124123456789a")
JOIN_EUI = EUI64.from_hex("70b3d57ed0ffff01")


def judged(digits: str) -> str | None:
    return known(AppKey(bytes.fromhex(digits)), DEV_EUI, JOIN_EUI)


@pytest.mark.parametrize(
    ("digits", "reason"),
    [
        ("00" * 16, "all zeros"),
        ("2b7e151628aed2a6abf7158809cf4f3c", "FIPS 197"),
        ("5572404c696e6b4c6f52613230313823", "Milesight"),
        ("88888888888888888888888888886601", "Heltec"),
        ("000102030405060708090a0b0c0d0e0f", "counting up"),
        ("101112131415161718191a1b1c1d1e1f", "count up or down"),
        ("f0efeeedecebeae9e8e7e6e5e4e3e2e1", "count up or down"),
        ("24e124123456789a24e124123456789a", "identifiers"),
        ("24e124123456789a70b3d57ed0ffff01", "identifiers"),
        ("70b3d57ed0ffff01f3c1d2b4a5968778", "identifiers"),
        ("ab" * 16, "repeats"),
        ("c0de" * 8, "repeats"),
        ("0badcafe" * 4, "repeats"),
        ("3f9a11c2d47e5b60" * 2, "repeats"),
    ],
)
def test_a_key_that_anybody_could_guess_is_told(digits, reason):
    told = judged(digits)
    assert told is not None
    assert reason in told
    assert digits not in told


def test_a_key_that_was_drawn_is_not():
    assert judged("9c1185a5c5e9fc54612808977ee8f548") is None


def test_an_identifier_of_zeros_is_in_no_key():
    key = AppKey(bytes.fromhex("00000000000000009c1185a5c5e9fc54"))
    assert known(key, DEV_EUI, EUI64(bytes(8))) is None


def test_the_list_is_of_hashes_alone():
    text = Path(known_keys.__file__).read_text()
    found = re.findall(r'"([0-9a-f]+)":', text)
    assert len(found) > 20
    assert all(len(one) == 64 for one in found)
    assert not re.search(r"\b[0-9A-Fa-f]{32}\b", text)


def test_the_same_key_is_recognized_for_one_comparison_only():
    one, other = AppKey(bytes(16)), AppKey(bytes([1]) * 16)
    assert fingerprint(one, b"x") == fingerprint(AppKey(bytes(16)), b"x")
    assert fingerprint(one, b"x") != fingerprint(other, b"x")
    assert fingerprint(one, b"x") != fingerprint(one, b"y")
