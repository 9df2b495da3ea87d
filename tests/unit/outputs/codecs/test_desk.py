from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from bittern.errors import CodecError, StoreUnavailable
from bittern.outputs.codecs import desk as module
from bittern.outputs.codecs.desk import REST_S, STRIKES, CodecDesk, Downlink
from bittern.types import Instant

ACCOUNT = "000000000000"
AT = Instant(1580702706.789)


@dataclass
class Codec:
    script: str


@dataclass
class Store:
    codecs: dict[str, Codec] = field(default_factory=lambda: {"meter": Codec("source")})
    away: bool = False
    asked: int = 0

    async def codec(self, account: str, name: str) -> Codec | None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("disk full")
        return self.codecs.get(name) if account == ACCOUNT else None


@dataclass
class Caller:
    """Answers what it was told to."""

    answer: Any = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)

    async def call_known(self, name: str, source: str, function: str, argument: str) -> bytes:
        self.calls.append((source, function, json.loads(argument)))
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer == "never":
            await asyncio.Event().wait()
        return json.dumps(self.answer).encode()


class Desk:
    def __init__(self) -> None:
        self.store, self.caller, self.now = Store(), Caller(), 0.0
        self.desk = CodecDesk(self.store, self.caller, clock=lambda: self.now)

    async def told(self, codec: str = "meter", payload: bytes = b"\x01\xff") -> Any:
        return json.loads(await self.desk.decoded_payload(ACCOUNT, codec, payload, 7, AT))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_script_is_given_what_ts013_says_and_its_data_are_told(desk: Desk) -> None:
    desk.caller.answer = {"data": {"level": 1.5}, "warnings": ["low"]}
    assert await desk.told() == {
        "Codec": "meter",
        "FPort": 7,
        "Data": {"level": 1.5},
        "Warnings": ["low"],
        "Errors": [],
    }
    argument = {"bytes": [1, 255], "fPort": 7, "recvTime": "2020-02-03T04:05:06.789Z"}
    assert desk.caller.calls == [("source", "decodeUplink", argument)]
    assert (desk.desk.decoded, desk.desk.failed) == (1, 0)


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        ({"errors": ["too short"]}, ["too short"]),
        ({"data": {"a": 1}, "errors": ["too short"]}, ["too short"]),
        ({"errors": "text"}, ["text"]),
        ({"errors": [{"code": 3}, None]}, ['{"code":3}', "null"]),
        ({}, ["it gives neither data nor errors"]),
        ({"data": None}, ["it gives neither data nor errors"]),
        (None, ["it gives no object of data, warnings and errors"]),
        ([1], ["it gives no object of data, warnings and errors"]),
        (
            CodecError("it takes too long", kind="time", place=(2, 3)),
            ["it takes too long (line 2, column 3)"],
        ),
    ],
)
async def test_without_data_there_are_errors(desk: Desk, answer: Any, errors: list[str]) -> None:
    desk.caller.answer = answer
    told = await desk.told()
    assert "Data" not in told
    assert told["Errors"] == errors
    assert desk.desk.failed == 1


async def test_warnings_stand_beside_errors_and_both_have_a_bound(desk: Desk) -> None:
    desk.caller.answer = {"errors": ["e" * 1000] * 100, "warnings": ["w"]}
    told = await desk.told()
    assert (len(told["Errors"]), len(told["Errors"][0]), told["Warnings"]) == (32, 500, ["w"])


async def test_a_codec_that_is_not_there_or_a_store_that_is_away_is_told(desk: Desk) -> None:
    assert (await desk.told("other"))["Errors"] == ["there is no codec other"]
    desk.store.away = True
    assert "disk full" in (await desk.told())["Errors"][0]


