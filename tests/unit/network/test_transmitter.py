from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.radio import Reception, TransmissionReport, Window
from bittern.lorawan.regions import plan
from bittern.mac.session import HeardBy
from bittern.mac.windows import Windows
from bittern.network.agenda import Agenda
from bittern.network.airtime_ledger import Obstacle
from bittern.network.directory import Directory
from bittern.network.journal import Journal
from bittern.network.offers import ASSUMED_ROUND_TRIP_S, Frame
from bittern.network.transmitter import REPORT_GRACE_S, HandedOver, Transmitter
from bittern.store.records import Change
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant

ONE, TWO, UNKNOWN = (GatewayEUI(EUI64.from_int(number)) for number in (1, 2, 3))
EU868 = plan("EU868")
FRAME = Frame(EU868, 20)
BOTH = Windows(
    delay_s=1,
    rx1=Window(5, 868_100_000),
    rx1_max_size=242,
    rx2=Window(0, 869_525_000),
    rx2_max_size=51,
)


class Yard:
    """A transmitter, two gateways, and what they were handed."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.time = Instant(1000.0)
        self.offline: set[GatewayEUI] = set()
        self.unwilling: set[GatewayEUI] = set()
        self.round_trips_s: dict[GatewayEUI, float] = {}
        self.taken: list[tuple[GatewayEUI, object]] = []
        self.journal = Journal()
        self.agenda = Agenda(lambda: self.time)
        self.watched: list[TransmissionReport | None] = []
        self.transmitter = Transmitter(
            directory=Directory(self.store),
            gateways=self,
            agenda=self.agenda,
            journal=self.journal,
            now=lambda: self.time,
            first_downlink_id=7,
        )

    # A GatewayLink

    def transmit(self, gateway_eui: GatewayEUI, transmission: object) -> bool:
        if gateway_eui in self.unwilling:
            return False
        self.taken.append((gateway_eui, transmission))
        return True

    def is_connected(self, gateway_eui: GatewayEUI) -> bool:
        return gateway_eui not in self.offline

    def round_trip_s(self, gateway_eui: GatewayEUI) -> float | None:
        return self.round_trips_s.get(gateway_eui)

    # What tests do

    async def add_gateway(self, eui: GatewayEUI, **different: object) -> None:
        await self.store.add_gateway(
            msgspec.structs.replace(
                examples.GATEWAY, id=str(eui), gateway_eui=eui, sub_bands=(), **different
            )
        )

    async def routes(self, *euis: GatewayEUI):
        return await self.transmitter.routes_after(
            [Reception(eui, 868_100_000, 5, -80, 9.0, self.time, 77, 3) for eui in euis]
        )

    async def watch(self, report: TransmissionReport | None) -> None:
        self.watched.append(report)

    async def send(self, *euis: GatewayEUI) -> HandedOver | None:
        offers = self.transmitter.answers(examples.DEV_EUI, await self.routes(*euis), BOTH, FRAME)
        assert isinstance(offers, list)
        return self.transmitter.hand_over(examples.DEV_EUI, b"frame", offers, self.watch)

    def report(self, downlink_id: int, window: Window = BOTH.rx1) -> TransmissionReport:
        return TransmissionReport(
            downlink_id=downlink_id,
            gateway_eui=ONE,
            dev_eui=examples.DEV_EUI,
            frequency_hz=window.frequency_hz,
            data_rate=window.data_rate,
            xtime=0,
            at=self.time,
        )


@pytest.fixture
async def yard() -> Yard:
    made = Yard()
    for eui in (ONE, TWO):
        await made.add_gateway(eui)
    return made


async def test_who_is_not_connected_or_not_registered_is_no_way_to_the_device(yard):
    yard.offline.add(ONE)
    assert [route.gateway_eui for route in await yard.routes(ONE, TWO, UNKNOWN)] == [TWO]
    heard_by = [HeardBy(eui, 5.0, 2, True) for eui in (ONE, TWO, UNKNOWN)]
    [route] = await yard.transmitter.routes_to(heard_by)
    assert (route.gateway_eui, route.snr_db, route.rctx, route.has_gps_time) == (TWO, 5.0, 2, True)


async def test_a_round_trip_that_was_not_measured_yet_is_assumed(yard):
    yard.round_trips_s[TWO] = 0.7
    one, two = await yard.routes(ONE, TWO)
    assert (one.round_trip_s, two.round_trip_s) == (ASSUMED_ROUND_TRIP_S, 0.7)


async def test_a_frame_goes_to_the_best_and_else_to_the_next(yard):
    first = await yard.send(ONE, TWO)
    assert (first.gateway_eui, first.downlink_id) == (ONE, 7)
    yard.time = Instant(2000.0)
    yard.unwilling.add(ONE)
    second = await yard.send(ONE, TWO)
    assert second.gateway_eui == TWO
    [(_, transmission), _] = yard.taken
    assert (transmission.rx1, transmission.rx2) == (BOTH.rx1, BOTH.rx2)
    assert (transmission.xtime, transmission.rctx, transmission.rx_delay_s) == (77, 3, 1)


async def test_when_nobody_takes_it_it_was_not_handed_over(yard):
    yard.unwilling.update((ONE, TWO))
    assert await yard.send(ONE, TWO) is None
    assert len(yard.agenda) == 0


async def test_why_nobody_can_is_told(yard):
    def why(routes):
        return yard.transmitter.answers(examples.DEV_EUI, routes, BOTH, FRAME)

    assert why([]) is Obstacle.NOT_CONNECTED
    routes = await yard.routes(ONE)
    yard.time = Instant(1010.0)
    assert why(routes) is Obstacle.TOO_LATE


async def test_an_answer_does_not_overtake_what_is_under_way_to_the_device(yard):
    first = await yard.send(ONE)
    routes = await yard.routes(TWO)
    for device, expected in ((examples.DEV_EUI, Obstacle.OVERTAKES), (examples.dev_eui(5), list)):
        offers = yard.transmitter.answers(device, routes, BOTH, FRAME)
        assert offers is expected or (isinstance(offers, list) and expected is list)
    yard.time = Instant(1000.9)
    await yard.transmitter.transmitted(yard.report(first.downlink_id))
    [offer] = yard.transmitter.answers(examples.DEV_EUI, routes, BOTH, FRAME)
    assert (offer.rx1, offer.rx2) == (None, BOTH.rx2)


async def test_a_frame_is_under_way_until_it_is_over_or_given_up(yard):
    under_way = yard.transmitter.under_way
    first = await yard.send(ONE)
    assert under_way.over_at(examples.DEV_EUI) == first.offer.slots[1].end
    yard.time = Instant(1001.01)
    await yard.transmitter.transmitted(yard.report(first.downlink_id))
    rx1_ends = 1001.01 + first.offer.slots[0].airtime_s
    assert under_way.over_at(examples.DEV_EUI) == pytest.approx(rx1_ends)
    yard.time = Instant(1010.0)
    second = await yard.send(ONE)
    assert len(under_way) == 1
    yard.time = second.report_due
    await yard.agenda.fire()
    assert len(under_way) == 0


async def test_a_report_is_told_once_and_ends_the_wait(yard):
    handed_over = await yard.send(ONE)
    report = yard.report(handed_over.downlink_id)
    await yard.transmitter.transmitted(report)
    await yard.transmitter.transmitted(report)
    yard.time = Instant(1100.0)
    await yard.agenda.fire()
    assert yard.watched == [report]
    assert yard.journal.events == {"transmitted": 2}


async def test_the_window_of_the_report_is_the_one_accounted_for(yard):
    handed_over = await yard.send(ONE)
    await yard.transmitter.transmitted(yard.report(handed_over.downlink_id, BOTH.rx2))
    account = yard.transmitter.ledger.known(ONE)
    assert account.share_used(868_100_000, yard.time) == pytest.approx(0)
    assert account.share_used(869_525_000, yard.time) > 0


async def test_a_report_that_does_not_come_is_told_when_it_is_due(yard):
    yard.round_trips_s[ONE] = 0.2
    handed_over = await yard.send(ONE)
    rx2_ends = 1000.0 - 0.1 + 2 + handed_over.offer.slots[1].airtime_s
    assert handed_over.report_due == pytest.approx(rx2_ends + 0.2 + REPORT_GRACE_S)
    yard.time = Instant(handed_over.report_due)
    await yard.agenda.fire()
    assert yard.watched == [None]
    assert yard.journal.events == {"downlink_unreported": 1}
    assert yard.transmitter.ledger.known(ONE).unreported == 1


async def test_a_report_that_comes_after_all_is_told_too(yard):
    handed_over = await yard.send(ONE)
    yard.time = Instant(1100.0)
    await yard.agenda.fire()
    report = yard.report(handed_over.downlink_id)
    await yard.transmitter.transmitted(report)
    assert yard.watched == [None, report]


async def test_a_report_of_an_earlier_process_is_only_told_to_the_journal(yard):
    await yard.transmitter.transmitted(yard.report(123_456))
    assert yard.journal.events == {"transmitted": 1}


async def test_a_gateway_keeps_the_pauses_of_the_region_it_is_told(yard):
    """Under a name that it does not know a station keeps none."""
    await yard.add_gateway(UNKNOWN, station_region="IL915")
    for eui, expected in ((ONE, 2), (UNKNOWN, 1)):
        [route] = await yard.routes(eui)
        assert len(route.account.limits.at(868_100_000)) == expected


async def test_a_changed_gateway_is_read_anew(yard):
    [before] = await yard.routes(ONE)
    yard.transmitter.follow([Change(1, "gateway", str(ONE))])
    limits = before.account.limits
    [after] = await yard.routes(ONE)
    assert after.account is before.account
    assert after.account.limits is not limits
