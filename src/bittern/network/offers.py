"""Which gateway sends a frame, and in which of the device's windows: without input or output.

A `Route` is a gateway that heard the device. Each is asked for its `Offer`: the windows that it can
still be in time for, that its radio is free in and that its duty cycle leaves airtime for. The best
offer has the best link, as far as that matters; of equals the gateway with less to do, then the
shorter time on air.

All times are the server's. The end of an uplink is half a round trip before the server got it, and
a frame reaches its gateway half a round trip after it left.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bittern.lorawan.airtime import time_on_air_s
from bittern.lorawan.class_b import PingSlot
from bittern.lorawan.gps_time import utc_of_gps_us
from bittern.lorawan.radio import DeviceClass, Reception, Window
from bittern.lorawan.regions.plan import Plan
from bittern.mac.link_budget import margin_db
from bittern.mac.windows import Windows
from bittern.network.airtime_ledger import GUARD_S, GatewayAirtime, Obstacle, Slot
from bittern.types import GatewayEUI, Instant

TX_LEAD_S = 0.05
"""Before its time a frame must be with the gateway: a station needs 20 ms, 60 ms with some radios;
the rest is for a network that is slower than it was measured."""
AT_ONCE_S = 0.035
"""After it has reached the station a class C frame is on air: 20 ms, or 60 with some radios."""
ASSUMED_ROUND_TRIP_S = 0.1
"""Of a gateway that has just connected."""
COMFORTABLE_DB = 10.0
"""With this margin a frame arrives; more does not make a gateway better."""
SAFE_DB = 3.0
"""RX1 with less gives way to an RX2 that has this much more."""
UNREPORTED_DB = 10.0
"""What a frame that a gateway did not report takes from its margin, up to three times."""


class Frame(msgspec.Struct, frozen=True):
    """What is to be sent, as far as it matters here."""

    plan: Plan
    size: int
    """Of the PHYPayload, in bytes."""

    def airtime_s(self, data_rate: int) -> float:
        return time_on_air_s(self.plan.data_rates[data_rate], self.size, crc=False)

    def slot(self, at: float, window: Window) -> Slot:
        return Slot(Instant(at), self.airtime_s(window.data_rate), window.frequency_hz)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway as a way to a device."""

    gateway_eui: GatewayEUI
    snr_db: float
    """Of the device's last uplink."""
    rctx: int
    account: GatewayAirtime
    round_trip_s: float
    has_gps_time: bool = False
    heard: Reception | None = None
    """The uplink that is answered, in class A."""

    def margin_db(self, plan: Plan, window: Window) -> float:
        """As if the device heard as well as it is heard."""
        return margin_db(self.snr_db, plan.data_rates[window.data_rate])

    def is_in_time(self, at: float, now: Instant) -> bool:
        """For a transmission at that time."""
        return now + self.round_trip_s / 2 + TX_LEAD_S <= at


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway can do for a frame."""

    route: Route
    device_class: DeviceClass
    rx1: Window | None = None
    rx2: Window | None = None
    slots: tuple[Slot, ...]
    """When the frame would be on air: in the first, or, if the gateway prefers so, another."""
    margin_db: float
    """In the first of them."""
    rx_delay_s: int = 0
    gps_time_us: int | None = None

    def slot_used(self, frequency_hz: int, at: Instant) -> Slot:
        """That in which the gateway has sent, as it reports."""
        return min(
            self.slots, key=lambda slot: (slot.frequency_hz != frequency_hz, abs(slot.at - at))
        )

    def wait_s(self, now: Instant) -> float:
        """How much too early it is to hand the frame over, if it is to leave at once."""
        return self.slots[0].at - now - self.route.round_trip_s / 2 - AT_ONCE_S

    def rank(self, now: Instant) -> tuple[float, float, float, float]:
        """The higher, the better."""
        account = self.route.account
        silence_db = UNREPORTED_DB * min(account.unreported, 3)
        used = account.share_used(self.slots[0].frequency_hz, now)
        return (
            min(self.margin_db, COMFORTABLE_DB) - silence_db,
            -round(max(used, account.load(now)), 1),
            -self.slots[0].airtime_s,
            self.route.snr_db,
        )


def after_uplink(
    route: Route, windows: Windows, frame: Frame, now: Instant, begun_by: Instant | None = None
) -> Offer | Obstacle:
    """Class A: RX1 with RX2 in reserve, or one of them alone.

    `begun_by`: when everything else that is under way to the device has begun.
    """
    assert route.heard is not None
    rx1_at = route.heard.received_at - route.round_trip_s / 2 + windows.delay_s
    rx1 = _chance(route, windows.rx1, rx1_at, frame, now, begun_by=begun_by)
    rx2 = _chance(route, windows.rx2, rx1_at + 1, frame, now, begun_by=begun_by)
    if isinstance(rx1, Slot) and isinstance(rx2, Slot) and _prefers_rx2(route, windows, frame):
        rx1 = None
    if not isinstance(rx1, Slot) and not isinstance(rx2, Slot):
        return rx2 or rx1 or Obstacle.TOO_LATE
    used = windows.rx1 if isinstance(rx1, Slot) else windows.rx2
    assert used is not None
    return Offer(
        route=route,
        device_class="A",
        rx1=windows.rx1 if isinstance(rx1, Slot) else None,
        rx2=windows.rx2 if isinstance(rx2, Slot) else None,
        slots=tuple(slot for slot in (rx1, rx2) if isinstance(slot, Slot)),
        margin_db=route.margin_db(frame.plan, used),
        rx_delay_s=windows.delay_s,
    )


def at_once(route: Route, window: Window, frame: Frame, now: Instant) -> Offer:
    """Class C: as soon as the gateway can; its slot tells when that is."""
    soonest = frame.slot(now + route.round_trip_s / 2 + AT_ONCE_S, window)
    return Offer(
        route=route,
        device_class="C",
        rx2=window,
        slots=(soonest._replace(at=route.account.free_from(soonest)),),
        margin_db=route.margin_db(frame.plan, window),
    )


def in_ping_slot(
    route: Route, window: Window, ping_slot: PingSlot, frame: Frame, now: Instant
) -> Offer | Obstacle:
    """Class B: then, or not at all."""
    if not route.has_gps_time:
        return Obstacle.NO_GPS_TIME
    slot = _chance(route, window, utc_of_gps_us(ping_slot.gps_time_us), frame, now)
    if not isinstance(slot, Slot):
        return slot or Obstacle.TOO_LATE
    return Offer(
        route=route,
        device_class="B",
        rx1=window,
        slots=(slot,),
        margin_db=route.margin_db(frame.plan, window),
        gps_time_us=ping_slot.gps_time_us,
    )


def best_first(offers: Iterable[Offer], now: Instant) -> list[Offer]:
    """Of equals the first one stays first."""
    return sorted(offers, key=lambda offer: offer.rank(now), reverse=True)


def _chance(
    route: Route,
    window: Window | None,
    at: float,
    frame: Frame,
    now: Instant,
    *,
    begun_by: Instant | None = None,
) -> Slot | Obstacle | None:
    if window is None:
        return None
    if begun_by is not None and at < begun_by + GUARD_S:
        return Obstacle.OVERTAKES
    if not route.is_in_time(at, now):
        return Obstacle.TOO_LATE
    slot = frame.slot(at, window)
    return route.account.obstacle(slot) or slot


def _prefers_rx2(route: Route, windows: Windows, frame: Frame) -> bool:
    """A device that is hardly heard hears RX1 as hardly; a slower RX2 gets through."""
    assert windows.rx1 is not None
    assert windows.rx2 is not None
    rx1_db = route.margin_db(frame.plan, windows.rx1)
    rx2_db = route.margin_db(frame.plan, windows.rx2)
    return rx1_db < SAFE_DB and rx2_db >= rx1_db + SAFE_DB
