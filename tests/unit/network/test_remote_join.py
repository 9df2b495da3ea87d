"""A network whose devices' root keys are elsewhere, and a join server, joined without sockets."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from bittern.errors import JoinServerUnavailable
from bittern.lorawan.versions import MacVersion
from bittern.network.events import FrameRefused, JoinAnswered
from bittern.network.join_desk import JoinDesk
from bittern.network.join_server import EitherJoinServer
from bittern.network.remote_join import ATTEMPT_S, IN_TIME_S, RemoteJoinServer
from bittern.simulator.device import Joined
from bittern.store.join_records import JoinDevice, JoinPeer
from bittern.store.join_registry import JoinRegistry
from bittern.store.records import JoinServerActivation, OtaaActivation
from bittern.testing import examples
from bittern.testing.memory_store import MemoryStore
from bittern.types import EUI64, AES128Key, Instant, JoinEUI, KeyEncryptionKey, NetID, Refusal

NET_ID = NetID(bytes(3))
KEK = KeyEncryptionKey(bytes(range(16)))
VERSIONS = [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1]


class Chance:
    def __init__(self) -> None:
        self.drawn = 0

    def getrandbits(self, k: int, /) -> int:
        self.drawn += 1
        return self.drawn


class Wire:
    """The way to a join server, with what may happen on it."""

    def __init__(self, stage: Any, desk: JoinDesk) -> None:
        self._stage = stage
        self._desk = desk
        self.sent: list[bytes] = []
        self.limits: list[float] = []
        self.lost_requests = 0
        self.lost_answers = 0
        self.changed: dict[str, Any] = {}
        """Members of the answer."""
        self.takes_s = 0.0
        self._answered: dict[bytes, bytes] = {}

    async def post(self, join_eui: JoinEUI, body: bytes, limit_s: float) -> bytes:
        self.sent.append(body)
        self.limits.append(limit_s)
        if self.lost_requests:
            self.lost_requests -= 1
            self._stage.time = Instant(self._stage.time + limit_s)
            raise JoinServerUnavailable("https://js does not answer")
        if body not in self._answered:
            self._answered[body] = await self._desk.answer(body, "net")
        self._stage.time = Instant(self._stage.time + self.takes_s)
        if self.lost_answers:
            self.lost_answers -= 1
            raise JoinServerUnavailable("https://js breaks the connection")
        answer = json.loads(self._answered[body]) | self.changed
        return json.dumps({name: one for name, one in answer.items() if one is not ...}).encode()

    async def pause(self, seconds: float) -> None:
        self._stage.time = Instant(self._stage.time + seconds)


class Elsewhere:
    """A stage with a join server."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.registry = JoinRegistry(MemoryStore())
        self.wire = Wire(stage, JoinDesk(self.registry, lambda: stage.time, lambda _: None))
        self.server = RemoteJoinServer(
            stage.store,
            self.wire,
            net_id=NET_ID,
            keks={"net": KEK},
            now=lambda: stage.time,
            randomness=Chance(),
        )
        stage.join_servers = self.server
        stage.__post_init__()

    async def device(self, version: MacVersion) -> Any:
        """Registered at both, its root keys at the join server alone."""
        device = await self.stage.otaa(version)
        stored = await self.stage.store.device(self.stage.dev_eui)
        keys = stored.activation
        assert isinstance(keys, OtaaActivation)
        await self.registry.add_device(
            JoinDevice(
                dev_eui=self.stage.dev_eui,
                mac_version=version,
                keys=keys,
                net_id=NET_ID,
                created_at=examples.NOW,
            )
        )
        without = msgspec.structs.replace(
            stored, activation=JoinServerActivation(join_eui=keys.join_eui)
        )
        await self.stage.store.replace_device(without)
        await self.stage.pass_time(0)
        return device

    async def join(self, device: Any) -> None:
        await self.stage.hear(device, device.join_request())

    def refused(self) -> list[tuple[Refusal, str]]:
        return [(one.refusal, one.reason) for one in self.stage.happened(FrameRefused)]


