"""What a network grants a device, for joins and rejoins alike: session, keys, join-accept
(TS001-1.0.4, 6.2.6; LoRaWAN 1.1, 6.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from bittern.lorawan.commands import ForceRejoinReq
from bittern.lorawan.crypto import (
    JOIN_REQUEST_TYPE,
    SessionKeys,
    derive_js_enc_key,
    derive_js_int_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    encrypt_join_accept,
    join_accept_mic_1_0,
    join_accept_mic_1_1,
)
from bittern.lorawan.frame import MIC_SIZE, JoinAccept
from bittern.lorawan.regions.plan import FixedPlan, Plan
from bittern.lorawan.versions import masks_channels_by_cf_list, uses_nwk_key
from bittern.mac.personalization import initial_class
from bittern.mac.session import LinkProfile, RadioState, Session
from bittern.mac.wanted import extra_channels
from bittern.types import AppKey, DevAddr, DevEUI, Instant, JoinEUI, JSEncKey, NetID, NwkKey

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


class Origin(NamedTuple):
    """The request that a join-accept answers, as far as keys and MIC depend on it."""

    dev_eui: DevEUI
    nonce: int
    """DevNonce, or the RJcount of a rejoin-request."""
    join_req_type: int = JOIN_REQUEST_TYPE
    """Or the type of a rejoin-request."""

    @property
    def is_rejoin(self) -> bool:
        return self.join_req_type != JOIN_REQUEST_TYPE


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the network has to offer."""

    profile: LinkProfile
    plan: Plan
    net_id: NetID
    dev_addr: DevAddr
    now: Instant
    sub_bands: Sequence[int] = ()
    """What the network hears of a fixed plan; empty: everything."""
    frequency_hz: int | None = None
    """Of the request: in some regions it decides where RX2 is."""
    first_revision: int = 0
    """Of the session."""


def grant(
    origin: Origin, terms: Terms, credentials: JoinCredentials, join_nonce: int
) -> tuple[Session, bytes]:
    """The pending session, all of it new, and the join-accept's PHYPayload."""
    profile, plan = terms.profile, terms.plan
    rx2_data_rate = profile.rx2_data_rate
    accept = JoinAccept(
        join_nonce=join_nonce,
        home_net_id=terms.net_id,
        dev_addr=terms.dev_addr,
        opt_neg=uses_nwk_key(profile.mac_version),
        rx1_dr_offset=profile.rx1_dr_offset,
        rx2_data_rate=plan.rx2_data_rate if rx2_data_rate is None else rx2_data_rate,
        rx_delay=max(1, profile.rx1_delay_s),
        cf_list=_cf_list(terms),
    )
    session = _session(origin, terms, credentials, accept)
    return session, _phy_payload(origin, accept, credentials)


def rekey(
    origin: Origin,
    terms: Terms,
    credentials: JoinCredentials,
    join_nonce: int,
    current: Session,
) -> tuple[Session, bytes]:
    """The same for a device that keeps its radio parameters (1.1, 6.2.4: type 2).

    The join-accept says what they are, in case the device takes them from it. What it was asked for
    is still unanswered, and what it refused, refused.
    """
    radio = current.radio
    accept = JoinAccept(
        join_nonce=join_nonce,
        home_net_id=terms.net_id,
        dev_addr=terms.dev_addr,
        opt_neg=uses_nwk_key(terms.profile.mac_version),
        rx1_dr_offset=radio.rx1_dr_offset,
        rx2_data_rate=radio.rx2_data_rate,
        rx_delay=radio.rx1_delay_s,
    )
    session = msgspec.structs.replace(
        _session(origin, terms, credentials, accept),
        radio=radio,
        device_class=current.device_class,
        requests=tuple(
            msgspec.structs.replace(request, sent_after=-1)
            for request in current.requests
            if request.commands[0] != ForceRejoinReq.CID
        ),
        refused=current.refused,
        status=current.status,
    )
    return session, _phy_payload(origin, accept, credentials)


