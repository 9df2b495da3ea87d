"""Activation by personalization: the session is made where the device is registered."""

from __future__ import annotations

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.regions.plan import Plan
from bittern.mac.session import LinkProfile, RadioState, Session
from bittern.types import DevAddr, DevEUI, Instant


def personalize(
    dev_eui: DevEUI,
    dev_addr: DevAddr,
    keys: SessionKeys,
    *,
    profile: LinkProfile,
    plan: Plan,
    now: Instant,
    fcnt_start: int = 0,
) -> Session:
    """The one session of the device. `fcnt_start` is the first uplink counter to expect."""
    return Session(
        dev_eui=dev_eui,
        generation=0,
        dev_addr=dev_addr,
        mac_version=profile.mac_version,
        region=plan.name,
        keys=keys,
        fcnt_up=fcnt_start - 1,
        counts_32_bits=profile.supports_32bit_fcnt,
        radio=personalized_radio(profile, plan),
        activated_at=now,
    )


def personalized_radio(profile: LinkProfile, plan: Plan) -> RadioState:
    """What a personalized device starts with, and returns to by ResetInd."""
    dr, frequency_hz = profile.rx2_data_rate, profile.rx2_frequency_hz
    return RadioState(
        rx1_delay_s=max(1, profile.rx1_delay_s),  # 0 means 1 (TS001-1.0.4, 5.7)
        rx1_dr_offset=profile.rx1_dr_offset,
        rx2_data_rate=plan.rx2_data_rate if dr is None else dr,
        rx2_frequency_hz=plan.rx2_frequency_hz if frequency_hz is None else frequency_hz,
    )
