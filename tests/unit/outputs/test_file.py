from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from bittern.config import Configuration
from bittern.errors import DeliveryUnavailable, RuleError
from bittern.outputs.file import KIND, FileForm, FileOutput, LineFile, line_of
from bittern.outputs.kinds import Surroundings, checked
from bittern.outputs.port import Message, Output


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Clock:
    return Clock()


def messages(*numbers: int) -> list[Message]:
    return [Message("", b'{"n":%d}' % number, f"m{number}") for number in numbers]


def made(folder: Path, time: Clock, **form: Any) -> FileOutput:
    return FileOutput("r/0", FileForm(path="a/lines.jsonl", **form), folder, now=time)


async def test_each_message_is_a_line_only_its_owner_reads(output: Output, tmp_path: Path) -> None:
    world = Surroundings(
        configuration=Configuration(), data_dir=tmp_path, broker=output, chance=lambda: 0.0
    )
    async with KIND.make("r/0", {"path": "a/lines.jsonl"}, world) as file:
        assert await file.publish(messages(1, 2)) == {}
        assert await file.publish(messages(3)) == {}
        assert file.health().working
        assert file.statistics()["delivered"] == 3
    path = tmp_path / "output/a/lines.jsonl"
    assert path.read_bytes() == b'{"n":1}\n{"n":2}\n{"n":3}\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (b'{"a": 1}', b'{"a": 1}\n'),
        (b'{"a":\n 1}\r\n', b'{"a":1}\n'),
        (b'"a\\nb"', b'"a\\nb"\n'),
        (b"\xff\n", b'"/wo="\n'),
        (b"", b'""\n'),
        (b'"\xff"', b'"Iv8i"\n'),
    ],
)
def test_every_message_is_one_line_of_json(payload: bytes, line: bytes) -> None:
    assert line_of(payload) == line


async def test_large_file_is_handed_on_and_the_oldest_goes(tmp_path: Path, time: Clock) -> None:
    async with made(tmp_path, time, max_bytes=1024, keep=2) as file:
        for number in range(10):
            time.at += 1
            await file.publish([Message("", b'"%d%s"' % (number, b"x" * 500))])
        assert file.statistics()["rotations"] == 4
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 3
    assert names[0] == "lines.jsonl"
    kept = [path.read_bytes() for path in sorted((tmp_path / "a").iterdir())]
    assert [text[1:2] for text in kept] == [b"8", b"4", b"6"]
    assert all(len(text) <= 1024 for text in kept)


async def test_old_file_is_handed_on(tmp_path: Path, time: Clock) -> None:
    async with made(tmp_path, time, max_age_s=60) as file:
        await file.publish(messages(1))
        time.at += 59
        await file.publish(messages(2))
        time.at += 1
        await file.publish(messages(3))
    assert (tmp_path / "a/lines.jsonl").read_bytes() == b'{"n":3}\n'


async def test_files_of_one_second_have_names_of_their_own(tmp_path: Path, time: Clock) -> None:
    async with made(tmp_path, time, max_bytes=1024) as file:
        await file.publish([Message("", b'"%s"' % (b"x" * 900)) for _ in range(4)])
    assert len(list((tmp_path / "a").iterdir())) == 4


async def test_file_that_was_moved_away_is_begun_again(tmp_path: Path, time: Clock) -> None:
    path = tmp_path / "a/lines.jsonl"
    async with made(tmp_path, time) as file:
        await file.publish(messages(1))
        path.rename(tmp_path / "moved")
        await file.publish(messages(2))
    assert path.read_bytes() == b'{"n":2}\n'


@pytest.mark.parametrize("before", [b"", b'{"n":1}\n', b'{"n":1}\n' * 30_000])
@pytest.mark.parametrize("rest", [b'{"n"', b'"' + b"x" * 200_000])
async def test_what_a_crash_left_of_a_line_is_taken_away(
    tmp_path: Path, time: Clock, before: bytes, rest: bytes
) -> None:
    path = tmp_path / "a/lines.jsonl"
    path.parent.mkdir()
    path.write_bytes(before + rest)
    async with made(tmp_path, time) as file:
        await file.publish(messages(2))
        await file.publish(messages(3))
        assert file.statistics()["cut_short"] == 1
    assert path.read_bytes() == before + b'{"n":2}\n{"n":3}\n'


