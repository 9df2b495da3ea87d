from __future__ import annotations

import hashlib

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules.functions import FUNCTIONS
from bittern.rules.functions.hashes import MAX_MD2
from bittern.rules.values import UNDEFINED


@pytest.mark.parametrize("name", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_the_text_is_hashed_in_utf8(name: str) -> None:
    assert FUNCTIONS[name].implementation("€") == hashlib.new(name, "€".encode()).hexdigest()
    assert FUNCTIONS[name].implementation([1]) == hashlib.new(name, b"[1]").hexdigest()
    assert FUNCTIONS[name].implementation(None) is UNDEFINED


def test_md2_takes_no_long_text() -> None:
    assert len(str(FUNCTIONS["md2"].implementation("x" * MAX_MD2))) == 32
    with pytest.raises(RuleLimitExceeded, match="md2 of 8193 bytes"):
        FUNCTIONS["md2"].implementation("x" * (MAX_MD2 + 1))
