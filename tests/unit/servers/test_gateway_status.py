"""How gateways are, as the store has it."""

from __future__ import annotations

import asyncio

import pytest

from bittern.errors import StoreUnavailable
from bittern.network.events import GatewayRefused
from bittern.servers.gateway_status import Counted, StatusKeeper
from bittern.servers.lns_hub import ConnectedGateway, Counts
from bittern.store.gateway_records import GatewayConnection, StatePart
from bittern.store.records import Gateway
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

ROOF = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
YARD = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
NOW = Instant(1_763_690_000.0)


class Site:
    """A store with one gateway, and whoever keeps its state."""

    def __init__(self) -> None:
        self.time = float(NOW)
        self.store = FlakyStore()
        self.up: list[Counted] = []
        self.keeper = self.next_server()

    def next_server(self) -> StatusKeeper:
        self.keeper = StatusKeeper(self.store, lambda: Instant(self.time))
        return self.keeper

    async def connection(self, gateway_eui: GatewayEUI = ROOF) -> GatewayConnection:
        state = await self.store.gateway_state(gateway_eui)
        assert state.connection is not None
        return state.connection


class FlakyStore(MemoryStore):
    away = False

    async def put_gateway_state(self, gateway_eui: GatewayEUI, part: StatePart) -> None:
        if self.away:
            raise StoreUnavailable("disk full")
        await super().put_gateway_state(gateway_eui, part)


@pytest.fixture
async def site() -> Site:
    site = Site()
    await site.store.add_gateway(Gateway(id="roof", gateway_eui=ROOF, created_at=NOW))
    return site


def connected(at: float = NOW, gateway_eui: GatewayEUI = ROOF) -> ConnectedGateway:
    return ConnectedGateway(
        gateway_eui=gateway_eui,
        station="2.0.6(linux/std)",
        model="linux",
        package="1.0",
        features=("gps",),
        peer="192.0.2.7:51234",
        certificate="ab" * 32,
        connected_at=Instant(at),
    )


async def test_a_gateway_that_connects_is_kept_as_connected(site: Site) -> None:
    site.keeper.connected(connected())
    await site.keeper.write()
    assert await site.connection() == GatewayConnection(
        connected=True,
        changed_at=NOW,
        peer="192.0.2.7:51234",
        station="2.0.6(linux/std)",
        model="linux",
        package="1.0",
        features=("gps",),
        certificate="ab" * 32,
        connections=1,
    )


async def test_a_gateway_that_goes_is_kept_with_what_it_did_and_the_reason(site: Site) -> None:
    site.keeper.connected(connected())
    site.time += 100
    counts = Counts(received=5, forwarded=3, refused=1, transmitted=2, last_uplink_at=NOW)
    site.keeper.disconnected(connected(), counts, 0.08, "no answer to a ping")
    await site.keeper.write()
    kept = await site.connection()
    assert (kept.connected, kept.changed_at, kept.reason) == (
        False,
        NOW + 100,
        "no answer to a ping",
    )
    assert (kept.received, kept.forwarded, kept.refused, kept.transmitted) == (5, 3, 1, 2)
    assert (kept.round_trip_s, kept.last_uplink_at, kept.connections) == (0.08, NOW, 1)


async def test_counts_go_on_over_connections_and_servers(site: Site) -> None:
    for _ in range(2):
        for _ in range(3):
            site.keeper.connected(connected())
            site.keeper.disconnected(connected(), Counts(received=5, forwarded=4), None, "gone")
        await site.keeper.write()
        site.next_server()
    kept = await site.connection()
    assert (kept.received, kept.forwarded, kept.connections) == (30, 24, 6)


async def test_what_was_counted_of_a_connection_that_is_up_is_counted_once(site: Site) -> None:
    counts = Counts(received=5)
    site.keeper.connected(connected())
    site.up = [(connected(), counts, 0.05)]
    for received in (5, 6, 7):
        counts.received = received
        site.keeper.count(site.up)
        await site.keeper.write()
        assert (await site.connection()).received == received
    site.keeper.disconnected(connected(), counts, 0.05, "gone")
    site.keeper.connected(connected())
    await site.keeper.write()
    assert (await site.connection()).received == 7
    assert (await site.connection()).connected


