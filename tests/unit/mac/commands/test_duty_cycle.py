from __future__ import annotations

from bittern.lorawan.commands import DutyCycleAns, DutyCycleReq
from bittern.mac.commands import duty_cycle
from bittern.mac.commands.notices import CommandProblem


def test_a_limit_is_told_and_believed_once_it_is_answered(device, surroundings, want, asked):
    heard = surroundings(wanted=want(policy={"max_duty_cycle": 3}))
    session = device.session()
    assert duty_cycle.needs(session, heard)
    assert duty_cycle.enqueue(session, heard) == [(DutyCycleReq(3),)]
    session = asked(session, DutyCycleReq(3))
    assert session.radio.max_duty_cycle == 0
    handled = duty_cycle.handle(DutyCycleAns(), session, heard)
    assert handled.session.radio.max_duty_cycle == 3
    assert handled.session.requests == ()
    assert not duty_cycle.needs(handled.session, heard)


def test_what_the_device_does_already_is_not_told(device, surroundings):
    assert not duty_cycle.needs(device.session(), surroundings())


def test_an_answer_that_nobody_asked_for_changes_nothing(device, surroundings):
    session = device.session()
    handled = duty_cycle.handle(DutyCycleAns(), session, surroundings())
    assert handled.problem is CommandProblem.NOT_ASKED
    assert handled.session is session
