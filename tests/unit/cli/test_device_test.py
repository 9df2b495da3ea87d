from __future__ import annotations

import json

from bittern.store.rule_records import DeadLetterFilter

DEV_EUI = "70b3d57ed0000001"


def test_hello_is_owed_to_the_destination(bittern) -> None:
    bittern.done("device", "add", DEV_EUI, "--app-key", "00112233445566778899aabbccddeeff")
    message_id = bittern.done("device", "test", DEV_EUI).stdout.strip()
    told = bittern.done("device", "test", DEV_EUI, "--json").json
    first, second = bittern.stored(lambda store: store.owed(0, 10))
    assert (first.message_id, second.message_id) == (message_id, told["message_id"])
    assert (first.destination, told["destination"]) == ("default", "default")
    assert json.loads(first.document)["PayloadData"] == "SGVsbG8="
    assert bytes.fromhex(told["payload"]) == b"Hello"
    # What runs elsewhere hears of it by the change feed.
    changes = bittern.stored(lambda store: store.changes(0))
    assert [one.identity for one in changes if one.kind == "replay"] == ["", ""]
    assert bittern.stored(lambda store: store.dead_letters(DeadLetterFilter())) == []


def test_an_unknown_device_is_told(bittern) -> None:
    bittern.done("device", "add", DEV_EUI, "--app-key", "00112233445566778899aabbccddeeff")
    failed = bittern("device", "test", "70b3d57ed00000ff")
    assert (failed.exit_code, failed.stderr) == (1, "bittern: no device 70b3d57ed00000ff\n")
