from __future__ import annotations

import base64

import pytest

# From the documentation of lora-packet, an implementation that is not ours.
FRAME = "40f17dbe4900020001954378762b11ff0d"
NWK_S_KEY = "44024241ed4ce9a68c6a8bc055233fd3"
APP_S_KEY = "ec925802ae430ca77fd3dd73cb2cc588"
KEYS = ("--nwk-s-key", NWK_S_KEY, "--app-s-key", APP_S_KEY)


@pytest.mark.parametrize(
    "spelling",
    [
        FRAME,
        FRAME.upper(),
        f"0x{FRAME}",
        "40 f1 7d be 49 00 02 00 01 95 43 78 76 2b 11 ff 0d",
        base64.b64encode(bytes.fromhex(FRAME)).decode(),
    ],
)
def test_frame_is_read_as_hexadecimal_or_base64(bittern, spelling: str) -> None:
    tree = bittern.done("frame", "decode", spelling, "--json").json
    assert tree["MHDR"]["MType"] == "UnconfirmedDataUp"
    assert tree["MACPayload"]["FHDR"]["DevAddr"] == "49be7df1"


def test_frame_is_read_from_standard_input(bittern) -> None:
    done = bittern.done("frame", "decode", "-", "--json", stdin=f"{FRAME}\n")
    assert done.json["MACPayload"]["FHDR"]["FCnt"] == 2


def test_keys_open_the_payload_and_prove_the_mic(bittern) -> None:
    tree = bittern.done("frame", "decode", FRAME, *KEYS, "--json").json
    assert tree["DecryptedFRMPayload"] == b"test".hex()
    assert tree["MIC"] == {"Value": "2b11ff0d", "Valid": True}


def test_person_sees_a_tree(bittern) -> None:
    lines = bittern.done("frame", "decode", FRAME, *KEYS).stdout.splitlines()
    assert lines[0] == "UnconfirmedDataUp"
    assert "│   │   ├── DevAddr 49be7df1" in lines
    assert "│   └── Valid yes" in lines
    assert lines[-1] == "└── DecryptedFRMPayload 74657374 'test'"


def test_wrong_counter_is_found_out(bittern) -> None:
    done = bittern.done("frame", "decode", FRAME, *KEYS, "--fcnt-msb", "1")
    assert "Valid NO" in done.stdout
    assert "right with fcnt_msb 0" in done.stdout


def test_without_keys_it_says_which_are_needed(bittern) -> None:
    done = bittern.done("frame", "decode", FRAME)
    assert "Valid cannot be told" in done.stdout
    assert "give app_s_key" in done.stdout


def test_mac_commands_are_named_with_their_fields(bittern) -> None:
    """LinkADRAns 0x07 in FOpts."""
    frame = "40f17dbe490202000307" + "00000000"
    done = bittern.done("frame", "decode", frame)
    assert "LinkADRAns 0x03 in FOpts" in done.stdout
    (command,) = bittern.done("frame", "decode", frame, "--json").json["MACCommands"]
    assert command["Command"] == "LinkADRAns"


def test_join_accept_is_opened_by_the_app_key(bittern) -> None:
    """The first join-accept of tests/vectors/lorawan.json."""
    frame, key = "20b352c54c8573ec1c5c6c1313e704ea9b", "4c915b36b312d470add60735c4ee2f9d"
    tree = bittern.done("frame", "decode", frame, "--app-key", key, "--json").json
    assert tree["MIC"]["Valid"] is True
    assert tree["MACPayload"]["DevAddr"] == "0bebb4f5"
    assert tree["MACPayload"]["JoinNonce"] == 12796769


def test_wrong_root_key_of_a_join_request_is_told(bittern) -> None:
    request = "00dc0000d07ed5b3701e6fedf57ceeaf0085cc587fe913"
    done = bittern.done("frame", "decode", request, "--app-key", "00" * 16)
    assert "DevEUI 00afee7cf5ed6f1e" in done.stdout
    assert "Valid NO" in done.stdout


def test_keys_are_never_shown(bittern) -> None:
    for arguments in (("--json",), ()):
        done = bittern.done("frame", "decode", FRAME, *KEYS, *arguments)
        assert NWK_S_KEY not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [("40f1", "of 2 bytes"), ("41" + "00" * 20, "Major"), ("00" * 22, "of 22 bytes")],
)
def test_what_is_no_frame_is_refused_with_the_reason(bittern, text: str, reason: str) -> None:
    done = bittern("frame", "decode", text)
    assert done.exit_code == 1
    assert done.stderr.startswith("bittern: ")
    assert reason in done.stderr


@pytest.mark.parametrize("text", ["not a frame", "40f", "==="])
def test_what_is_no_bytes_is_wrong_usage(bittern, text: str) -> None:
    assert bittern("frame", "decode", text).exit_code == 2
