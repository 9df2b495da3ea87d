from dataclasses import replace

import pytest

from bittern.lorawan.versions import MacVersion
from bittern.network.events import FrameRefused, JoinAnswered, JoinReceived
from bittern.simulator.device import Joined
from bittern.store.records import AbpActivation
from bittern.testing import examples
from bittern.types import EUI64, AppKey, DevAddr, GatewayEUI, Refusal

ONE = GatewayEUI(EUI64.from_hex("0016c001ff000001"))
TWO = GatewayEUI(EUI64.from_hex("0016c001ff000002"))
VERSIONS = [MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_0_4, MacVersion.LORAWAN_1_1]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_device_joins_and_its_first_uplink_is_delivered(stage, version):
    device = await stage.otaa(version)
    await stage.hear(device, device.join_request())
    assert isinstance(stage.answer(device), Joined)
    (joined,) = stage.happened(JoinAnswered)
    assert joined.dev_addr == device.session.dev_addr
    await stage.hear(device, device.uplink(b"hello", fport=1))
    assert len(stage.outbox.deliveries) == 1


async def test_a_request_is_told_before_it_is_judged(stage):
    device = await stage.otaa()
    request = device.join_request()
    await stage.hear(device, request)
    await stage.hear(device, request)
    told = [type(event) for event in stage.events]
    assert told.index(JoinReceived) < told.index(JoinAnswered)
    received = stage.happened(JoinReceived)
    assert len(received) == 2
    assert (received[0].join_eui, received[0].rejoin_type) == (device.activation.join_eui, None)


async def test_the_old_session_serves_until_the_device_uses_the_new_one(stage):
    device = await stage.otaa()
    await stage.hear(device, device.join_request())
    stage.answer(device)
    await stage.hear(device, device.uplink(b"old", fport=1))
    old = device.session
    await stage.hear(device, device.join_request())
    lost, device.session = device.session, old
    assert lost is old
    await stage.hear(device, device.uplink(b"still old", fport=1))
    assert len(stage.outbox.deliveries) == 2

    await stage.hear(device, device.join_request())
    stage.answer(device)
    await stage.hear(device, device.uplink(b"new", fport=1))
    assert len(stage.outbox.deliveries) == 3
    (session,) = await stage.store.sessions_of(stage.dev_eui)
    assert session.dev_addr == device.session.dev_addr
    assert not session.pending


async def test_a_session_begins_with_a_revision_that_none_had_before(stage):
    """Nor a device that was registered before under the same DevEUI, and has joined as often."""
    revisions = []
    device = await stage.otaa()
    for _ in range(2):
        await stage.hear(device, device.join_request())
        (*_, session) = await stage.store.sessions_of(stage.dev_eui)
        revisions.append(session.revision)
    assert len(set(revisions)) == 2
    assert max(revisions) > 1 << 32


async def test_a_join_request_that_was_heard_before_is_refused(stage):
    device = await stage.otaa()
    request = device.join_request()
    await stage.hear(device, request)
    await stage.hear(device, request)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.DEV_NONCE_REPLAYED]
    assert len(stage.gateways.transmissions) == 1


async def test_a_device_that_nobody_registered_is_refused(stage):
    device = await stage.otaa()
    await stage.store.remove_device(stage.dev_eui)
    await stage.hear(device, device.join_request())
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.UNKNOWN_DEV_EUI]


async def test_another_root_key_is_refused_for_its_mic(stage):
    device = await stage.otaa()
    device.activation = replace(device.activation, app_key=AppKey(b"someone else key"))
    await stage.hear(device, device.join_request())
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.MIC_MISMATCH]


async def test_a_personalized_device_does_not_join(stage):
    joining = await stage.otaa()
    request = joining.join_request()
    await stage.store.remove_device(stage.dev_eui)
    await stage.store.add_device(
        examples.device(
            activation=AbpActivation(dev_addr=DevAddr(bytes(4)), keys=examples.session_keys())
        )
    )
    await stage.hear(joining, request)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.JOIN_NOT_SUPPORTED]


async def test_the_join_accept_goes_by_the_next_best_gateway_when_the_best_is_gone(stage):
    device = await stage.otaa()
    stage.gateways.offline.add(ONE)
    await stage.hear(device, device.join_request(), ONE, TWO)
    assert [gateway for gateway, _ in stage.gateways.transmissions] == [TWO]
    assert stage.happened(JoinAnswered)[0].gateway_eui == TWO


async def test_a_join_that_no_gateway_can_answer_is_told_as_such(stage):
    device = await stage.otaa()
    stage.gateways.offline.update((ONE, TWO))
    await stage.hear(device, device.join_request(), ONE, TWO)
    assert stage.happened(JoinAnswered)[0].gateway_eui is None


