from __future__ import annotations

from bench import delivery


async def test_every_message_is_counted_once() -> None:
    results = await delivery.measure(400)
    assert len(results) == 5
    assert all(one.per_second > 0 for one in results)
