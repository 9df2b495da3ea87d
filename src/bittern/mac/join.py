"""Answer a join-request: nonces, keys, join-accept (TS001-1.0.4, 6.2; LoRaWAN 1.1, 6.2).

A device joins when it has no session or will not use it any more. The session made here is pending
until a frame of it is accepted: the join-accept may be lost, and the device still use the old one.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.crypto import SessionKeys, join_request_mic, mic_equal
from bittern.lorawan.frame import MIC_SIZE, JoinRequest
from bittern.lorawan.versions import MacVersion, increments_dev_nonce, uses_nwk_key
from bittern.mac.join_accept import (
    JOIN_NONCES,
    JoinCredentials,
    Offer,
    Origin,
    Terms,
    agree,
    network_root_key,
    offer,
    opened,
)
from bittern.mac.refused import Refused
from bittern.mac.session import JoinState, Session
from bittern.types import Refusal


class JoinGranted(msgspec.Struct, frozen=True, kw_only=True):
    """To be stored together, then transmitted."""

    before: JoinState | None
    after: JoinState
    session: Session
    """Pending."""
    phy_payload: bytes
    """The join-accept, encrypted."""


class Agreed(msgspec.Struct, frozen=True, kw_only=True):
    """What a join server has to say to a join-request, or to a rejoin-request."""

    before: JoinState | None
    after: JoinState
    join_nonce: int
    keys: SessionKeys
    phy_payload: bytes
    """The join-accept, encrypted."""


def answer(
    request: JoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    state: JoinState | None,
    terms: Terms,
) -> JoinGranted | Refused:
    """Grant the join, or say why not: both halves, where the network is its own join server."""
    offered = offer(terms)
    agreed = answer_as_join_server(
        request,
        phy_payload,
        credentials=credentials,
        version=offered.mac_version,
        state=state,
        offered=offered,
    )
    if isinstance(agreed, Refused):
        return agreed
    return JoinGranted(
        before=agreed.before,
        after=agreed.after,
        session=opened(origin_of(request), terms, offered, agreed.keys, agreed.join_nonce),
        phy_payload=agreed.phy_payload,
    )


def answer_as_join_server(
    request: JoinRequest,
    phy_payload: bytes,
    *,
    credentials: JoinCredentials,
    version: MacVersion,
    state: JoinState | None,
    offered: Offer,
) -> Agreed | Refused:
    """The half that takes root keys. `version` is the device's own: it decides which DevNonce may
    come next, whatever a network says that it speaks with the device."""
    known = None if state is None else state.under(request.join_eui)
    refused = _refused(request, phy_payload, credentials, (offered.mac_version, version), known)
    if refused is not None:
        return refused
    after = _joined(known, request, version)
    join_nonce = after.next_join_nonce - 1
    keys, accept = agree(origin_of(request), offered, credentials, join_nonce)
    return Agreed(before=state, after=after, join_nonce=join_nonce, keys=keys, phy_payload=accept)


def origin_of(request: JoinRequest) -> Origin:
    """What keys and MIC depend on."""
    return Origin(request.dev_eui, request.dev_nonce)


# Whether


def _refused(
    request: JoinRequest,
    phy_payload: bytes,
    credentials: JoinCredentials,
    versions: tuple[MacVersion, MacVersion],
    state: JoinState | None,
) -> Refused | None:
    """`versions`: that the join-accept is of, and the device's."""
    dev_eui = request.dev_eui
    spoken, own = versions
    if uses_nwk_key(spoken) and credentials.nwk_key is None:
        reason = f"LoRaWAN {spoken} takes a NwkKey, and the device has none"
        return Refused(Refusal.JOIN_NOT_SUPPORTED, reason, dev_eui)
    expected = join_request_mic(network_root_key(credentials), phy_payload[:-MIC_SIZE])
    if not mic_equal(expected, request.mic):
        reason = "the root key gives another MIC"
        if request.join_eui != credentials.join_eui:
            reason += f", and JoinEUI {request.join_eui} is not {credentials.join_eui}"
        return Refused(Refusal.MIC_MISMATCH, reason, dev_eui)
    if request.join_eui != credentials.join_eui:
        reason = f"JoinEUI {request.join_eui} is not {credentials.join_eui}"
        return Refused(Refusal.JOIN_EUI_MISMATCH, reason, dev_eui)
    if state is None:
        return None
    if state.next_join_nonce >= JOIN_NONCES:
        reason = "every JoinNonce was used; the device needs new root keys"
        return Refused(Refusal.JOIN_NONCE_EXHAUSTED, reason, dev_eui)
    reason = _nonce_problem(request, own, state)
    return Refused(Refusal.DEV_NONCE_REPLAYED, reason, dev_eui) if reason else None


def _nonce_problem(request: JoinRequest, version: MacVersion, state: JoinState) -> str:
    """Empty if DevNonce may be used (TS001-1.0.4, 6.2.2; 1.0.3, 6.2.4).

    It is never reused for one JoinEUI (1.1, 6.2.2), and `state` is of the request's.
    """
    nonce, last = request.dev_nonce, state.last_dev_nonce
    if increments_dev_nonce(version) and last is not None and nonce <= last:
        return f"DevNonce {nonce} is not above {last}, the last one"
    if nonce in state.used_dev_nonces or nonce == last:
        return f"DevNonce {nonce} was used before"
    return ""


def _joined(state: JoinState | None, request: JoinRequest, version: MacVersion) -> JoinState:
    """The state after this join: its JoinNonce and its DevNonce are gone for ever."""
    nonce = request.dev_nonce
    spent = frozenset(() if increments_dev_nonce(version) else (nonce,))
    if state is None:
        return JoinState(
            dev_eui=request.dev_eui,
            join_eui=request.join_eui,
            next_join_nonce=2,
            last_dev_nonce=nonce,
            used_dev_nonces=spent,
        )
    return msgspec.structs.replace(
        state,
        revision=state.revision + 1,
        next_join_nonce=state.next_join_nonce + 1,
        last_dev_nonce=nonce,
        used_dev_nonces=state.used_dev_nonces | spent,
    )
