"""The lines of the control socket, as they are documented."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bittern.gateway.lns_messages import ShellSession
from bittern.servers.control_messages import (
    Answer,
    AskShells,
    End,
    Ended,
    Opened,
    OpenShell,
    Output,
    Refused,
    Request,
    RunOnGateway,
    Sent,
    Shells,
    TypeIn,
    decode_answer,
    decode_input,
    decode_request,
    encode_line,
)
from bittern.types import EUI64, GatewayEUI

EUI = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
REQUESTS: list[Request] = [
    RunOnGateway(gateway=EUI, command="reboot", arguments=("-f",)),
    OpenShell(gateway=EUI, term="xterm"),
    AskShells(gateway=EUI),
]
ANSWERS: list[Answer] = [
    Sent(),
    Opened(1),
    Output(b"\x00\xff"),
    Ended("why"),
    Shells((ShellSession(user="ann", started=True, pid=7),)),
    Refused("why"),
]


def test_a_request_reads_as_it_is_documented() -> None:
    assert json.loads(encode_line(REQUESTS[0])) == {
        "do": "run",
        "gateway": "0016c001ff000001",
        "command": "reboot",
        "arguments": ["-f"],
    }
    assert encode_line(TypeIn(b"ls\n")) == b'{"do":"type","data":"bHMK"}\n'
    assert encode_line(Opened(0)) == b'{"say":"opened","session":0}\n'


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_survives_its_way(request_: Request) -> None:
    assert decode_request(encode_line(request_)) == request_


@pytest.mark.parametrize("said", [TypeIn(b"\x00\x1b"), End()])
def test_input_survives_its_way(said: TypeIn | End) -> None:
    assert decode_input(encode_line(said)) == said


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_survives_its_way(answer: Answer) -> None:
    line = encode_line(answer)
    assert line.endswith(b"\n")
    assert decode_answer(line) == answer


@given(st.binary())
def test_any_line_is_a_request_or_a_mistake(line: bytes) -> None:
    for decode in (decode_request, decode_input):
        try:
            decode(line)
        except (ValueError, RecursionError):
            continue


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"do":"run","gateway":"1","command":"x"}', b'{"do":"shell"}']
)
def test_half_a_request_is_a_mistake(line: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, ValueError)):
        decode_request(line)