async def a_joined_device(stage):
    """Of LoRaWAN 1.1, and its session in use."""
    device = await stage.otaa(MacVersion.LORAWAN_1_1)
    await stage.hear(device, device.join_request())
    stage.answer(device)
    await stage.hear(device, device.uplink(b"first", fport=1))
    stage.answer(device)
    return device


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
async def test_a_device_rejoins_and_its_first_uplink_is_delivered(stage, rejoin_type):
    device = await a_joined_device(stage)
    old = device.session.dev_addr
    await stage.hear(device, device.rejoin_request(rejoin_type))
    assert isinstance(stage.answer(device), Joined)
    answered = stage.happened(JoinAnswered)[-1]
    assert (answered.rejoin_type, answered.dev_nonce) == (rejoin_type, 0)
    assert device.session.dev_addr != old
    await stage.hear(device, device.uplink(b"again", fport=1))
    assert len(stage.outbox.deliveries) == 2
    (session,) = await stage.store.sessions_of(stage.dev_eui)
    assert session.dev_addr == device.session.dev_addr


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
async def test_the_old_session_serves_while_the_answer_to_a_rejoin_is_lost(stage, rejoin_type):
    device = await a_joined_device(stage)
    await stage.hear(device, device.rejoin_request(rejoin_type))
    await stage.hear(device, device.uplink(b"still old", fport=1))
    assert len(stage.outbox.deliveries) == 2
    assert stage.happened(FrameRefused) == []


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
async def test_a_rejoin_request_that_was_heard_before_is_refused(stage, rejoin_type):
    device = await a_joined_device(stage)
    request = device.rejoin_request(rejoin_type)
    await stage.hear(device, request)
    await stage.hear(device, request)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.RJ_COUNT_REPLAYED]
    assert len(stage.happened(JoinAnswered)) == 2


@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
async def test_the_same_rejoin_request_at_two_processes_is_answered_once(
    stage, monkeypatch, rejoin_type
):
    """Both have read the same state; the store lets one of them through."""
    device = await a_joined_device(stage)
    request = device.rejoin_request(rejoin_type)
    state = await stage.store.join_state(stage.dev_eui)
    sessions = await stage.store.sessions_of(stage.dev_eui)
    await stage.hear(device, request)

    async def join_state(_):
        return state

    async def sessions_of(_):
        return sessions

    monkeypatch.setattr(stage.store, "join_state", join_state)
    monkeypatch.setattr(stage.store, "sessions_of", sessions_of)
    await stage.hear(device, request)
    assert [e.refusal for e in stage.happened(FrameRefused)] == [Refusal.RJ_COUNT_REPLAYED]


async def test_a_device_is_told_to_rejoin_when_it_is_next_heard(stage):
    device = await a_joined_device(stage)
    assert await stage.network.joins.demand_rejoin(stage.dev_eui, 2, data_rate=3)
    await stage.hear(device, device.uplink(b"x", fport=1))
    stage.answer(device)
    assert device.desk.demanded_rejoin == (2, 3, 0, 0)
    await stage.hear(device, device.rejoin_request(2))
    stage.answer(device)
    await stage.hear(device, device.uplink(b"y", fport=1))
    stage.answer(device)
    assert device.desk.demanded_rejoin is None, "the new session does not ask again"


async def test_a_demand_survives_a_device_that_is_heard_meanwhile(stage, monkeypatch):
    await a_joined_device(stage)
    sessions_of = stage.store.sessions_of
    asked = []

    async def heard_meanwhile(dev_eui):
        sessions = await sessions_of(dev_eui)
        asked.append(dev_eui)
        if len(asked) == 1:
            await stage.store.advance(sessions[0], examples.next_session(sessions[0]))
        return sessions

    monkeypatch.setattr(stage.store, "sessions_of", heard_meanwhile)
    assert await stage.network.joins.demand_rejoin(stage.dev_eui, 0, data_rate=0)
    assert len(asked) == 2


async def test_a_device_without_a_session_cannot_be_told_to_rejoin(stage):
    await stage.otaa(MacVersion.LORAWAN_1_1)
    assert not await stage.network.joins.demand_rejoin(stage.dev_eui, 0, data_rate=0)


async def test_a_device_of_1_0_cannot_be_told_to_rejoin(stage):
    await stage.abp()
    with pytest.raises(ValueError, match="only devices of"):
        await stage.network.joins.demand_rejoin(stage.dev_eui, 0, data_rate=0)
