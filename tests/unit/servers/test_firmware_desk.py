from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bittern.errors import ImageError, ImageRejected, ImageUnavailable
from bittern.gateway.cups import CupsRequest
from bittern.gateway.firmware import TIME_TO_UPDATE_S, Status, Version
from bittern.servers.cups import Image
from bittern.servers.cups_desk import Update
from bittern.servers.firmware_desk import FirmwareDesk
from bittern.store.gateway_records import (
    FirmwareDefinition,
    FirmwareTask,
)
from bittern.store.records import Gateway
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, GatewayEUI, Instant

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
GATEWAY = Gateway(id="roof", gateway_eui=EUI, created_at=Instant(0))
CRC = 4242
STATION = "2.0.6(linux/std) 2022-03-16 09:38:55"


class Folder:
    """Images that are always there, unless there is a flaw."""

    def __init__(self) -> None:
        self.flaw: ImageError | None = None
        self.asked = 0

    async def image(self, definition: FirmwareDefinition) -> Image:
        self.asked += 1
        await asyncio.sleep(0)
        if self.flaw is not None:
            raise self.flaw

        async def chunks() -> AsyncIterator[bytes]:
            yield b"image"

        return Image(5, chunks())


class Scene:
    def __init__(self) -> None:
        self.time = 1000.0
        self.store = MemoryStore()
        self.images = Folder()
        self.desk = FirmwareDesk(self.store, self.images, now=lambda: Instant(self.time))
        self.package = "1.0"
        self.key_crcs: tuple[int, ...] = (CRC,)

    async def define(self, name: str = "first", **different: Any) -> FirmwareDefinition:
        usual: dict[str, Any] = dict(
            id=name,
            current=Version(package="1.0", model="roof"),
            update=Version(package="1.1"),
            source="spring.bin",
            signature=bytes(70),
            key_crc=CRC,
            created_at=Instant(self.time),
        )
        definition = FirmwareDefinition(**(usual | different))
        await self.store.add_firmware(definition)
        return definition

    async def start(self, definition_id: str = "first") -> None:
        now = Instant(self.time)
        await self.store.add_firmware_task(
            FirmwareTask(
                gateway_eui=EUI, definition_id=definition_id, created_at=now, changed_at=now
            )
        )

    async def ask(self) -> Update | str | None:
        request = CupsRequest(
            gateway_eui=EUI,
            cups_crc=0,
            lns_crc=0,
            station=STATION,
            model="roof",
            package=self.package,
            key_crcs=self.key_crcs,
        )
        return await self.desk.update_for(GATEWAY, request, ())

    async def task(self) -> FirmwareTask | None:
        return await self.store.firmware_task(EUI)

    async def status(self) -> Status:
        task = await self.task()
        assert task is not None
        return task.status


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    await made.store.add_gateway(GATEWAY)
    return made


async def test_without_a_task_nothing_happens(scene: Scene) -> None:
    await scene.define()
    assert await scene.ask() is None
    assert (await scene.task(), scene.images.asked) == (None, 0)


