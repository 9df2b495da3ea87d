from __future__ import annotations

import msgspec
import pytest

from bittern.store import gateway_codec as codec
from bittern.store.gateway_records import GatewayState, StatePart
from bittern.testing.examples import (
    CERTIFICATE,
    CONNECTION,
    CUPS_CONTACT,
    FIRMWARE,
    FIRMWARE_TASK,
    FOREIGN_CERTIFICATE,
    GATEWAY,
    GATEWAY_EUI,
    REFUSED,
)

PARTS = (CONNECTION, CUPS_CONTACT, REFUSED)


def test_rows_round_trip() -> None:
    moved = msgspec.structs.replace(GATEWAY, lns_uri="wss://lns.example:8887", remote_shell=True)
    for gateway in (GATEWAY, moved):
        assert codec.gateway_from_row(codec.gateway_to_row(gateway)) == gateway
    for certificate in (CERTIFICATE, FOREIGN_CERTIFICATE):
        row = codec.certificate_to_row(certificate)
        assert codec.certificate_from_row(row) == certificate
    assert codec.firmware_from_row(codec.firmware_to_row(FIRMWARE)) == FIRMWARE
    row = codec.firmware_task_to_row(FIRMWARE_TASK)
    assert codec.firmware_task_from_row(row) == FIRMWARE_TASK


def test_a_certificate_from_before_its_purpose_is_for_any() -> None:
    record = '{"not_after":1700086400.0,"created_at":1700000000.0}'
    row = ("ab" * 32, "000000000000", bytes(GATEWAY_EUI), 1, record, "")
    assert codec.certificate_from_row(row) == CERTIFICATE


def test_the_text_of_a_certificate_is_in_its_column_alone() -> None:
    *_, record, pem = codec.certificate_to_row(FOREIGN_CERTIFICATE)
    assert pem == FOREIGN_CERTIFICATE.pem
    assert "pem" not in msgspec.json.decode(record)


@pytest.mark.parametrize(
    ("part", "name"), [(CONNECTION, "connection"), (CUPS_CONTACT, "cups"), (REFUSED, "refusal")]
)
def test_a_part_of_a_state_round_trips(part: StatePart, name: str) -> None:
    eui, part_name, record = codec.state_part_to_row(GATEWAY_EUI, part)
    assert part_name == name
    state = GatewayState(**{name: part})  # type: ignore[arg-type]
    assert codec.state_from_row((eui, f'{{"{part_name}":{record}}}')) == (GATEWAY_EUI, state)
    assert codec.state_with(GatewayState(), part) == state


def test_every_part_of_a_state_has_a_name() -> None:
    names = {codec.state_part_to_row(GATEWAY_EUI, part)[1] for part in PARTS}
    assert names == set(GatewayState.__struct_fields__)


def test_a_state_from_before_and_after_a_field_is_read() -> None:
    record = '{"connection":{"connected":false,"changed_at":1.0,"colour":"red"},"later":{}}'
    _, state = codec.state_from_row((bytes(8), record))
    assert state.connection is not None
    assert (state.connection.connected, state.connection.received) == (False, 0)
