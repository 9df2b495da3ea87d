"""Activation by personalization: the session is made where the device is registered."""

from __future__ import annotations

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.radio import DeviceClass
from bittern.lorawan.regions.plan import DynamicPlan, Plan
from bittern.lorawan.versions import announces_class
from bittern.mac.session import ChannelState, LinkProfile, RadioState, Session
from bittern.types import DevAddr, DevEUI, Instant


def personalize(
    dev_eui: DevEUI,
    dev_addr: DevAddr,
    keys: SessionKeys,
    *,
    profile: LinkProfile,
    plan: Plan,
    now: Instant,
    first_revision: int,
    fcnt_start: int = 0,
) -> Session:
    """The one session of the device. `fcnt_start` is the first uplink counter to expect;
    `first_revision` is drawn at random (`Session.revision`)."""
    return Session(
        dev_eui=dev_eui,
        generation=0,
        revision=first_revision,
        dev_addr=dev_addr,
        mac_version=profile.mac_version,
        region=plan.name,
        keys=keys,
        fcnt_up=fcnt_start - 1,
        counts_32_bits=profile.supports_32bit_fcnt,
        radio=personalized_radio(profile, plan),
        device_class=initial_class(profile),
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
        extra_channels=_preset_channels(profile, plan),
    )


def initial_class(profile: LinkProfile) -> DeviceClass:
    """Class C from the start, unless the device has to announce it."""
    return "C" if profile.supports_class_c and not announces_class(profile.mac_version) else "A"


def _preset_channels(profile: LinkProfile, plan: Plan) -> tuple[ChannelState, ...]:
    """Behind the default channels, in the order in which the profile names them."""
    if not isinstance(plan, DynamicPlan):
        return ()
    defaults = plan.default_channels
    known = {channel.frequency_hz for channel in defaults}
    presets = [f for f in dict.fromkeys(profile.factory_preset_frequencies_hz) if f not in known]
    return tuple(
        ChannelState(len(defaults) + i, frequency_hz, defaults[0].min_dr, defaults[0].max_dr)
        for i, frequency_hz in enumerate(presets)
    )
