"""Hourly summaries, as the store has them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from bittern.errors import Conflict, StoreUnavailable
from bittern.lorawan.radio import Reception
from bittern.network.directory import Directory
from bittern.network.events import JoinReceived
from bittern.network.journal import Journal
from bittern.servers.lns_hub import ConnectedGateway, Counts
from bittern.servers.summary_keeper import Counted, SummaryKeeper
from bittern.store import summaries
from bittern.store.account_records import Account
from bittern.store.notes import Note, NoteExchange
from bittern.store.summaries import ACCOUNT, Summary
from bittern.testing.examples import GATEWAY, GATEWAY_EUI, dev_eui, device, register, session
from bittern.testing.memory_store import MemoryStore
from bittern.types import GatewayEUI, Instant

HOUR = Instant(1_767_322_800.0)  # 2026-01-02T03:00:00Z
MINE = device().account


class FlakyStore(MemoryStore):
    away = False
    conflicts = 0

    async def exchange_notes(self, *exchanges: NoteExchange) -> None:
        if self.away:
            raise StoreUnavailable("disk full")
        if self.conflicts:
            self.conflicts -= 1
            raise Conflict("summary", "x")
        await super().exchange_notes(*exchanges)


class Site:
    """A registered device and gateway, and whoever keeps summaries."""

    def __init__(self) -> None:
        self.time = float(HOUR)
        self.store = FlakyStore()
        self.journal = Journal()
        self.up: list[Counted] = []
        self.next_server()

    def next_server(self) -> None:
        self.keeper = SummaryKeeper(
            self.store,
            Directory(self.store),
            self.journal,
            lambda: Instant(self.time),
            days_kept=90,
        )

    async def want(self, enabled: bool = True, account: str = MINE) -> None:
        body = msgspec.json.encode(summaries.Wanted(enabled=enabled)).decode()
        note = Note(account=account, kind="metrics", name="summary", at=HOUR, body=body)
        await self.store.put_notes(note)
        self.keeper.changed()
        await self.keeper.turn(self.up)

    def hear(self, number: int = 0, gateways: Sequence[GatewayEUI] = (GATEWAY_EUI,)) -> None:
        before = msgspec.structs.replace(session(number), fcnt_up=0, last_uplink_at=HOUR)
        assert self.journal.tally is not None
        self.journal.tally(before, 2, tuple(heard(by) for by in gateways))

    async def pass_time(self, seconds: float) -> None:
        self.time += seconds
        await self.keeper.turn(self.up)

    async def hours(self, subject: str, account: str = MINE) -> dict[int, Summary]:
        name = summaries.note_name(subject, HOUR)
        return summaries.day_of(await self.store.note(account, "summary", name))


def heard(by: GatewayEUI) -> Reception:
    return Reception(
        gateway_eui=by,
        frequency_hz=868_100_000,
        data_rate=5,
        rssi_dbm=-80,
        snr_db=7.25,
        received_at=HOUR,
        xtime=0,
        rctx=0,
    )


def connection(at: float) -> ConnectedGateway:
    return ConnectedGateway(
        gateway_eui=GATEWAY_EUI,
        gateway_id=GATEWAY.id,
        station="2.0.6",
        features=(),
        peer="127.0.0.1:1",
        connected_at=Instant(at),
    )


@pytest.fixture
async def site() -> Site:
    site = Site()
    await register(site.store, devices=2)
    await site.store.add_gateway(GATEWAY)
    return site


async def test_nothing_is_counted_until_somebody_wants_it(site: Site) -> None:
    await site.keeper.turn(())
    assert site.journal.tally is None
    await site.want()
    assert site.journal.tally is not None
    await site.want(False)
    assert site.journal.tally is None
    await site.pass_time(300)
    assert await site.hours(ACCOUNT) == {}


async def test_what_is_heard_is_kept_after_five_minutes(site: Site) -> None:
    await site.want()
    site.hear()
    site.journal.record(JoinReceived(at=HOUR, dev_eui=dev_eui(0), gateway_eui=GATEWAY_EUI))
    await site.pass_time(299)
    assert await site.hours(device().id) == {}
    await site.pass_time(1)
    signal = {"rssi_dbm": {-80: 1}, "snr_quarters": {29: 1}}
    seen = Summary(uplinks=1, lost=1, join_requests=1, **signal)
    assert await site.hours(device().id) == {3: seen}
    at_gateway = Summary(uplinks=1, join_requests=1, down_s=300.0, **signal)
    assert await site.hours(GATEWAY.id) == {3: at_gateway}
    assert await site.hours(ACCOUNT) == {
        3: Summary(
            uplinks=1,
            lost=1,
            join_requests=1,
            active_devices=1,
            active_gateways=1,
            devices=2,
            gateways=1,
        )
    }


async def test_the_parts_of_an_hour_add_up_and_hours_do_not(site: Site) -> None:
    await site.want()
    for number in (0, 1, 0):
        site.hear(number)
        await site.pass_time(300)
    await site.pass_time(2700)
    site.hear()
    await site.pass_time(300)
    of_device = await site.hours(device().id)
    assert {hour: one.uplinks for hour, one in of_device.items()} == {3: 2, 4: 1}
    total = await site.hours(ACCOUNT)
    assert {hour: (one.uplinks, one.active_devices) for hour, one in total.items()} == {
        3: (3, 2),
        4: (1, 1),
    }


async def test_what_an_account_does_not_want_is_not_kept(site: Site) -> None:
    await site.store.add_account(Account(id="111122223333", name="other", created_at=HOUR))
    await site.want(account="111122223333")
    site.hear()
    await site.pass_time(300)
    assert await site.hours(device().id) == {}
    [total] = (await site.hours(ACCOUNT, "111122223333")).values()
    assert (total.uplinks, total.devices, total.gateways) == (0, 0, 0)


async def test_what_is_no_longer_registered_is_left_out(site: Site) -> None:
    await site.want()
    site.hear(0)
    await site.store.remove_device(dev_eui(0))
    await site.pass_time(300)
    assert await site.hours(device().id) == {}
    assert (await site.hours(ACCOUNT))[3].uplinks == 0


async def test_gateways_are_up_and_down_for_as_long_as_it_was_looked_at(site: Site) -> None:
    await site.want()
    site.time += 60
    first = connection(site.time)
    site.time += 100
    site.keeper.disconnected(first, Counts(), None, "away")
    site.up = [(connection(site.time + 20), Counts(), None)]
    await site.pass_time(140)
    await site.pass_time(300)
    [kept] = (await site.hours(GATEWAY.id)).values()
    assert (kept.up_s, kept.down_s) == (100 + 120 + 300, 80)


async def test_two_connections_at_once_count_once(site: Site) -> None:
    site.up = [(connection(HOUR - 50), Counts(), None)] * 2
    await site.want()
    await site.pass_time(300)
    assert (await site.hours(GATEWAY.id))[3].up_s == 300


async def test_the_rest_is_kept_at_the_end(site: Site) -> None:
    await site.want()
    site.hear()
    site.time += 7
    await site.keeper.finish()
    assert (await site.hours(device().id))[3].uplinks == 1
    assert site.journal.tally is None


async def test_another_process_may_keep_the_same(site: Site) -> None:
    await site.want()
    site.hear()
    site.store.conflicts = 2
    await site.pass_time(300)
    assert (await site.hours(device().id))[3].uplinks == 1
    site.hear()
    site.store.conflicts = 3
    await site.pass_time(300)
    assert (await site.hours(device().id))[3].uplinks == 1
    assert site.keeper.statistics() == {"uncounted": 0, "lost": 1}


async def test_a_store_that_is_away_ends_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def at_once(seconds: float) -> None:
        assert seconds == 1

    monkeypatch.setattr(asyncio, "sleep", at_once)
    await site.want()
    site.hear()
    site.store.away = True
    await site.pass_time(300)
    await site.keeper.finish()
    site.store.away = False
    assert await site.hours(device().id) == {}
    assert site.keeper.statistics()["lost"] > 0


async def test_old_summaries_are_trimmed(site: Site) -> None:
    await site.want()
    site.hear()
    await site.pass_time(300)
    await site.want(False)
    await site.pass_time(90 * 86_400 - 300)
    assert (await site.hours(device().id))[3].uplinks == 1
    await site.pass_time(3600)
    assert await site.hours(device().id) == {}


async def test_its_task_asks_at_once_what_is_wanted(site: Site) -> None:
    await site.want()
    site.next_server()
    assert site.journal.tally is not None
    site.journal.tally = None
    running = asyncio.create_task(site.keeper.run(lambda: site.up))
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    assert site.journal.tally is not None
