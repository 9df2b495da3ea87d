"""Files that hold keys: whole or absent, and for their owner alone."""

from __future__ import annotations

import base64
import os
import secrets
import stat
from pathlib import Path

from bittern.errors import KeyFileExposed, SealBroken
from bittern.keys.ring import Vault, key_id_of

OWNER_ONLY = 0o600
_MARK = b"bittern sealed key "


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


# Private keys, sealed in their files


def sealed_line(key: bytes, vault: Vault, place: str) -> bytes:
    """One line of text: certificates in PEM form may follow it in the same file."""
    return _MARK + base64.b64encode(vault.seal(key, place)) + b"\n"


def opened_key(content: bytes, vault: Vault | None, place: str) -> bytes | None:
    """The key of a `sealed_line` that ``content`` begins with; None: it begins with none.

    Raises SealBroken.
    """
    sealed = _sealed(content, place)
    if sealed is None:
        return None
    if vault is None:
        raise SealBroken(place)
    return vault.open(sealed, place)


def read_key(path: Path, vault: Vault | None, place: str) -> bytes:
    """The private key in a file of its own. One that an earlier version kept in the clear is
    sealed on the way. Raises KeyFileExposed, SealBroken."""
    content = read_secret(path)
    key = opened_key(content, vault, place)
    if key is not None:
        return key
    if vault is not None:
        replace_secret(path, sealed_line(content, vault, place))
    return content


def write_key_once(path: Path, key: bytes, vault: Vault | None, place: str) -> bool:
    """As `write_once`."""
    return write_once(path, key if vault is None else sealed_line(key, vault, place))


def replace_secret(path: Path, content: bytes) -> None:
    """As `replace`; what was there is overwritten when its name is gone, as far as the disk does
    what it is told."""
    with path.open("r+b") as before:
        replace(path, content)
        size = before.seek(0, os.SEEK_END)
        before.seek(0)
        before.write(bytes(size))
        before.flush()
        os.fsync(before.fileno())


def sealed_under(path: Path) -> int:
    """The id of the data key that a file's key is sealed under; 0: it is in the clear."""
    sealed = _sealed(read_secret(path), str(path))
    return 0 if sealed is None else key_id_of(sealed)


def reseal(path: Path, vault: Vault, place: str) -> None:
    """Under the key that seals now; the rest of the file stays. Raises SealBroken."""
    content = read_secret(path)
    key = opened_key(content, vault, place)
    if key is not None:
        rest = content.partition(b"\n")[2]
        replace(path, sealed_line(key, vault, place) + rest)


def _sealed(content: bytes, place: str) -> bytes | None:
    line = content.partition(b"\n")[0]
    if not line.startswith(_MARK):
        return None
    try:
        return base64.b64decode(line.removeprefix(_MARK), validate=True)
    except ValueError:
        raise SealBroken(place) from None
