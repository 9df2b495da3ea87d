from __future__ import annotations

import pytest

from bittern.errors import RuleLimitExceeded
from bittern.rules.limits import MAX_TEXT, Weight, bounded


def test_a_string_is_bounded_before_it_is_made() -> None:
    bounded(MAX_TEXT)
    with pytest.raises(RuleLimitExceeded, match=f"a string of {MAX_TEXT + 1} characters"):
        bounded(MAX_TEXT + 1)


def test_every_value_and_every_character_weighs() -> None:
    Weight(8).add(None)
    Weight(8 + 3).add("abc")
    with pytest.raises(RuleLimitExceeded):
        Weight(8 + 2).add("abc")
    with pytest.raises(RuleLimitExceeded):
        Weight(30).add({"key": ["abc"]})


def test_what_is_added_up_counts_together() -> None:
    weight = Weight(20)
    weight.add(1)
    weight.add(2)
    with pytest.raises(RuleLimitExceeded):
        weight.add(3)


def test_depth_costs_no_recursion() -> None:
    made: object = 1
    for _ in range(20_000):
        made = [made]
    Weight().add(made)


def test_a_value_that_contains_itself_is_too_large() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(RuleLimitExceeded):
        Weight().add(endless)


def test_a_small_graph_that_unfolds_into_a_large_value_is_too_large() -> None:
    made: object = [1]
    for _ in range(100):
        made = [made, made]
    with pytest.raises(RuleLimitExceeded):
        Weight().add(made)
