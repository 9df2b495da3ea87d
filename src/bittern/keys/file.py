"""The key in a file that only its owner can read: a line `key <64 hex digits>`.

Earlier versions kept the data keys themselves there, a line `<id> <64 hex digits>` for each. Such a
file goes on serving, by the newest of its keys; what it sealed is adopted (`keychain`).
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from bittern.errors import ConfigurationError, KeyFileExposed
from bittern.keys.local import LocalProvider
from bittern.keys.ring import KEY_SIZE

_WORD = "key"
CURE = "bring back the key file that belongs to this data directory"


def file_provider(path: Path) -> LocalProvider:
    """A missing file is made, with a new key.

    Raises `KeyFileExposed` when anybody but the owner has access, `ConfigurationError` when the
    file is no key file, `OSError` when it cannot be read or made.
    """
    if not path.exists():
        make_key_file(path)
    keys = _parsed(path)
    return LocalProvider("file", f"file {path}", keys[max(keys)], CURE)


def data_keys_of_an_earlier_version(path: Path) -> dict[int, bytes]:
    """By id; empty where there is no such file or it is of today's form. Raises as
    `file_provider`."""
    if not path.exists():
        return {}
    return {key_id: key for key_id, key in _parsed(path).items() if key_id}


def make_key_file(path: Path) -> None:
    """Whole or not at all, durably; of two processes that try at once one wins."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{_WORD} {os.urandom(KEY_SIZE).hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    _sync_folder(path.parent)


def remove_key_file(path: Path) -> None:
    """Durably; whether it is there or not."""
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _parsed(path: Path) -> dict[int, bytes]:
    """By id; the key of today's form has 0."""
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise KeyFileExposed(str(path), mode)
        lines = file.read().decode("ascii", "replace").splitlines()
    keys: dict[int, bytes] = {}
    for number, line in enumerate(lines, 1):
        word, _, digits = line.partition(" ")
        # Not the line itself: it may be most of a key.
        problem = ConfigurationError([f"{path}: line {number} is not a key and its 64 hex digits"])
        try:
            key_id = 0 if word == _WORD else int(word)
            keys[key_id] = bytes.fromhex(digits)
        except ValueError:
            raise problem from None
        if (key_id == 0) != (word == _WORD) or key_id > 255 or len(keys[key_id]) != KEY_SIZE:
            raise problem
    if not keys or (0 in keys and len(keys) > 1) or min(keys) < 0:
        raise ConfigurationError([f"{path}: holds no key, or several"])
    return keys
