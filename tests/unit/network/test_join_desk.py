"""A join server without sockets: messages in, messages out, and what is used up between."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bittern.backend.envelope import opened
from bittern.backend.messages import KeyEnvelope
from bittern.backend.values import Hex
from bittern.errors import BitternError, SealBroken, StoreUnavailable
from bittern.lorawan.crypto import (
    derive_js_int_key,
    derive_session_keys_1_0,
    derive_session_keys_1_1,
    join_request_mic,
    rejoin_mic,
)
from bittern.lorawan.frame import JoinRequest, RejoinRequest
from bittern.lorawan.versions import MacVersion
from bittern.network.join_desk import JoinDesk, Told
from bittern.store.join_records import JoinDevice, JoinPeer
from bittern.store.join_registry import JoinRegistry
from bittern.store.records import OtaaActivation
from bittern.testing.examples import NOW
from bittern.testing.memory_store import MemoryStore
from bittern.types import (
    EUI64,
    AES128Key,
    AppKey,
    AppSKey,
    DevEUI,
    FNwkSIntKey,
    Instant,
    JoinEUI,
    KeyEncryptionKey,
    NetID,
    NwkKey,
    NwkSEncKey,
    SNwkSIntKey,
)

DEV_EUI, JOIN_EUI = DevEUI(EUI64.from_int(7)), JoinEUI(EUI64.from_int(9))
NET_ID = NetID.from_hex("000013")
APP_KEY, NWK_KEY = AppKey(b"root application"), NwkKey(b"root network key")
KEK, APPLICATION_KEK = KeyEncryptionKey(bytes(16)), KeyEncryptionKey(bytes(range(32)))
KEKS = {"net": KEK, "meters": APPLICATION_KEK}
V1_0_3, V1_0_4, V1_1 = (
    MacVersion.LORAWAN_1_0_3,
    MacVersion.LORAWAN_1_0_4,
    MacVersion.LORAWAN_1_1,
)
NETWORK = JoinPeer(
    fingerprint="net",
    kind="network",
    identity=str(NET_ID),
    kek_label="net",
    kek=KEK,
    not_after=Instant(NOW + 100),
    created_at=NOW,
)
APPLICATION = msgspec.structs.replace(
    NETWORK,
    fingerprint="app",
    kind="application",
    identity="meters",
    kek_label="meters",
    kek=APPLICATION_KEK,
)


class Scene:
    """A join server with a network that may ask."""

    def __init__(self) -> None:
        self.registry = JoinRegistry(MemoryStore())
        self.told: list[Told] = []
        self.time = NOW
        self.asked = 0
        self.desk = JoinDesk(self.registry, lambda: self.time, self.told.append)

    async def device(self, version: MacVersion = V1_0_3, **different: Any) -> JoinDevice:
        nwk_key = NWK_KEY if version is V1_1 else None
        keys = OtaaActivation(join_eui=JOIN_EUI, app_key=APP_KEY, nwk_key=nwk_key)
        fields = {"dev_eui": DEV_EUI, "mac_version": version, "keys": keys, "net_id": NET_ID}
        device = JoinDevice(**(fields | different), created_at=NOW)
        await self.registry.add_device(device)
        return device

    async def ask(self, fingerprint: str = "net", **document: Any) -> dict[str, Any]:
        self.asked += 1
        body = json.dumps({"TransactionID": self.asked} | document).encode()
        answer: dict[str, Any] = json.loads(await self.desk.answer(body, fingerprint))
        return answer

    async def result(self, fingerprint: str = "net", **document: Any) -> tuple[str, str]:
        result = (await self.ask(fingerprint, **document))["Result"]
        return result["ResultCode"], result.get("Description", "")

    async def nothing_is_used_up(self) -> bool:
        return (await self.registry.spent(DEV_EUI)).state is None


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    await scene.registry.add_peer(NETWORK)
    await scene.registry.add_peer(APPLICATION)
    return scene


def joining(nonce: int = 1, version: MacVersion = V1_0_3, **different: Any) -> dict[str, Any]:
    key = NWK_KEY if version is V1_1 else APP_KEY
    frame = JoinRequest(join_eui=JOIN_EUI, dev_eui=DEV_EUI, dev_nonce=nonce).to_bytes()[:-4]
    return asking("JoinReq", frame + join_request_mic(key, frame), version) | different


def rejoining(kind: int, count: int, **different: Any) -> dict[str, Any]:
    by_root = kind == 1
    frame = RejoinRequest(
        kind,
        DEV_EUI,
        count,
        net_id=None if by_root else NET_ID,
        join_eui=JOIN_EUI if by_root else None,
    ).to_bytes()[:-4]
    key: Any = derive_js_int_key(NWK_KEY, DEV_EUI) if by_root else SNwkSIntKey(bytes(16))
    return asking("RejoinReq", frame + rejoin_mic(key, frame), V1_1) | different


def asking(kind: str, phy_payload: bytes, version: MacVersion) -> dict[str, Any]:
    return heading(kind) | {
        "MACVersion": str(version),
        "PHYPayload": phy_payload.hex(),
        "DevEUI": str(DEV_EUI),
        "DevAddr": "26011234",
        "DLSettings": "80" if version is V1_1 else "00",
        "RxDelay": 1,
    }


def heading(kind: str, sender: str = "000013") -> dict[str, Any]:
    return {
        "ProtocolVersion": "1.1",
        "SenderID": sender,
        "ReceiverID": str(JOIN_EUI),
        "MessageType": kind,
    }


def key_in(answer: dict[str, Any], name: str, kind: type[AES128Key]) -> AES128Key | str:
    envelope = answer[name]
    return opened(
        kind,
        KeyEnvelope(kek_label=envelope["KEKLabel"], aes_key=Hex.from_hex(envelope["AESKey"])),
        KEKS,
    )


# Joins that are granted


async def test_a_device_of_1_0_gets_a_join_accept_and_the_network_two_keys(scene: Scene) -> None:
    await scene.device()
    answer = await scene.ask(**joining(5))
    assert answer["Result"] == {"ResultCode": "Success"}
    assert (answer["MessageType"], answer["ReceiverID"]) == ("JoinAns", "000013")
    assert len(bytes.fromhex(answer["PHYPayload"])) == 17
    keys = derive_session_keys_1_0(APP_KEY, join_nonce=1, net_id=NET_ID, dev_nonce=5)
    assert key_in(answer, "NwkSKey", FNwkSIntKey) == keys.f_nwk_s_int_key
    assert key_in(answer, "AppSKey", AppSKey) == keys.app_s_key
    assert not {"SNwkSIntKey", "FNwkSIntKey", "NwkSEncKey"} & set(answer)
    assert answer["Lifetime"] == 0


async def test_a_device_of_1_1_gets_one_and_the_network_four(scene: Scene) -> None:
    await scene.device(V1_1)
    answer = await scene.ask(**joining(5, V1_1))
    keys = derive_session_keys_1_1(NWK_KEY, APP_KEY, join_nonce=1, join_eui=JOIN_EUI, dev_nonce=5)
    assert key_in(answer, "SNwkSIntKey", SNwkSIntKey) == keys.s_nwk_s_int_key
    assert key_in(answer, "FNwkSIntKey", FNwkSIntKey) == keys.f_nwk_s_int_key
    assert key_in(answer, "NwkSEncKey", NwkSEncKey) == keys.nwk_s_enc_key
    assert key_in(answer, "AppSKey", AppSKey) == keys.app_s_key
    assert "NwkSKey" not in answer


@pytest.mark.parametrize("kind", [0, 1, 2])
async def test_a_device_of_1_1_rejoins_under_the_next_join_nonce(scene: Scene, kind: int) -> None:
    await scene.device(V1_1)
    await scene.ask(**joining(5, V1_1))
    answer = await scene.ask(**rejoining(kind, 3))
    assert answer["MessageType"] == "RejoinAns"
    keys = derive_session_keys_1_1(NWK_KEY, APP_KEY, join_nonce=2, join_eui=JOIN_EUI, dev_nonce=3)
    assert key_in(answer, "SNwkSIntKey", SNwkSIntKey) == keys.s_nwk_s_int_key


async def test_the_channel_list_goes_into_the_join_accept(scene: Scene) -> None:
    await scene.device()
    answer = await scene.ask(**joining(5, CFList="00" * 16))
    assert len(bytes.fromhex(answer["PHYPayload"])) == 33


async def test_a_peer_without_a_key_encryption_key_gets_keys_as_they_are(scene: Scene) -> None:
    bare = msgspec.structs.replace(NETWORK, fingerprint="bare", kek=None, kek_label="")
    await scene.registry.add_peer(bare)
    await scene.device()
    answer = await scene.ask("bare", **joining(5))
    keys = derive_session_keys_1_0(APP_KEY, join_nonce=1, net_id=NET_ID, dev_nonce=5)
    envelope = KeyEnvelope(aes_key=Hex.from_hex(answer["NwkSKey"]["AESKey"]))
    assert opened(FNwkSIntKey, envelope, {}) == keys.f_nwk_s_int_key


async def test_no_root_key_is_in_any_answer(scene: Scene) -> None:
    await scene.device(V1_1)
    told = json.dumps([await scene.ask(**joining(1, V1_1)), await scene.ask(**rejoining(1, 0))])
    for key in (b"root application", b"root network key"):
        assert key.hex() not in told.lower()
    js_int_key = derive_js_int_key(NWK_KEY, DEV_EUI)
    assert js_int_key.reveal().hex() not in told.lower()


# The application's key


async def test_an_application_server_has_its_key_wrapped_past_the_network(scene: Scene) -> None:
    await scene.device(application="meters")
    joined = await scene.ask(**joining(5))
    assert joined["AppSKey"]["KEKLabel"] == "meters"
    asked = heading("AppSKeyReq", "meters") | {
        "DevEUI": str(DEV_EUI),
        "SessionKeyID": joined["SessionKeyID"],
    }
    answer = await scene.ask("app", **asked)
    expected = derive_session_keys_1_0(APP_KEY, join_nonce=1, net_id=NET_ID, dev_nonce=5)
    assert key_in(answer, "AppSKey", AppSKey) == expected.app_s_key
    assert answer["SessionKeyID"] == joined["SessionKeyID"]


async def test_an_application_key_is_not_for_others(scene: Scene) -> None:
    await scene.device()
    asked = {"DevEUI": str(DEV_EUI), "SessionKeyID": "00"}
    told = await scene.result("app", **heading("AppSKeyReq", "meters"), **asked)
    assert told == ("ActivationDisallowed", "the device is not of this application server")
    told = await scene.result("net", **heading("AppSKeyReq"), **asked)
    assert told == ("ActivationDisallowed", "AppSKeyReq is for application servers")
    told = await scene.result("app", **(joining() | {"SenderID": "meters"}))
    assert told == ("ActivationDisallowed", "JoinReq is for network servers")


async def test_a_session_that_is_not_kept_is_told(scene: Scene) -> None:
    await scene.device(application="meters")
    asked = heading("AppSKeyReq", "meters") | {"DevEUI": str(DEV_EUI), "SessionKeyID": "00"}
    code, reason = await scene.result("app", **asked)
    assert (code, reason) == ("Other", "no session of that SessionKeyID is kept")


async def test_nothing_is_used_up_for_an_application_server_without_a_key(scene: Scene) -> None:
    await scene.device(application="nobody")
    code, reason = await scene.result(**joining())
    assert code == "Other"
    assert reason == "application server nobody has no key-encryption key here"
    assert await scene.nothing_is_used_up()


# Whose device it is


async def test_the_home_network_of_a_device_is_told(scene: Scene) -> None:
    await scene.device()
    answer = await scene.ask(**heading("HomeNSReq"), DevEUI=str(DEV_EUI))
    assert (answer["MessageType"], answer["HNetID"]) == ("HomeNSAns", "000013")


async def test_another_network_may_ask_and_not_activate(scene: Scene) -> None:
    await scene.registry.add_peer(
        msgspec.structs.replace(NETWORK, fingerprint="other", identity="000099")
    )
    await scene.device()
    home = heading("HomeNSReq", "000099") | {"DevEUI": str(DEV_EUI)}
    assert (await scene.ask("other", **home))["HNetID"] == "000013"
    code, reason = await scene.result("other", **joining(SenderID="000099"))
    assert (code, reason) == ("ActivationDisallowed", "the home of the device is network 000013")
    assert await scene.nothing_is_used_up()


# Every result


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"PHYPayload": joining()["PHYPayload"][:-2] + "00"}, "MICFailed", "another MIC"),
    ({"ProtocolVersion": "2.0"}, "InvalidProtocolVersion", "there are 1.0 and 1.1"),
    ({"SenderID": "000014"}, "UnknownSender", "the certificate is of network 000013"),
    ({"ReceiverID": "0000000000000001"}, "UnknownReceiver", "is not JoinEUI 0000000000000009"),
    ({"ReceiverID": "nonsense"}, "UnknownReceiver", "is not JoinEUI"),
    ({"DevEUI": "0000000000000001"}, "UnknownDevEUI", "no device 0000000000000001"),
    ({"PHYPayload": "00" * 22}, "FrameSizeError", "join-request of 22 bytes"),
    ({"PHYPayload": ""}, "FrameSizeError", "PHYPayload"),
    ({"PHYPayload": "60" + "00" * 12}, "MalformedMessage", "not a JoinRequest"),
    ({"PHYPayload": rejoining(1, 1)["PHYPayload"]}, "MalformedMessage", "not a JoinRequest"),
    ({"MessageType": "RejoinReq"}, "MalformedMessage", "not a RejoinRequest"),
    ({"MACVersion": "1.9"}, "MalformedMessage", "MACVersion: there is no LoRaWAN 1.9"),
    ({"DLSettings": "80"}, "MalformedMessage", "OptNeg is not that of LoRaWAN 1.0.3"),
    ({"DLSettings": ""}, "MalformedMessage", "DLSettings: not one octet"),
    ({"DLSettings": "0000"}, "MalformedMessage", "DLSettings: not one octet"),
    ({"CFList": "00"}, "MalformedMessage", "CFList: 1 octets, not 16"),
    ({"MACVersion": "1.1", "DLSettings": "80"}, "JoinReqFailed", "takes a NwkKey"),
    ({"RxDelay": 99}, "MalformedMessage", "RxDelay"),
]


@pytest.mark.parametrize(("wrong", "code", "reason"), REFUSED)
async def test_what_is_wrong_has_its_result_and_uses_up_nothing(
    scene: Scene, wrong: dict[str, Any], code: str, reason: str
) -> None:
    await scene.device()
    told = await scene.result(**(joining() | wrong))
    assert told[0] == code
    assert reason in told[1]
    assert await scene.nothing_is_used_up()
    assert scene.told[-1].code == code


async def test_a_device_that_asks_under_another_join_eui_fails(scene: Scene) -> None:
    await scene.device()
    frame = JoinRequest(
        join_eui=JoinEUI(EUI64.from_int(1)), dev_eui=DEV_EUI, dev_nonce=1
    ).to_bytes()[:-4]
    phy_payload = frame + join_request_mic(APP_KEY, frame)
    code, reason = await scene.result(**joining(PHYPayload=phy_payload.hex()))
    assert code == "JoinReqFailed"
    assert "is not 0000000000000009" in reason


async def test_the_frame_of_another_device_is_not_that_of_the_message(scene: Scene) -> None:
    await scene.device()
    await scene.device(dev_eui=DevEUI(EUI64.from_int(8)))
    code, reason = await scene.result(**joining(DevEUI="0000000000000008"))
    assert code == "MalformedMessage"
    assert reason == "PHYPayload: of 0000000000000007, not of DevEUI"


@pytest.mark.parametrize("version", [V1_0_3, V1_0_4, V1_1])
async def test_a_dev_nonce_is_taken_once(scene: Scene, version: MacVersion) -> None:
    await scene.device(version)
    assert (await scene.result(**joining(5, version)))[0] == "Success"
    assert (await scene.result(**joining(5, version)))[0] == "FrameReplayed"
    assert (await scene.result(**joining(6, version)))[0] == "Success"
    assert (await scene.result(**joining(5, version)))[0] == "FrameReplayed"


async def test_a_request_that_comes_again_uses_up_nothing_more(scene: Scene) -> None:
    await scene.device()
    first = await scene.ask(**joining(5, TransactionID=9))
    assert await scene.ask(**joining(5, TransactionID=9)) == first
    assert (await scene.result(**joining(5, TransactionID=10)))[0] == "FrameReplayed"
    spent = await scene.registry.spent(DEV_EUI)
    assert spent.state is not None
    assert spent.state.next_join_nonce == 2


async def test_a_removed_peer_does_not_get_an_answer_again(scene: Scene) -> None:
    await scene.device()
    assert (await scene.result(**joining(5, TransactionID=9)))[0] == "Success"
    await scene.registry.remove_peer("net")
    assert (await scene.result(**joining(5, TransactionID=9)))[0] == "UnknownSender"


async def test_the_devices_own_version_decides_which_dev_nonce_may_come_next(
    scene: Scene,
) -> None:
    """A network that says 1.0.3 of a device that counts gets no old nonce past it."""
    await scene.device(V1_0_4)
    assert (await scene.result(**joining(5, V1_0_4)))[0] == "Success"
    for nonce in (3, 5):
        assert (await scene.result(**joining(nonce, V1_0_3)))[0] == "FrameReplayed"


async def test_a_rejoin_counter_is_taken_once(scene: Scene) -> None:
    await scene.device(V1_1)
    assert (await scene.result(**rejoining(1, 4)))[0] == "Success"
    assert (await scene.result(**rejoining(1, 4)))[0] == "FrameReplayed"


async def test_version_1_0_has_no_word_for_a_replay(scene: Scene) -> None:
    await scene.device()
    old = joining(5) | {"ProtocolVersion": "1.0"}
    assert (await scene.ask(**old))["ProtocolVersion"] == "1.0"
    assert (await scene.result(**old))[0] == "JoinReqFailed"
    assert (await scene.result(**(old | {"DLSettings": ""})))[0] == "MalformedRequest"


async def test_a_device_of_1_0_does_not_rejoin(scene: Scene) -> None:
    await scene.device()
    assert (await scene.result(**rejoining(0, 1)))[0] == "JoinReqFailed"


async def test_used_up_join_nonces_are_the_end(scene: Scene) -> None:
    device = await scene.device()
    await scene.ask(**joining(1))
    spent = await scene.registry.spent(DEV_EUI)
    assert spent.state is not None
    last = msgspec.structs.replace(spent.state, revision=9, next_join_nonce=1 << 24)
    await scene.registry.spend(device, spent, last, spent.sessions[0])
    code, reason = await scene.result(**joining(2))
    assert code == "JoinReqFailed"
    assert "every JoinNonce was used" in reason


@pytest.mark.parametrize("fingerprint", ["", "stranger"])
async def test_a_certificate_of_nobody_is_an_unknown_sender(scene: Scene, fingerprint: str) -> None:
    await scene.device()
    assert (await scene.result(fingerprint, **joining()))[0] == "UnknownSender"


async def test_an_expired_certificate_is_an_unknown_sender(scene: Scene) -> None:
    await scene.device()
    scene.time = NETWORK.not_after
    assert await scene.result(**joining()) == ("UnknownSender", "the certificate has expired")


async def test_of_two_requests_at_once_one_is_granted(scene: Scene) -> None:
    await scene.device()
    spend = scene.registry.spend

    async def slow(device: Any, *rest: Any) -> None:
        scene.registry.spend = spend  # type: ignore[method-assign]
        await scene.ask(**joining(8))
        await spend(device, *rest)

    scene.registry.spend = slow  # type: ignore[method-assign]
    code, reason = await scene.result(**joining(7))
    assert code == "FrameReplayed"
    assert reason == "another request of the device is being answered already"


@pytest.mark.parametrize("error", [StoreUnavailable("the disk is full"), SealBroken("a device")])
@pytest.mark.parametrize("step", ["peer", "device", "spent", "spend"])
async def test_what_the_store_cannot_do_is_told(
    scene: Scene, error: BitternError, step: str
) -> None:
    await scene.device()

    async def failing(*_: Any) -> None:
        raise error

    setattr(scene.registry, step, failing)
    assert await scene.result(**joining()) == ("Other", str(error))


async def test_what_is_told_has_no_key(scene: Scene) -> None:
    await scene.device(V1_1)
    await scene.ask(**joining(1, V1_1))
    (told,) = scene.told
    assert told == Told("JoinAns", DEV_EUI, "Success", "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
hexadecimal = st.binary(max_size=40).map(bytes.hex)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(joining())), json_values | hexadecimal, max_size=4),
    st.sampled_from([joining(), joining(2, V1_1), rejoining(0, 1), rejoining(1, 1)]),
)
async def test_whatever_is_sent_has_an_answer(
    wrong: dict[str, Any], document: dict[str, Any]
) -> None:
    scene = Scene()
    await scene.registry.add_peer(NETWORK)
    await scene.device(V1_1)
    answer = await scene.ask(**(document | wrong))
    assert answer["Result"]["ResultCode"]
    assert answer["MessageType"].endswith("Ans")


async def test_without_its_token_a_device_is_told_why_and_uses_up_nothing(scene: Scene) -> None:
    there = OtaaActivation(join_eui=JOIN_EUI, app_key=AppKey.in_token("a"))
    await scene.device(keys=there)
    code, reason = await scene.result(**joining())
    assert (code, reason.partition(",")[0]) == ("Other", "its root keys are in a token")
    assert await scene.nothing_is_used_up()