@pytest.fixture
async def elsewhere(stage: Any) -> Elsewhere:
    made = Elsewhere(stage)
    await made.registry.add_peer(
        JoinPeer(
            fingerprint="net",
            kind="network",
            identity=str(NET_ID),
            kek_label="net",
            kek=KEK,
            not_after=Instant(examples.NOW + 1e9),
            created_at=examples.NOW,
        )
    )
    return made


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_device_joins_and_its_first_uplink_is_delivered(
    elsewhere: Elsewhere, version: MacVersion
) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(version)
    await elsewhere.join(device)
    assert isinstance(stage.answer(device), Joined)
    (joined,) = stage.happened(JoinAnswered)
    assert joined.dev_addr == device.session.dev_addr
    await stage.hear(device, device.uplink(b"hello", fport=1))
    (delivery,) = stage.outbox.deliveries
    assert json.loads(delivery.document)["PayloadData"] == "aGVsbG8="


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
async def test_a_device_rejoins_and_its_next_uplink_is_delivered(
    elsewhere: Elsewhere, rejoin_type: int
) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_1)
    await elsewhere.join(device)
    stage.answer(device)
    await stage.hear(device, device.uplink(b"first", fport=1))
    stage.answer(device)
    old = device.session.dev_addr
    request = device.rejoin_request(rejoin_type)
    await stage.hear(device, request)
    assert isinstance(stage.answer(device), Joined)
    assert device.session.dev_addr != old
    await stage.hear(device, device.uplink(b"second", fport=1))
    assert len(stage.outbox.deliveries) == 2
    asked = len(elsewhere.wire.sent)
    await stage.hear(device, request)  # from somebody's tape
    (again,) = elsewhere.refused()
    if rejoin_type == 1:
        assert again[0] is Refusal.RJ_COUNT_REPLAYED
    else:
        assert again[0] in (Refusal.RJ_COUNT_REPLAYED, Refusal.MIC_MISMATCH)
        assert len(elsewhere.wire.sent) == asked  # the network itself knows


async def test_every_session_is_one_of_its_own(elsewhere: Elsewhere) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_4)
    for number in range(1, 4):
        await elsewhere.join(device)
        stage.answer(device)
        await stage.hear(device, device.uplink(b"x", fport=1))
        (session,) = await stage.store.sessions_of(stage.dev_eui)
        assert session.generation == number


async def test_a_request_that_was_heard_before_is_refused(elsewhere: Elsewhere) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    request = device.join_request()
    await stage.hear(device, request)
    await stage.hear(device, request)
    ((refusal, reason),) = elsewhere.refused()
    assert refusal is Refusal.DEV_NONCE_REPLAYED
    assert reason.startswith("the join server says FrameReplayed: DevNonce")
    assert len(stage.gateways.transmissions) == 1


@pytest.mark.parametrize("lost", ["lost_requests", "lost_answers"])
async def test_what_is_lost_on_the_way_is_asked_again_in_the_same_words(
    elsewhere: Elsewhere, lost: str
) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    setattr(elsewhere.wire, lost, 1)
    await elsewhere.join(device)
    assert isinstance(stage.answer(device), Joined)
    first, second = elsewhere.wire.sent
    assert first == second
    spent = await elsewhere.registry.spent(stage.dev_eui)
    assert spent.state is not None
    assert spent.state.next_join_nonce == 2


async def test_a_join_server_that_is_away_is_given_up_before_the_window_opens(
    elsewhere: Elsewhere,
) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    elsewhere.wire.lost_requests = 99
    await elsewhere.join(device)
    ((refusal, reason),) = elsewhere.refused()
    assert (refusal, reason) == (Refusal.JOIN_SERVER_UNAVAILABLE, "https://js does not answer")
    (event,) = stage.happened(FrameRefused)
    assert 2 <= len(elsewhere.wire.sent) <= 4
    assert sum(elsewhere.wire.limits) <= IN_TIME_S
    assert max(elsewhere.wire.limits) <= ATTEMPT_S
    assert event.dev_eui == stage.dev_eui
    elsewhere.wire.lost_requests = 0
    await elsewhere.join(device)
    assert isinstance(stage.answer(device), Joined)


async def test_each_request_is_a_transaction_of_its_own(elsewhere: Elsewhere) -> None:
    device = await elsewhere.device(MacVersion.LORAWAN_1_0_4)
    await elsewhere.join(device)
    await elsewhere.join(device)
    numbers = [json.loads(body)["TransactionID"] for body in elsewhere.wire.sent]
    assert len(set(numbers)) == 2


UNUSABLE: list[tuple[dict[str, Any], str]] = [
    ({"AppSKey": {"KEKLabel": "app", "AESKey": "00" * 24}}, "AppSKey is wrapped by 'app', which"),
    ({"AppSKey": {"KEKLabel": "net", "AESKey": "00" * 24}}, "AppSKey is wrapped by another 'net'"),
    ({"AppSKey": ...}, "the join server gives no AppSKey"),
    ({"NwkSKey": ...}, "the join server gives no NwkSKey"),
    ({"NwkSKey": {"AESKey": "00" * 15}}, "FNwkSIntKey is 16 bytes, not 15"),
    ({"PHYPayload": ...}, "no join-accept of ours: 0 bytes"),
    ({"PHYPayload": "00" * 33}, "no join-accept of ours: 33 bytes"),
    ({"PHYPayload": "20" + "00" * 16}, "no join-accept of ours: 17 bytes"),
    ({"TransactionID": 99}, "an answer to transaction 99"),
    ({"MessageType": "RejoinAns"}, "a RejoinAns for a JoinReq"),
    ({"Result": {"ResultCode": "NoRoamingAgreement"}}, "the join server says NoRoamingAgreement"),
    ({"Result": {"ResultCode": "Other", "Description": "tea"}}, "says Other: tea"),
    ({"Result": None}, "cannot be read"),
]