async def test_file_that_others_emptied_is_gone_on_with(tmp_path: Path, time: Clock) -> None:
    async with made(tmp_path, time, max_bytes=1024) as file:
        await file.publish([Message("", b'"%s"' % (b"x" * 900))])
        os.truncate(tmp_path / "a/lines.jsonl", 0)
        await file.publish([Message("", b'"%s"' % (b"y" * 900))])
        assert file.statistics()["rotations"] == 0
    assert (tmp_path / "a/lines.jsonl").read_bytes() == b'"%s"\n' % (b"y" * 900)


async def test_two_may_write_to_one_file(tmp_path: Path, time: Clock) -> None:
    form = {"max_bytes": 4096, "keep": 10_000}
    async with made(tmp_path, time, **form) as one, made(tmp_path, time, **form) as other:
        batches = [messages(*range(start, start + 20)) for start in range(0, 2000, 20)]
        outputs = (one, other) * 50
        await asyncio.gather(
            *[file.publish(batch) for file, batch in zip(outputs, batches, strict=True)]
        )
        assert one.statistics()["cut_short"] == other.statistics()["cut_short"] == 0
    files = list((tmp_path / "a").iterdir())
    assert all(path.stat().st_size <= 4096 for path in files)
    lines = [line for path in files for line in path.read_text().splitlines()]
    assert sorted(int(line[5:-1]) for line in lines) == list(range(2000))


async def test_file_that_another_holds_for_long_is_unavailable(
    tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bittern.outputs.file.LOCK_S", 0.0)
    async with made(tmp_path, time) as file:
        await file.publish(messages(1))
        with (tmp_path / "a/lines.jsonl").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(DeliveryUnavailable, match="another process"):
                await file.publish(messages(2))
        await file.publish(messages(2))
    assert (tmp_path / "a/lines.jsonl").read_bytes() == b'{"n":1}\n{"n":2}\n'


async def test_batches_that_overlap_do_not_mix(tmp_path: Path, time: Clock) -> None:
    async with made(tmp_path, time, fsync="never") as file:
        batches = [messages(*range(start, start + 50)) for start in range(0, 1000, 50)]
        await asyncio.gather(*[file.publish(batch) for batch in batches])
    lines = (tmp_path / "a/lines.jsonl").read_text().splitlines()
    numbers = [int(line[5:-1]) for line in lines]
    assert sorted(numbers) == list(range(1000))
    for start in range(0, 1000, 50):
        at = numbers.index(start)
        assert numbers[at : at + 50] == list(range(start, start + 50))


@pytest.mark.parametrize(("policy", "syncs"), [("always", 4), ("interval", 1), ("never", 0)])
def test_disk_is_waited_for_as_was_said(
    tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch, policy: Any, syncs: int
) -> None:
    done: list[int] = []
    monkeypatch.setattr(os, "fsync", done.append)
    file = LineFile(tmp_path / "x", FileForm(path="x", fsync=policy), now=time)
    for _ in range(3):
        file.append([b"1\n"])
    assert len(done) == syncs
    file.close()


async def test_full_disk_is_unavailable(
    tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    async with made(tmp_path, time) as file:
        with pytest.raises(DeliveryUnavailable, match="No space left"):
            await file.publish(messages(1))
        assert file.health() == (False, "No space left on device")


async def test_what_a_full_disk_left_of_a_line_is_taken_away(
    tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = os.write, iter(range(100))

    def half_full(descriptor: int, data: memoryview) -> int:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        return real(descriptor, bytes(data)[:3])

    monkeypatch.setattr(os, "write", half_full)
    async with made(tmp_path, time) as file:
        with pytest.raises(DeliveryUnavailable):
            await file.publish(messages(1))
        assert (tmp_path / "a/lines.jsonl").read_bytes() == b""
        await file.publish(messages(1))
        assert file.statistics()["cut_short"] == 1
    assert (tmp_path / "a/lines.jsonl").read_bytes() == b'{"n":1}\n'


async def test_link_is_not_followed(tmp_path: Path, time: Clock) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/lines.jsonl").symlink_to(tmp_path / "elsewhere")
    async with made(tmp_path, time) as file:
        with pytest.raises(DeliveryUnavailable):
            await file.publish(messages(1))
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a\nb", "."])
def test_files_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(RuleError, match="below the folder"):
        checked({"file": {"path": path}})
