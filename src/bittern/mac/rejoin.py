"""Answer a rejoin-request (LoRaWAN 1.1, 6.2.4): a device with a session asks for another one.

| type | by the keys of | counter  | what the device begins anew                    |
|------|----------------|----------|------------------------------------------------|
| 0    | its session    | RJcount0 | everything, its radio parameters too           |
| 1    | its root keys  | RJcount1 | everything: the network may have lost its session |
| 2    | its session    | RJcount0 | keys, address and counters                     |

RJcount0 begins at 0 with every session, RJcount1 never does. The old session stays valid until the
device uses the new one: the join-accept may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bittern.lorawan.commands import (
    DlChannelReq,
    RXParamSetupReq,
    RXTimingSetupReq,
    TXParamSetupReq,
)
from bittern.lorawan.crypto import derive_js_int_key, mic_equal, rejoin_mic
from bittern.lorawan.frame import MIC_SIZE, RejoinRequest
from bittern.lorawan.versions import has_rejoin
from bittern.mac.join_accept import JOIN_NONCES, JoinCredentials, Origin, Terms, grant, rekey
from bittern.mac.refused import Refused
from bittern.mac.session import JoinState, Session
from bittern.types import Refusal

BY_ROOT_KEYS = 1
KEEPS_RADIO = 2

_MOVES_WINDOWS = frozenset(
    command.CID for command in (RXParamSetupReq, RXTimingSetupReq, DlChannelReq, TXParamSetupReq)
)


class SessionStep(msgspec.Struct, frozen=True):
    """The session by whose keys the device asked: to be advanced first, so that the request cannot
    be answered twice. A pending one is in use now."""

    before: Session
    after: Session


class RejoinGranted(msgspec.Struct, frozen=True, kw_only=True):
    """To be stored, then transmitted."""

    step: SessionStep | None
    """None for type 1, which `after` guards."""
    before: JoinState | None
    after: JoinState
    session: Session
    """Pending."""
    phy_payload: bytes
    """The join-accept, encrypted."""


def answer(
    request: RejoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    sessions: Sequence[Session],
    state: JoinState | None,
    terms: Terms,
) -> RejoinGranted | Refused:
    """Grant the rejoin, or say why not. `sessions` are all of the device's."""
    refused = _unsupported(request, credentials, terms) or _exhausted(request, state)
    if refused is not None:
        return refused
    if request.rejoin_type == BY_ROOT_KEYS:
        return _by_root_keys(
            request, phy_payload, credentials=credentials, state=state, terms=terms
        )
    return _by_session(
        request,
        phy_payload,
        credentials=credentials,
        sessions=sessions,
        state=state,
        terms=terms,
    )


# By which keys


def _by_root_keys(
    request: RejoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    state: JoinState | None,
    terms: Terms,
) -> RejoinGranted | Refused:
    assert credentials.nwk_key is not None, "a rejoin without it was refused"
    key = derive_js_int_key(credentials.nwk_key, request.dev_eui)
    if not mic_equal(rejoin_mic(key, phy_payload[:-MIC_SIZE]), request.mic):
        reason = "the root key gives another MIC"
        return Refused(Refusal.MIC_MISMATCH, reason, request.dev_eui)
    if request.join_eui != credentials.join_eui:
        reason = f"JoinEUI {request.join_eui} is not {credentials.join_eui}"
        return Refused(Refusal.JOIN_EUI_MISMATCH, reason, request.dev_eui)
    known = None if state is None else state.under(request.join_eui)
    if known is not None:
        refused = _replayed(request, known.last_rj_count1)
        if refused is not None:
            return refused
    after = _spent(request, known, credentials, rj_count1=request.rj_count)
    session, accept = grant(_origin(request), terms, credentials, after.next_join_nonce - 1)
    return RejoinGranted(step=None, before=state, after=after, session=session, phy_payload=accept)


