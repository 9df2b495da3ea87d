"""What it does as a port is in `tests/unit/store/ports/test_groups.py` and `test_fuota.py`."""

from __future__ import annotations

from bittern.testing.examples import FUOTA_TASK, MULTICAST_GROUP
from bittern.testing.memory_store import MemoryStore


async def test_two_stores_share_no_groups() -> None:
    one, other = MemoryStore(), MemoryStore()
    await one.add_multicast_group(MULTICAST_GROUP)
    await one.add_fuota_task(FUOTA_TASK)
    await one.add_task_group(FUOTA_TASK, MULTICAST_GROUP.id)
    assert await other.multicast_groups(MULTICAST_GROUP.account) == []
    assert await other.task_groups(FUOTA_TASK.id) == []
