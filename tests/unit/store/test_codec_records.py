from __future__ import annotations

import msgspec
import pytest

from bittern.store.codec_records import MOST_SCRIPT_BYTES, codec_from_row, codec_to_row
from bittern.testing.examples import CODEC


def test_a_codec_comes_back_from_its_row() -> None:
    assert codec_from_row(codec_to_row(CODEC)) == CODEC


@pytest.mark.parametrize("name", ["", "-meter", "a/b", "a b", "m" * 65, "é", "a\n"])
def test_a_name_has_no_character_that_arns_or_paths_give_a_meaning(name: str) -> None:
    with pytest.raises(ValueError, match="names no codec"):
        msgspec.structs.replace(CODEC, name=name)


def test_a_script_has_a_bound() -> None:
    assert msgspec.structs.replace(CODEC, script="x" * MOST_SCRIPT_BYTES)
    with pytest.raises(ValueError, match=f"{MOST_SCRIPT_BYTES} at most"):
        msgspec.structs.replace(CODEC, script="é" * (MOST_SCRIPT_BYTES // 2 + 1))
