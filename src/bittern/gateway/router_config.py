"""``router_config``: what a station listens to, may transmit and lets through.

The channels are given completely by ``upchannels`` with one empty ``sx1301_conf`` object for each
board. The station then places its radios itself; naming radios or modems as well would shift the
channels that it was not told of, since it moves the radios' centres.
"""

from __future__ import annotations

import msgspec

from bittern.gateway.lns_messages import Beaconing, RouterConfig
from bittern.lorawan.regions.common import BEACON_LAYOUTS
from bittern.lorawan.regions.plan import FixedPlan, Plan

MAX_JOIN_EUI_RANGES = 10
"""As many as a station keeps."""


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator decides for one gateway, beside its region."""

    sub_bands: tuple[int, ...] = ()
    """Of a fixed plan, counted from 1; empty: the customary one."""
    boards: int = 1
    """Concentrator boards, each for eight 125 kHz channels."""
    net_id_filters: tuple[int, ...] = ()
    """Networks whose data frames pass; empty: all."""
    join_eui_filters: tuple[tuple[int, int], ...] = ()
    """Ranges of JoinEUIs whose join-requests pass, first and last; empty: all."""
    max_eirp_dbm: float | None = None
    """Only ever lowers the region's limit."""
    station_region: str | None = None
    """Region name for the station in place of the plan's own. To a name that it does not know it
    sends nothing at all."""
    disable_lbt: bool = False
    """Switch off listen-before-talk; likewise the duty cycle and the dwell time. For laboratories:
    production builds of the station ignore these three."""
    disable_duty_cycle: bool = False
    disable_dwell_time: bool = False
    beacons: bool = False
    """Send class B beacons; takes a gateway with GPS."""
    beacon_data_rate: int | None = None
    """None: the region's, likewise empty frequencies, in Hz."""
    beacon_frequencies_hz: tuple[int, ...] = ()


def router_config(plan: Plan, settings: GatewaySettings) -> RouterConfig:
    """The message for a gateway in the region of ``plan``.

    Raises ValueError where the settings do not fit the region or the station.
    """
    _check_filters(settings)
    return RouterConfig(
        hwspec=f"sx1301/{settings.boards}",
        sx1301_conf=({},) * settings.boards,
        region=settings.station_region or plan.station_region,
        freq_range=plan.frequency_range_hz,
        data_rates=plan.station_data_rates,
        upchannels=tuple(plan.station_upchannels(_sub_bands(plan, settings))),
        net_id=settings.net_id_filters or None,  # an empty list would block every data frame
        join_eui=settings.join_eui_filters or None,
        max_eirp=_max_eirp(plan, settings),
        nocca=settings.disable_lbt,
        nodc=settings.disable_duty_cycle,
        nodwell=settings.disable_dwell_time,
        bcning=_beaconing(plan, settings) if settings.beacons else None,
    )


def _max_eirp(plan: Plan, settings: GatewaySettings) -> float | None:
    """The lower of what the operator allows and what the region does, where the station would
    send with more; the station itself only ever lowers its own limit."""
    limits = (settings.max_eirp_dbm, plan.station_max_eirp_dbm)
    return min((limit for limit in limits if limit is not None), default=None)


def _sub_bands(plan: Plan, settings: GatewaySettings) -> tuple[int, ...]:
    if not isinstance(plan, FixedPlan):
        return settings.sub_bands
    chosen = tuple(sorted(set(settings.sub_bands))) or plan.customary_sub_bands
    if len(chosen) > settings.boards:
        # The station would leave the channels that fit no radio out and not say so.
        raise ValueError(
            f"{len(chosen)} sub-bands need {len(chosen)} concentrator boards, not {settings.boards}"
        )
    return chosen


def _check_filters(settings: GatewaySettings) -> None:
    if len(settings.join_eui_filters) > MAX_JOIN_EUI_RANGES:
        raise ValueError(
            f"a station keeps {MAX_JOIN_EUI_RANGES} ranges of JoinEUIs,"
            f" not {len(settings.join_eui_filters)}"
        )
    for first, last in settings.join_eui_filters:
        if not 0 <= first <= last < 2**64:
            raise ValueError(f"not a range of JoinEUIs: {first:016x} to {last:016x}")
    for net_id in settings.net_id_filters:
        if not 0 <= net_id < 2**24:
            raise ValueError(f"not a NetID: {net_id:x}")


def _beaconing(plan: Plan, settings: GatewaySettings) -> Beaconing:
    class_b = plan.class_b
    data_rate = settings.beacon_data_rate
    frequencies = settings.beacon_frequencies_hz or class_b.beacon_frequencies_hz
    low, high = plan.frequency_range_hz
    for frequency_hz in frequencies:
        if not low <= frequency_hz <= high:
            raise ValueError(f"beacons at {frequency_hz} Hz are outside {low} to {high} Hz")
    if data_rate is None or data_rate == class_b.beacon_data_rate:
        data_rate, layout = class_b.beacon_data_rate, class_b.beacon_layout
    else:
        layout = _beacon_layout(plan, data_rate)
    return Beaconing(data_rate=data_rate, layout=layout, freqs=frequencies)


def _beacon_layout(plan: Plan, data_rate: int) -> tuple[int, int, int]:
    """A beacon is as long as its spreading factor demands (RP002-1.0.4, "Class B beacon")."""
    row = plan.data_rates.get(data_rate)
    layout = None if row is None or not row.downlink else BEACON_LAYOUTS.get(row.spreading_factor)
    if layout is None:
        raise ValueError(f"no beacon can be sent at data rate {data_rate}")
    return layout
