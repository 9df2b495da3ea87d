from __future__ import annotations

from bittern.lorawan.commands import ADRParamSetupAns, ADRParamSetupReq
from bittern.mac.commands import adr_param_setup


def test_other_limits_are_told_and_believed_once_they_are_answered(
    device_1_1, surroundings, want, asked
):
    heard = surroundings(wanted=want(adr_ack_limit_exp=4, adr_ack_delay_exp=3))
    session = device_1_1.session()
    assert adr_param_setup.needs(session, heard)
    assert adr_param_setup.enqueue(session, heard) == [(ADRParamSetupReq(4, 3),)]
    session = asked(session, ADRParamSetupReq(4, 3))
    after = adr_param_setup.handle(ADRParamSetupAns(), session, heard).session
    assert (after.radio.adr_ack_limit_exp, after.radio.adr_ack_delay_exp) == (4, 3)
    assert not adr_param_setup.needs(after, heard)


def test_a_device_of_1_0_does_not_know_the_command(device, surroundings, want):
    heard = surroundings(wanted=want(adr_ack_limit_exp=4))
    assert not adr_param_setup.needs(device.session(), heard)


def test_an_answer_that_nobody_asked_for_changes_nothing(
    device_1_1, surroundings, is_named_unasked
):
    is_named_unasked(adr_param_setup, ADRParamSetupAns(), device_1_1.session(), surroundings())
