from __future__ import annotations

import asyncio

import pytest

from bittern.network.agenda import Agenda
from bittern.network.appointments import Appointments, Quiet
from bittern.testing import examples
from bittern.types import DevEUI, Instant

DEVICE = examples.DEV_EUI


class Practice:
    """Notes when it looks, and may look for long."""

    def __init__(self) -> None:
        self.time = Instant(100.0)
        self.agenda = Agenda(self.now)
        self.looked: list[float] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.appointments = Appointments(self.agenda, self.now, self.look)

    def now(self) -> Instant:
        return self.time

    async def look(self, dev_eui: DevEUI) -> None:
        self.looked.append(self.time)
        await self.may_end.wait()

    async def pass_to(self, time: float) -> None:
        while (due := self.agenda.next_timer()) is not None and due <= time:
            self.time = Instant(max(self.time, due))
            await self.agenda.fire()
        self.time = Instant(time)


@pytest.fixture
def practice() -> Practice:
    return Practice()


async def test_a_device_is_looked_at_when_it_was_said(practice):
    practice.appointments.at(DEVICE, Instant(103.0))
    await practice.pass_to(110)
    assert practice.looked == [103.0]


async def test_of_several_appointments_the_earliest_counts(practice):
    for at in (105.0, 103.0, 104.0):
        practice.appointments.at(DEVICE, Instant(at))
    assert len(practice.appointments) == 1
    await practice.pass_to(110)
    assert practice.looked == [103.0]


async def test_in_the_quiet_nobody_looks_and_at_its_end_somebody_does(practice):
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(108.0))
    practice.appointments.soon(DEVICE)
    await practice.pass_to(107.0)
    practice.appointments.soon(DEVICE)
    await practice.pass_to(120.0)
    assert practice.looked == [108.0]


async def test_a_quiet_may_be_cut_short_or_go_on(practice):
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(108.0))
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(102.0))
    await practice.pass_to(103.0)
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(105.0))
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(109.0))
    await practice.pass_to(120.0)
    assert practice.looked == [102.0, 109.0]


async def test_one_quiet_ends_and_another_goes_on(practice):
    """What became of one frame says nothing of the other."""
    practice.appointments.quiet(DEVICE, Quiet.REPORT, Instant(120.0))
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(108.0))
    await practice.pass_to(103.0)
    practice.appointments.quiet(DEVICE, Quiet.REPORT, Instant(103.0))
    assert practice.appointments.is_quiet(DEVICE)
    await practice.pass_to(110.0)
    assert practice.looked == [108.0]
    assert not practice.appointments.is_quiet(DEVICE)


async def test_after_the_quiet_appointments_are_as_before(practice):
    practice.appointments.quiet(DEVICE, Quiet.ANSWER, Instant(101.0))
    await practice.pass_to(102.0)
    practice.appointments.soon(DEVICE)
    await practice.pass_to(103.0)
    assert practice.looked == [101.0, 102.0]
    assert practice.appointments._quiets == {}


async def test_a_device_is_looked_at_by_one_at_a_time_and_then_once_more(practice):
    practice.may_end.clear()
    practice.appointments.soon(DEVICE)
    first = asyncio.create_task(practice.agenda.fire())
    while not practice.looked:
        await asyncio.sleep(0)
    practice.appointments.soon(DEVICE)
    second = asyncio.create_task(practice.agenda.fire())
    while len(practice.appointments):
        await asyncio.sleep(0)
    assert len(practice.looked) == 1
    practice.may_end.set()
    await asyncio.gather(first, second)
    await practice.pass_to(101.0)
    assert len(practice.looked) == 2


async def test_a_fault_while_looking_does_not_end_the_appointments(practice, monkeypatch):
    async def broken(dev_eui: DevEUI) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(practice.appointments, "_look", broken)
    practice.appointments.soon(DEVICE)
    await practice.pass_to(101.0)
    monkeypatch.undo()
    practice.appointments.soon(DEVICE)
    await practice.pass_to(102.0)
    assert practice.looked == [101.0]
