"""A PIN, a token or the like in a file of its own: what a provider shows to be let in."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bittern.config import Secret
from bittern.errors import KeyFileExposed, KeyProviderUnavailable


def first_line(path: Path, provider: str) -> Secret:
    """Raises `KeyFileExposed` where everybody may read it, `KeyProviderUnavailable` where there is
    none. A group may: whoever keeps a token fresh is often another user."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o007:
                raise KeyFileExposed(str(path), mode)
            line = file.readline(65536).decode("utf-8").strip()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise KeyProviderUnavailable(provider, f"file {path}", reason) from None
    except UnicodeDecodeError:
        # Without its text: it may be the secret in another form.
        raise KeyProviderUnavailable(provider, f"file {path}", "not UTF-8 text") from None
    if not line:
        raise KeyProviderUnavailable(provider, f"file {path}", "its first line is empty")
    return Secret(line)
