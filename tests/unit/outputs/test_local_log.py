from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from bittern.outputs.local_log import LocalLog, Rotation, file_name


def test_lines_are_appended(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "logs")
    log.append("site", [b"1", b"2"])
    log.append("site", [b"3"])
    path = tmp_path / "logs/site.jsonl"
    assert path.read_bytes() == b"1\n2\n3\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_is_turned_when_it_is_long_enough(tmp_path: Path) -> None:
    log = LocalLog(tmp_path, Rotation(file_bytes=6, kept=2))
    for number in range(1, 9):
        log.append("site", [f"{number}".encode()])
    content = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert content == {
        "site.jsonl": b"7\n8\n",
        "site.jsonl.1": b"4\n5\n6\n",
        "site.jsonl.2": b"1\n2\n3\n",
    }
    log.append("site", [b"9", b"10"])
    assert (tmp_path / "site.jsonl.2").read_bytes() == b"4\n5\n6\n"


def test_a_write_that_fails_leaves_no_half_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = LocalLog(tmp_path)
    log.append("site", [b"whole"])
    write, written = os.write, 0

    def full(file: int, data: bytes) -> int:
        nonlocal written
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(file, data[:3])
        return written

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="space"):
        log.append("site", [b"half"])
    assert (tmp_path / "site.jsonl").read_bytes() == b"whole\n"


def test_a_line_that_was_cut_short_is_ended(tmp_path: Path) -> None:
    log = LocalLog(tmp_path)
    (tmp_path / "site.jsonl").write_bytes(b"whole\nha")
    log.append("site", [b"1"])
    log.append("site", [b"2"])
    assert (tmp_path / "site.jsonl").read_bytes() == b"whole\nha\n1\n2\n"


def test_the_name_of_a_file_that_begins_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    sync = os.fsync

    def noted(file: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(file).st_mode))
        sync(file)

    monkeypatch.setattr(os, "fsync", noted)
    log = LocalLog(tmp_path, Rotation(file_bytes=3))
    for line in (b"1", b"22", b"3"):
        log.append("site", [line])
    assert synced == [False, True] * 3


@pytest.mark.parametrize(
    ("name", "file"),
    [("site", "site.jsonl"), ("site-1.log", "site-1.log.jsonl")],
)
def test_a_plain_name_is_that_of_its_file(name: str, file: str) -> None:
    assert file_name(name) == file


@pytest.mark.parametrize("name", ["../../etc/x", "/abs", ".", "..", "a/b", "ü" * 300, "", "a\0b"])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    LocalLog(tmp_path / "logs").append(name, [b"1"])
    [path] = (tmp_path / "logs").iterdir()
    assert path.name == file_name(name)
    assert not path.name.startswith(".")


def test_names_do_not_collide() -> None:
    assert len({file_name(name) for name in ("a/b", "a_b", "a%2Fb", "/", "_")}) == 5
