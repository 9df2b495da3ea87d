"""What a join server keeps: every engine does the same."""

from __future__ import annotations

import msgspec
import pytest

from bittern.errors import Conflict, NotFound, StaleSession
from bittern.lorawan.versions import MacVersion
from bittern.mac.session import JoinState
from bittern.store.join_records import (
    SESSIONS_KEPT,
    AgreedSession,
    JoinDevice,
    JoinPeer,
    Spent,
)
from bittern.store.join_registry import JoinRegistry
from bittern.store.protocol import Store
from bittern.store.records import OtaaActivation
from bittern.testing.examples import NOW
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevEUI,
    Instant,
    JoinEUI,
    KeyEncryptionKey,
    NetID,
    NwkKey,
)

DEV_EUI = DevEUI(EUI64.from_int(7))
JOIN_EUI = JoinEUI(EUI64.from_int(9))
DEVICE = JoinDevice(
    dev_eui=DEV_EUI,
    name="meter",
    mac_version=MacVersion.LORAWAN_1_1,
    keys=OtaaActivation(
        join_eui=JOIN_EUI, app_key=AppKey(b"root application"), nwk_key=NwkKey(b"root network key")
    ),
    net_id=NetID.from_hex("000013"),
    created_at=NOW,
)
PEER = JoinPeer(
    fingerprint="ab" * 32,
    kind="network",
    identity="000013",
    kek_label="000013",
    kek=KeyEncryptionKey(bytes(range(32))),
    not_after=Instant(NOW + 1000),
    created_at=NOW,
)


@pytest.fixture
def registry(store: Store) -> JoinRegistry:
    return JoinRegistry(store)


def state(revision: int = 0, **fields: object) -> JoinState:
    return JoinState(dev_eui=DEV_EUI, join_eui=JOIN_EUI, revision=revision, **fields)


def session(number: int) -> AgreedSession:
    return AgreedSession(
        session_key_id=bytes([number]), app_s_key=AppSKey(bytes([number]) * 16), at=NOW
    )


async def test_a_device_comes_back_as_it_was_added(registry: JoinRegistry) -> None:
    await registry.add_device(DEVICE)
    assert await registry.device(DEV_EUI) == DEVICE
    assert await registry.devices() == [DEVICE]
    with pytest.raises(Conflict, match="device 0000000000000007 exists already"):
        await registry.add_device(DEVICE)


async def test_a_removed_device_is_forgotten_with_its_nonces(registry: JoinRegistry) -> None:
    await registry.add_device(DEVICE)
    await registry.spend(DEVICE, Spent(), state(), session(1))
    await registry.remove_device(DEV_EUI)
    assert await registry.device(DEV_EUI) is None
    assert await registry.spent(DEV_EUI) == Spent()
    with pytest.raises(NotFound):
        await registry.remove_device(DEV_EUI)


async def test_more_devices_than_a_page_are_listed(registry: JoinRegistry) -> None:
    for number in range(260):
        one = msgspec.structs.replace(DEVICE, dev_eui=DevEUI(EUI64.from_int(number)))
        await registry.add_device(one)
    listed = await registry.devices()
    assert [int(one.dev_eui) for one in listed] == list(range(260))


async def test_what_a_join_used_up_comes_back(registry: JoinRegistry) -> None:
    await registry.add_device(DEVICE)
    after = state(next_join_nonce=2, last_dev_nonce=5, used_dev_nonces=frozenset((5, 900, 3)))
    await registry.spend(DEVICE, await registry.spent(DEV_EUI), after, session(1))
    spent = await registry.spent(DEV_EUI)
    assert (spent.state, spent.sessions) == (after, (session(1),))


async def test_of_two_that_spend_at_once_one_is_stale(registry: JoinRegistry) -> None:
    await registry.add_device(DEVICE)
    before = await registry.spent(DEV_EUI)
    await registry.spend(DEVICE, before, state(next_join_nonce=2), session(1))
    with pytest.raises(StaleSession):
        await registry.spend(DEVICE, before, state(next_join_nonce=2), session(2))
    again = await registry.spent(DEV_EUI)
    await registry.spend(DEVICE, again, state(1, next_join_nonce=3), session(2))
    with pytest.raises(StaleSession):
        await registry.spend(DEVICE, again, state(1, next_join_nonce=3), session(3))


async def test_nothing_is_spent_for_a_device_that_was_changed_or_removed(
    registry: JoinRegistry,
) -> None:
    with pytest.raises(StaleSession):
        await registry.spend(DEVICE, Spent(), state(), session(1))
    await registry.add_device(msgspec.structs.replace(DEVICE, name="another"))
    with pytest.raises(StaleSession):
        await registry.spend(DEVICE, Spent(), state(), session(1))
    assert await registry.spent(DEV_EUI) == Spent()


async def test_the_last_sessions_are_kept(registry: JoinRegistry) -> None:
    await registry.add_device(DEVICE)
    for number in range(SESSIONS_KEPT + 2):
        await registry.spend(DEVICE, await registry.spent(DEV_EUI), state(number), session(number))
    kept = (await registry.spent(DEV_EUI)).sessions
    assert kept == tuple(session(number) for number in (5, 4, 3, 2))


async def test_a_peer_is_known_by_its_certificate_until_it_is_removed(
    registry: JoinRegistry,
) -> None:
    await registry.add_peer(PEER)
    assert await registry.peer(PEER.fingerprint) == PEER
    assert await registry.peers() == [PEER]
    with pytest.raises(Conflict):
        await registry.add_peer(PEER)
    await registry.remove_peer(PEER.fingerprint)
    assert await registry.peer(PEER.fingerprint) is None
    with pytest.raises(NotFound):
        await registry.remove_peer(PEER.fingerprint)


async def test_the_newest_certificate_of_an_application_server_counts(
    registry: JoinRegistry,
) -> None:
    await registry.add_peer(PEER)
    old = msgspec.structs.replace(
        PEER, fingerprint="ff" * 32, kind="application", identity="meters"
    )
    new = msgspec.structs.replace(old, fingerprint="00" * 32, created_at=Instant(NOW + 1))
    await registry.add_peer(new)
    await registry.add_peer(old)
    assert await registry.application("meters") == new
    assert await registry.application("000013") is None


async def test_of_a_root_key_in_a_token_the_name_is_kept(registry: JoinRegistry) -> None:
    keys = OtaaActivation(join_eui=JOIN_EUI, app_key=AppKey.in_token("7 AppKey"))
    device = msgspec.structs.replace(DEVICE, keys=keys)
    await registry.add_device(device)
    assert await registry.device(DEV_EUI) == device
