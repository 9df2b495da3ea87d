from __future__ import annotations

import pytest

from bittern.simulator.session import next_counter


@pytest.mark.parametrize(
    ("last", "fcnt16", "expected"),
    [
        (-1, 0, 0),
        (-1, 40_000, 40_000),
        (0, 0, 0x10000),
        (0xFFFF, 0, 0x10000),
        (0x1FFF0, 0xFFF1, 0x1FFF1),
        (0x1FFF0, 0x0001, 0x20001),
    ],
)
def test_next_counter_is_the_smallest_above(last: int, fcnt16: int, expected: int) -> None:
    assert next_counter(last, fcnt16) == expected