def network_root_key(credentials: JoinCredentials) -> AppKey | NwkKey:
    """A device that has a NwkKey uses it where 1.0.x uses the AppKey (1.1, 6.1.1.3)."""
    return credentials.app_key if credentials.nwk_key is None else credentials.nwk_key


# What


def _cf_list(terms: Terms) -> bytes | None:
    plan, version = terms.plan, terms.profile.mac_version
    if isinstance(plan, FixedPlan):
        return plan.cf_list(terms.sub_bands) if masks_channels_by_cf_list(version) else None
    return plan.cf_list()


def _session(
    origin: Origin, terms: Terms, credentials: JoinCredentials, accept: JoinAccept
) -> Session:
    return Session(
        dev_eui=origin.dev_eui,
        generation=accept.join_nonce,
        revision=terms.first_revision,
        pending=True,
        dev_addr=terms.dev_addr,
        mac_version=terms.profile.mac_version,
        region=terms.plan.name,
        keys=_session_keys(origin, accept, credentials),
        counts_32_bits=terms.profile.supports_32bit_fcnt,
        radio=_radio(accept, terms),
        device_class=initial_class(terms.profile),
        activated_at=terms.now,
    )


def _radio(accept: JoinAccept, terms: Terms) -> RadioState:
    """As the device takes it from the join-accept, which cannot move RX2 to another frequency."""
    plan = terms.plan
    joined_on = None if terms.frequency_hz is None else plan.joined_on(terms.frequency_hz)
    enabled: tuple[int, ...] = ()
    if isinstance(plan, FixedPlan) and accept.cf_list is not None and terms.sub_bands:
        enabled = plan.enabled_indices(terms.sub_bands)
    return RadioState(
        rx1_delay_s=accept.rx_delay,
        rx1_dr_offset=accept.rx1_dr_offset,
        rx2_data_rate=accept.rx2_data_rate,
        rx2_frequency_hz=joined_on.rx2_frequency_hz if joined_on else plan.rx2_frequency_hz,
        extra_channels=extra_channels(plan),
        enabled_channels=enabled,
    )


# By which keys


def _session_keys(origin: Origin, accept: JoinAccept, credentials: JoinCredentials) -> SessionKeys:
    if not accept.opt_neg:
        return derive_session_keys_1_0(
            network_root_key(credentials),
            join_nonce=accept.join_nonce,
            net_id=accept.home_net_id,
            dev_nonce=origin.nonce,
        )
    return derive_session_keys_1_1(
        _nwk_key(credentials),
        credentials.app_key,
        join_nonce=accept.join_nonce,
        join_eui=credentials.join_eui,
        dev_nonce=origin.nonce,
    )


def _phy_payload(origin: Origin, accept: JoinAccept, credentials: JoinCredentials) -> bytes:
    key: AppKey | NwkKey | JSEncKey = network_root_key(credentials)
    if origin.is_rejoin:
        key = derive_js_enc_key(_nwk_key(credentials), origin.dev_eui)
    mic = _mic(origin, accept, credentials)
    return encrypt_join_accept(key, msgspec.structs.replace(accept, mic=mic))


def _mic(origin: Origin, accept: JoinAccept, credentials: JoinCredentials) -> bytes:
    msg = accept.to_bytes()[:-MIC_SIZE]
    if not accept.opt_neg:
        return join_accept_mic_1_0(network_root_key(credentials), msg)
    return join_accept_mic_1_1(
        derive_js_int_key(_nwk_key(credentials), origin.dev_eui),
        msg,
        join_req_type=origin.join_req_type,
        join_eui=credentials.join_eui,
        dev_nonce=origin.nonce,
    )


def _nwk_key(credentials: JoinCredentials) -> NwkKey:
    assert credentials.nwk_key is not None, "a join without it was refused"
    return credentials.nwk_key
