from __future__ import annotations

from bittern.api.coverage import NOT_OFFERED, REFUSED, coverage
from bittern.api.model import service
from bittern.api.operations import offered


def test_every_operation_is_offered_or_has_a_reason() -> None:
    names = {name for of, name in offered() if of == "iotwireless"}
    assert names & NOT_OFFERED.keys() == REFUSED.keys()
    assert names | NOT_OFFERED.keys() == set(service("iotwireless").operation_names)


def test_what_is_offered_of_other_services_is_in_their_models() -> None:
    for of, name in offered():
        assert service(of).operation(name).name == name


def test_the_coverage_tells_each_operation_once_in_order() -> None:
    told = coverage()
    names = [one.operation for one in told["iotwireless"]]
    assert names == sorted(service("iotwireless").operation_names)
    states = {one.operation: one for one in told["iotwireless"]}
    assert states["CreateDestination"].state == "offered"
    assert states["CreateDestination"].reason == ""
    assert "Sidewalk" in states["ListPartnerAccounts"].reason
    assert {one.state for one in told["iot"]} == {"offered"}


def test_what_is_always_refused_is_not_offered() -> None:
    told = {one.operation: one for one in coverage()["iotwireless"]}
    for name, reason in REFUSED.items():
        assert (told[name].state, told[name].reason) == ("not offered", reason)