async def test_nobody_waits_for_long(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    desk.caller.answer = "never"
    assert "no answer" in (await desk.told())["Errors"][0]


async def test_a_codec_is_read_once_until_it_changes(desk: Desk) -> None:
    desk.caller.answer = {"data": 1}
    for _ in range(3):
        await desk.told()
    assert desk.store.asked == 1
    desk.store.codecs["meter"] = Codec("another")
    desk.desk.forget()
    await desk.told()
    assert desk.caller.calls[-1][0] == "another"


async def test_a_codec_that_keeps_hitting_limits_rests_and_is_tried_again(desk: Desk) -> None:
    desk.caller.answer = CodecError("it takes too long", kind="time")
    for _ in range(STRIKES + 2):
        told = await desk.told()
    assert "rests" in told["Errors"][0]
    assert len(desk.caller.calls) == STRIKES
    desk.now += REST_S
    desk.caller.answer = {"data": 1}
    assert (await desk.told())["Data"] == 1


async def test_errors_of_a_script_are_no_strikes(desk: Desk) -> None:
    desk.caller.answer = CodecError("TypeError", kind="script")
    for _ in range(STRIKES + 2):
        await desk.told()
    assert len(desk.caller.calls) == STRIKES + 2


async def test_cayenne_is_built_in(desk: Desk) -> None:
    told = await desk.told("cayenne-lpp", bytes.fromhex("03670110"))
    assert told["Data"] == {"temperature_3": 27.2}
    assert (await desk.told("cayenne-lpp", b"\x01"))["Errors"] == [
        "byte 0: a channel without a type"
    ]
    encoded = await desk.desk.encode(ACCOUNT, "cayenne-lpp", b'{"temperature_3":27.2}', 9)
    assert encoded == Downlink(bytes.fromhex("03670110"), 9)
    decoded = await desk.desk.decode_downlink(ACCOUNT, "cayenne-lpp", b"\x01\x00\x01", 9, AT)
    assert decoded.data == b'{"digital_in_1":1}'


async def test_a_downlink_is_encoded_with_the_port_that_the_codec_chose(desk: Desk) -> None:
    desk.caller.answer = {"bytes": [0, 255], "fPort": 85, "warnings": ["w"]}
    encoded = await desk.desk.encode(ACCOUNT, "meter", b'{"on":true}', 3)
    assert encoded == Downlink(b"\x00\xff", 85, ("w",))
    assert desk.caller.calls == [("source", "encodeDownlink", {"data": {"on": True}, "fPort": 3})]


@pytest.mark.parametrize(
    "answer",
    [
        {"bytes": [256]},
        {"bytes": [-1]},
        {"bytes": ["1"]},
        {"bytes": "0102"},
        {"bytes": 5},
        {"bytes": [0] * 256},
        {},
        {"bytes": [1], "fPort": 0},
        {"bytes": [1], "fPort": 256},
        {"bytes": [1], "fPort": "2"},
        {"bytes": [1], "fPort": True},
    ],
)
async def test_a_downlink_that_cannot_be_sent_is_refused(desk: Desk, answer: Any) -> None:
    desk.caller.answer = answer
    with pytest.raises(CodecError):
        await desk.desk.encode(ACCOUNT, "meter", b"{}", None)


async def test_a_downlink_is_decoded(desk: Desk) -> None:
    desk.caller.answer = {"data": {"on": True}}
    decoded = await desk.desk.decode_downlink(ACCOUNT, "meter", b"\x01", 7, AT)
    assert (decoded.data, desk.caller.calls[0][1]) == (b'{"on": true}', "decodeDownlink")


@pytest.mark.parametrize("codec", ["meter", "cayenne-lpp"])
async def test_data_that_are_no_json_are_refused(desk: Desk, codec: str) -> None:
    with pytest.raises(CodecError, match="no JSON"):
        await desk.desk.encode(ACCOUNT, codec, b'{"on":', None)
    assert desk.caller.calls == []


async def test_figures_are_counted(desk: Desk) -> None:
    desk.caller.answer = {"data": 1}
    await desk.told()
    await desk.told("other")
    assert desk.desk.statistics() == {"decoded": 1, "failed": 1}