async def test_what_the_last_server_left_as_connected_is_ended(site: Site) -> None:
    site.keeper.connected(connected())
    await site.keeper.write()
    site.time += 1000
    keeper = site.next_server()
    task = asyncio.create_task(keeper.run(lambda: []))
    while (await site.connection()).connected:
        await asyncio.sleep(0)
    task.cancel()
    kept = await site.connection()
    assert (kept.reason, kept.changed_at, kept.connections) == ("the server ended", NOW + 1000, 1)


async def test_thousands_left_as_connected_are_ended_together(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.store.add_gateway(Gateway(id="yard", gateway_eui=YARD, created_at=NOW))
    for gateway_eui in (ROOF, YARD):
        site.keeper.connected(connected(gateway_eui=gateway_eui))
    await site.keeper.write()
    both, put = asyncio.Barrier(2), site.store.put_gateway_state

    async def put_with_another(gateway_eui: GatewayEUI, part: StatePart) -> None:
        await both.wait()
        await put(gateway_eui, part)

    monkeypatch.setattr(site.store, "put_gateway_state", put_with_another)
    task = asyncio.create_task(site.next_server().run(lambda: []))
    async with asyncio.timeout(5):
        while (await site.connection()).connected or (await site.connection(YARD)).connected:
            await asyncio.sleep(0)
    task.cancel()


async def test_a_gateway_removed_meanwhile_does_not_stop_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await site.store.add_gateway(Gateway(id="yard", gateway_eui=YARD, created_at=NOW))
    for gateway_eui in (ROOF, YARD):
        site.keeper.connected(connected(gateway_eui=gateway_eui))
    await site.keeper.write()
    put = site.store.put_gateway_state

    async def put_after_removal(gateway_eui: GatewayEUI, part: StatePart) -> None:
        if gateway_eui == ROOF:
            await site.store.remove_gateway(ROOF)
        await put(gateway_eui, part)

    monkeypatch.setattr(site.store, "put_gateway_state", put_after_removal)
    task = asyncio.create_task(site.next_server().run(lambda: []))
    async with asyncio.timeout(5):
        while (await site.connection(YARD)).connected:
            await asyncio.sleep(0)
    assert not task.done()
    task.cancel()


async def test_the_last_refusal_is_kept_with_its_place(site: Site) -> None:
    refused = GatewayRefused(
        at=NOW,
        refusal=Refusal.CERTIFICATE_REVOKED,
        reason="stolen",
        gateway_eui=ROOF,
        peer="192.0.2.7:1",
    )
    site.keeper.record(refused, "cups")
    await site.keeper.write()
    refusal = (await site.store.gateway_state(ROOF)).refusal
    assert refusal is not None
    assert (refusal.place, refusal.refusal, refusal.reason) == (
        "cups",
        Refusal.CERTIFICATE_REVOKED,
        "stolen",
    )


async def test_a_gateway_that_is_not_registered_leaves_no_trace(site: Site) -> None:
    site.keeper.connected(connected(gateway_eui=YARD))
    await site.keeper.write()
    assert (await site.store.gateway_state(YARD)).connection is None


async def test_what_cannot_be_written_now_is_written_later(site: Site) -> None:
    site.store.away = True
    site.keeper.connected(connected())
    await site.keeper.write()
    site.store.away = False
    await site.keeper.write()
    assert (await site.connection()).connected


async def test_of_what_could_not_be_written_the_newest_counts(site: Site) -> None:
    site.store.away = True
    site.keeper.connected(connected())
    await site.keeper.write()
    site.keeper.disconnected(connected(), Counts(), None, "gone")
    site.store.away = False
    await site.keeper.write()
    assert not (await site.connection()).connected
