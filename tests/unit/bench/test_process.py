from __future__ import annotations

import os
from pathlib import Path

from bench.process import TICKS_PER_S, usage


def a_process(
    proc: Path, pid: int, parent: int, ticks: int, rss_kib: int, waited_ns: int = 0
) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    rest = ["S", str(parent), *["0"] * 9, str(ticks), "0", "0", "0", "20"]
    (folder / "stat").write_text(f"{pid} (a (strange) name) {' '.join(rest)}\n")
    (folder / "status").write_text(f"Name:\tx\nVmRSS:\t  {rss_kib} kB\n")
    if waited_ns:
        (folder / "schedstat").write_text(f"123 {waited_ns} 7\n")


def test_descendants_count(tmp_path: Path) -> None:
    a_process(tmp_path, 10, 1, 5 * TICKS_PER_S, 2048)
    a_process(tmp_path, 11, 10, 2 * TICKS_PER_S, 1024)
    a_process(tmp_path, 12, 11, 1 * TICKS_PER_S, 1024)
    a_process(tmp_path, 13, 1, 100 * TICKS_PER_S, 9999)
    (tmp_path / "self").mkdir()
    used = usage(10, tmp_path)
    assert (used.cpu_s, used.rss_mib, used.waited_s) == (8.0, 4.0, 0.0)


def test_wait_for_a_core_is_told(tmp_path: Path) -> None:
    a_process(tmp_path, 10, 1, 0, 0, waited_ns=1_500_000_000)
    a_process(tmp_path, 11, 10, 0, 0, waited_ns=500_000_000)
    assert usage(10, tmp_path).waited_s == 2.0


def test_this_process_has_used_something() -> None:
    used = usage(os.getpid())
    assert used.cpu_s > 0
    assert used.rss_mib > 1
