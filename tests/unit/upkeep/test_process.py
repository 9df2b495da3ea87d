from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from bittern.upkeep.process import closed_to_others


def run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    ).stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_a_process_is_no_longer_dumpable():
    assert (
        run(
            "from bittern.upkeep.process import *\n"
            "before = is_dumpable()\n"
            "print(before, forbid_dumps(), is_dumpable(), resource.getrlimit(resource.RLIMIT_CORE))"
        )
        == "True True False (0, 0)"
    )


def test_files_are_made_for_their_owner(tmp_path):
    run(
        "from bittern.upkeep.process import owner_only\n"
        f"owner_only(); open({str(tmp_path / 'x')!r}, 'w').close()"
    )
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_what_others_may_read_is_closed_and_told(tmp_path):
    folder = tmp_path / "data"
    for name in ("pki", "secrets", "output"):
        (folder / name).mkdir(parents=True)
    for name in ("bittern.db", "pki/server.pem", "pki/ca.key", "data.key", "output/uplinks.json"):
        (folder / name).write_bytes(b"")
        (folder / name).chmod(0o644)
    for path in (folder, folder / "pki", folder / "secrets", folder / "output"):
        path.chmod(0o755)
    told = closed_to_others(folder)
    assert told[0] == f"{folder} (mode 755)"
    assert len(told) == 5
    modes = {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }
    assert modes["bittern.db"] == modes["pki/server.pem"] == 0o600
    assert modes["pki"] == modes["secrets"] == 0o700
    assert modes["data.key"] == modes["pki/ca.key"] == 0o644  # refused when they are opened
    assert modes["output/uplinks.json"] == 0o644
    assert closed_to_others(folder) == []


def test_a_link_is_not_followed(tmp_path):
    folder, other = tmp_path / "data", tmp_path / "other"
    folder.mkdir(mode=0o700)
    other.write_bytes(b"")
    other.chmod(0o644)
    (folder / "link").symlink_to(other)
    assert closed_to_others(folder) == []
    assert stat.S_IMODE(os.stat(other).st_mode) == 0o644


def test_a_folder_that_is_not_there_yet_is_no_problem(tmp_path):
    assert closed_to_others(tmp_path / "absent") == []
