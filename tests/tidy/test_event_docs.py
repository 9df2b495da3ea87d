"""What `docs/events.md` says is so in the code."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from bittern.api.device_messages import Request
from bittern.config.settings import Mqtt, settings
from bittern.network.message_queue import ATTEMPTS
from bittern.network.notifications import (
    ROOT,
    ConnectionStatus,
    DeliveryStatus,
    FailureReason,
    JoinEvent,
    Named,
    Notice,
    Status,
    accept_details,
    connection_notice,
    delivery_notice,
    join_notice,
    request_details,
)
from bittern.servers import mqtt_downlinks, notifier
from bittern.store.records import LONGEST_PAYLOAD
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI, Instant, JoinEUI, NetID

TEXT = (Path(__file__).parents[2] / "docs/events.md").read_text(encoding="utf-8")
AT = Instant(1_763_690_000.5)
DEVICE = Named("…", DevEUI(EUI64.from_hex("70b3d57ed0000001")))
GATEWAY = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
KINDS: Mapping[str, tuple[str, ...]] = {
    "connection_status": get_args(ConnectionStatus),
    "join": get_args(JoinEvent),
    "message_delivery_status": get_args(DeliveryStatus),
}
NOTICES: Mapping[str, Notice] = {
    "connected": connection_notice(
        "connected", gateway_eui=GATEWAY, gateway_id="…", at=AT, randomness=random.Random(1)
    ),
    "join_req_received": join_notice(
        "join_req_received",
        DEVICE,
        request_details(
            DEVICE.dev_eui, JoinEUI(EUI64.from_hex("70b3d57ed0ffff01")), says_app_eui=True
        ),
        at=AT,
        randomness=random.Random(1),
    ),
    "join_accepted": join_notice(
        "join_accepted",
        DEVICE,
        accept_details(DEVICE.dev_eui, DevAddr.from_hex("26011bda"), NetID.from_hex("000000")),
        at=AT,
        randomness=random.Random(1),
    ),
    "failed": delivery_notice(
        Status(
            kind="failed",
            message_id="6011dd36-0043d6eb-0072-0008",
            at=AT,
            fport=5,
            confirmed=True,
            fcnt_down=17,
            gateway_eui=GATEWAY,
            attempts=3,
            reason="NotAcknowledged",
            detail="tried 3 times, and not acknowledged",
        ),
        DEVICE,
        randomness=random.Random(1),
    ),
}


def told(heading: str) -> str:
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[str]:
    """First cells of tables that are a name in code."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_event_has_its_topic_there_and_no_other() -> None:
    found: dict[str, set[str]] = {}
    pattern = r"\| `(\w+)/\{?([\w,]+)\}?/lorawan/(wireless_\w+)` \|"
    for event, kinds, _ in re.findall(pattern, told("Which events there are")):
        found.setdefault(event, set()).update(kinds.split(","))
    assert found == {event: set(kinds) for event, kinds in KINDS.items()}
    assert ROOT in TEXT


@pytest.mark.parametrize("kind", NOTICES)
def test_an_example_is_what_is_published(kind: str) -> None:
    examples: list[dict[str, Any]] = [
        json.loads(text) for text in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    ]
    [shown] = [one for one in examples if one["eventType"] == kind]
    assert {**json.loads(NOTICES[kind].document), "eventId": "…"} == shown


def test_the_topics_below_are_those_that_are_published() -> None:
    for notice in NOTICES.values():
        root, *below = notice.topics
        for topic in below:
            name = topic.removeprefix(f"{root}/").partition("/")[0]
            assert f"/{name}/" in told("Which events there are")


def test_every_status_and_every_reason_has_a_row() -> None:
    listed = set(rows(told("What becomes of a message"))) - {"eventType", "Reason"}
    assert listed == {*get_args(DeliveryStatus), *get_args(FailureReason)}


def test_every_member_of_a_message_has_a_row() -> None:
    listed = [row for row in rows(told("Messages to devices")) if "/" not in row]
    assert set(listed) - {"member", "topic"} == set(Request.__struct_encode_fields__)


def test_settings_and_figures_are_there_by_these_names() -> None:
    named = set(re.findall(r"`(mqtt\.[a-z_]+)", TEXT))
    assert len(named) >= 7
    assert named <= set(settings())
    assert f"bittern/devices/NAME/{mqtt_downlinks.DOWN}/{mqtt_downlinks.ACCEPTED}" in TEXT
    assert f"bittern/devices/NAME/{mqtt_downlinks.DOWN}/{mqtt_downlinks.REJECTED}" in TEXT
    assert Mqtt().downlink_prefix == "bittern/devices"
    assert f"{notifier.KEPT:,}" in TEXT
    assert f"{LONGEST_PAYLOAD} bytes" in TEXT
    assert ATTEMPTS == 3 and "three times" in TEXT


def test_the_switches_are_told_as_they_stand() -> None:
    found = {name: state == "on" for state, name in re.findall(r"(on|off); `mqtt\.(\w+)`", TEXT)}
    assert found == {
        "connection_events": Mqtt().connection_events,
        "join_events": Mqtt().join_events,
        "delivery_events": Mqtt().delivery_events,
    }
