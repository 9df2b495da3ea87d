from __future__ import annotations

import msgspec

from bittern.store.group_records import is_successor_of_group, is_successor_of_task
from bittern.testing.examples import FUOTA_TASK, MULTICAST_GROUP


def test_a_group_keeps_its_account_and_counts_its_changes() -> None:
    after = msgspec.structs.replace(MULTICAST_GROUP, revision=1, name="other", session=None)
    assert is_successor_of_group(MULTICAST_GROUP, after)
    for different in ({"revision": 0}, {"revision": 2}, {"account": "1"}, {"id": "other"}):
        other = msgspec.structs.replace(after, **different)
        assert not is_successor_of_group(MULTICAST_GROUP, other)


def test_a_task_keeps_its_account_and_counts_its_changes() -> None:
    after = msgspec.structs.replace(FUOTA_TASK, revision=1, name="other", session=None)
    assert is_successor_of_task(FUOTA_TASK, after)
    for different in ({"revision": 0}, {"revision": 2}, {"account": "1"}, {"id": "other"}):
        other = msgspec.structs.replace(after, **different)
        assert not is_successor_of_task(FUOTA_TASK, other)
