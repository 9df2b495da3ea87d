"""What the network wants of a device: its profiles and its region in the words of the link layer.

Made once for a device and kept; the MAC commands compare it with what the device is believed to do.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import MAX_EIRP_DBM
from bittern.lorawan.regions.plan import DynamicPlan, FixedPlan, Plan
from bittern.mac.adr import ALGORITHMS, Algorithm, Bounds
from bittern.mac.personalization import personalized_radio
from bittern.mac.session import ChannelState, LinkPolicy, LinkProfile, RadioState

DAY_S = 86_400.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Compared with a `RadioState`, whose fields have these names too."""

    plan: Plan
    initial_radio: RadioState
    """What a personalized device starts with, and returns to by ResetInd."""

    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_data_rate: int
    rx2_frequency_hz: int | None
    """None: as activated. Where a device joined decides it in some regions."""
    extra_channels: tuple[ChannelState, ...]
    """Beyond the defaults of a dynamic plan."""
    downlink_frequencies_hz: dict[int, int]
    """RX1 by uplink frequency, where it is to be another one."""

    adr: Algorithm | None
    """None: the data rate and the power are left alone."""
    bounds: Bounds
    max_duty_cycle: int
    uplink_dwell: bool
    downlink_dwell: bool
    max_eirp: int
    adr_ack_limit_exp: int
    adr_ack_delay_exp: int
    rejoin_max_time_n: int | None
    rejoin_max_count_n: int | None

    supports_class_b: bool
    supports_class_c: bool
    ping_slot_frequency_hz: int
    ping_slot_data_rate: int | None
    beacon_frequency_hz: int

    dev_status_interval_s: float | None
    """None: the device is not asked."""


def wanted(profile: LinkProfile, policy: LinkPolicy, plan: Plan) -> Wanted:
    """What cannot be said by a MAC command becomes the nearest that can: a profile that somebody
    got past its checks must not cost an uplink. Raises ``ValueError`` on an unknown ADR algorithm.
    """
    rx2_dr, frequency = profile.rx2_data_rate, policy.dev_status_req_freq
    uplink_dwell = _given(profile.uplink_dwell_time, plan.boot_uplink_dwell)
    return Wanted(
        plan=plan,
        initial_radio=personalized_radio(profile, plan),
        rx1_delay_s=max(1, _field(profile.rx1_delay_s)),
        rx1_dr_offset=_field(profile.rx1_dr_offset, 7),
        rx2_data_rate=plan.rx2_data_rate if rx2_dr is None else _field(rx2_dr),
        rx2_frequency_hz=_rx2_frequency_hz(profile, plan),
        extra_channels=extra_channels(plan),
        downlink_frequencies_hz={
            uplink_hz: _frequency(hz) for uplink_hz, hz in profile.downlink_frequencies_hz
        },
        adr=_algorithm(policy.adr_algorithm),
        bounds=bounds(policy, plan, uplink_dwell=uplink_dwell),
        max_duty_cycle=_field(policy.max_duty_cycle),
        uplink_dwell=uplink_dwell,
        downlink_dwell=_given(profile.downlink_dwell_time, plan.boot_downlink_dwell),
        max_eirp=max_eirp(plan, profile.max_eirp_dbm),
        adr_ack_limit_exp=_field(profile.adr_ack_limit_exp),
        adr_ack_delay_exp=_field(profile.adr_ack_delay_exp),
        rejoin_max_time_n=_optional(profile.rejoin_max_time_n),
        rejoin_max_count_n=_optional(profile.rejoin_max_count_n),
        supports_class_b=profile.supports_class_b,
        supports_class_c=profile.supports_class_c,
        ping_slot_frequency_hz=_frequency(profile.ping_slot_frequency_hz or 0),
        ping_slot_data_rate=_optional(profile.ping_slot_data_rate),
        beacon_frequency_hz=_frequency(profile.beacon_frequency_hz or 0),
        dev_status_interval_s=DAY_S / frequency if frequency else None,
    )


def extra_channels(plan: Plan) -> tuple[ChannelState, ...]:
    """What the network adds to a dynamic plan's default channels, by CFList or NewChannelReq."""
    if not isinstance(plan, DynamicPlan):
        return ()
    first = len(plan.default_channels)
    return tuple(
        ChannelState(first + i, channel.frequency_hz, channel.min_dr, channel.max_dr)
        for i, channel in enumerate(plan.added_channels)
    )


def max_eirp(plan: Plan, limit_dbm: int | None = None) -> int:
    """The index of ``MAX_EIRP_DBM`` for what the region, and the profile, allow at most."""
    allowed = plan.max_eirp_dbm if limit_dbm is None else min(limit_dbm, plan.max_eirp_dbm)
    return max((i for i, dbm in enumerate(MAX_EIRP_DBM) if dbm <= allowed), default=0)


def bounds(policy: LinkPolicy, plan: Plan, *, uplink_dwell: bool = False) -> Bounds:
    """What the profile and the region have in common; where they have nothing, the region's end."""
    fastest = plan.max_adr_data_rate
    usable = [
        data_rate
        for data_rate in range(fastest + 1)
        if plan.max_payload_size(data_rate, dwell=uplink_dwell)
    ]
    slowest = min(usable, default=0)
    max_dr = min(max(policy.dr_max, slowest), fastest)
    least_power = len(plan.tx_power_offsets_db) - 1
    max_tx_power = min(policy.tx_power_index_max, least_power)
    max_nb_trans = min(max(policy.nb_trans_max, 1), 15)
    return Bounds(
        min_data_rate=min(max(policy.dr_min, slowest), max_dr),
        max_data_rate=max_dr,
        min_tx_power=min(policy.tx_power_index_min, max_tx_power),
        max_tx_power=max_tx_power,
        min_nb_trans=min(max(policy.nb_trans_min, 1), max_nb_trans),
        max_nb_trans=max_nb_trans,
    )


def _rx2_frequency_hz(profile: LinkProfile, plan: Plan) -> int | None:
    if profile.rx2_frequency_hz is not None:
        return _frequency(profile.rx2_frequency_hz)
    decided_by_join = isinstance(plan, FixedPlan) and bool(plan.common_join_channels)
    return None if decided_by_join else plan.rx2_frequency_hz


def _algorithm(name: str) -> Algorithm | None:
    if not name:
        return None
    if name not in ALGORITHMS:
        raise ValueError(f"no ADR algorithm {name!r}; there are {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]


def _field(value: int, most: int = 15) -> int:
    """Of four bits, unless told."""
    return min(max(value, 0), most)


def _optional(value: int | None) -> int | None:
    return None if value is None else _field(value)


def _frequency(frequency_hz: int) -> int:
    """24 bits in steps of 100 Hz."""
    return min(max(frequency_hz // 100, 0), 0xFF_FFFF) * 100


def _given(value: bool | None, default: bool) -> bool:
    return default if value is None else value