@pytest.mark.parametrize(("changed", "reason"), UNUSABLE)
async def test_an_answer_that_cannot_be_used_is_named(
    elsewhere: Elsewhere, changed: dict[str, Any], reason: str
) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    elsewhere.wire.changed = changed
    await elsewhere.join(device)
    ((refusal, told),) = elsewhere.refused()
    assert refusal is Refusal.JOIN_SERVER_REFUSED
    assert reason in told
    assert stage.gateways.transmissions == []
    assert await stage.store.sessions_of(stage.dev_eui) == []


@pytest.mark.parametrize("name", ["SNwkSIntKey", "FNwkSIntKey", "NwkSEncKey", "AppSKey"])
async def test_a_session_of_1_1_needs_each_of_its_keys(elsewhere: Elsewhere, name: str) -> None:
    device = await elsewhere.device(MacVersion.LORAWAN_1_1)
    elsewhere.wire.changed = {name: ...}
    await elsewhere.join(device)
    ((_, reason),) = elsewhere.refused()
    assert reason == f"the join server gives no {name}"


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("MICFailed", Refusal.MIC_MISMATCH),
        ("UnknownDevEUI", Refusal.UNKNOWN_DEV_EUI),
        ("FrameReplayed", Refusal.DEV_NONCE_REPLAYED),
        ("JoinReqFailed", Refusal.JOIN_SERVER_REFUSED),
        ("UnknownSender", Refusal.JOIN_SERVER_REFUSED),
    ],
)
async def test_results_are_refusals(elsewhere: Elsewhere, code: str, refusal: Refusal) -> None:
    device = await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    elsewhere.wire.changed = {"Result": {"ResultCode": code}}
    await elsewhere.join(device)
    assert elsewhere.refused() == [(refusal, f"the join server says {code}")]


async def test_another_join_eui_is_refused_without_asking(elsewhere: Elsewhere) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    stored = await stage.store.device(stage.dev_eui)
    other = JoinServerActivation(join_eui=JoinEUI(EUI64.from_int(1)))
    await stage.store.replace_device(msgspec.structs.replace(stored, activation=other))
    await elsewhere.join(device)
    assert [refusal for refusal, _ in elsewhere.refused()] == [Refusal.JOIN_EUI_MISMATCH]
    assert elsewhere.wire.sent == []


async def test_without_a_join_server_it_is_told_what_is_missing(elsewhere: Elsewhere) -> None:
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    stage.network.joins._join_server = EitherJoinServer(stage.store, None)
    await elsewhere.join(device)
    reason = "its root keys are at a join server, and join_server.uri names none"
    assert elsewhere.refused() == [(Refusal.JOIN_SERVER_UNAVAILABLE, reason)]


async def test_the_home_of_a_device_is_asked_for(elsewhere: Elsewhere) -> None:
    device = await elsewhere.device(MacVersion.LORAWAN_1_0_3)
    join_eui = device.activation.join_eui
    assert await elsewhere.server.home(elsewhere.stage.dev_eui, join_eui) == NET_ID
    elsewhere.wire.changed = {"HNetID": ...}
    refused = await elsewhere.server.home(elsewhere.stage.dev_eui, join_eui)
    assert refused.reason == "an answer without HNetID"  # type: ignore[union-attr]


async def test_the_network_keeps_no_root_key(elsewhere: Elsewhere) -> None:
    """Neither in its records nor in what any object of the store in memory refers to."""
    stage, device = elsewhere.stage, await elsewhere.device(MacVersion.LORAWAN_1_1)
    await elsewhere.join(device)
    stage.answer(device)
    await stage.hear(device, device.uplink(b"hello", fport=1))
    stage.store._changes.clear()
    root = (device.activation.app_key.reveal(), device.activation.nwk_key.reveal())
    found = {type(key).__name__ for key in keys_within(stage.store, set())}
    assert found == {"FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey"}
    assert not [key for key in keys_within(stage.store, set()) if key.reveal() in root]


def keys_within(value: Any, seen: set[int]) -> list[Any]:
    """Every key that can be reached."""
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, AES128Key):
        return [value]
    inside: list[Any] = []
    if isinstance(value, dict):
        inside = [*value, *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inside = list(value)
    elif isinstance(value, msgspec.Struct):
        inside = [getattr(value, name) for name in value.__struct_fields__]
    elif hasattr(value, "__dataclass_fields__"):
        inside = [getattr(value, name) for name in value.__dataclass_fields__]
    elif hasattr(value, "__dict__"):
        inside = list(vars(value).values())
    return [key for one in inside for key in keys_within(one, seen)]
