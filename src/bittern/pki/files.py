"""Files that hold keys: whole or absent, and for their owner alone."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from bittern.errors import KeyFileExposed

OWNER_ONLY = 0o600


def make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_once(path: Path, content: bytes) -> bool:
    """Make the file, mode 0600, unless it exists: of two that start at once, one wins.

    True where it was made. What is there after a power cut is the whole file or none.
    """
    draft = _draft(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return True


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of what was there; mode 0600."""
    _draft(path, content).rename(path)
    _sync_folder(path.parent)


def read_secret(path: Path) -> bytes:
    """The content of a file that only its owner may read. Raises KeyFileExposed."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyFileExposed(str(path), mode)
        return file.read()


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    """A new name is durable when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
