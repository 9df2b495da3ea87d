from __future__ import annotations

import pytest

from bittern.store.notes import Note
from bittern.types import EUI64, DevEUI, Instant

DEV_EUI = "70b3d57ed0000001"
KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def device(bittern) -> str:
    bittern.done("device", "add", DEV_EUI, "--app-key", KEY, "--name", "meter")
    return DEV_EUI


def queued(bittern, dev_eui: str = DEV_EUI):
    return bittern.stored(lambda store: store.queued(DevEUI(EUI64.from_hex(dev_eui))))


def test_list_is_a_table_and_json(bittern, device: str) -> None:
    bittern.done(
        *("device", "add", "70b3d57ed0000002", "--dev-addr", "26011bda", "--region", "US915"),
        *("--nwk-s-key", KEY, "--app-s-key", KEY, "--class", "C"),
    )
    lines = bittern.done("device", "list").stdout.splitlines()
    assert lines[1].split() == [device, "OTAA", "1.0.3", "EU868", "A", "default", "meter"]
    assert lines[2].split() == ["70b3d57ed0000002", "ABP", "1.0.3", "US915", "C", "default"]
    first, second = bittern.done("device", "list", "--json").json
    assert (first["activation"], first["join_eui"]) == ("otaa", "0" * 16)
    assert (second["activation"], second["dev_addr"]) == ("abp", "26011bda")


def test_list_goes_on_past_a_page(bittern, device: str) -> None:
    async def add_many(store) -> None:
        import msgspec

        model = await store.device(DevEUI(EUI64.from_hex(device)))
        for number in range(2, 302):
            dev_eui = DevEUI(EUI64.from_int(int(model.dev_eui) - 1 + number))
            await store.add_device(
                msgspec.structs.replace(model, dev_eui=dev_eui, id=f"device {number}")
            )

    bittern.stored(add_many)
    assert len(bittern.done("device", "list", "--json").json) == 301


def test_keys_are_shown_only_when_asked_for(bittern, device: str) -> None:
    for arguments in ((), ("--json",)):
        shown = bittern.done("device", "show", device, *arguments)
        assert KEY not in shown.stdout + shown.stderr
        assert KEY in bittern.done("device", "show", device, "--reveal-keys", *arguments).stdout


def test_show_tells_sessions_and_queue(bittern) -> None:
    bittern.done(
        *("device", "add", DEV_EUI, "--dev-addr", "26011bda", "--fcnt-start", "7"),
        *("--nwk-s-key", KEY, "--app-s-key", KEY),
    )
    bittern.done("device", "send", DEV_EUI, "--payload", "01", "--fport", "5")
    shown = bittern.done("device", "show", DEV_EUI, "--json").json
    (session,) = shown["sessions"]
    assert (session["dev_addr"], session["fcnt_up"], session["pending"]) == ("26011bda", 6, False)
    assert [one["payload"] for one in shown["queue"]] == ["01"]
    assert "DevAddr 26011bda" in bittern.done("device", "show", DEV_EUI).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "--payload", "01", "--fport", "5"),
        ("show",),
        ("remove",),
        ("queue",),
        ("queue", "--clear"),
    ],
)
def test_device_that_is_not_there_is_refused(bittern, device: str, arguments: tuple) -> None:
    verb, *options = arguments
    done = bittern("device", verb, "70b3d57ed00000ff", *options)
    assert (done.exit_code, done.stderr) == (1, "bittern: no device 70b3d57ed00000ff\n")


def test_queue_is_shown_and_cleared(bittern, device: str) -> None:
    for text in ("a", "b"):
        bittern.done("device", "send", device, "--text", text, "--fport", "5")
    lines = bittern.done("device", "queue", device).stdout.splitlines()
    assert [line.split()[2] for line in lines[1:]] == ["61", "62"]
    assert "2 removed" in bittern.done("device", "queue", device, "--clear").stderr
    assert bittern.done("device", "queue", device, "--json").json == []


def test_removed_device_takes_its_queue_with_it(bittern, device: str) -> None:
    bittern.done("device", "send", device, "--text", "x", "--fport", "5")
    bittern.done("device", "remove", device)
    assert bittern("device", "show", device).exit_code == 1
    assert queued(bittern) == []


def test_what_was_said_of_a_removed_device_goes_with_it(bittern) -> None:
    bittern.done("device", "add", "70b3d57ed0000007", "--app-key", "00" * 16)
    shown = bittern.done("device", "show", "70b3d57ed0000007", "--json").json
    name = f"WirelessDevice/{shown['id']}"

    async def tagged(store) -> None:
        note = Note(kind="tags", name=name, at=Instant(0), body='{"a":"b"}')
        await store.put_notes(note)

    bittern.stored(tagged)
    bittern.done("device", "remove", "70b3d57ed0000007")
    assert bittern.stored(lambda store: store.note("000000000000", "tags", name)) is None
