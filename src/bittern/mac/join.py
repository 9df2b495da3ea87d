"""Answer a join-request: nonces, keys, join-accept (TS001-1.0.4, 6.2; LoRaWAN 1.1, 6.2).

A device joins when it has no session or will not use it any more. The session made here is pending
until a frame of it is accepted: the join-accept may be lost, and the device still use the old one.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.crypto import join_request_mic, mic_equal
from bittern.lorawan.frame import MIC_SIZE, JoinRequest
from bittern.lorawan.versions import increments_dev_nonce, uses_nwk_key
from bittern.mac.join_accept import (
    JOIN_NONCES,
    JoinCredentials,
    Origin,
    Terms,
    grant,
    network_root_key,
)
from bittern.mac.refused import Refused
from bittern.mac.session import JoinState, LinkProfile, Session
from bittern.types import Refusal


class JoinGranted(msgspec.Struct, frozen=True, kw_only=True):
    """To be stored together, then transmitted."""

    before: JoinState | None
    after: JoinState
    session: Session
    """Pending."""
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
    """Grant the join, or say why not."""
    known = None if state is None else state.under(request.join_eui)
    refused = _refused(request, phy_payload, credentials, terms.profile, known)
    if refused is not None:
        return refused
    after = _joined(known, request, terms.profile)
    origin = Origin(request.dev_eui, request.dev_nonce)
    session, accept = grant(origin, terms, credentials, after.next_join_nonce - 1)
    return JoinGranted(before=state, after=after, session=session, phy_payload=accept)


# Whether


def _refused(
    request: JoinRequest,
    phy_payload: bytes,
    credentials: JoinCredentials,
    profile: LinkProfile,
    state: JoinState | None,
) -> Refused | None:
    dev_eui = request.dev_eui
    if uses_nwk_key(profile.mac_version) and credentials.nwk_key is None:
        reason = f"LoRaWAN {profile.mac_version} takes a NwkKey, and the device has none"
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
    reason = _nonce_problem(request, profile, state)
    return Refused(Refusal.DEV_NONCE_REPLAYED, reason, dev_eui) if reason else None


def _nonce_problem(request: JoinRequest, profile: LinkProfile, state: JoinState) -> str:
    """Empty if DevNonce may be used (TS001-1.0.4, 6.2.2; 1.0.3, 6.2.4).

    It is never reused for one JoinEUI (1.1, 6.2.2), and `state` is of the request's.
    """
    nonce, last = request.dev_nonce, state.last_dev_nonce
    if increments_dev_nonce(profile.mac_version) and last is not None and nonce <= last:
        return f"DevNonce {nonce} is not above {last}, the last one"
    if nonce in state.used_dev_nonces or nonce == last:
        return f"DevNonce {nonce} was used before"
    return ""


def _joined(state: JoinState | None, request: JoinRequest, profile: LinkProfile) -> JoinState:
    """The state after this join: its JoinNonce and its DevNonce are gone for ever."""
    nonce = request.dev_nonce
    spent = frozenset(() if increments_dev_nonce(profile.mac_version) else (nonce,))
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
