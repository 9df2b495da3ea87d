"""What happens becomes a notice where somebody wants to hear of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from bittern.errors import StoreUnavailable
from bittern.lorawan.versions import MacVersion
from bittern.network.directory import Directory
from bittern.network.event_settings import EventSettings
from bittern.network.events import (
    DownlinkAcknowledged,
    DownlinkSent,
    DownlinkTransmitted,
    JoinAnswered,
    JoinReceived,
)
from bittern.network.notifications import ROOT, Notice
from bittern.servers import event_desk as module
from bittern.servers.event_desk import EventDesk
from bittern.servers.lns_hub import ConnectedGateway, Counts
from bittern.store.event_settings import (
    INITIAL,
    EventDefaults,
    EventsOfAll,
    EventsOfOne,
    note_of,
)
from bittern.testing import examples
from bittern.testing.examples import DEV_ADDR, DEV_EUI, GATEWAY_EUI, JOIN_EUI, NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import Instant, NetID

DEVICE = examples.device()
CONNECTED = ConnectedGateway(
    gateway_eui=GATEWAY_EUI,
    gateway_id=examples.GATEWAY.id,
    station="2.0.6",
    features=(),
    peer="",
    connected_at=NOW,
)
ACCOUNT = DEVICE.account
OF_DEVICE = f"WirelessDevice/{DEVICE.id}"
QUIET = EventDefaults(connections=False)


class Office:
    """A desk over a store, and what it tells."""

    def __init__(self, defaults: EventDefaults) -> None:
        self.store = MemoryStore()
        self.notices: list[Notice] = []
        self.delayed: list[Callable[[], None]] = []
        self.directory = Directory(self.store)
        self.desk = EventDesk(
            self.store,
            self.directory,
            EventSettings(defaults),
            self.notices.append,
            net_id=NetID.from_hex("000013"),
            now=lambda: Instant(NOW + 1),
            randomness=random.Random(1),
            later=lambda delay_s, work: self.delayed.append(work),
        )
        self._followed = 0

    async def settle(self) -> list[str]:
        """The kinds of what was told meanwhile: the topics without what is the same in all."""
        changes = await self.store.changes(self._followed)
        self._followed += len(changes)
        self.directory.follow(changes)
        self.desk.follow(changes)
        while self.desk.waiting:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        told, self.notices[:] = list(self.notices), []
        self.last = told
        return [notice.topics[0].removeprefix(ROOT).split("/")[2] for notice in told]

    async def later(self) -> list[str]:
        delayed, self.delayed = self.delayed, []
        for work in delayed:
            work()
        return await self.settle()

    def document(self, place: int = 0) -> Any:
        return json.loads(self.last[place].document)

    async def want(self, name: str, events: EventsOfAll | EventsOfOne) -> None:
        await self.store.put_notes(note_of(ACCOUNT, name, events, NOW))


@contextlib.asynccontextmanager
async def working(defaults: EventDefaults = INITIAL) -> AsyncIterator[Office]:
    office = Office(defaults)
    await examples.register(office.store)
    await office.store.add_gateway(examples.GATEWAY)
    task = asyncio.create_task(office.desk.run())
    assert await office.settle() == []
    try:
        yield office
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def asked(**different: Any) -> JoinReceived:
    fields = {"at": NOW, "dev_eui": DEV_EUI, "join_eui": JOIN_EUI, "gateway_eui": GATEWAY_EUI}
    return JoinReceived(**{**fields, **different})


def answered(**different: Any) -> JoinAnswered:
    fields: dict[str, Any] = {
        "at": NOW,
        "dev_eui": DEV_EUI,
        "dev_addr": DEV_ADDR,
        "dev_nonce": 1,
        "gateway_eui": GATEWAY_EUI,
    }
    return JoinAnswered(**{**fields, **different})


async def test_connections_are_told_as_the_configuration_says() -> None:
    async with working() as office:
        office.desk.connected(CONNECTED)
        office.desk.disconnected(CONNECTED, Counts(), None, "gone")
        assert await office.settle() == ["connected", "disconnected"]
        assert len(office.last[0].topics) == 3
    async with working(QUIET) as office:
        office.desk.connected(CONNECTED)
        assert await office.settle() == []


async def test_an_account_switches_connections_off_while_the_server_runs() -> None:
    async with working() as office:
        await office.want("default", EventsOfAll(connection_status=False))
        await office.settle()
        office.desk.connected(CONNECTED)
        assert await office.settle() == []


async def test_a_gateway_that_was_removed_is_told_as_its_account_wants() -> None:
    account = "111122223333"
    async with working(QUIET) as office:
        gateway = msgspec.structs.replace(examples.GATEWAY, account=account)
        await office.store.replace_gateway(gateway)
        of_all = EventsOfAll(connection_status=True)
        await office.store.put_notes(note_of(account, "default", of_all, NOW))
        await office.settle()
        office.desk.connected(CONNECTED)
        assert await office.settle() == ["connected"]
        await office.store.remove_gateway(GATEWAY_EUI)
        await office.settle()
        office.desk.disconnected(CONNECTED, Counts(), None, "removed")
        assert await office.settle() == ["disconnected"]


async def test_joins_are_told_when_they_are_wanted() -> None:
    async with working() as office:
        office.desk.listen(asked())
        office.desk.listen(answered())
        assert await office.settle() == []
        await office.want("default", EventsOfAll(join=True))
        await office.settle()
        office.desk.listen(asked())
        office.desk.listen(answered())
        assert await office.settle() == ["join_req_received", "join_accepted"]
        assert office.document(0)["LoRaWAN"]["AppEui"] == str(JOIN_EUI)
        assert office.document(1)["LoRaWAN"] == {
            "DevEui": str(DEV_EUI),
            "DevAddr": str(DEV_ADDR),
            "NetId": "000013",
        }


async def test_rejoins_are_told_but_for_type_1() -> None:
    async with working(EventDefaults(joins=True)) as office:
        profile = msgspec.structs.replace(
            examples.DEVICE_PROFILE, id="of 1.1", mac_version=MacVersion.LORAWAN_1_1
        )
        await office.store.add_device_profile(profile)
        device = msgspec.structs.replace(DEVICE, device_profile_id="of 1.1")
        await office.store.replace_device(device)
        for rejoin_type in (0, 1, 2):
            office.desk.listen(asked(rejoin_type=rejoin_type, join_eui=None))
        assert await office.settle() == ["rejoin_req_0_received", "rejoin_req_2_received"]
        assert office.document()["LoRaWAN"] == {
            "DevEui": str(DEV_EUI),
            "JoinEui": str(JOIN_EUI),
        }


async def test_an_accept_that_no_gateway_took_lets_nobody_in() -> None:
    async with working(EventDefaults(joins=True)) as office:
        office.desk.listen(answered(gateway_eui=None))
        assert await office.settle() == []


async def test_one_device_is_told_by_the_topics_that_were_asked_for() -> None:
    async with working() as office:
        await office.want(OF_DEVICE, EventsOfOne(join_by_eui=True))
        await office.settle()
        office.desk.listen(asked())
        assert await office.settle() == ["join_req_received"]
        [topic] = office.last[0].topics
        assert topic.endswith(f"/lorawan/wireless_devices/dev_eui/{DEV_EUI}")


def sent(message_id: str) -> DownlinkSent:
    return DownlinkSent(
        at=NOW,
        dev_eui=DEV_EUI,
        downlink_id=1,
        fcnt_down=0,
        fport=2,
        confirmed=True,
        ack=False,
        gateway_eui=GATEWAY_EUI,
        message_id=message_id,
    )


TRANSMITTED = DownlinkTransmitted(
    at=NOW,
    dev_eui=DEV_EUI,
    downlink_id=1,
    gateway_eui=GATEWAY_EUI,
    frequency_hz=868_100_000,
    data_rate=5,
)


async def test_the_way_of_a_message_is_told_step_by_step() -> None:
    async with working() as office:
        await office.want(OF_DEVICE, EventsOfOne(delivery_by_id=True))
        await office.settle()
        message = examples.downlink(0, confirmed=True)
        await office.store.enqueue(message)
        assert await office.settle() == ["queued"]
        [topic] = office.last[0].topics
        assert topic.endswith(f"/wireless_device_id/{DEVICE.id}")
        office.desk.listen(sent(message.message_id))
        office.desk.listen(TRANSMITTED)
        assert await office.settle() == ["sent"]
        await office.store.unqueue(DEV_EUI, message.message_id)
        office.desk.listen(
            DownlinkAcknowledged(at=NOW, dev_eui=DEV_EUI, message_id=message.message_id)
        )
        assert await office.settle() == ["acknowledged"]
        assert await office.later() == []


async def test_a_message_that_was_taken_out_is_told_a_little_later() -> None:
    async with working(EventDefaults(deliveries=True)) as office:
        await office.store.enqueue(examples.downlink(0))
        assert await office.settle() == ["queued"]
        await office.store.unqueue(DEV_EUI)
        assert await office.settle() == []
        assert await office.later() == ["failed"]
        assert office.document()["Reason"] == "Removed"


async def test_what_was_queued_for_a_removed_device_is_told_by_its_old_name() -> None:
    async with working() as office:
        await office.want(OF_DEVICE, EventsOfOne(delivery_by_id=True))
        await office.settle()
        await office.store.enqueue(examples.downlink(0))
        await office.settle()
        await office.store.remove_device(DEV_EUI)
        await office.store.remove_note(ACCOUNT, "events", OF_DEVICE)
        assert await office.settle() == []
        assert await office.later() == ["failed"]
        assert office.document()["Reason"] == "DeviceRemoved"
        assert office.document()["WirelessDeviceId"] == DEVICE.id


async def test_nothing_is_kept_of_devices_that_nobody_wants_to_hear_of() -> None:
    async with working() as office:
        await office.store.enqueue(examples.downlink(0))
        office.desk.listen(sent(examples.downlink(0).message_id))
        office.desk.listen(TRANSMITTED)
        assert await office.settle() == []
        await office.store.unqueue(DEV_EUI)
        assert await office.settle() == []
        assert office.delayed == []


async def test_what_waits_is_told_when_the_server_begins_and_settings_are_read() -> None:
    office = Office(INITIAL)
    await examples.register(office.store)
    await office.store.enqueue(examples.downlink(0))
    await office.want(OF_DEVICE, EventsOfOne(delivery_by_id=True))
    office._followed = await office.store.last_change()
    task = asyncio.create_task(office.desk.run())
    assert await office.settle() == ["queued"]
    office.desk.start_over()
    assert await office.settle() == []
    task.cancel()


async def test_a_store_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with working() as office:
        await office.want("default", EventsOfAll(join=True))

        async def away(*_: object) -> None:
            raise StoreUnavailable("away")

        with monkeypatch.context() as patch:
            patch.setattr(office.store, "note", away)
            await office.settle()
        office.desk.listen(asked())
        assert await office.settle() == []
        await office.later()
        office.desk.listen(asked())
        assert await office.settle() == ["join_req_received"]


async def test_of_too_much_the_oldest_is_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    async with working() as office:
        for _ in range(5):
            office.desk.connected(CONNECTED)
        assert office.desk.dropped == 2
        assert await office.settle() == ["connected"] * 3
