"""What has changed, for those who keep copies."""

from __future__ import annotations

from typing import Protocol

from bittern.store.records import Change


class ChangeFeed(Protocol):
    """Changes of the registry, the queues and the activations, by whichever process made them.

    Asking often is cheap when nothing changed. Old changes are trimmed.
    """

    async def last_change(self) -> int:
        """Sequence of the newest, 0 before the first."""
        ...

    async def changes(self, after_sequence: int) -> list[Change]:
        """In order. Raises `ChangesTrimmed` when some of them are no longer kept."""
        ...
