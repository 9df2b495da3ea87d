"""Rules of destinations: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict, NotFound
from bittern.store.protocol import Store
from bittern.testing.examples import RULE


async def test_a_rule_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_rule(RULE)
    assert await store.rule(RULE.account, RULE.name) == RULE
    assert await store.rules(RULE.account) == [RULE]
    assert await store.rules("another") == []
    assert await store.rule(RULE.account, "another") is None


async def test_a_rule_is_added_once_replaced_and_removed(store: Store) -> None:
    await store.add_rule(RULE)
    with pytest.raises(Conflict):
        await store.add_rule(RULE)
    other = msgspec.structs.replace(RULE, enabled=False, error_action=None)
    await store.replace_rule(other)
    assert await store.rule(RULE.account, RULE.name) == other
    await store.remove_rule(RULE.account, RULE.name)
    with pytest.raises(NotFound):
        await store.remove_rule(RULE.account, RULE.name)
    with pytest.raises(NotFound):
        await store.replace_rule(other)
    told = [change for change in await store.changes(0) if change.kind == "rule"]
    assert [change.identity for change in told] == ["000000000000/meters"] * 3
