"""Uplinks without end, for `test_kill.py`: a line for each that the store has answered.

python steady_writer.py DATABASE DEVICES
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bittern.keys.ring import KeyRing
from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import delivery, dev_eui, next_session


async def uplinks(store: SqliteStore, number: int) -> None:
    [session] = await store.sessions_of(dev_eui(number))
    while True:
        after = next_session(session)
        message = delivery(number, dev_eui=session.dev_eui, document=b"%d" % after.fcnt_up)
        sequence = await store.advance(session, after, Deliver(message))
        sys.stdout.write(f"{number} {after.fcnt_up} {sequence}\n")
        session = after


async def main(database: str, devices: str) -> None:
    store = SqliteStore(Path(database), KeyRing({1: bytes(range(32))}))
    await store.open()
    sys.stdout.write("open\n")
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(devices)):
            tasks.create_task(uplinks(store, number))


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    asyncio.run(main(*sys.argv[1:]))
