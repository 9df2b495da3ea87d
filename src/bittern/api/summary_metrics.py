"""From hourly summaries to AWS's summary metrics.

Data points of signals are receptions; those of everything else are the hours that something was
kept of. Hours of which nothing was kept, as when summaries were off, are in no result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from bittern.store.summaries import DAY_S, HOUR_S, Histogram, Summary
from bittern.types import Instant

Dimension = Literal["DeviceId", "GatewayId"]
Point = tuple[float, int]
"""A value, and how often it was seen."""
Points = Callable[[Iterable[Summary]], list[Point]]

PERIODS: Mapping[str, int] = {"OneHour": HOUR_S, "OneDay": DAY_S, "OneWeek": 7 * DAY_S}
"""Seconds. All begin with UTC's hours and days; weeks on Monday."""
_FIRST_MONDAY = 4 * DAY_S
"""1970-01-05."""


class Metric(NamedTuple):
    """What is asked for by a name."""

    dimension: Dimension | None
    """None: of the account."""
    unit: str
    points: Points


def _histogram(of: Callable[[Summary], Histogram], scale: float = 1.0) -> Points:
    def points(hours: Iterable[Summary]) -> list[Point]:
        return [(value * scale, times) for hour in hours for value, times in of(hour).items()]

    return points


def _each_hour(of: Callable[[Summary], float | None]) -> Points:
    def points(hours: Iterable[Summary]) -> list[Point]:
        return [(value, 1) for hour in hours if (value := of(hour)) is not None]

    return points


def _lost_percent(hour: Summary) -> float | None:
    sent = hour.uplinks + hour.lost
    return 100 * hour.lost / sent if sent else None


def _nothing(hours: Iterable[Summary]) -> list[Point]:
    """Devices do not roam here."""
    return []


_RSSI = "dBm", _histogram(lambda hour: hour.rssi_dbm)
_SNR = "dB", _histogram(lambda hour: hour.snr_quarters, 0.25)
_UPLINKS = "Count", _each_hour(lambda hour: hour.uplinks)
_DOWNLINKS = "Count", _each_hour(lambda hour: hour.downlinks)
_JOIN_REQUESTS = "Count", _each_hour(lambda hour: hour.join_requests)
_JOIN_ACCEPTS = "Count", _each_hour(lambda hour: hour.join_accepts)
_TRAFFIC = {
    "UplinkCount": _UPLINKS,
    "DownlinkCount": _DOWNLINKS,
    "JoinRequestCount": _JOIN_REQUESTS,
    "JoinAcceptCount": _JOIN_ACCEPTS,
}
_LOSSES = {
    "UplinkLostCount": ("Count", _each_hour(lambda hour: hour.lost)),
    "UplinkLostRate": ("Percent", _each_hour(_lost_percent)),
    "RoamingUplinkCount": ("Count", _nothing),
    "RoamingDownlinkCount": ("Count", _nothing),
}
_DEVICE: Mapping[str, tuple[str, Points]] = {
    **_TRAFFIC,
    **_LOSSES,
    "RSSI": _RSSI,
    "SNR": _SNR,
    "RoamingRSSI": ("dBm", _nothing),
    "RoamingSNR": ("dB", _nothing),
}
_GATEWAY: Mapping[str, tuple[str, Points]] = {
    **_TRAFFIC,
    "RSSI": _RSSI,
    "SNR": _SNR,
    "UpTime": ("Seconds", _each_hour(lambda hour: hour.up_s)),
    "DownTime": ("Seconds", _each_hour(lambda hour: hour.down_s)),
}
_ACCOUNT: Mapping[str, tuple[str, Points]] = {
    **_TRAFFIC,
    **_LOSSES,
    "DeviceCount": ("Count", _each_hour(lambda hour: hour.devices)),
    "GatewayCount": ("Count", _each_hour(lambda hour: hour.gateways)),
    "ActiveDeviceCount": ("Count", _each_hour(lambda hour: hour.active_devices)),
    "ActiveGatewayCount": ("Count", _each_hour(lambda hour: hour.active_gateways)),
}

METRICS: Mapping[str, Metric] = {
    **{f"Device{name}": Metric("DeviceId", *how) for name, how in _DEVICE.items()},
    **{f"Gateway{name}": Metric("GatewayId", *how) for name, how in _GATEWAY.items()},
    **{f"AwsAccount{name}": Metric(None, *how) for name, how in _ACCOUNT.items()},
}
"""Every one that the model names."""


def beginning(at: float, period_s: int) -> float:
    """Of the period that `at` is in."""
    offset = _FIRST_MONDAY if period_s > DAY_S else 0
    return at - (at - offset) % period_s


def aggregated(
    hours: Iterable[tuple[Instant, Summary]], metric: Metric, period_s: int
) -> list[tuple[float, dict[str, float]]]:
    """By the beginning of each period, in order, what AWS tells of it."""
    periods: dict[float, list[Summary]] = {}
    for at, summary in hours:
        periods.setdefault(beginning(at, period_s), []).append(summary)
    found = ((at, metric.points(summaries)) for at, summaries in sorted(periods.items()))
    return [(at, statistics(points)) for at, points in found if points]


def statistics(points: Sequence[Point]) -> dict[str, float]:
    """Of one point at least. `Std` is that of the points themselves, `P90` the least of them that
    nine tenths do not exceed."""
    ordered = sorted(points)
    count = sum(times for _, times in ordered)
    total = math.fsum(value * times for value, times in ordered)
    mean = total / count
    variance = math.fsum(times * (value - mean) ** 2 for value, times in ordered) / count
    return {
        "Min": float(ordered[0][0]),
        "Max": float(ordered[-1][0]),
        "Sum": total,
        "Avg": mean,
        "Std": math.sqrt(variance),
        "P90": float(_ranked(ordered, math.ceil(0.9 * count))),
    }


def _ranked(ordered: Sequence[Point], rank: int) -> float:
    """The value of this rank; the first has 1."""
    for value, times in ordered:
        rank -= times
        if rank <= 0:
            return value
    raise ValueError("there are not so many points")
