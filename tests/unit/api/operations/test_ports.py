from __future__ import annotations

from bittern.api.operations.ports import changed, document, ports

GIVEN = {
    "Fuota": 201,
    "Multicast": 200,
    "ClockSync": 202,
    "Positioning": {"ClockSync": 197, "Stream": 198, "Gnss": 199},
    "Applications": [{"FPort": 9, "Type": "SemtechGeolocation", "DestinationName": "plant"}],
}


def test_ports_are_told_as_they_were_given() -> None:
    assert document(ports(GIVEN)) == GIVEN
    assert document(ports({})) == {}


def test_only_positioning_and_applications_change() -> None:
    after = changed(ports(GIVEN), {"Fuota": 1, "Positioning": {"Gnss": 5}, "Applications": []})
    assert document(after) == {
        "Fuota": 201,
        "Multicast": 200,
        "ClockSync": 202,
        "Positioning": {"Gnss": 5},
    }
