import asyncio
import logging

import pytest

from bittern.lorawan.radio import Reception
from bittern.network.deduplication import Gathered
from bittern.network.intake import BATCH, Intake
from bittern.network.journal import Journal
from bittern.types import EUI64, GatewayEUI, Instant, Refusal

GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))


def heard() -> Reception:
    return Reception(
        gateway_eui=GATEWAY,
        frequency_hz=868_100_000,
        data_rate=5,
        rssi_dbm=-60,
        snr_db=5.0,
        received_at=Instant(0.0),
        xtime=1,
        rctx=0,
    )


def loop_clock() -> Instant:
    return Instant(asyncio.get_running_loop().time())


async def test_each_frame_is_handled_once_after_its_window():
    handled: list[bytes] = []

    async def handle(gathered: Gathered) -> None:
        handled.append(gathered.phy_payload)

    intake = Intake(handle, window_s=0.01, journal=Journal(), now=loop_clock)
    task = asyncio.create_task(intake.run())
    for phy_payload in (b"one", b"two", b"one"):
        intake.receive(phy_payload, heard())
    assert handled == []
    while len(handled) < 2:
        await asyncio.sleep(0)
    assert handled == [b"one", b"two"]
    assert intake.statistics()["copies"] == 1
    await _cancel(task)


async def test_what_was_gathered_is_still_handled_when_the_server_stops():
    handled: list[bytes] = []

    async def handle(gathered: Gathered) -> None:
        handled.append(gathered.phy_payload)

    intake = Intake(handle, window_s=3600.0, journal=Journal(), now=loop_clock)
    task = asyncio.create_task(intake.run())
    await asyncio.sleep(0)
    intake.receive(b"one", heard())
    await _cancel(task)
    assert handled == [b"one"]


async def test_a_fault_in_one_frame_is_told_and_does_not_touch_the_next(
    caplog: pytest.LogCaptureFixture,
):
    handled: list[bytes] = []

    async def handle(gathered: Gathered) -> None:
        if gathered.phy_payload == b"bad":
            raise RuntimeError("broken")
        handled.append(gathered.phy_payload)

    intake = Intake(handle, window_s=0.0, journal=Journal(), now=loop_clock)
    task = asyncio.create_task(intake.run())
    intake.receive(b"bad", heard())
    intake.receive(b"good", heard())
    with caplog.at_level(logging.ERROR):
        while not handled:
            await asyncio.sleep(0)
    assert handled == [b"good"]
    assert "0016c001ff000001" in caplog.text
    await _cancel(task)


async def test_frames_for_which_there_is_no_room_are_refused_by_name(
    caplog: pytest.LogCaptureFixture,
):
    journal = Journal()

    async def handle(gathered: Gathered) -> None:
        raise AssertionError("its window is open")

    intake = Intake(handle, window_s=3600.0, journal=journal, now=loop_clock, capacity=1)
    with caplog.at_level(logging.WARNING):
        for phy_payload in (b"one", b"two", b"three"):
            intake.receive(phy_payload, heard())
    assert journal.refusals == {Refusal.OVERLOADED: 2}
    assert len(caplog.messages) == 1, "counted each, told once"


async def test_frames_wait_while_as_many_as_may_be_are_being_handled():
    release = asyncio.Event()
    begun: list[bytes] = []

    async def handle(gathered: Gathered) -> None:
        begun.append(gathered.phy_payload)
        await release.wait()

    intake = Intake(handle, window_s=0.0, journal=Journal(), now=loop_clock, in_flight_limit=BATCH)
    task = asyncio.create_task(intake.run())
    for number in range(BATCH + 5):
        intake.receive(bytes([number]), heard())
    while len(begun) < BATCH:
        await asyncio.sleep(0)
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert len(begun) == BATCH
    assert intake.statistics()["gathering"] == 5
    release.set()
    while len(begun) < BATCH + 5:
        await asyncio.sleep(0)
    await _cancel(task)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
