"""Joins of devices whose root keys are at a join server elsewhere (TS002-1.1.0, 9.2 and 9.3).

    the network's own half                   mac/rejoin: MIC and RJcount0 of types 0 and 2
    -> JoinReq or RejoinReq                  backend/messages
    -> over there and back, in time          servers/join_client; again under the same TransactionID
    -> the keys in their envelopes           backend/envelope
    -> a pending session                     mac/join_accept

The join server has used up the nonces by then; our own `JoinState` of the device counts sessions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from bittern.backend import messages
from bittern.backend.envelope import opened
from bittern.backend.messages import Answer, HomeNSAns, HomeNSReq, JoinAns, JoinReq, KeyEnvelope
from bittern.backend.values import Hex, ResultCode
from bittern.errors import JoinServerUnavailable
from bittern.lorawan.crypto import SessionKeys, as_kind
from bittern.lorawan.frame import JoinRequest, MType
from bittern.mac import rejoin
from bittern.mac.join import Agreed, JoinGranted, origin_of
from bittern.mac.join_accept import Offer, offer
from bittern.mac.join_accept import opened as opened_session
from bittern.mac.refused import Refused
from bittern.mac.session import JoinState
from bittern.network.join_server import Asked, Granted
from bittern.network.ports import Clock, Randomness
from bittern.store.ports.sessions import SessionStore
from bittern.store.records import JoinServerActivation
from bittern.types import (
    AES128Key,
    AppSKey,
    DevEUI,
    FNwkSIntKey,
    Instant,
    JoinEUI,
    KeyEncryptionKey,
    NetID,
    NwkSEncKey,
    Refusal,
    SNwkSIntKey,
)

PROTOCOL_VERSION = "1.1"
IN_TIME_S = 4.5
"""From the end of the request on air: RX1 of a join-accept opens after 5 s, RX2 after 6 s."""
ATTEMPT_S = 1.5
"""One attempt; what is lost on the way is worth a second one."""
PAUSE_S = 0.1

_A = TypeVar("_A", bound=Answer)
_K = TypeVar("_K", bound=AES128Key)

_MEANS = {
    ResultCode.MIC_FAILED: Refusal.MIC_MISMATCH,
    ResultCode.UNKNOWN_DEV_EUI: Refusal.UNKNOWN_DEV_EUI,
    ResultCode.FRAME_REPLAYED: Refusal.DEV_NONCE_REPLAYED,
}
"""What a result means to us; every other is `JOIN_SERVER_REFUSED`."""


class Link(Protocol):
    """The way to join servers."""

    async def post(self, join_eui: JoinEUI, body: bytes, limit_s: float) -> bytes:
        """The answer of the join server of that JoinEUI. Raises `JoinServerUnavailable`."""
        ...

    async def pause(self, seconds: float) -> None:
        """Before another attempt."""
        ...


class RemoteJoinServer:
    """One for all join servers elsewhere."""

    def __init__(
        self,
        store: SessionStore,
        link: Link,
        *,
        net_id: NetID,
        keks: Mapping[str, KeyEncryptionKey],
        now: Clock,
        randomness: Randomness,
    ) -> None:
        self._store = store
        self._link = link
        self._net_id = net_id
        self._keks = keks
        self._now = now
        self._randomness = randomness

    async def answer(self, asked: Asked) -> Granted | Refused:
        """The session is of the keys that came; `JoinAns` does not say the JoinNonce, so it is
        counted here which session of the device it is."""
        request, terms = asked.request, asked.terms
        activation = asked.activation
        assert isinstance(activation, JoinServerActivation)
        if isinstance(request, JoinRequest):
            offered, rejoining = offer(terms), None
        else:
            sessions = await self._store.sessions_of(request.dev_eui)
            judged = rejoin.answer_as_network(
                request, asked.phy_payload, sessions=sessions, terms=terms
            )
            if isinstance(judged, Refused):
                return judged
            offered, rejoining = judged.offered, judged
        named = request.join_eui
        if named is not None and named != activation.join_eui:
            reason = f"JoinEUI {named} is not {activation.join_eui}"
            return Refused(Refusal.JOIN_EUI_MISMATCH, reason, request.dev_eui)
        before = await self._store.join_state(request.dev_eui)
        after = _counted(before, request.dev_eui, activation.join_eui)
        message = self._join_req(asked, offered, activation.join_eui)
        deadline = Instant(asked.heard_at + IN_TIME_S)
        answer = await self._ask(message, JoinAns, activation.join_eui, deadline)
        if isinstance(answer, Refused):
            agreed: Agreed | Refused = answer
        else:
            agreed = self._agreed(answer, offered, before, after)
        if isinstance(agreed, Refused):
            return _of(request.dev_eui, agreed, is_rejoin=rejoining is not None)
        if isinstance(request, JoinRequest):
            session = opened_session(
                origin_of(request), terms, offered, agreed.keys, agreed.join_nonce
            )
            return JoinGranted(
                before=agreed.before,
                after=agreed.after,
                session=session,
                phy_payload=agreed.phy_payload,
            )
        assert rejoining is not None
        return rejoin.granted(request, rejoining, agreed, terms)

    async def home(self, dev_eui: DevEUI, join_eui: JoinEUI) -> NetID | Refused:
        """Of which network a device is."""
        message = HomeNSReq(**self._heading("HomeNSReq", join_eui), dev_eui=dev_eui)
        deadline = Instant(self._now() + IN_TIME_S)
        answer = await self._ask(message, HomeNSAns, join_eui, deadline)
        if isinstance(answer, Refused):
            return _of(dev_eui, answer)
        if answer.h_net_id is None:
            return Refused(Refusal.JOIN_SERVER_REFUSED, "an answer without HNetID", dev_eui)
        return answer.h_net_id

    # Asking

    async def _ask(
        self, message: messages.Request, kind: type[_A], join_eui: JoinEUI, deadline: Instant
    ) -> _A | Refused:
        """Until there is an answer, or it would be too late. Every attempt is the same bytes: a
        join server that has answered them already says it again."""
        body = messages.encode(message)
        while True:
            left = deadline - self._now()
            try:
                answered = await self._link.post(join_eui, body, min(max(left, 0.0), ATTEMPT_S))
                break
            except JoinServerUnavailable as error:
                if deadline - self._now() <= ATTEMPT_S / 2:
                    return Refused(Refusal.JOIN_SERVER_UNAVAILABLE, str(error))
                await self._link.pause(PAUSE_S)
        answer = messages.read_answer(answered, kind, message)
        if isinstance(answer, str):
            return Refused(Refusal.JOIN_SERVER_REFUSED, f"the join server gives {answer}")
        code = answer.result.result_code
        if code == ResultCode.SUCCESS:
            return answer
        words = f": {answer.result.description}" if answer.result.description else ""
        refusal = _MEANS.get(code, Refusal.JOIN_SERVER_REFUSED)  # type: ignore[call-overload]
        return Refused(refusal, f"the join server says {code}{words}")

    def _join_req(self, asked: Asked, offered: Offer, join_eui: JoinEUI) -> JoinReq:
        kind = "JoinReq" if isinstance(asked.request, JoinRequest) else "RejoinReq"
        return JoinReq(
            **self._heading(kind, join_eui),
            mac_version=str(offered.mac_version),
            phy_payload=Hex(asked.phy_payload),
            dev_eui=asked.request.dev_eui,
            dev_addr=offered.dev_addr,
            dl_settings=Hex([offered.dl_settings]),
            rx_delay=offered.rx_delay,
            cf_list=None if offered.cf_list is None else Hex(offered.cf_list),
        )

    def _heading(self, kind: str, join_eui: JoinEUI) -> dict[str, Any]:
        return {
            "protocol_version": PROTOCOL_VERSION,
            "sender_id": self._net_id.hex().upper(),
            "receiver_id": join_eui.hex().upper(),
            "transaction_id": self._randomness.getrandbits(32),
            "message_type": kind,
        }

    # What was given

    def _agreed(
        self, answer: JoinAns, offered: Offer, before: JoinState | None, after: JoinState
    ) -> Agreed | Refused:
        phy_payload = answer.phy_payload or Hex()
        if not _is_join_accept(phy_payload, offered):
            reason = f"the join server gives no join-accept of ours: {len(phy_payload)} bytes"
            return Refused(Refusal.JOIN_SERVER_REFUSED, reason)
        keys = self._session_keys(answer, offered)
        if isinstance(keys, str):
            return Refused(Refusal.JOIN_SERVER_REFUSED, keys)
        return Agreed(
            before=before,
            after=after,
            join_nonce=after.next_join_nonce - 1,
            keys=keys,
            phy_payload=bytes(phy_payload),
        )

    def _session_keys(self, answer: JoinAns, offered: Offer) -> SessionKeys | str:
        app_s_key = self._key(AppSKey, answer.app_s_key)
        if not offered.opt_neg:
            nwk_s_key = self._key(FNwkSIntKey, answer.nwk_s_key, "NwkSKey")
            if isinstance(nwk_s_key, str):
                return nwk_s_key
            f_nwk, s_nwk = nwk_s_key, as_kind(SNwkSIntKey, nwk_s_key)
            return _whole(f_nwk, s_nwk, as_kind(NwkSEncKey, nwk_s_key), app_s_key)
        return _whole(
            self._key(FNwkSIntKey, answer.f_nwk_s_int_key),
            self._key(SNwkSIntKey, answer.s_nwk_s_int_key),
            self._key(NwkSEncKey, answer.nwk_s_enc_key),
            app_s_key,
        )

    def _key(self, kind: type[_K], envelope: KeyEnvelope | None, name: str = "") -> _K | str:
        if envelope is None:
            return f"the join server gives no {name or kind.__name__}"
        return opened(kind, envelope, self._keks)


def _counted(before: JoinState | None, dev_eui: DevEUI, join_eui: JoinEUI) -> JoinState:
    """With one session more."""
    if before is None:
        return JoinState(dev_eui=dev_eui, join_eui=join_eui, next_join_nonce=2)
    return msgspec.structs.replace(
        before, revision=before.revision + 1, next_join_nonce=before.next_join_nonce + 1
    )


def _whole(
    f_nwk_s_int_key: FNwkSIntKey | str,
    s_nwk_s_int_key: SNwkSIntKey | str,
    nwk_s_enc_key: NwkSEncKey | str,
    app_s_key: AppSKey | str,
) -> SessionKeys | str:
    """All of them, or what is wrong with the first that is missing."""
    if isinstance(f_nwk_s_int_key, str):
        return f_nwk_s_int_key
    if isinstance(s_nwk_s_int_key, str):
        return s_nwk_s_int_key
    if isinstance(nwk_s_enc_key, str):
        return nwk_s_enc_key
    if isinstance(app_s_key, str):
        return app_s_key
    return SessionKeys(f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key)


def _is_join_accept(phy_payload: bytes, offered: Offer) -> bool:
    """As far as it can be seen without the key."""
    expected = 17 if offered.cf_list is None else 33
    return len(phy_payload) == expected and phy_payload[0] == MType.JOIN_ACCEPT << 5


def _of(dev_eui: DevEUI, refused: Refused, *, is_rejoin: bool = False) -> Refused:
    replayed = is_rejoin and refused.refusal is Refusal.DEV_NONCE_REPLAYED
    refusal = Refusal.RJ_COUNT_REPLAYED if replayed else refused.refusal
    return Refused(refusal, refused.reason, dev_eui)