async def test_an_update_from_its_start_to_its_end(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.define()
    await scene.start()
    with caplog.at_level(logging.INFO, "bittern.servers.cups"):
        given = await scene.ask()
        assert isinstance(given, Update)
        assert given.signature == CRC.to_bytes(4, "little") + bytes(70)
        assert [chunk async for chunk in given.image.chunks] == [b"image"]
        assert (given.gift.kind, given.gift.value, given.gift.times) == ("update", "first", 1)
        assert await scene.status() == "IN_PROGRESS"
        scene.time += 60
        scene.package = "1.1"
        assert await scene.ask() is None
    assert await scene.status() == "COMPLETED"
    assert await scene.ask() is None
    assert [text for text in caplog.messages if "status=" in text] == [
        f"gateway={EUI} update=first status=IN_PROGRESS given=True reason=''",
        f"gateway={EUI} update=first status=COMPLETED given=False reason=''",
    ]
    assert scene.desk.statuses == {"IN_PROGRESS": 1, "COMPLETED": 1}


async def test_an_update_in_vain_is_tried_three_times(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    seen = []
    for _ in range(5):
        given = await scene.ask()
        times = given.gift.times if isinstance(given, Update) else None
        seen.append((await scene.status(), times))
        scene.time += TIME_TO_UPDATE_S
    assert seen == [
        ("IN_PROGRESS", 1),
        ("FIRST_RETRY", 2),
        ("SECOND_RETRY", 3),
        ("FAILED", None),
        ("FAILED", None),
    ]
    task = await scene.task()
    assert task is not None
    assert "still runs package '1.0'" in task.reason


async def test_why_it_failed_is_told_once(scene: Scene) -> None:
    scene.key_crcs = ()
    await scene.define()
    await scene.start()
    assert "the gateway has no key with CRC 4242" in str(await scene.ask())
    assert await scene.ask() is None


async def test_while_the_image_is_at_work_it_is_not_given_again(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    await scene.ask()
    before = await scene.task()
    scene.time += 30
    assert await scene.ask() == "the gateway was given the image 30 s ago"
    after = await scene.task()
    assert before is not None and after is not None
    assert (after.status, after.changed_at) == (before.status, before.changed_at)


async def test_an_image_that_is_not_to_be_had_is_waited_for(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    scene.images.flaw = ImageUnavailable("the store is away")
    assert await scene.ask() == "the store is away"
    task = await scene.task()
    assert task is not None
    assert (task.status, task.reason) == ("PENDING", "the store is away")
    scene.images.flaw = None
    assert isinstance(await scene.ask(), Update)


async def test_an_image_that_is_wrongly_signed_is_never_given(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    scene.images.flaw = ImageRejected("it is not what was signed")
    assert await scene.ask() == "it is not what was signed"
    assert await scene.status() == "FAILED"
    scene.images.flaw = None
    assert await scene.ask() is None


async def test_a_gateway_that_runs_something_else_waits(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    scene.package = "0.9"
    assert "the gateway runs package '0.9'" in str(await scene.ask())
    assert (await scene.status(), scene.images.asked) == ("PENDING", 0)


async def test_of_two_requests_at_a_time_one_is_given_the_image(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    answers = await asyncio.gather(scene.ask(), scene.ask())
    assert [isinstance(answer, Update) for answer in answers].count(True) == 1
    assert await scene.status() == "IN_PROGRESS"


async def test_a_task_that_is_cancelled_meanwhile_is_not_carried_out(scene: Scene) -> None:
    await scene.define()
    await scene.start()

    async def image(definition: FirmwareDefinition) -> Image:
        await scene.store.remove_firmware_task(EUI)
        return await Folder().image(definition)

    scene.images.image = image  # type: ignore[method-assign]
    assert await scene.ask() is None
    assert await scene.task() is None


async def test_a_task_that_never_stands_still_is_left_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.define()
    await scene.start()

    async def replace(before: FirmwareTask, after: FirmwareTask) -> bool:
        return False

    monkeypatch.setattr(scene.store, "replace_firmware_task", replace)
    assert await scene.ask() == "the task has changed meanwhile"
    assert await scene.status() == "PENDING"


# Automatic definitions


async def test_every_gateway_of_an_automatic_definition_is_updated(scene: Scene) -> None:
    await scene.define(automatic=True)
    assert isinstance(await scene.ask(), Update)
    scene.package = "1.1"
    assert await scene.ask() is None
    assert await scene.status() == "COMPLETED"


async def test_other_gateways_are_left_alone(scene: Scene) -> None:
    await scene.define(automatic=True)
    scene.package = "1.2"
    assert await scene.ask() is None
    assert await scene.task() is None


async def test_gateways_that_have_it_already_are_left_alone(scene: Scene) -> None:
    await scene.define(automatic=True, current=Version())
    scene.package = "1.1"
    assert await scene.ask() is None
    assert await scene.task() is None


async def test_automatic_definitions_follow_each_other(scene: Scene) -> None:
    await scene.define(automatic=True)
    scene.time += 1
    await scene.define(
        "second",
        automatic=True,
        current=Version(package="1.1"),
        update=Version(package="1.2"),
    )
    await scene.ask()
    scene.package = "1.1"
    assert await scene.ask() is None  # the first is done
    given = await scene.ask()
    assert isinstance(given, Update)
    assert given.gift.value == "second"


async def test_what_has_failed_is_not_begun_again_by_itself(scene: Scene) -> None:
    await scene.define(automatic=True)
    scene.key_crcs = (7,)
    for _ in range(3):
        await scene.ask()
        assert await scene.status() == "FAILED"
    assert scene.desk.statuses == {"PENDING": 1, "FAILED": 1}


async def test_the_newest_of_several_counts_and_they_never_take_turns(scene: Scene) -> None:
    scene.key_crcs = ()
    for name in ("first", "second"):
        scene.time += 1
        await scene.define(name, automatic=True)
    for _ in range(4):
        await scene.ask()
        task = await scene.task()
        assert task is not None
        assert (task.definition_id, task.status) == ("second", "FAILED")


async def test_a_task_under_way_is_not_replaced(scene: Scene) -> None:
    await scene.define()
    await scene.start()
    await scene.define("second", automatic=True, created_at=Instant(scene.time + 1))
    given = await scene.ask()
    assert isinstance(given, Update)
    assert given.gift.value == "first"


async def test_two_servers_make_one_task(scene: Scene) -> None:
    await scene.define(automatic=True)
    await asyncio.gather(scene.ask(), scene.ask())
    assert scene.desk.statuses["PENDING"] <= 1
    assert await scene.status() == "IN_PROGRESS"


async def test_the_definitions_of_another_account_are_not_for_this_gateway(scene: Scene) -> None:
    await scene.define(automatic=True, account="111111111111")
    assert await scene.ask() is None
    assert await scene.task() is None


async def test_a_definition_that_is_gone_ends_the_task(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = await scene.define()
    await scene.start()

    async def firmware(definition_id: str) -> FirmwareDefinition | None:
        assert definition_id == definition.id
        return None

    monkeypatch.setattr(scene.store, "firmware", firmware)
    assert await scene.ask() == "its definition was removed"
    assert await scene.status() == "FAILED"
