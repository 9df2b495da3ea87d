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
from bittern.lorawan.versions import MacVersion, has_rejoin
from bittern.mac.join import Agreed
from bittern.mac.join_accept import (
    JOIN_NONCES,
    JoinCredentials,
    Offer,
    Origin,
    Terms,
    agree,
    offer,
    opened,
)
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


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A rejoin-request that the network has no objection to: what its join server is asked."""

    step: SessionStep | None
    keeping: Session | None
    """Whose radio parameters the device keeps."""
    offered: Offer


def answer(
    request: RejoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    sessions: Sequence[Session],
    state: JoinState | None,
    terms: Terms,
) -> RejoinGranted | Refused:
    """Grant the rejoin, or say why not: both halves, where the network is its own join server.
    `sessions` are all of the device's."""
    version = terms.profile.mac_version
    refused = _unsupported(request, credentials, version) or _exhausted(request, state)
    if refused is not None:
        return refused
    asked = answer_as_network(request, phy_payload, sessions=sessions, terms=terms)
    if isinstance(asked, Refused):
        return asked
    agreed = answer_as_join_server(
        request,
        phy_payload,
        credentials=credentials,
        version=version,
        state=state,
        offered=asked.offered,
    )
    return agreed if isinstance(agreed, Refused) else granted(request, asked, agreed, terms)


def granted(request: RejoinRequest, asked: Asked, agreed: Agreed, terms: Terms) -> RejoinGranted:
    """What the two halves yield together."""
    session = opened(
        origin_of(request),
        terms,
        asked.offered,
        agreed.keys,
        agreed.join_nonce,
        keeping=asked.keeping,
    )
    return RejoinGranted(
        step=asked.step,
        before=agreed.before,
        after=agreed.after,
        session=session,
        phy_payload=agreed.phy_payload,
    )


# The network's half


def answer_as_network(
    request: RejoinRequest, phy_payload: bytes, *, sessions: Sequence[Session], terms: Terms
) -> Asked | Refused:
    """Types 0 and 2 are proved by a session's key, which only the network has; of type 1 it can
    say nothing."""
    if not has_rejoin(terms.profile.mac_version):
        return _has_none(request, terms.profile.mac_version)
    if request.rejoin_type == BY_ROOT_KEYS:
        return Asked(step=None, keeping=None, offered=offer(terms))
    current = _sender(request, phy_payload, sessions)
    if isinstance(current, Refused):
        return current
    refused = _replayed(request, current.rj_count0) or _foreign(request, terms)
    keeping = current if request.rejoin_type == KEEPS_RADIO else None
    if refused is None and keeping is not None:
        refused = _unsettled(request, keeping)
    if refused is not None:
        return refused
    after = msgspec.structs.replace(
        current, revision=current.revision + 1, pending=False, rj_count0=request.rj_count
    )
    step = SessionStep(current, after)
    return Asked(step=step, keeping=keeping, offered=offer(terms, keeping))


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


# The join server's half


def answer_as_join_server(
    request: RejoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    version: MacVersion,
    state: JoinState | None,
    offered: Offer,
) -> Agreed | Refused:
    """The half that takes root keys. Of types 0 and 2 the network has checked the MIC and RJcount0:
    a join server has neither that key nor that counter."""
    known = state
    refused = (
        _unsupported(request, credentials, version)
        or _unsupported(request, credentials, offered.mac_version)
        or _exhausted(request, state)
    )
    if refused is None and request.rejoin_type == BY_ROOT_KEYS:
        known = None if state is None else state.under(credentials.join_eui)
        refused = _not_by_root_keys(request, phy_payload, credentials, known)
    if refused is not None:
        return refused
    after = _spent(request, known, credentials)
    join_nonce = after.next_join_nonce - 1
    keys, accept = agree(origin_of(request), offered, credentials, join_nonce)
    return Agreed(before=state, after=after, join_nonce=join_nonce, keys=keys, phy_payload=accept)


def _not_by_root_keys(
    request: RejoinRequest,
    phy_payload: bytes,
    credentials: JoinCredentials,
    state: JoinState | None,
) -> Refused | None:
    assert credentials.nwk_key is not None, "a rejoin without it was refused"
    key = derive_js_int_key(credentials.nwk_key, request.dev_eui)
    if not mic_equal(rejoin_mic(key, phy_payload[:-MIC_SIZE]), request.mic):
        reason = "the root key gives another MIC"
        return Refused(Refusal.MIC_MISMATCH, reason, request.dev_eui)
    if request.join_eui != credentials.join_eui:
        reason = f"JoinEUI {request.join_eui} is not {credentials.join_eui}"
        return Refused(Refusal.JOIN_EUI_MISMATCH, reason, request.dev_eui)
    return None if state is None else _replayed(request, state.last_rj_count1)


# Why not


def _unsupported(
    request: RejoinRequest, credentials: JoinCredentials, version: MacVersion
) -> Refused | None:
    if not has_rejoin(version):
        return _has_none(request, version)
    if credentials.nwk_key is not None:
        return None
    reason = f"LoRaWAN {version} takes a NwkKey, and the device has none"
    return Refused(Refusal.REJOIN_NOT_SUPPORTED, reason, request.dev_eui)


def _has_none(request: RejoinRequest, version: MacVersion) -> Refused:
    reason = f"LoRaWAN {version} has no rejoin-requests"
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


def origin_of(request: RejoinRequest) -> Origin:
    """What keys and MIC depend on."""
    return Origin(request.dev_eui, request.rj_count, request.rejoin_type)


def _spent(
    request: RejoinRequest, state: JoinState | None, credentials: JoinCredentials
) -> JoinState:
    """The state after this rejoin: its JoinNonce is gone for ever, and its RJcount1."""
    by_root_keys = request.rejoin_type == BY_ROOT_KEYS
    if state is None:
        return JoinState(
            dev_eui=request.dev_eui,
            join_eui=credentials.join_eui,
            next_join_nonce=2,
            last_rj_count1=request.rj_count if by_root_keys else -1,
        )
    return msgspec.structs.replace(
        state,
        revision=state.revision + 1,
        next_join_nonce=state.next_join_nonce + 1,
        last_rj_count1=request.rj_count if by_root_keys else state.last_rj_count1,
    )
