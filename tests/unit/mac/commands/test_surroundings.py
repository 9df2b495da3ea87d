from __future__ import annotations

from bittern.mac.commands.surroundings import Handled


def test_a_command_without_an_answer_is_still_expected(device):
    session = device.session()
    assert Handled(session) == (session, (), True)


def test_gps_time_is_optional(surroundings):
    assert surroundings().gps_time_us is None
    assert surroundings().initial_radio is None
