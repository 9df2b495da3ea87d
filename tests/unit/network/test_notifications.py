"""Notices as AWS writes them."""

from __future__ import annotations

import json
import random
import uuid

import pytest

from bittern.network.notifications import ConnectionStatus, connection_notice
from bittern.types import EUI64, GatewayEUI, Instant


@pytest.mark.parametrize("status", ["connected", "disconnected"])
def test_a_connection_is_told_on_three_topics(status: ConnectionStatus) -> None:
    notice = connection_notice(
        status,
        gateway_eui=GatewayEUI(EUI64.from_hex("0016c001ff000001")),
        gateway_id="a1b2",
        at=Instant(1_763_690_000.5),
        randomness=random.Random(1),
    )
    root = f"$aws/iotwireless/events/connection_status/{status}/lorawan/wireless_gateways"
    assert notice.topics == (
        root,
        f"{root}/gateway_eui/0016c001ff000001",
        f"{root}/wireless_gateway_id/a1b2",
    )
    document = json.loads(notice.document)
    assert uuid.UUID(document.pop("eventId")).version == 4
    assert document == {
        "eventType": status,
        "WirelessGatewayId": "a1b2",
        "timestamp": "1763690000500",
        "LoRaWAN": {"GatewayEui": "0016c001ff000001"},
    }
