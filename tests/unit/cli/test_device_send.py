"""Bytes for a device, and objects that its codec makes bytes of."""

from __future__ import annotations

import re

import pytest

from bittern.types import EUI64, DevEUI

DEV_EUI = "70b3d57ed0000001"
KEY = "00112233445566778899aabbccddeeff"
SCRIPT = """
function encodeDownlink(input) {
  if (input.data.valve === undefined) return { errors: ["no valve"] };
  if (input.data.valve === "broken") return nothing.there;
  return {
    bytes: [input.data.valve === "open" ? 1 : 0],
    fPort: input.fPort || input.data.port,
    warnings: ["it may take a while"],
  };
}
"""


@pytest.fixture
def device(bittern) -> str:
    bittern.done("device", "add", DEV_EUI, "--app-key", KEY, "--name", "meter")
    return DEV_EUI


@pytest.fixture
def valve(bittern, tmp_path) -> str:
    """A device whose profile names a codec."""
    script = tmp_path / "valve.js"
    script.write_text(SCRIPT)
    bittern.done("codec", "add", "valve", "--file", str(script))
    bittern.done("device", "add", DEV_EUI, "--app-key", KEY, "--codec", "valve")
    return DEV_EUI


def queued(bittern, dev_eui: str = DEV_EUI):
    return bittern.stored(lambda store: store.queued(DevEUI(EUI64.from_hex(dev_eui))))


@pytest.mark.parametrize(
    ("arguments", "payload"),
    [
        (("--payload", "0A0b"), b"\x0a\x0b"),
        (("--payload", ""), b""),
        (("--base64", "AQI="), b"\x01\x02"),
        (("--text", "grün"), "grün".encode()),
    ],
)
def test_sent_payload_is_queued(bittern, device: str, arguments: tuple, payload: bytes) -> None:
    done = bittern.done("device", "send", device, "--fport", "5", *arguments)
    message_id = done.stdout.strip()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", message_id)
    (waiting,) = queued(bittern)
    assert (waiting.message_id, waiting.payload) == (message_id, payload)
    assert (waiting.fport, waiting.confirmed) == (5, False)


def test_confirmed_payload_is_queued_as_such(bittern, device: str) -> None:
    done = bittern.done(
        "device", "send", device, "--fport", "1", "--text", "x", "--confirmed", "--json"
    )
    assert done.json["confirmed"]
    assert [one.confirmed for one in queued(bittern)] == [True]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--payload", "01", "--text", "x"),
        ("--payload", "0"),
        ("--payload", "xx"),
        ("--base64", "!!"),
        ("--text", "x" * 243),
        ("--payload", "01", "--fport", "0"),
        ("--payload", "01", "--fport", "224"),
    ],
)
def test_payload_that_cannot_be_sent_is_wrong_usage(bittern, device: str, arguments: tuple) -> None:
    done = bittern("device", "send", device, "--fport", "5", *arguments)
    assert done.exit_code == 2
    assert queued(bittern) == []


def test_an_object_is_encoded_by_the_codec_of_the_device(bittern, valve: str) -> None:
    done = bittern.done("device", "send", valve, "--object", '{"valve": "open", "port": 7}')
    bittern.done("device", "send", valve, "--object", '{"valve": "shut"}', "--fport", "9")
    assert [(one.payload, one.fport) for one in queued(bittern)] == [(b"\x01", 7), (b"\x00", 9)]
    assert "warning: it may take a while" in done.stderr


@pytest.mark.parametrize(
    ("object_text", "exit_code", "told"),
    [
        ("{", 1, "no JSON"),
        ('{"door": 1}', 1, "no valve"),
        ('{"valve": "broken"}', 1, "valve:4:"),
        ('{"valve": "open"}', 2, "--fport"),
        ('{"valve": "open", "port": 224}', 2, "224, of the codec"),
    ],
)
def test_an_object_that_makes_no_message_is_told(
    bittern, valve: str, object_text: str, exit_code: int, told: str
) -> None:
    done = bittern("device", "send", valve, "--object", object_text)
    assert done.exit_code == exit_code
    assert told in done.stderr
    assert queued(bittern) == []


def test_a_message_may_expire(bittern, device: str) -> None:
    bittern.done("device", "send", device, "--text", "x", "--fport", "1", "--expires-in", "60")
    (waiting,) = queued(bittern)
    assert waiting.expires_at == pytest.approx(waiting.queued_at + 60)


def test_an_object_needs_a_codec(bittern, device: str) -> None:
    done = bittern("device", "send", device, "--object", "{}", "--fport", "1")
    assert done.exit_code == 2
    assert "names no codec" in done.stderr


def test_a_payload_needs_a_port_and_a_device(bittern, device: str) -> None:
    done = bittern("device", "send", device, "--payload", "01")
    assert done.exit_code == 2
    assert "--fport" in done.stderr
    done = bittern("device", "send", "70b3d57ed00000ff", "--object", "{}")
    assert (done.exit_code, done.stderr) == (1, "bittern: no device 70b3d57ed00000ff\n")
