"""What the kernel says of a process and its children: proc(5), so Linux only."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time of all threads since the start, and memory, children included."""

    cpu_s: float
    rss_mib: float
    waited_s: float = 0.0
    """How long its threads were ready to run and had no core."""


def usage(pid: int, proc: Path = Path("/proc")) -> Usage:
    """Of the process and every descendant that is still running."""
    pids = _with_descendants(pid, proc)
    return Usage(
        cpu_s=sum(_cpu_s(one, proc) for one in pids),
        rss_mib=sum(_rss_mib(one, proc) for one in pids),
        waited_s=sum(_waited_s(one, proc) for one in pids),
    )


def _stat(pid: int, proc: Path) -> list[str]:
    """The fields from the third on; the second, the name, may hold anything."""
    return (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _cpu_s(pid: int, proc: Path) -> float:
    """utime, stime, and those of children that ended and were waited for."""
    return sum(int(ticks) for ticks in _stat(pid, proc)[11:15]) / TICKS_PER_S


def _rss_mib(pid: int, proc: Path) -> float:
    for line in (proc / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _waited_s(pid: int, proc: Path) -> float:
    """Of the main thread: the second figure of schedstat, in nanoseconds."""
    try:
        return int((proc / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except FileNotFoundError:  # a kernel without these statistics
        return 0.0


def _with_descendants(pid: int, proc: Path) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parents.setdefault(int(_stat(int(entry.name), proc)[1]), []).append(int(entry.name))
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def pin(pid: int, cores: set[int]) -> None:
    """Keep a process and its later threads on these cores; 0 is the caller."""
    os.sched_setaffinity(pid, cores)
