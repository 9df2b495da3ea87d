"""A rotation of data keys that is killed at any moment goes on, and loses nothing."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from bittern.config import Configuration
from bittern.installation import opened_keychain, opened_store, sealed_things
from bittern.keys.data_keys import DataKey
from bittern.keys.resealing import Resealing
from bittern.keys.rotation import Counts
from bittern.store.notes import Note
from bittern.store.ports.sessions import Deliver
from bittern.testing.examples import (
    NOW,
    delivery,
    dev_eui,
    join_state,
    next_session,
    register,
    session,
)

ROTATING = Path(__file__).with_name("rotating.py")
NOTES = 1500
KILLS = 6


async def fill(configuration: Configuration) -> None:
    async with opened_store(configuration, NOW) as store:
        await register(store, devices=3)
        await store.put_notes(
            *(Note(kind="logs", name=f"{one:05}", at=NOW, body=f'"{one}"') for one in range(NOTES))
        )


async def killed_after(configuration: Configuration, lines: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, ROTATING, configuration.data_dir, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    for _ in range(lines):
        if not await process.stdout.readline():
            break
    if process.returncode is None:
        process.kill()
    await process.wait()


async def found(configuration: Configuration) -> tuple[list[DataKey], Counts]:
    async with opened_keychain(configuration, NOW) as keychain:
        resealing = Resealing(keychain, sealed_things(configuration), lambda: NOW)
        return keychain.keys, await resealing.counts()


async def notes(configuration: Configuration) -> list[str]:
    async with opened_store(configuration, NOW) as store:
        return [note.body for note in await store.notes("000000000000", "logs", limit=NOTES)]


async def test_a_rotation_that_is_killed_goes_on(tmp_path: Path) -> None:
    configuration = Configuration(data_dir=tmp_path / "data")
    await fill(configuration)
    before = await notes(configuration)
    _, at_first = await found(configuration)
    dice = random.Random(7)
    for _ in range(KILLS):
        await killed_after(configuration, dice.randint(1, 12))
        keys, counts = await found(configuration)
        assert sum(counts.values()) == sum(at_first.values())
        assert set(counts) <= {key.id for key in keys}
        assert await notes(configuration) == before
    await killed_after(configuration, 10_000)
    keys, counts = await found(configuration)
    assert [key.state for key in keys] == ["active"]
    assert counts == {keys[0].id: sum(at_first.values())}
    assert await notes(configuration) == before


async def test_uplinks_go_on_while_everything_is_sealed_anew(tmp_path: Path) -> None:
    configuration = Configuration(data_dir=tmp_path / "data")
    await fill(configuration)
    async with (
        opened_keychain(configuration, NOW) as keychain,
        opened_store(configuration, NOW, keychain) as store,
    ):
        first = session(generation=1)
        await store.activate(None, join_state(), first)
        await keychain.add(NOW)
        resealing = Resealing(keychain, sealed_things(configuration), lambda: NOW)
        accepted = []

        async def uplinks() -> None:
            before = first
            for number in range(200):
                after = next_session(before)
                message = delivery(number, dev_eui=before.dev_eui)
                accepted.append(await store.advance(before, after, Deliver(message)))
                before = after

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(uplinks())
            await keychain.activate_coming()
            tasks.create_task(resealing.run())
        await resealing.run()
        assert set(await resealing.counts()) == {2}
        [now] = [one for one in await store.sessions_of(dev_eui(0)) if one.generation == 1]
        assert now.revision == first.revision + 200
        assert now.keys == first.keys
        assert len(await store.owed(0, 500)) == len(accepted) == 200
