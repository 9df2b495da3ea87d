"""Sessions kept in memory by DevAddr, so that an uplink costs no read.

A cached session may be out of date: another process, or another frame of the device, may have moved
it on. That is harmless, because the store refuses to advance it; `forget` it then and `load` again.
"""

from __future__ import annotations

from bittern.mac.session import Session
from bittern.store.ports.sessions import SessionStore
from bittern.types import DevAddr, DevEUI


class SessionCache:
    """At most `capacity` DevAddrs; the one that was loaded longest ago gives way."""

    def __init__(self, store: SessionStore, capacity: int = 1_000_000) -> None:
        self._store = store
        self._capacity = capacity
        self._at: dict[DevAddr, tuple[Session, ...]] = {}
        self._addresses: dict[DevEUI, set[DevAddr]] = {}

    def at(self, dev_addr: DevAddr) -> tuple[Session, ...]:
        """What is known without asking the store; empty when nothing is."""
        return self._at.get(dev_addr, ())

    async def load(self, dev_addr: DevAddr) -> tuple[Session, ...]:
        """Ask the store. An unknown DevAddr is not remembered: strangers cannot fill the memory."""
        sessions = tuple(await self._store.sessions_at(dev_addr))
        if sessions:
            self._keep(dev_addr, sessions)
        else:
            self._at.pop(dev_addr, None)
        return sessions

    def replace(self, before: Session, after: Session) -> None:
        """After the store has advanced: `after` takes the place of `before`."""
        if before.pending and not after.pending:
            self.forget(after.dev_eui)
            return
        sessions = self._at.get(after.dev_addr)
        if sessions is None:
            return
        if len(sessions) == 1 and sessions[0] is before:
            self._at[after.dev_addr] = (after,)
            return
        self._at[after.dev_addr] = tuple(
            after if _same_activation(session, after) else session for session in sessions
        )

    def forget(self, dev_eui: DevEUI) -> None:
        """Drop every DevAddr under which the device is known."""
        for dev_addr in self._addresses.pop(dev_eui, ()):
            self._at.pop(dev_addr, None)

    def forget_everything(self) -> None:
        self._at.clear()
        self._addresses.clear()

    def forget_address(self, dev_addr: DevAddr) -> None:
        self._at.pop(dev_addr, None)

    def __len__(self) -> int:
        return len(self._at)

    def _keep(self, dev_addr: DevAddr, sessions: tuple[Session, ...]) -> None:
        if len(self._at) >= self._capacity:
            self._at.pop(next(iter(self._at)))
        self._at[dev_addr] = sessions
        for session in sessions:
            self._addresses.setdefault(session.dev_eui, set()).add(dev_addr)


def _same_activation(one: Session, other: Session) -> bool:
    return one.dev_eui == other.dev_eui and one.generation == other.generation
