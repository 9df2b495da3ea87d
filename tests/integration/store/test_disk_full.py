"""A file system that is full: nothing is half stored, and the store recovers by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bittern.errors import StoreUnavailable
from bittern.keys.ring import KeyRing
from bittern.store.ports.sessions import Deliver
from bittern.store.sqlite import SqliteStore
from bittern.testing.examples import (
    delivery,
    dev_eui,
    device,
    next_session,
    register,
    session,
)

SIZE = 5 << 20
DEVICES = 10


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 5 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root can mount a small file system")
    options = [mount, "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    if subprocess.run(options, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine mounts nothing")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def uplinks(store: SqliteStore, size: int) -> list[object]:
    """One uplink of each device, all at once; their outcomes."""
    found = [(await store.sessions_of(dev_eui(number)))[0] for number in range(DEVICES)]
    message = delivery(document=bytes(size))
    calls = [store.advance(one, next_session(one), Deliver(message)) for one in found]
    return await asyncio.gather(*calls, return_exceptions=True)


async def state(store: SqliteStore) -> tuple[list[int], int, int]:
    """Revisions, and how many messages are owed: as counted and as listed."""
    found = [(await store.sessions_of(dev_eui(number)))[0] for number in range(DEVICES)]
    listed = len(await store.owed(0, 100_000))
    return [one.revision for one in found], await store.owed_count(), listed


async def test_a_full_disk_fails_whole_groups_and_is_survived(small_disk: Path) -> None:
    vault = KeyRing({1: bytes(range(32))})
    store = SqliteStore(small_disk / "bittern.db", vault)
    await store.open()
    await register(store, devices=0)
    for number in range(DEVICES):
        await store.add_device(device(number), session(number, generation=0))
    ballast = small_disk / "ballast"
    # As much as the rest: when it goes, even moving the whole log into the database fits.
    ballast.write_bytes(bytes(SIZE // 2))

    accepted = 0
    while True:
        outcomes = await uplinks(store, 3000)
        if isinstance(outcomes[0], StoreUnavailable):
            break
        accepted += 1
        assert outcomes == list(range((accepted - 1) * DEVICES + 1, accepted * DEVICES + 1))
    assert accepted > 1
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * DEVICES
    assert "full" in str(outcomes[0])

    unchanged = [accepted] * DEVICES, accepted * DEVICES, accepted * DEVICES
    assert await state(store) == unchanged
    assert isinstance((await uplinks(store, 50_000))[0], StoreUnavailable)
    assert await state(store) == unchanged

    ballast.unlink()
    assert (await uplinks(store, 3000))[0] == accepted * DEVICES + 1
    await store.close()

    await store.open()
    accepted += 1
    assert await state(store) == ([accepted] * DEVICES, accepted * DEVICES, accepted * DEVICES)
    await store.close()
