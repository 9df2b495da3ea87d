"""Messages to devices, as programs publish them."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import re
from typing import Any

import msgspec
import pytest

from bittern.api import device_messages as module
from bittern.api.device_messages import DeviceMessages, read
from bittern.api.errors import ApiError
from bittern.api.operations import Endpoints, Services
from bittern.errors import CodecError
from bittern.outputs.codecs.desk import Downlink
from bittern.store.records import QueuedDownlink
from bittern.testing import examples
from bittern.testing.examples import DEV_EUI, NOW
from bittern.testing.memory_store import MemoryStore

NORTH = "111122223333"


class Codecs:
    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.delay_s = 0.0

    async def encode(self, account: str, codec: str, data: bytes, fport: int | None) -> Downlink:
        self.asked.append((account, codec, data, fport))
        await asyncio.sleep(self.delay_s)
        if b"door" in data:
            raise CodecError("no valve", kind="script")
        return Downlink(b"\x01", fport or 7)


class Desk:
    def __init__(self) -> None:
        self.store, self.codecs = MemoryStore(), Codecs()
        services = Services(
            store=self.store,
            now=lambda: NOW,
            randomness=random.Random(1),
            secret=bytes(32),
            authority=lambda: None,  # type: ignore[arg-type, return-value]
            endpoints=Endpoints("https://cups.example:443", "wss://lns.example:8887"),
        )
        self.messages = DeviceMessages(services, self.codecs, "eu-west-1")

    async def queue(self, name: str = str(DEV_EUI), **members: Any) -> str:
        return await self.messages.queue(name, read(json.dumps(members).encode()))

    async def queued(self) -> list[QueuedDownlink]:
        return await self.store.queued(DEV_EUI)


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await examples.register(made.store)
    return made


PAYLOAD = base64.b64encode(b"open").decode()


@pytest.mark.parametrize("name", [str(DEV_EUI), str(DEV_EUI).upper(), examples.device().id])
async def test_a_message_is_queued_by_either_name(desk: Desk, name: str) -> None:
    message_id = await desk.queue(name, PayloadData=PAYLOAD, FPort=5, TransmitMode=1)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", message_id)
    [queued] = await desk.queued()
    assert (queued.message_id, queued.payload) == (message_id, b"open")
    assert (queued.fport, queued.confirmed) == (5, True)


async def test_the_members_of_the_api_say_the_same(desk: Desk) -> None:
    await desk.store.add_gateway(examples.GATEWAY)
    chosen = {
        "DownlinkMode": "CONCURRENT",
        "GatewayList": [{"GatewayId": examples.GATEWAY.id, "DownlinkFrequency": 869525000}],
        "TransmissionInterval": 5,
    }
    lorawan = {"FPort": 5, "ParticipatingGateways": chosen}
    await desk.queue(PayloadData=PAYLOAD, WirelessMetadata={"LoRaWAN": lorawan})
    [queued] = await desk.queued()
    assert queued.participating is not None
    assert (queued.fport, queued.participating.mode) == (5, "CONCURRENT")
    assert not queued.confirmed


async def with_codec(desk: Desk) -> None:
    profile = msgspec.structs.replace(
        examples.DEVICE_PROFILE, id="valves", codec="valve", account=NORTH
    )
    await desk.store.add_device_profile(profile)
    await desk.store.replace_device(examples.device(device_profile_id="valves"))


async def test_an_object_is_encoded_by_the_codec_of_the_devices_own_account(desk: Desk) -> None:
    await with_codec(desk)
    await desk.queue(Object={"valve": "open"})
    await desk.queue(Object={"valve": "open"}, FPort=9)
    assert [(one.payload, one.fport) for one in await desk.queued()] == [(b"\x01", 7), (b"\x01", 9)]
    account, codec, data, fport = desk.codecs.asked[0]
    assert (account, codec, fport) == (NORTH, "valve", None)
    assert json.loads(data) == {"valve": "open"}  # type: ignore[arg-type]


async def test_a_message_with_a_token_is_queued_once(desk: Desk) -> None:
    message = {"PayloadData": PAYLOAD, "FPort": 5, "ClientRequestToken": "a-1"}
    first = await desk.queue(**message)
    assert await desk.queue(**message) == first
    assert await desk.queue(**{**message, "ClientRequestToken": "a-2"}) != first
    assert len(await desk.queued()) == 2


async def test_a_message_may_expire(desk: Desk) -> None:
    await desk.queue(PayloadData=PAYLOAD, FPort=5, ExpiresIn=60)
    await desk.queue(PayloadData=PAYLOAD, FPort=5)
    assert [one.expires_at for one in await desk.queued()] == [NOW + 60, None]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "either PayloadData or an Object"),
        ({"PayloadData": PAYLOAD, "Object": {}}, "either PayloadData or an Object"),
        ({"PayloadData": PAYLOAD}, "fPort"),
        ({"PayloadData": PAYLOAD, "FPort": 0}, "fPort"),
        ({"PayloadData": PAYLOAD, "FPort": 224}, "fPort"),
        ({"PayloadData": PAYLOAD, "FPort": "5"}, "`$.FPort`"),
        ({"PayloadData": "!!", "FPort": 5}, "payloadData"),
        ({"PayloadData": base64.b64encode(bytes(243)).decode(), "FPort": 5}, "242 bytes"),
        ({"PayloadData": PAYLOAD, "FPort": 5, "TransmitMode": 2}, "transmitMode"),
        ({"PayloadData": PAYLOAD, "FPort": 5, "Priority": 1}, "Priority"),
        ({"PayloadData": PAYLOAD, "FPort": 5, "ExpiresIn": 0}, "ExpiresIn"),
        ({"PayloadData": PAYLOAD, "FPort": 5, "ClientRequestToken": "a b"}, "ClientRequestToken"),
        (
            {"PayloadData": PAYLOAD, "FPort": 5, "WirelessMetadata": {"LoRaWAN": {"FPort": 6}}},
            "two values of FPort",
        ),
        ({"Object": {"valve": "open"}}, "names no codec"),
    ],
)
async def test_bad_input_is_told_with_its_place(
    desk: Desk, members: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ApiError) as refused:
        await desk.queue(**members)
    assert refused.value.code == "ValidationException"
    assert expected in refused.value.message
    assert await desk.queued() == []


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_refused(document: bytes) -> None:
    with pytest.raises(ApiError):
        read(document)


@pytest.mark.parametrize("name", ["nobody", "ffffffffffffffff"])
async def test_a_device_must_be_there(desk: Desk, name: str) -> None:
    with pytest.raises(ApiError) as refused:
        await desk.queue(name, PayloadData=PAYLOAD, FPort=5)
    assert refused.value.code == "ResourceNotFoundException"


async def test_a_gateway_must_be_of_the_devices_account(desk: Desk) -> None:
    await desk.store.add_gateway(msgspec.structs.replace(examples.GATEWAY, account=NORTH))
    chosen = {
        "DownlinkMode": "CONCURRENT",
        "GatewayList": [{"GatewayId": examples.GATEWAY.id, "DownlinkFrequency": 869525000}],
        "TransmissionInterval": 5,
    }
    with pytest.raises(ApiError) as refused:
        lorawan = {"FPort": 5, "ParticipatingGateways": chosen}
        await desk.queue(PayloadData=PAYLOAD, WirelessMetadata={"LoRaWAN": lorawan})
    assert refused.value.members["ResourceType"] == "WirelessGateway"


async def test_what_the_codec_says_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_codec(desk)
    with pytest.raises(ApiError, match="codec valve: no valve"):
        await desk.queue(Object={"door": "open"})
    monkeypatch.setattr(module, "ENCODE_S", 0.01)
    desk.codecs.delay_s = 30.0
    with pytest.raises(ApiError, match="no answer"):
        await desk.queue(Object={"valve": "open"})
