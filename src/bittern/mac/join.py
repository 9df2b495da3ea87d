"""Answer a join-request: nonces, keys, join-accept (TS001-1.0.4, 6.2; LoRaWAN 1.1, 6.2).

A device joins when it has no session or will not use it any more. The session made here is pending
until a frame of it is accepted: the join-accept may be lost, and the device still use the old one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from bittern.lorawan.crypto import (
    JOIN_REQUEST_TYPE,
    SessionKeys,
    derive_js_int_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    encrypt_join_accept,
    join_accept_mic_1_0,
    join_accept_mic_1_1,
    join_request_mic,
    mic_equal,
)
from bittern.lorawan.frame import MIC_SIZE, JoinAccept, JoinRequest
from bittern.lorawan.regions.plan import FixedPlan, Plan
from bittern.lorawan.versions import (
    increments_dev_nonce,
    masks_channels_by_cf_list,
    uses_nwk_key,
)
from bittern.mac.personalization import initial_class
from bittern.mac.refused import Refused
from bittern.mac.session import JoinState, LinkProfile, RadioState, Session
from bittern.mac.wanted import extra_channels
from bittern.types import AppKey, DevAddr, Instant, JoinEUI, NetID, NwkKey, Refusal

JOIN_NONCES = 1 << 24


class JoinCredentials(Protocol):
    """What a device and its join server share."""

    @property
    def join_eui(self) -> JoinEUI: ...
    @property
    def app_key(self) -> AppKey: ...
    @property
    def nwk_key(self) -> NwkKey | None:
        """None for devices of LoRaWAN 1.0.x."""
        ...


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
    profile: LinkProfile,
    state: JoinState | None,
    plan: Plan,
    net_id: NetID,
    dev_addr: DevAddr,
    now: Instant,
    sub_bands: Sequence[int] = (),
) -> JoinGranted | Refused:
    """Grant the join, or say why not.

    `dev_addr` was chosen for the session by the caller; `sub_bands` are what the network hears of
    a fixed plan.
    """
    refused = _refused(request, phy_payload, credentials, profile, state)
    if refused is not None:
        return refused
    after = _joined(state, request, profile)
    join_nonce = after.next_join_nonce - 1
    accept = JoinAccept(
        join_nonce=join_nonce,
        home_net_id=net_id,
        dev_addr=dev_addr,
        opt_neg=uses_nwk_key(profile.mac_version),
        rx1_dr_offset=profile.rx1_dr_offset,
        rx2_data_rate=_rx2_data_rate(profile, plan),
        rx_delay=max(1, profile.rx1_delay_s),
        cf_list=_cf_list(plan, profile, sub_bands),
    )
    session = Session(
        dev_eui=request.dev_eui,
        generation=join_nonce,
        pending=True,
        dev_addr=dev_addr,
        mac_version=profile.mac_version,
        region=plan.name,
        keys=_session_keys(request, accept, credentials),
        counts_32_bits=profile.supports_32bit_fcnt,
        radio=_radio(accept, plan, sub_bands),
        device_class=initial_class(profile),
        activated_at=now,
    )
    return JoinGranted(
        before=state,
        after=after,
        session=session,
        phy_payload=_phy_payload(request, accept, credentials),
    )


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
    expected = join_request_mic(_network_root_key(credentials), phy_payload[:-MIC_SIZE])
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
    """Empty if DevNonce may be used (TS001-1.0.4, 6.2.2; 1.0.3, 6.2.4)."""
    if request.join_eui != state.join_eui:
        return ""  # 1.1, 6.2.2: DevNonce is never reused for one JoinEUI
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
    used = state.used_dev_nonces if state.join_eui == request.join_eui else frozenset()
    return msgspec.structs.replace(
        state,
        revision=state.revision + 1,
        join_eui=request.join_eui,
        next_join_nonce=state.next_join_nonce + 1,
        last_dev_nonce=nonce,
        used_dev_nonces=used | spent,
    )


# What


def _rx2_data_rate(profile: LinkProfile, plan: Plan) -> int:
    return plan.rx2_data_rate if profile.rx2_data_rate is None else profile.rx2_data_rate


def _cf_list(plan: Plan, profile: LinkProfile, sub_bands: Sequence[int]) -> bytes | None:
    if isinstance(plan, FixedPlan):
        return plan.cf_list(sub_bands) if masks_channels_by_cf_list(profile.mac_version) else None
    return plan.cf_list()


def _radio(accept: JoinAccept, plan: Plan, sub_bands: Sequence[int]) -> RadioState:
    """As the device takes it from the join-accept, which cannot move RX2 to another frequency."""
    enabled: tuple[int, ...] = ()
    if isinstance(plan, FixedPlan) and accept.cf_list is not None and sub_bands:
        enabled = plan.enabled_indices(sub_bands)
    return RadioState(
        rx1_delay_s=accept.rx_delay,
        rx1_dr_offset=accept.rx1_dr_offset,
        rx2_data_rate=accept.rx2_data_rate,
        rx2_frequency_hz=plan.rx2_frequency_hz,
        extra_channels=extra_channels(plan),
        enabled_channels=enabled,
    )


# By which keys


def _network_root_key(credentials: JoinCredentials) -> AppKey | NwkKey:
    """A device that has a NwkKey uses it where 1.0.x uses the AppKey (1.1, 6.1.1.3)."""
    return credentials.app_key if credentials.nwk_key is None else credentials.nwk_key


def _session_keys(
    request: JoinRequest, accept: JoinAccept, credentials: JoinCredentials
) -> SessionKeys:
    if not accept.opt_neg:
        return derive_session_keys_1_0(
            _network_root_key(credentials),
            join_nonce=accept.join_nonce,
            net_id=accept.home_net_id,
            dev_nonce=request.dev_nonce,
        )
    assert credentials.nwk_key is not None, "a join without it was refused"
    return derive_session_keys_1_1(
        credentials.nwk_key,
        credentials.app_key,
        join_nonce=accept.join_nonce,
        join_eui=request.join_eui,
        dev_nonce=request.dev_nonce,
    )


def _phy_payload(request: JoinRequest, accept: JoinAccept, credentials: JoinCredentials) -> bytes:
    key = _network_root_key(credentials)
    mic = _mic(request, accept, credentials)
    return encrypt_join_accept(key, msgspec.structs.replace(accept, mic=mic))


def _mic(request: JoinRequest, accept: JoinAccept, credentials: JoinCredentials) -> bytes:
    msg = accept.to_bytes()[:-MIC_SIZE]
    if not accept.opt_neg:
        return join_accept_mic_1_0(_network_root_key(credentials), msg)
    assert credentials.nwk_key is not None, "a join without it was refused"
    return join_accept_mic_1_1(
        derive_js_int_key(credentials.nwk_key, request.dev_eui),
        msg,
        join_req_type=JOIN_REQUEST_TYPE,
        join_eui=request.join_eui,
        dev_nonce=request.dev_nonce,
    )
