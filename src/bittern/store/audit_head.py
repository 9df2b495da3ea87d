"""The head of the audit log in a file of its own: a log that has lost its end is found out.

The file is only ever moved on, from one entry of the chain to a later one. A log that no longer has
the entry which the file names was cut off or replaced by an older one: the file then stays, as the
proof.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bittern.errors import ConfigurationError
from bittern.store.audit_records import AuditFilter, AuditHead
from bittern.store.ports.audit import AuditLog


def kept_head(path: Path) -> AuditHead | None:
    """None where there is none yet. Raises `ConfigurationError` for what is no head."""
    try:
        return AuditHead.from_text(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ConfigurationError([f"{path}: {error}"]) from None


async def keep_head(log: AuditLog, path: Path) -> str:
    """Move the file on to the newest entry; returns what is wrong, or nothing.

    Raises `StoreUnavailable`, `ConfigurationError` or OSError.
    """
    head, known = await log.audit_head(), kept_head(path)
    if known is not None and (flaw := await _flaw(log, head, known)):
        return flaw
    if head.sequence and head != known:
        _write(path, str(head))
    return ""


async def _flaw(log: AuditLog, head: AuditHead, known: AuditHead) -> str:
    if head.sequence < known.sequence:
        return f"the audit log ends at entry {head.sequence}, and had {known.sequence}"
    behind = await log.audit_entries(AuditFilter(), known.sequence - 1, 1)
    if behind and behind[0].sequence == known.sequence and behind[0].hash != known.hash:
        return f"entry {known.sequence} of the audit log is another than it was"
    return ""  # one that is no longer there was old: the chain tells whether it was removed rightly


def _write(path: Path, text: str) -> None:
    """Whole or not at all, for its owner alone."""
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
