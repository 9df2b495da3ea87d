from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bittern.cli.gateway_text import (
    _duration,
    connection_told,
    cups_told,
    firmware_told,
    is_over,
    last_seen,
    refusal_told,
    registration_told,
    state_word,
)
from bittern.store.gateway_records import GatewayRefusal, GatewayState
from bittern.testing.examples import (
    CONNECTION,
    CUPS_CONTACT,
    FIRMWARE,
    FIRMWARE_TASK,
    GATEWAY,
    GATEWAY_EUI,
    NOW,
    REFUSED,
)
from bittern.types import Instant, Refusal

LATER = Instant(NOW + 3700)


def replaced(record: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(record, **changes)


def test_what_is_not_as_usual_is_told_of_the_registration() -> None:
    usual = registration_told(GATEWAY)
    assert not {"boards", "beacons", "remote", "LNS to be at"} & set(usual)
    told = registration_told(
        replaced(GATEWAY, boards=2, beaconing=False, remote_shell=True, lns_uri="wss://a:1")
    )
    assert (told["boards"], told["beacons"], told["remote"]) == ("2", "none", "a shell")
    assert told["LNS to be at"] == "wss://a:1"


def test_connection_is_told_with_how_long_it_lasts() -> None:
    told = connection_told(CONNECTION, True, LATER)
    assert told["connection"].startswith("connected since ")
    assert told["connection"].endswith("(1 h 1 min)")
    assert told["station"] == "2.0.6(linux/std)"
    assert told["so far"].startswith("12 messages received, of these 9 frames handed on")


def test_end_of_a_connection_is_told_with_its_reason() -> None:
    ended = replaced(CONNECTION, connected=False, reason="it does not answer pings")
    assert connection_told(ended, True, LATER)["connection"].endswith(
        "(1 h 1 min): it does not answer pings"
    )


def test_connection_is_in_doubt_while_no_server_runs() -> None:
    assert connection_told(CONNECTION, False, LATER)["connection"].startswith("no server runs")
    assert state_word(CONNECTION, False) == "no server"


def test_gateway_that_never_came_is_told() -> None:
    assert connection_told(None, True, NOW) == {"connection": "has never connected to the LNS"}
    assert cups_told(None, NOW) == {"CUPS": "has never asked CUPS"}
    assert last_seen(GatewayState()) is None


def test_last_seen_is_the_latest_of_all() -> None:
    assert last_seen(GatewayState(connection=CONNECTION)) == NOW + 60.5
    assert last_seen(GatewayState(cups=replaced(CUPS_CONTACT, at=LATER))) == LATER


def test_what_cups_gave_and_withheld_is_told() -> None:
    told = cups_told(CUPS_CONTACT, LATER)
    assert told["CUPS"].endswith("(1 h 1 min ago)")
    assert told["was given"].startswith("the address of the LNS wss://lns.example:8887, ")
    assert told["was given"].endswith("2 times: not in use yet")
    assert told["withheld"] == "update: it waits for its turn"


@pytest.mark.parametrize("with_definition", [True, False])
def test_firmware_task_is_told(with_definition: bool) -> None:
    task = replaced(FIRMWARE_TASK, status="SECOND_RETRY", reason="it runs 1.0.0 still")
    told = firmware_told(task, FIRMWARE if with_definition else None)
    assert told["firmware"] == ("package 1.1.0" if with_definition else task.definition_id)
    assert told[""].startswith("sent a third time (SECOND_RETRY since ")
    assert told["because"] == "it runs 1.0.0 still"
    assert firmware_told(None, None) == {}


def test_refusal_is_told_with_its_cure() -> None:
    told = refusal_told(GATEWAY_EUI, GatewayState(refusal=REFUSED))
    assert told["last refusal"].startswith("station_too_old at the LNS, ")
    assert told["reason"] == REFUSED.reason
    assert told["what to do"].startswith("Update Basics Station")


@pytest.mark.parametrize(
    ("place", "state", "over"),
    [
        ("lns", {"connection": replaced(CONNECTION, changed_at=LATER)}, True),
        ("lns", {"connection": replaced(CONNECTION, changed_at=LATER, connected=False)}, False),
        ("lns", {"connection": replaced(CONNECTION, changed_at=Instant(NOW - 1))}, False),
        ("lns", {"cups": replaced(CUPS_CONTACT, at=LATER)}, False),
        ("cups", {"cups": replaced(CUPS_CONTACT, at=LATER)}, True),
        ("cups", {"connection": replaced(CONNECTION, changed_at=LATER)}, False),
    ],
)
def test_refusal_is_over_when_the_same_place_has_let_it_in(
    place: Any, state: dict[str, Any], over: bool
) -> None:
    refused = GatewayRefusal(
        at=NOW, place=place, refusal=Refusal.CERTIFICATE_EXPIRED, reason="expired"
    )
    now = GatewayState(refusal=refused, **state)
    assert is_over(refused, now) is over
    assert refusal_told(GATEWAY_EUI, now)["what to do"].startswith("Nothing") is over


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_duration_is_told_in_two_units(seconds: float, told: str) -> None:
    assert _duration(seconds) == told
