"""What a firmware task may become."""

from __future__ import annotations

import msgspec

from bittern.store.gateway_records import is_same_task
from bittern.testing.examples import FIRMWARE_TASK, dev_eui
from bittern.types import GatewayEUI


def test_a_task_keeps_its_gateway_and_its_definition() -> None:
    moved = msgspec.structs.replace(FIRMWARE_TASK, status="FAILED", reason="it is gone")
    assert is_same_task(FIRMWARE_TASK, moved)
    other_gateway = {"gateway_eui": GatewayEUI(dev_eui(0))}
    for different in (other_gateway, {"definition_id": "other"}, {"account": "1"}):
        other = msgspec.structs.replace(FIRMWARE_TASK, **different)
        assert not is_same_task(FIRMWARE_TASK, other)
