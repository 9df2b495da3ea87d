from __future__ import annotations

import pytest

from bittern.store.log_levels import LevelsOfAll, level_of_one, levels_of_all
from bittern.store.notes import Note
from bittern.testing.examples import NOW


def note(body: str) -> Note:
    return Note(kind="logs", name="default", at=NOW, body=body)


OPTIONS = """{
    "DefaultLogLevel": "DISABLED",
    "WirelessDeviceLogOptions": [
        {"Type": "Sidewalk", "LogLevel": "INFO"},
        {"Type": "LoRaWAN", "LogLevel": "ERROR",
         "Events": [{"Event": "Join", "LogLevel": "INFO"}]}
    ]
}"""


def test_the_event_decides_before_the_type_and_that_before_the_default() -> None:
    levels = levels_of_all(note(OPTIONS))
    assert levels.of("WirelessDevice", "Join") == "INFO"
    assert levels.of("WirelessDevice", "Uplink_Data") == "ERROR"
    assert levels.of("WirelessGateway", "Certificate") == "DISABLED"
    assert levels.of("FuotaTask", "Fuota") == "DISABLED"


def test_errors_are_wanted_until_somebody_says_otherwise() -> None:
    assert LevelsOfAll().of("WirelessDevice", "Join") == "ERROR"
    assert not LevelsOfAll().inform


@pytest.mark.parametrize(
    ("body", "inform"),
    [
        (OPTIONS, True),
        ('{"DefaultLogLevel": "INFO"}', True),
        ('{"WirelessGatewayLogOptions": [{"Type": "LoRaWAN", "LogLevel": "INFO"}]}', True),
        ('{"WirelessGatewayLogOptions": [{"Type": "LoRaWAN", "LogLevel": "ERROR"}]}', False),
    ],
)
def test_whether_anything_but_errors_is_wanted(body: str, inform: bool) -> None:
    assert levels_of_all(note(body)).inform is inform


def test_one_resource_has_one_level() -> None:
    assert level_of_one(note('{"LogLevel": "DISABLED"}')) == "DISABLED"
