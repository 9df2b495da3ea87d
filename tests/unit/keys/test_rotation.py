from __future__ import annotations

import msgspec
import pytest

from bittern.keys.data_keys import DataKey, State
from bittern.keys.rotation import GRACE_S, Move, Progress, moves, progress, together
from bittern.types import Instant

NOW = Instant(1_800_000_000.0)


def keys(first: State) -> list[DataKey]:
    return [
        DataKey(
            id=key_id,
            provider="file",
            wrapped=b"",
            created_at=NOW,
            state=state,
            sequence=key_id,
        )
        for key_id, state in ((1, first), (2, "active"))
    ]


def test_progress_is_what_is_found_under_the_active_key() -> None:
    counts = together([{1: 3, 2: 4}, {2: 1, 0: 2}])
    assert counts == {0: 2, 1: 3, 2: 5}
    assert progress(keys("opening"), counts) == Progress(done=5, left=5)
    assert progress(keys("opening"), counts).share == 0.5
    assert progress(keys("opening"), {}).share == 1.0


def test_a_key_is_retired_when_nothing_is_sealed_under_it() -> None:
    assert moves(keys("opening"), {1: 1, 2: 9}, {}, NOW) == []
    assert moves(keys("opening"), {2: 9}, {}, NOW) == [Move(1, "opening", "retired")]


@pytest.mark.parametrize(("waited", "expected"), [(0, []), (GRACE_S, [Move(1, "retired", None)])])
def test_a_retired_key_goes_after_a_while(waited: float, expected: list[Move]) -> None:
    since = {1: Instant(NOW - waited)}
    assert moves(keys("retired"), {2: 9}, since, NOW) == expected
    assert moves(keys("retired"), {2: 9}, {}, NOW) == []


def test_a_retired_key_comes_back_for_what_was_sealed_late() -> None:
    since = {1: Instant(0.0)}
    assert moves(keys("retired"), {1: 1}, since, NOW) == [Move(1, "retired", "opening")]


def test_the_active_key_and_a_coming_one_stay() -> None:
    active, old = keys("opening")[1], keys("opening")[0]
    coming = msgspec.structs.replace(old, id=3, sequence=3)
    assert moves([active, coming], {}, {}, NOW) == []
