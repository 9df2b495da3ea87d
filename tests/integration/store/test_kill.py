"""kill -9, again and again: what the store answered is there, and nothing is there twice."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path

from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import dev_eui, device, register, session

WRITER = Path(__file__).with_name("steady_writer.py")
DEVICES = 20
KILLS = 6


async def answered_until_killed(folder: Path, lines: int) -> list[tuple[int, int, int]]:
    """Number, fcnt_up and sequence of what was answered before the process was killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        WRITER,
        folder / "bittern.db",
        str(DEVICES),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    told = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    told += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    number_fcnt_sequence = [line.split() for line in told if line.endswith(b"\n")]
    return [(int(a), int(b), int(c)) for a, b, c in number_fcnt_sequence]


async def test_no_answer_is_lost_and_nothing_is_stored_twice(
    store: SqliteStore, tmp_path: Path
) -> None:
    await store.open()
    await register(store, devices=0)
    for number in range(DEVICES):
        await store.add_device(device(number), session(number, generation=0))
    await store.close()
    answered: dict[tuple[int, int], int] = {}
    for _ in range(KILLS):
        for number, fcnt_up, sequence in await answered_until_killed(
            tmp_path, random.randrange(300)
        ):
            assert (number, fcnt_up) not in answered  # no counter went back
            answered[number, fcnt_up] = sequence
        await store.open()
        await agrees(store, answered)
        await store.close()
    assert len(answered) > KILLS


async def agrees(store: SqliteStore, answered: dict[tuple[int, int], int]) -> None:
    owed = await store.owed(0, 1_000_000)
    assert await store.owed_count() == len(owed)
    stored = {
        (int(message.message_id[:8], 16), int(message.document)): message.sequence
        for message in owed
    }
    assert len(stored) == len(owed)
    assert answered.items() <= stored.items()
    uplinks = Counter(number for number, _ in stored)
    for number in range(DEVICES):
        [found] = await store.sessions_of(dev_eui(number))
        # Each accepted uplink moved the session on and owed one message, both or neither.
        assert found.revision == uplinks[number] == found.fcnt_up + 1
