"""What a join server keeps: devices with their root keys, what they have used up, and its peers.

It is kept in notes: sealed, each under its own place, and changed by compare-and-set. So a DevNonce
and a JoinNonce are used up in one durable step, before anybody hears of the join-accept.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from bittern.errors import Conflict, NotFound, StaleSession
from bittern.mac.session import JoinState
from bittern.store.codec import secret_bytes
from bittern.store.join_records import (
    SESSIONS_KEPT,
    AgreedSession,
    JoinDevice,
    JoinPeer,
    Spent,
)
from bittern.store.notes import NoteExchange, NoteKind
from bittern.store.ports.notes import NoteStore
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import AES128Key, DevEUI, Instant

IN_TOKEN = "token:"
"""Before what a root key is called in its token."""


class _SpentBody(msgspec.Struct, frozen=True):
    state: JoinState
    sessions: tuple[AgreedSession, ...]


_T = TypeVar("_T", bound=msgspec.Struct)


class JoinRegistry:
    """Any number of processes may use one store."""

    def __init__(self, notes: NoteStore) -> None:
        self._notes = notes

    # Devices

    async def add_device(self, device: JoinDevice) -> None:
        """Raises `Conflict`."""
        await self._add("join_device", str(device.dev_eui), device, device.created_at, "device")

    async def device(self, dev_eui: DevEUI) -> JoinDevice | None:
        return await self._found("join_device", str(dev_eui), JoinDevice)

    async def devices(self) -> list[JoinDevice]:
        """In order of DevEUI."""
        return await self._all("join_device", JoinDevice)

    async def remove_device(self, dev_eui: DevEUI) -> None:
        """With what it has used up. Raises `NotFound`."""
        if not await self._notes.remove_note(DEFAULT_ACCOUNT, "join_device", str(dev_eui)):
            raise NotFound("device", str(dev_eui))
        await self._notes.remove_note(DEFAULT_ACCOUNT, "join_state", str(dev_eui))

    # Joins

    async def spent(self, dev_eui: DevEUI) -> Spent:
        note = await self._notes.note(DEFAULT_ACCOUNT, "join_state", str(dev_eui))
        if note is None:
            return Spent()
        read = _read(note.body, _SpentBody)
        return Spent(state=read.state, sessions=read.sessions, body=note.body)

    async def spend(
        self, device: JoinDevice, before: Spent, after: JoinState, session: AgreedSession
    ) -> None:
        """What the join has used up, durably. Raises `StaleSession` where somebody else was faster,
        or the device is no longer what it was."""
        sessions = (session, *before.sessions)[:SESSIONS_KEPT]
        name, unchanged = str(device.dev_eui), _written(device)
        try:
            await self._notes.exchange_notes(
                _exchange("join_device", name, session.at, unchanged, unchanged),
                _exchange(
                    "join_state",
                    name,
                    session.at,
                    before.body,
                    _written(_SpentBody(after, sessions)),
                ),
            )
        except Conflict:
            raise StaleSession(
                device.dev_eui, before.state.revision if before.state else 0
            ) from None

    # Peers

    async def add_peer(self, peer: JoinPeer) -> None:
        """Raises `Conflict`."""
        await self._add("join_peer", peer.fingerprint, peer, peer.created_at, "certificate")

    async def peer(self, fingerprint: str) -> JoinPeer | None:
        return await self._found("join_peer", fingerprint, JoinPeer)

    async def peers(self) -> list[JoinPeer]:
        """In order of fingerprint."""
        return await self._all("join_peer", JoinPeer)

    async def application(self, name: str) -> JoinPeer | None:
        """The newest certificate of an application server."""
        named = [
            one for one in await self.peers() if (one.kind, one.identity) == ("application", name)
        ]
        return max(named, key=lambda one: one.created_at, default=None)

    async def remove_peer(self, fingerprint: str) -> None:
        """From its next request on it is refused. Raises `NotFound`."""
        if not await self._notes.remove_note(DEFAULT_ACCOUNT, "join_peer", fingerprint):
            raise NotFound("certificate", fingerprint)

    async def _add(
        self, kind: NoteKind, name: str, record: msgspec.Struct, at: Instant, what: str
    ) -> None:
        try:
            await self._notes.exchange_notes(_exchange(kind, name, at, None, _written(record)))
        except Conflict:
            raise Conflict(what, name) from None

    async def _found(self, kind: NoteKind, name: str, record: type[_T]) -> _T | None:
        note = await self._notes.note(DEFAULT_ACCOUNT, kind, name)
        return None if note is None else _read(note.body, record)

    async def _all(self, kind: NoteKind, record: type[_T]) -> list[_T]:
        found: list[_T] = []
        after = ""
        while page := await self._notes.notes(DEFAULT_ACCOUNT, kind, after):
            found += [_read(note.body, record) for note in page]
            after = page[-1].name
        return found


def _exchange(
    kind: NoteKind, name: str, at: Instant, before: str | None, after: str
) -> NoteExchange:
    return NoteExchange(kind=kind, name=name, at=at, before=before, after=after)


def _to_text(value: object) -> str:
    """Only into what is sealed as a whole."""
    if isinstance(value, AES128Key) and value.reference is not None:
        return IN_TOKEN + value.reference
    return (secret_bytes(value) if isinstance(value, AES128Key) else bytes(value)).hex()  # type: ignore[call-overload]


def _from_text(kind: Any, value: Any) -> Any:
    if value.startswith(IN_TOKEN):
        return kind.in_token(value.removeprefix(IN_TOKEN))
    return kind(bytes.fromhex(value))


def _written(record: msgspec.Struct) -> str:
    """The same text for the same record."""
    return msgspec.json.encode(record, enc_hook=_to_text, order="deterministic").decode()


def _read(body: str, kind: type[_T]) -> _T:
    return msgspec.json.decode(body, type=kind, dec_hook=_from_text)
