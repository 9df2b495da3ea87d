from __future__ import annotations

from bittern.lorawan.commands import PingSlotInfoAns, PingSlotInfoReq
from bittern.mac.commands import ping_slot_info
from bittern.mac.commands.notices import CommandProblem


def test_the_periodicity_is_kept_and_confirmed(device, surroundings, want):
    heard = surroundings(wanted=want(supports_class_b=True))
    handled = ping_slot_info.handle(PingSlotInfoReq(3), device.session(), heard)
    assert handled.answers == (PingSlotInfoAns(),)
    assert handled.session.radio.ping_slot_periodicity == 3
    again = ping_slot_info.handle(PingSlotInfoReq(3), handled.session, heard)
    assert again.session is handled.session


def test_a_device_whose_profile_lacks_class_b_gets_no_answer(device, surroundings):
    session = device.session()
    handled = ping_slot_info.handle(PingSlotInfoReq(3), session, surroundings())
    assert (handled.answers, handled.problem) == ((), CommandProblem.CLASS_NOT_IN_PROFILE)
    assert handled.session is session
