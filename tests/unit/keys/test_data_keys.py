from __future__ import annotations

import pytest

from bittern.errors import Conflict
from bittern.keys.data_keys import DataKey, State, active_of, coming_of, free_id, leaving
from bittern.types import Instant


def key(key_id: int, state: State, sequence: int = 0) -> DataKey:
    return DataKey(
        id=key_id,
        provider="file",
        wrapped=b"wrapped",
        created_at=Instant(0.0),
        state=state,
        sequence=sequence or key_id,
    )


def test_the_active_key_seals_and_a_newer_one_is_coming() -> None:
    keys = [key(1, "opening"), key(2, "active")]
    assert (active_of(keys).id, coming_of(keys)) == (2, None)
    assert [one.id for one in leaving(keys)] == [1]
    keys.append(key(3, "opening"))
    coming = coming_of(keys)
    assert coming is not None
    assert coming.id == 3
    assert [one.id for one in leaving(keys)] == [1]


def test_ids_go_round_and_spare_those_in_use() -> None:
    assert free_id([]) == 1
    assert free_id([key(1, "active")]) == 2
    assert free_id([key(255, "active")]) == 1
    assert free_id([key(1, "opening", 1), key(255, "active", 2)]) == 2
    with pytest.raises(Conflict):
        free_id([key(key_id, "opening") for key_id in range(1, 256)])


def test_a_data_key_does_not_print_what_was_wrapped() -> None:
    assert repr(key(1, "active")) == "DataKey(id=1, provider='file', state='active')"
