"""From a frame to a gateway, and from the gateway's report back.

who heard the device                          `routes_after`, `routes_to`
-> who can send the frame, and in what way    network/offers, network/airtime_ledger
-> the best of them that takes it             `hand_over`, servers/lns
-> its report, or that none came              `transmitted`, network/agenda
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import count

import msgspec

from bittern.lorawan.radio import Reception, Transmission, TransmissionReport
from bittern.mac.session import HeardBy
from bittern.mac.windows import Windows
from bittern.network.agenda import Agenda, Entry
from bittern.network.airtime_ledger import AirtimeLedger, Obstacle
from bittern.network.airtime_limits import AirtimeLimits
from bittern.network.directory import Directory
from bittern.network.events import DownlinkTransmitted, DownlinkUnreported
from bittern.network.journal import Journal
from bittern.network.offers import (
    ASSUMED_ROUND_TRIP_S,
    Frame,
    Offer,
    Route,
    after_uplink,
    best_first,
)
from bittern.network.ports import Clock, GatewayLink
from bittern.network.under_way import UnderWay
from bittern.store.records import Change
from bittern.types import DevEUI, GatewayEUI, Instant

REPORT_GRACE_S = 1.0
"""After the end of its last window a frame that was not reported never will be: a station reports a
few milliseconds after it has begun."""
REPORTS_AWAITED = 100_000
"""Frames whose report is remembered as missing; beyond, the oldest is forgotten."""

Watch = Callable[[TransmissionReport | None], Awaitable[None]]
"""Told once of the report, or None when it is overdue; and of a report that comes after all."""


class HandedOver(msgspec.Struct, frozen=True):
    """A gateway has taken a frame."""

    downlink_id: int
    offer: Offer
    report_due: Instant

    @property
    def gateway_eui(self) -> GatewayEUI:
        return self.offer.route.gateway_eui


class _Awaited(msgspec.Struct, frozen=True):
    """A frame that was not reported yet."""

    dev_eui: DevEUI
    handed_over: HandedOver
    watch: Watch | None
    overdue: Entry


class Transmitter:
    """One for the whole server."""

    def __init__(
        self,
        *,
        directory: Directory,
        gateways: GatewayLink,
        agenda: Agenda,
        journal: Journal,
        now: Clock,
        first_downlink_id: int = 1,
    ) -> None:
        self.ledger = AirtimeLedger()
        self.under_way = UnderWay(now)
        self._directory = directory
        self._gateways = gateways
        self._agenda = agenda
        self._journal = journal
        self._now = now
        # Random at the start: a gateway may still report what an earlier process gave it.
        self._ids = count(first_downlink_id)
        self._limits: dict[GatewayEUI, AirtimeLimits] = {}
        self._awaited: OrderedDict[int, _Awaited] = OrderedDict()

    # Who could

    async def routes_after(self, receptions: Iterable[Reception]) -> list[Route]:
        """The gateways that heard an uplink and are connected, in the order given."""
        return [
            Route(
                gateway_eui=heard.gateway_eui,
                snr_db=heard.snr_db,
                rctx=heard.rctx,
                account=self.ledger.account(heard.gateway_eui, limits),
                round_trip_s=self._round_trip_s(heard.gateway_eui),
                heard=heard,
            )
            for heard in receptions
            if (limits := await self._limits_of(heard.gateway_eui)) is not None
        ]

    async def routes_to(self, heard_by: Iterable[HeardBy]) -> list[Route]:
        """The same for a downlink that answers no uplink."""
        return [
            Route(
                gateway_eui=by.gateway_eui,
                snr_db=by.snr_db,
                rctx=by.rctx,
                account=self.ledger.account(by.gateway_eui, limits),
                round_trip_s=self._round_trip_s(by.gateway_eui),
                has_gps_time=by.has_gps_time,
            )
            for by in heard_by
            if (limits := await self._limits_of(by.gateway_eui)) is not None
        ]

    async def _limits_of(self, gateway_eui: GatewayEUI) -> AirtimeLimits | None:
        """None: the gateway is not connected, or no longer registered."""
        if not self._gateways.is_connected(gateway_eui):
            return None
        limits = self._limits.get(gateway_eui)
        if limits is None:
            gateway = await self._directory.gateway(gateway_eui)
            plan = await self._directory.plan_of_gateway(gateway_eui)
            if gateway is None or plan is None:
                return None
            limits = AirtimeLimits(plan, gateway.station_region or plan.station_region)
            self._limits[gateway_eui] = limits
        return limits

    def _round_trip_s(self, gateway_eui: GatewayEUI) -> float:
        measured_s = self._gateways.round_trip_s(gateway_eui)
        return ASSUMED_ROUND_TRIP_S if measured_s is None else measured_s

    # Who does

    def answers(
        self, dev_eui: DevEUI, routes: Sequence[Route], windows: Windows, frame: Frame
    ) -> list[Offer] | Obstacle:
        """What they offer for a frame in the windows after the uplink, the best first; else why
        they cannot. It does not overtake what is under way to the device already."""
        now, begun_by = self._now(), self.under_way.begun_by(dev_eui)
        judged = [after_uplink(route, windows, frame, now, begun_by) for route in routes]
        offers = [one for one in judged if isinstance(one, Offer)]
        if offers:
            return best_first(offers, now)
        obstacles = [one for one in judged if isinstance(one, Obstacle)]
        return obstacles[0] if obstacles else Obstacle.NOT_CONNECTED

    def hand_over(
        self,
        dev_eui: DevEUI,
        phy_payload: bytes,
        offers: Iterable[Offer],
        watch: Watch | None = None,
    ) -> HandedOver | None:
        """To the first that takes it."""
        for offer in offers:
            downlink_id = next(self._ids)
            transmission = _transmission(downlink_id, dev_eui, phy_payload, offer)
            if self._gateways.transmit(offer.route.gateway_eui, transmission):
                return self._taken(dev_eui, downlink_id, offer, watch)
        return None

    def _taken(
        self, dev_eui: DevEUI, downlink_id: int, offer: Offer, watch: Watch | None
    ) -> HandedOver:
        offer.route.account.book(downlink_id, offer.slots, self._now())
        self.under_way.taken(dev_eui, downlink_id, offer.slots)
        report_due = Instant(offer.slots[-1].end + offer.route.round_trip_s + REPORT_GRACE_S)
        handed_over = HandedOver(downlink_id, offer, report_due)

        async def overdue() -> None:
            await self._overdue(downlink_id)

        entry = self._agenda.at(report_due, f"report of downlink {downlink_id}", overdue)
        self._awaited[downlink_id] = _Awaited(dev_eui, handed_over, watch, entry)
        if len(self._awaited) > REPORTS_AWAITED:
            forgotten, oldest = self._awaited.popitem(last=False)
            self.under_way.lost(oldest.dev_eui, forgotten)
        return handed_over

    # What came of it

    async def transmitted(self, report: TransmissionReport) -> None:
        """A gateway has put a frame on air."""
        self._journal.record(
            DownlinkTransmitted(
                at=report.at,
                dev_eui=report.dev_eui,
                downlink_id=report.downlink_id,
                gateway_eui=report.gateway_eui,
                frequency_hz=report.frequency_hz,
                data_rate=report.data_rate,
            )
        )
        awaited = self._awaited.pop(report.downlink_id, None)
        account = self.ledger.known(report.gateway_eui)
        if account is not None:
            begun_at = None if awaited is None else _begun_at(awaited.handed_over.offer, report)
            account.settle(report.downlink_id, report.frequency_hz, report.at, begun_at)
        if awaited is not None:
            used = awaited.handed_over.offer.slot_used(report.frequency_hz, report.at)
            dev_eui, downlink_id = awaited.dev_eui, report.downlink_id
            self.under_way.begun(dev_eui, downlink_id, report.at, used.airtime_s)
            awaited.overdue.cancel()
            if awaited.watch is not None:
                await awaited.watch(report)

    async def _overdue(self, downlink_id: int) -> None:
        awaited = self._awaited.get(downlink_id)
        if awaited is None:
            return
        awaited.handed_over.offer.route.account.release(downlink_id)
        self.under_way.lost(awaited.dev_eui, downlink_id)
        self._journal.record(
            DownlinkUnreported(
                at=self._now(),
                dev_eui=awaited.dev_eui,
                downlink_id=downlink_id,
                gateway_eui=awaited.handed_over.gateway_eui,
            )
        )
        if awaited.watch is not None:
            await awaited.watch(None)

    def follow(self, changes: Iterable[Change]) -> None:
        """A gateway's region may have changed."""
        if any(change.kind == "gateway" for change in changes):
            self.forget_everything()

    def forget_everything(self) -> None:
        """What gateways may do; what they have sent stays accounted."""
        self._limits.clear()


def _begun_at(offer: Offer, report: TransmissionReport) -> Instant | None:
    """A frame of class C is on air when the station finds the time; it reports as it begins."""
    if offer.device_class != "C":
        return None
    return Instant(report.at - offer.route.round_trip_s / 2)


def _transmission(
    downlink_id: int, dev_eui: DevEUI, phy_payload: bytes, offer: Offer
) -> Transmission:
    heard = offer.route.heard
    return Transmission(
        downlink_id=downlink_id,
        dev_eui=dev_eui,
        device_class=offer.device_class,
        phy_payload=phy_payload,
        rx_delay_s=offer.rx_delay_s,
        rx1=offer.rx1,
        rx2=offer.rx2,
        xtime=None if heard is None else heard.xtime,
        rctx=offer.route.rctx,
        gps_time_us=offer.gps_time_us,
    )
