from __future__ import annotations

from typing import Any

import pytest

from bittern.outputs.parts import part_of
from bittern.store.rule_records import DeadLetterFilter
from bittern.testing.examples import dead_letter, delivery, dev_eui


@pytest.fixture
def letters(bittern) -> None:
    bittern.done("destination", "add", "plant", "--topic", "plant/up")
    part = part_of(delivery(1, sequence=1), dead_letter().lane, "plant/up")
    kept = [
        dead_letter(1, document=part.with_envelope().document),
        dead_letter(2, lane="", rule="doors", document=b"\xff", reason="rule_not_found"),
        dead_letter(3, lane="", dev_eui=dev_eui(7), document=b"{}"),
    ]
    bittern.stored(lambda store: store.settle(letters=kept))


def left(bittern: Any) -> list[int]:
    found = bittern.stored(lambda store: store.dead_letters(DeadLetterFilter()))
    return [one.owed_as for one in found]


def test_dead_letters_are_listed_and_filtered(bittern, letters: None) -> None:
    lines = bittern.done("dead-letter", "list").stdout.splitlines()
    assert lines[0].split() == [
        *("NUMBER", "FAILED", "DEVEUI", "DESTINATION", "RULE", "ACTION", "REASON"),
    ]
    assert "rejected: 404 Not Found" in lines[1]
    (one,) = bittern.done("dead-letter", "list", "--rule", "doors", "--json").json
    assert (one["number"], one["reason"], one["attempts"]) == (2, "rule_not_found", 1)
    (one,) = bittern.done("dead-letter", "list", "--dev-eui", str(dev_eui(7)), "--json").json
    assert one["number"] == 3
    assert len(bittern.done("dead-letter", "list", "--limit", "2", "--json").json) == 2


def test_without_dead_letters_that_is_said(bittern) -> None:
    bittern.done("destination", "add", "plant", "--topic", "plant/up")
    assert "no dead letters" in bittern.done("dead-letter", "list").stderr


def test_a_dead_letter_is_shown_with_its_message(bittern, letters: None) -> None:
    shown = bittern.done("dead-letter", "show", "1").json
    assert (shown["message"], shown["topic"]) == ({"PayloadData": "aGVsbG8="}, "plant/up")
    assert bittern.done("dead-letter", "show", "2").json["message"] == {"base64": "/w=="}
    done = bittern("dead-letter", "show", "9")
    assert (done.exit_code, done.stderr) == (1, "bittern: no dead letter 9\n")


def test_dead_letters_are_replayed_where_they_failed(bittern, letters: None) -> None:
    done = bittern.done("dead-letter", "replay", "1", "2")
    assert "2 dead letters replayed" in done.stderr
    assert left(bittern) == [3]
    assert bittern.stored(lambda store: store.lanes()) == [dead_letter().lane]
    assert len(bittern.stored(lambda store: store.owed(0, 10))) == 1


def test_dead_letters_are_dropped_by_what_they_are(bittern, letters: None) -> None:
    assert (
        "1 dead letter dropped"
        in bittern.done("dead-letter", "drop", "--all", "--rule", "doors").stderr
    )
    assert left(bittern) == [1, 3]
    bittern.done("dead-letter", "drop", "--all")
    assert left(bittern) == []
    assert bittern("dead-letter", "drop", "1").exit_code == 1


@pytest.mark.parametrize("line", [(), ("1", "--all"), ("1", "--rule", "r"), ("--rule", "r")])
def test_what_is_meant_must_be_clear(bittern, letters: None, line: tuple[str, ...]) -> None:
    assert bittern("dead-letter", "drop", *line).exit_code == 2
    assert left(bittern) == [1, 2, 3]
