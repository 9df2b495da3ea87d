from __future__ import annotations

from bittern.lorawan.regions import plan
from bittern.mac.commands.surroundings import Handled


def test_a_command_without_an_answer_is_no_problem(device):
    session = device.session()
    assert Handled(session) == (session, (), None, "", False)


def test_gps_time_is_optional(surroundings):
    assert surroundings().gps_time_us is None


def test_the_modulation_is_that_of_the_region(surroundings):
    assert surroundings(data_rate=3).modulation == plan("EU868").data_rates[3]
