"""The command line works on the database of a running server."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    DEV_EUI,
    delivery,
    dev_eui,
    join_state,
    next_session,
    register,
    session,
)

SCRIPT = """
import asyncio, sys
from pathlib import Path
from bittern.store.sqlite import SqliteStore
from bittern.keys.ring import KeyRing
from bittern.testing.examples import device, downlink

async def main():
    folder = Path(sys.argv[1])
    store = SqliteStore(folder / "bittern.db", KeyRing({1: bytes(range(32))}))
    await store.open()
    for number in range(1, 21):
        await store.add_device(device(number))
        await store.enqueue(downlink(number))
    await store.close()

asyncio.run(main())
"""


async def test_another_process_writes_while_uplinks_arrive(
    store: SqliteStore, tmp_path: Path
) -> None:
    await store.open()
    await register(store, devices=1)
    first = session(pending=True)
    await store.activate(None, join_state(), first)
    since = await store.last_change()
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", SCRIPT, str(tmp_path))
    finished = asyncio.ensure_future(other.wait())
    before, count = first, 0
    while not finished.done():
        after = next_session(before)
        count += 1
        assert await store.advance(before, after, Deliver(delivery(count))) == count
        before = after
    assert finished.result() == 0
    assert count > 1
    told = [(change.kind, change.identity) for change in await store.changes(since)]
    pairs = [(("device", str(dev_eui(n))), ("downlink", str(DEV_EUI))) for n in range(1, 21)]
    assert told == [change for pair in pairs for change in pair]
    assert len(await store.devices()) == 21
    assert len(await store.queued(DEV_EUI)) == 20
    assert (await store.sessions_of(DEV_EUI))[0].revision == count
    await store.close()