def _by_session(
    request: RejoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    sessions: Sequence[Session],
    state: JoinState | None,
    terms: Terms,
) -> RejoinGranted | Refused:
    current = _sender(request, phy_payload, sessions)
    if isinstance(current, Refused):
        return current
    refused = _replayed(request, current.rj_count0) or _foreign(request, terms)
    if refused is not None:
        return refused
    step = SessionStep(
        current,
        msgspec.structs.replace(
            current,
            revision=current.revision + 1,
            pending=False,
            rj_count0=request.rj_count,
        ),
    )
    after = _spent(request, state, credentials)
    join_nonce = after.next_join_nonce - 1
    if request.rejoin_type != KEEPS_RADIO:
        session, accept = grant(_origin(request), terms, credentials, join_nonce)
    elif (unsettled := _unsettled(request, current)) is not None:
        return unsettled
    else:
        session, accept = rekey(_origin(request), terms, credentials, join_nonce, current)
    return RejoinGranted(step=step, before=state, after=after, session=session, phy_payload=accept)


def _sender(
    request: RejoinRequest, phy_payload: bytes, sessions: Sequence[Session]
) -> Session | Refused:
    """The session by whose key the MIC was made."""
    for session in sessions:
        if session.joined and has_rejoin(session.mac_version):
            expected = rejoin_mic(session.keys.s_nwk_s_int_key, phy_payload[:-MIC_SIZE])
            if mic_equal(expected, request.mic):
                return session
    reason = "the keys of its session give another MIC" if sessions else "it has no session"
    return Refused(Refusal.MIC_MISMATCH, reason, request.dev_eui)


# Why not


def _unsupported(
    request: RejoinRequest, credentials: JoinCredentials, terms: Terms
) -> Refused | None:
    version = terms.profile.mac_version
    if has_rejoin(version) and credentials.nwk_key is not None:
        return None
    reason = f"LoRaWAN {version} has no rejoin-requests"
    if has_rejoin(version):
        reason = f"LoRaWAN {version} takes a NwkKey, and the device has none"
    return Refused(Refusal.REJOIN_NOT_SUPPORTED, reason, request.dev_eui)


def _exhausted(request: RejoinRequest, state: JoinState | None) -> Refused | None:
    if state is None or state.next_join_nonce < JOIN_NONCES:
        return None
    reason = "every JoinNonce was used; the device needs new root keys"
    return Refused(Refusal.JOIN_NONCE_EXHAUSTED, reason, request.dev_eui)


def _replayed(request: RejoinRequest, last: int) -> Refused | None:
    if request.rj_count > last:
        return None
    name = "RJcount1" if request.rejoin_type == BY_ROOT_KEYS else "RJcount0"
    reason = f"{name} {request.rj_count} is not above {last}, the last one"
    return Refused(Refusal.RJ_COUNT_REPLAYED, reason, request.dev_eui)


def _foreign(request: RejoinRequest, terms: Terms) -> Refused | None:
    if request.net_id == terms.net_id:
        return None
    reason = f"NetID {request.net_id} is not {terms.net_id}"
    return Refused(Refusal.NET_ID_MISMATCH, reason, request.dev_eui)


def _unsettled(request: RejoinRequest, current: Session) -> Refused | None:
    """Where the device listens is to be kept, but not known: it may have moved its windows, and the
    answer that it repeats ends with the join-accept. It will ask again."""
    if not any(one.commands[0] in _MOVES_WINDOWS for one in current.requests):
        return None
    reason = "the device has not answered yet where its receive windows are"
    return Refused(Refusal.RADIO_UNSETTLED, reason, request.dev_eui)


# What


def _origin(request: RejoinRequest) -> Origin:
    return Origin(request.dev_eui, request.rj_count, request.rejoin_type)


def _spent(
    request: RejoinRequest,
    state: JoinState | None,
    credentials: JoinCredentials,
    rj_count1: int | None = None,
) -> JoinState:
    """The state after this rejoin: its JoinNonce is gone for ever, and its RJcount1."""
    if state is None:
        return JoinState(
            dev_eui=request.dev_eui,
            join_eui=credentials.join_eui,
            next_join_nonce=2,
            last_rj_count1=-1 if rj_count1 is None else rj_count1,
        )
    return msgspec.structs.replace(
        state,
        revision=state.revision + 1,
        next_join_nonce=state.next_join_nonce + 1,
        last_rj_count1=state.last_rj_count1 if rj_count1 is None else rj_count1,
    )
