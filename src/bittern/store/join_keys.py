"""Root keys and what was used up of them: what a join server's answers need of its store."""

from __future__ import annotations

from typing import Protocol

from bittern.mac.session import JoinState
from bittern.store.join_records import AgreedSession, JoinDevice, JoinPeer, Spent
from bittern.types import DevEUI


class JoinKeys(Protocol):
    """Reads and the one write of a join."""

    async def device(self, dev_eui: DevEUI) -> JoinDevice | None: ...
    async def peer(self, fingerprint: str) -> JoinPeer | None:
        """Never cached: a removed one must not be answered once more."""
        ...

    async def application(self, name: str) -> JoinPeer | None:
        """The newest certificate of an application server."""
        ...

    async def spent(self, dev_eui: DevEUI) -> Spent: ...
    async def spend(
        self, device: JoinDevice, before: Spent, after: JoinState, session: AgreedSession
    ) -> None:
        """What the join has used up, durably. Raises `StaleSession` where somebody else was faster,
        or the device is no longer what it was."""
        ...
