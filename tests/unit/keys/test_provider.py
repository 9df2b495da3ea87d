from __future__ import annotations

from bittern.keys.provider import context_of


def test_each_data_key_has_a_context_of_its_own() -> None:
    assert context_of(3) == "bittern data key 3"
    assert len({context_of(key_id) for key_id in range(1, 256)}) == 255
