from __future__ import annotations

from bittern.api.coverage import NOT_OFFERED


def test_coverage_has_a_line_for_every_operation(bittern) -> None:
    heading, *lines = bittern.done("api", "coverage").stdout.splitlines()
    assert heading.split() == ["SERVICE", "OPERATION", "STATE", "REASON"]
    assert sum(line.startswith("iotwireless") for line in lines) == 112


def test_coverage_is_json_for_scripts(bittern) -> None:
    found = {
        one["operation"]: one
        for one in bittern.done("api", "coverage", "--json").json["iotwireless"]
    }
    assert found["CreateDestination"] == {
        "operation": "CreateDestination",
        "state": "offered",
        "reason": "",
    }
    told = {name: one["reason"] for name, one in found.items() if one["state"] == "not offered"}
    assert told == NOT_OFFERED
