from __future__ import annotations

import msgspec
import pytest

from bittern.store.rule_records import DeadLetterFilter
from bittern.testing.examples import RULE


def test_a_rule_is_enabled_and_of_the_newest_version_unless_it_says_otherwise() -> None:
    assert (RULE.enabled, RULE.version) == (True, "2016-03-23")


def test_records_do_not_change() -> None:
    with pytest.raises(AttributeError):
        RULE.enabled = False  # type: ignore[misc]


def test_a_filter_without_members_wants_all_of_the_account() -> None:
    others = msgspec.structs.asdict(DeadLetterFilter())
    assert others.pop("account") == "000000000000"
    assert set(others.values()) == {None}
