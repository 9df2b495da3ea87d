"""A file in a folder that fills up, changes hands, and under a process that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from file_writer import Writer
from output_chaos import Result, carry, check_arrivals

pytestmark = pytest.mark.integration

FORM = {"path": "a/lines.jsonl", "maxBytes": 4_000_000, "keep": 10_000}
PAD = 20_000
NOBODY = 65_534
USER = NOBODY if os.geteuid() == 0 else 0
"""Root may everything: a permission that is lost is one only for somebody else."""
FULL = "No space left on device"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that another user can get to. What became of all files is in it in the end."""
    with tempfile.TemporaryDirectory(prefix="bittern-file-") as name:
        place = Path(name)
        (place / "output").mkdir()
        (place / "kept").mkdir()
        if USER:
            for each in (place, place / "output", place / "kept"):
                os.chown(each, USER, USER)
        yield place


def arrived(folder: Path, pad: int = PAD) -> list[tuple[int, int]]:
    """Devices and numbers in the order in which they were written. Each line is whole."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "ballast"]
    found = []
    for path in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name)):
        text = path.read_bytes()
        assert not text or text.endswith(b"\n"), f"{path.name} ends in the middle of a line"
        for line in text.splitlines():
            document = json.loads(line)
            assert len(document["pad"]) == pad
            found.append((document["device"], document["n"]))
    return found


def shown(capsys: pytest.CaptureFixture[str], what: str, result: Result, writer: Writer) -> None:
    with capsys.disabled():
        told = f"{writer.statistics()}, {writer.trouble}"
        print(f"\nfile, {what}: {result}, {told}")


class Troubles:
    """What befalls the file. Nothing that was in it goes out of `folder`."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self._folder = folder
        self._writer = writer
        self._path = folder / "output" / FORM["path"]  # type: ignore[operator]
        self._kept = 0
        self.kills = 0

    def _aside(self) -> Path:
        self._kept += 1
        return self._folder / "kept" / f"{self._kept:03d}"

    async def _there(self) -> None:
        """Until something was written since the trouble before."""
        while not self._path.exists():
            await asyncio.sleep(0.002)

    async def moved(self) -> None:
        """As logrotate does it."""
        for _ in range(5):
            with contextlib.suppress(FileNotFoundError):
                self._path.rename(self._aside())
            await asyncio.sleep(0.06)

    async def removed(self) -> None:
        """Another link keeps what was in it, for us to count."""
        for _ in range(5):
            with contextlib.suppress(FileNotFoundError):
                os.link(self._path, self._aside())
                self._path.unlink()
            await asyncio.sleep(0.06)

    async def folder_moved(self) -> None:
        await self._there()
        self._path.parent.rename(self._aside())
        await asyncio.sleep(0.3)

    async def forbidden(self) -> None:
        await self._there()
        self._path.parent.chmod(0)
        await asyncio.sleep(0.5)
        self._path.parent.chmod(0o700)

    async def held(self) -> None:
        """By another process that writes to it."""
        await self._there()
        with self._path.open() as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.001)
            await asyncio.sleep(0.5)

    async def frozen(self) -> None:
        os.kill(self._writer.pid, signal.SIGSTOP)
        await asyncio.sleep(0.7)
        os.kill(self._writer.pid, signal.SIGCONT)

    async def limited(self) -> None:
        """A file ends in the middle of a line."""
        await self._writer.limit(PAD * 3 // 2)
        with contextlib.suppress(FileNotFoundError):
            self._path.rename(self._aside())
        await asyncio.sleep(0.5)
        await self._writer.limit(1 << 40)

    async def killed(self) -> None:
        """Again and again, at any moment of a batch, as long as there is something to write."""
        for _ in range(5):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    while not self._writer.busy:
                        await asyncio.sleep(0.002)
                    await asyncio.sleep(random.uniform(0, 0.02))
                    os.kill(self._writer.pid, signal.SIGKILL)
                    self.kills += 1
                    while self._writer.busy:
                        await asyncio.sleep(0.002)

    async def full(self) -> None:
        """Somebody else takes the rest of the disk."""
        ballast = self._folder / "output/ballast"
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(descriptor, bytes(4096))
        # All but one line and a half.
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - PAD * 3 // 2)
        os.close(descriptor)
        await asyncio.sleep(0.5)
        ballast.unlink()


async def test_file_gets_everything_in_order_through_all_troubles(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(folder / "output", FORM, pad=PAD, user=USER)
    trouble = Troubles(folder, writer)
    async with writer:
        result = await carry(
            writer,
            each=100,
            troubles=[
                trouble.moved,
                trouble.forbidden,
                trouble.removed,
                trouble.limited,
                trouble.folder_moved,
                trouble.held,
                trouble.frozen,
            ],
        )
    again = check_arrivals(arrived(folder), 20, 100)
    assert result.rejected == []
    assert {"Permission denied", "File too large"} <= set(writer.trouble)
    assert again == 0
    assert writer.statistics()["cut_short"] > 0
    shown(capsys, "its folder changes", result, writer)


async def test_nothing_is_lost_and_no_line_torn_when_the_process_is_killed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The system keeps what was written; so it need not reach the disk, and there is more to write.
    pad, form = 200_000, {**FORM, "fsync": "never"}
    writer = Writer(folder / "output", form, pad=pad, user=USER)
    trouble = Troubles(folder, writer)
    async with writer:
        result = await carry(
            writer, each=40, pause_s=0.2, troubles=[trouble.killed, trouble.killed]
        )
    again = check_arrivals(arrived(folder, pad), 20, 40)
    assert result.rejected == []
    assert trouble.kills >= 5
    shown(capsys, f"{trouble.kills} kills, {again} twice", result, writer)


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 64 MB in place of the folder of outputs."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid():
        pytest.skip("only root mounts disks")
    place = folder / "output"
    options = f"size=64m,uid={USER},gid={USER},mode=0700"
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", place], check=True)


async def test_nothing_is_lost_and_no_line_torn_when_the_disk_is_full(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(small_disk / "output", FORM, pad=PAD, user=USER)
    trouble = Troubles(small_disk, writer)
    async with writer:
        result = await carry(
            writer, each=60, pause_s=0.1, troubles=[trouble.full, trouble.killed, trouble.full]
        )
    again = check_arrivals(arrived(small_disk), 20, 60)
    assert result.rejected == []
    assert writer.trouble[FULL] > 0
    shown(capsys, f"disk full, {trouble.kills} kills, {again} twice", result, writer)
