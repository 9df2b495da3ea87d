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
from bittern.lorawan.versions import MacVersion, masks_channels_by_cf_list, uses_nwk_key
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


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a network has its join server say in a join-accept (TS002-1.1.0, 9.2.1)."""

    mac_version: MacVersion
    net_id: NetID
    dev_addr: DevAddr
    opt_neg: bool
    rx1_dr_offset: int
    rx2_data_rate: int
    rx_delay: int
    cf_list: bytes | None = None

    @property
    def dl_settings(self) -> int:
        """As on air."""
        return self.opt_neg << 7 | self.rx1_dr_offset << 4 | self.rx2_data_rate

    def accept(self, join_nonce: int) -> JoinAccept:
        """Without its MIC."""
        return JoinAccept(
            join_nonce=join_nonce,
            home_net_id=self.net_id,
            dev_addr=self.dev_addr,
            opt_neg=self.opt_neg,
            rx1_dr_offset=self.rx1_dr_offset,
            rx2_data_rate=self.rx2_data_rate,
            rx_delay=self.rx_delay,
            cf_list=self.cf_list,
        )


# The network's half


def offer(terms: Terms, keeping: Session | None = None) -> Offer:
    """Of a session whose radio parameters are kept the join-accept says what they are, in case that
    the device takes them from it (1.1, 6.2.4: type 2)."""
    profile, plan = terms.profile, terms.plan
    if keeping is not None:
        rx1_dr_offset, rx2_data_rate = keeping.radio.rx1_dr_offset, keeping.radio.rx2_data_rate
        rx_delay, cf_list = keeping.radio.rx1_delay_s, None
    else:
        rx1_dr_offset = profile.rx1_dr_offset
        wanted = profile.rx2_data_rate
        rx2_data_rate = plan.rx2_data_rate if wanted is None else wanted
        rx_delay, cf_list = max(1, profile.rx1_delay_s), _cf_list(terms)
    return Offer(
        mac_version=profile.mac_version,
        net_id=terms.net_id,
        dev_addr=terms.dev_addr,
        opt_neg=uses_nwk_key(profile.mac_version),
        rx1_dr_offset=rx1_dr_offset,
        rx2_data_rate=rx2_data_rate,
        rx_delay=rx_delay,
        cf_list=cf_list,
    )


def opened(
    origin: Origin,
    terms: Terms,
    offered: Offer,
    keys: SessionKeys,
    generation: int,
    *,
    keeping: Session | None = None,
) -> Session:
    """The pending session, all of it new; or with the radio parameters of the one that is kept.

    What the device was asked for there is still unanswered, and what it refused, refused.
    """
    session = Session(
        dev_eui=origin.dev_eui,
        generation=generation,
        revision=terms.first_revision,
        pending=True,
        dev_addr=terms.dev_addr,
        mac_version=terms.profile.mac_version,
        region=terms.plan.name,
        keys=keys,
        counts_32_bits=terms.profile.supports_32bit_fcnt,
        radio=_radio(offered, terms),
        device_class=initial_class(terms.profile),
        activated_at=terms.now,
    )
    if keeping is None:
        return session
    return msgspec.structs.replace(
        session,
        radio=keeping.radio,
        device_class=keeping.device_class,
        requests=tuple(
            msgspec.structs.replace(request, sent_after=-1)
            for request in keeping.requests
            if request.commands[0] != ForceRejoinReq.CID
        ),
        refused=keeping.refused,
        status=keeping.status,
    )


# The join server's half


def agree(
    origin: Origin, offered: Offer, credentials: JoinCredentials, join_nonce: int
) -> tuple[SessionKeys, bytes]:
    """The session's keys, and the join-accept's PHYPayload."""
    accept = offered.accept(join_nonce)
    keys = _session_keys(origin, accept, credentials)
    return keys, _phy_payload(origin, accept, credentials)


def network_root_key(credentials: JoinCredentials) -> AppKey | NwkKey:
    """A device that has a NwkKey uses it where 1.0.x uses the AppKey (1.1, 6.1.1.3)."""
    return credentials.app_key if credentials.nwk_key is None else credentials.nwk_key


# What


def _cf_list(terms: Terms) -> bytes | None:
    plan, version = terms.plan, terms.profile.mac_version
    if isinstance(plan, FixedPlan):
        return plan.cf_list(terms.sub_bands) if masks_channels_by_cf_list(version) else None
    return plan.cf_list()


def _radio(offered: Offer, terms: Terms) -> RadioState:
    """As the device takes it from the join-accept, which cannot move RX2 to another frequency."""
    plan = terms.plan
    joined_on = None if terms.frequency_hz is None else plan.joined_on(terms.frequency_hz)
    enabled: tuple[int, ...] = ()
    if isinstance(plan, FixedPlan) and offered.cf_list is not None and terms.sub_bands:
        enabled = plan.enabled_indices(terms.sub_bands)
    return RadioState(
        rx1_delay_s=offered.rx_delay,
        rx1_dr_offset=offered.rx1_dr_offset,
        rx2_data_rate=offered.rx2_data_rate,
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
