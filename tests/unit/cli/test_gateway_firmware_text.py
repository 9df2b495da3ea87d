from __future__ import annotations

import base64

from bittern.cli.gateway_firmware_text import (
    LISTED,
    Fleet,
    counts_of,
    definition_document,
    doubts_of,
    task_document,
)
from bittern.store.gateway_records import CupsContact
from bittern.testing.examples import FIRMWARE, FIRMWARE_TASK, NOW
from bittern.types import EUI64, GatewayEUI

CRC = FIRMWARE.key_crc


def contact(**different: object) -> CupsContact:
    usual: dict[str, object] = dict(at=NOW, package="1.0.0", model="roof", key_crcs=(CRC,))
    return CupsContact(**(usual | different))  # type: ignore[arg-type]


def euis(count: int) -> list[GatewayEUI]:
    return [GatewayEUI(EUI64.from_int(number)) for number in range(count)]


def test_nothing_speaks_against_a_gateway_that_fits() -> None:
    assert doubts_of(FIRMWARE, contact()) == []


def test_every_doubt_is_told() -> None:
    [never] = doubts_of(FIRMWARE, None)
    assert "never asked CUPS" in never
    other, key = doubts_of(FIRMWARE, contact(package="0.9", key_crcs=(7,)))
    assert other == (
        "it runs package '0.9', model 'roof'; the update is for package '1.0.0', model 'roof'"
    )
    assert f"no key with CRC {CRC}" in key


def test_a_fleet_is_told_in_numbers_and_names() -> None:
    [first, lacking, unheard] = Fleet(euis(2), euis(1), 3).told(FIRMWARE)
    assert first.endswith(f"2 ({euis(2)[0]} {euis(2)[1]})")
    assert f"without the key {CRC}" in lacking
    assert unheard.endswith(": 3")
    assert Fleet([], [], 0).told(FIRMWARE)[0].endswith(": none")


def test_a_large_fleet_is_told_in_part() -> None:
    [line] = Fleet(euis(LISTED + 5), [], 0).told(FIRMWARE)
    assert line.endswith("and 5 more)")


def test_statuses_are_counted() -> None:
    assert counts_of([FIRMWARE_TASK, FIRMWARE_TASK]) == {"PENDING": 2}


def test_documents_are_json() -> None:
    document = definition_document(FIRMWARE)
    assert base64.b64decode(str(document["signature"])) == FIRMWARE.signature
    assert str(document["created_at"]).endswith("Z")
    assert task_document(FIRMWARE_TASK)["gateway_eui"] == str(FIRMWARE_TASK.gateway_eui)
