"""Who holds the root keys: a port, and the way that needs no port, with the keys in our own store.

A network asks; a join server grants the request, with keys and a join-accept, or says why not. What
is granted is not yet stored: the caller does that, in one transaction, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from bittern.lorawan.frame import JoinRequest, RejoinRequest
from bittern.mac.join import JoinGranted
from bittern.mac.join import answer as answer_join
from bittern.mac.join_accept import Terms
from bittern.mac.refused import Refused
from bittern.mac.rejoin import RejoinGranted
from bittern.mac.rejoin import answer as answer_rejoin
from bittern.network.root_keys import RootKeys, by_root_keys
from bittern.store.ports.sessions import SessionStore
from bittern.store.records import Activation, JoinServerActivation, OtaaActivation
from bittern.types import DevEUI, Instant, JoinEUI, NetID, Refusal

Request = JoinRequest | RejoinRequest
Granted = JoinGranted | RejoinGranted


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request of a registered device, and what the network offers it."""

    request: Request
    phy_payload: bytes
    activation: Activation
    terms: Terms
    heard_at: Instant


class JoinServer(Protocol):
    """Whoever has the root keys of a device."""

    async def answer(self, asked: Asked) -> Granted | Refused: ...


class JoinServers(JoinServer, Protocol):
    """Join servers elsewhere, by JoinEUI."""

    async def home(self, dev_eui: DevEUI, join_eui: JoinEUI) -> NetID | Refused:
        """Of which network it is."""
        ...


class EmbeddedJoinServer:
    """The root keys are in our own store, or in our token. What it reads of nonces is compared when
    the caller stores what was granted, so no nonce is used twice."""

    def __init__(self, store: SessionStore, root_keys: RootKeys | None = None) -> None:
        self._store = store
        self._root_keys = root_keys

    async def answer(self, asked: Asked) -> Granted | Refused:
        request, credentials = asked.request, asked.activation
        assert isinstance(credentials, OtaaActivation)
        work = await self._work(asked, credentials)
        return await by_root_keys(request.dev_eui, credentials, self._root_keys, work)

    async def _work(
        self, asked: Asked, credentials: OtaaActivation
    ) -> Callable[[], Granted | Refused]:
        request = asked.request
        state = await self._store.join_state(request.dev_eui)
        if isinstance(request, JoinRequest):
            return lambda: answer_join(
                request, asked.phy_payload, credentials=credentials, state=state, terms=asked.terms
            )
        sessions = await self._store.sessions_of(request.dev_eui)
        return lambda: answer_rejoin(
            request,
            asked.phy_payload,
            credentials=credentials,
            sessions=sessions,
            state=state,
            terms=asked.terms,
        )


class EitherJoinServer:
    """Our own for devices whose root keys are here, another for those whose keys are there."""

    def __init__(
        self,
        store: SessionStore,
        elsewhere: JoinServer | None,
        root_keys: RootKeys | None = None,
    ) -> None:
        self._embedded = EmbeddedJoinServer(store, root_keys)
        self._elsewhere = elsewhere

    async def answer(self, asked: Asked) -> Granted | Refused:
        if isinstance(asked.activation, OtaaActivation):
            return await self._embedded.answer(asked)
        assert isinstance(asked.activation, JoinServerActivation)
        if self._elsewhere is None:
            reason = "its root keys are at a join server, and join_server.uri names none"
            return Refused(Refusal.JOIN_SERVER_UNAVAILABLE, reason, asked.request.dev_eui)
        return await self._elsewhere.answer(asked)
