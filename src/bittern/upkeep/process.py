"""What a process that holds keys owes to the machine that it runs on.

Python keeps keys in objects that it may copy and never overwrites, so memory cannot be wiped for
certain (docs/hardening.md says where they are). What can be done is to let nobody read it: no core
dump, no debugger, no file that others can open.
"""

from __future__ import annotations

import ctypes
import os
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

PR_SET_DUMPABLE = 4
PR_GET_DUMPABLE = 3
OTHERS = 0o077
_FREE = ("output", "firmware")
"""Folders that their owner may share: what was delivered, and images."""


def forbid_dumps() -> bool:
    """No core dump, and no debugger without privileges, from here on; children as well, until they
    begin another program. False where the system has no such switch: the limit of size holds."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    return control is not None and control(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0


def is_dumpable() -> bool:
    control = getattr(ctypes.CDLL(None, use_errno=True), "prctl", None)
    return control is None or control(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0


def owner_only() -> None:
    """Files that are made from here on are for their owner."""
    os.umask(OTHERS)


def closed_to_others(data_dir: Path) -> list[str]:
    """Take from others what they may do in the data directory; each path that was open, with the
    mode that it had.

    The key file is left as it is: whoever could read it may have, so opening it is refused. Raises
    PermissionError where a path belongs to somebody else.
    """
    told = []
    for path in _paths(data_dir):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
            told.append(f"{path} (mode {mode:o})")
    return told


def _paths(data_dir: Path) -> Iterator[Path]:
    if not data_dir.is_dir():
        return
    yield data_dir
    for path in sorted(data_dir.iterdir()):
        if path.is_symlink() or path.name in _FREE or path.suffix == ".key":
            continue
        yield path
        if path.is_dir() and path.name in ("pki", "run", "secrets"):
            yield from (one for one in sorted(path.iterdir()) if _is_ours(one))


def _is_ours(path: Path) -> bool:
    return not path.is_symlink() and path.suffix != ".key"
