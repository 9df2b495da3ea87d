"""What every engine does: one suite over all of them."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bittern.errors import ChangesTrimmed, Conflict, NotFound, StaleSession
from bittern.mac.session import AwaitedAck, ChannelState, HeardBy, Session
from bittern.store.protocol import (
    Deliver,
    DownlinkAttempted,
    DownlinkDone,
    Store,
    is_successor,
)
from bittern.store.records import (
    AbpActivation,
    Change,
    OtaaActivation,
    ParticipatingGateway,
    ParticipatingGateways,
)
from bittern.store.rule_records import DeadLetterFilter
from bittern.testing import examples
from bittern.testing.examples import (
    ACCESS_KEY,
    ACCOUNT,
    CERTIFICATE,
    CODEC,
    DESTINATION,
    DEV_ADDR,
    DEV_EUI,
    DEVICE_PROFILE,
    FOREIGN_CERTIFICATE,
    GATEWAY,
    GATEWAY_EUI,
    NOW,
    RULE,
    SERVICE_PROFILE,
    dead_letter,
    delivery,
    dev_eui,
    device,
    downlink,
    join_state,
    next_session,
    register,
    session,
    session_keys,
)
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    GatewayEUI,
    GenAppKey,
    Instant,
    JoinEUI,
)


async def activated(store: Store, **different: object) -> Session:
    """A device in the registry, and its first session."""
    await register(store)
    first = session(**different)
    await store.activate(None, join_state(), first)
    return first


# What a session may become


def test_a_successor_has_the_next_revision_of_the_same_activation() -> None:
    before = session()
    assert is_successor(before, next_session(before))
    assert not is_successor(before, before)
    assert not is_successor(before, next_session(before, revision=2))
    assert not is_successor(before, next_session(before, generation=2))
    assert not is_successor(before, next_session(before, dev_eui=dev_eui(1)))
    assert not is_successor(before, next_session(before, dev_addr=DevAddr.from_int(1)))


def test_a_successor_keeps_the_keys() -> None:
    before = session()
    other = msgspec.structs.replace(before, keys=session_keys())
    assert is_successor(before, next_session(other))
    keys = session_keys()
    object.__setattr__(keys, "app_s_key", AppSKey(bytes(16)))
    assert not is_successor(before, next_session(before, keys=keys))


def test_a_session_in_use_does_not_become_pending_again() -> None:
    assert not is_successor(session(), next_session(session(), pending=True))
    assert is_successor(session(pending=True), next_session(session(pending=True), pending=False))


# Sessions


async def test_a_session_comes_back_as_it_was_stored(store: Store) -> None:
    stored = await activated(
        store,
        fcnt_up=0xFFFF_FFFF,
        nfcnt_down=9,
        afcnt_down=4,
        awaited_ack=AwaitedAck("0000-1111", 8),
        last_uplink_at=Instant(1_700_000_123.25),
        heard_by=(HeardBy(GATEWAY_EUI, -7.25, 3, True),),
        radio=msgspec.structs.replace(
            session().radio,
            extra_channels=(ChannelState(3, 867_100_000, downlink_frequency_hz=867_300_000),),
        ),
    )
    [found] = await store.sessions_at(DEV_ADDR)
    assert found == stored
    assert type(found.dev_eui) is EUI64
    assert type(found.dev_addr) is DevAddr
    assert type(found.heard_by[0].gateway_eui) is EUI64
    assert type(found.keys.app_s_key) is AppSKey


async def test_devices_that_share_a_dev_addr_are_all_found(store: Store) -> None:
    await register(store, devices=3)
    sessions = [session(number) for number in range(3)]
    sessions[2] = session(2, dev_addr=DevAddr.from_int(1))
    for number, one in enumerate(sessions):
        await store.activate(None, join_state(number), one)
    assert await store.sessions_at(DEV_ADDR) == sessions[:2]
    assert await store.sessions_of(dev_eui(2)) == sessions[2:]
    assert await store.sessions_at(DevAddr.from_int(2)) == []


async def test_advancing_replaces_the_session(store: Store) -> None:
    before = await activated(store)
    after = next_session(before, nfcnt_down=1, last_uplink_at=Instant(2.0))
    assert await store.advance(before, after) is None
    assert await store.sessions_of(DEV_EUI) == [after]


async def test_a_session_that_has_moved_on_is_stale(store: Store) -> None:
    before = await activated(store)
    after = next_session(before)
    await store.advance(before, after)
    with pytest.raises(StaleSession) as caught:
        await store.advance(before, next_session(before, fcnt_up=50), Deliver(delivery()))
    assert (caught.value.dev_eui, caught.value.revision) == (DEV_EUI, 0)
    assert await store.sessions_of(DEV_EUI) == [after]
    assert await store.owed(0, 10) == []


async def test_a_session_that_ended_is_stale(store: Store) -> None:
    before = await activated(store)
    await store.remove_device(DEV_EUI)
    with pytest.raises(StaleSession):
        await store.advance(before, next_session(before))


async def test_of_calls_that_start_together_the_stale_ones_fail_alone(store: Store) -> None:
    await register(store, devices=5)
    sessions = [session(number) for number in range(5)]
    for number, one in enumerate(sessions):
        await store.activate(None, join_state(number), one)
    calls = [
        store.advance(one, next_session(one, fcnt_up=fcnt), Deliver(delivery(fcnt)))
        for fcnt in (10, 20)
        for one in sessions
    ]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert outcomes[:5] == [1, 2, 3, 4, 5]
    assert [type(outcome) for outcome in outcomes[5:]] == [StaleSession] * 5
    assert [one.fcnt_up for one in await store.sessions_at(DEV_ADDR)] == [10] * 5
    assert [one.message_id for one in await store.owed(0, 20)] == [delivery(10).message_id] * 5


async def test_two_steps_of_one_session_may_start_together(store: Store) -> None:
    first = await activated(store)
    second = next_session(first)
    third = next_session(second)
    await asyncio.gather(
        store.advance(first, second, Deliver(delivery(1))),
        store.advance(second, third, Deliver(delivery(2))),
    )
    assert await store.sessions_of(DEV_EUI) == [third]
    assert [one.message_id[:8] for one in await store.owed(0, 9)] == ["00000001", "00000002"]


# Joins


async def test_a_join_stores_its_state_and_session(store: Store) -> None:
    await register(store)
    assert await store.join_state(DEV_EUI) is None
    await store.activate(None, join_state(), session(pending=True))
    assert await store.join_state(DEV_EUI) == join_state()
    assert await store.sessions_of(DEV_EUI) == [session(pending=True)]


async def test_a_later_join_moves_the_join_state_on(store: Store) -> None:
    await activated(store)
    later = join_state(revision=1, next_join_nonce=3, used_dev_nonces=frozenset({7, 0xFFFF}))
    await store.activate(join_state(), later, session(generation=2, pending=True))
    assert await store.join_state(DEV_EUI) == later
    assert [one.generation for one in await store.sessions_of(DEV_EUI)] == [1, 2]


async def test_what_was_used_up_under_other_join_euis_is_kept(store: Store) -> None:
    other = JoinEUI(EUI64.from_int(7))
    first = join_state(last_dev_nonce=9, used_dev_nonces=frozenset({4, 9}), last_rj_count1=3)
    await register(store)
    await store.activate(None, first, session())
    moved = msgspec.structs.replace(first.under(other), revision=1)
    await store.activate(first, moved, session(generation=2, pending=True))
    found = await store.join_state(DEV_EUI)
    assert found == moved
    assert found is not None
    assert (found.join_eui, found.used_dev_nonces) == (other, frozenset())
    back = found.under(examples.JOIN_EUI)
    assert (back.last_dev_nonce, back.used_dev_nonces, back.last_rj_count1) == (9, {4, 9}, 3)
    assert type(back.join_eui) is EUI64


async def test_a_pending_session_gives_way_to_the_next(store: Store) -> None:
    await activated(store)
    states = [join_state(revision=revision) for revision in range(3)]
    await store.activate(states[0], states[1], session(generation=2, pending=True))
    await store.activate(states[1], states[2], session(generation=3, pending=True))
    assert [one.generation for one in await store.sessions_of(DEV_EUI)] == [1, 3]


async def test_a_session_not_pending_ends_every_other(store: Store) -> None:
    await activated(store)
    await store.activate(join_state(), join_state(revision=1), session(generation=2))
    assert await store.sessions_of(DEV_EUI) == [session(generation=2)]


async def test_the_first_use_of_a_session_ends_every_other(store: Store) -> None:
    await activated(store)
    pending = session(generation=2, pending=True)
    await store.activate(join_state(), join_state(revision=1), pending)
    used = next_session(pending, pending=False)
    assert await store.advance(pending, used, Deliver(delivery())) == 1
    assert await store.sessions_of(DEV_EUI) == [used]


async def test_an_older_session_advances_while_a_new_one_is_pending(store: Store) -> None:
    first = await activated(store)
    pending = session(generation=2, pending=True)
    await store.activate(join_state(), join_state(revision=1), pending)
    await store.advance(first, next_session(first))
    assert await store.sessions_of(DEV_EUI) == [next_session(first), pending]


@pytest.mark.parametrize("before", [None, join_state(revision=5)])
async def test_a_join_that_lost_the_race_is_stale(store: Store, before: object) -> None:
    await activated(store)
    with pytest.raises(StaleSession):
        await store.activate(
            before and join_state(revision=5), join_state(revision=6), session(generation=2)
        )
    assert await store.join_state(DEV_EUI) == join_state()
    assert await store.sessions_of(DEV_EUI) == [session()]


async def test_a_later_join_of_a_device_that_never_joined_is_stale(store: Store) -> None:
    await register(store)
    with pytest.raises(StaleSession):
        await store.activate(join_state(), join_state(revision=1), session())
    assert await store.sessions_of(DEV_EUI) == []


async def test_a_device_that_was_removed_cannot_join(store: Store) -> None:
    with pytest.raises(NotFound, match=f"no device {DEV_EUI}"):
        await store.activate(None, join_state(), session())
    assert await store.join_state(DEV_EUI) is None


async def test_a_generation_is_used_once(store: Store) -> None:
    await activated(store)
    with pytest.raises(Conflict):
        await store.activate(join_state(), join_state(revision=1), session(pending=True))
    assert await store.join_state(DEV_EUI) == join_state()
    assert await store.sessions_of(DEV_EUI) == [session()]


# Outbox


async def test_what_is_owed_comes_in_order_of_its_sequence(store: Store) -> None:
    before = await activated(store)
    for number in range(1, 5):
        after = next_session(before)
        assert await store.advance(before, after, Deliver(delivery(number))) == number
        before = after
    owed = [delivery(number, sequence=number) for number in range(1, 5)]
    assert await store.owed(0, 10) == owed
    assert await store.owed(1, 2) == owed[1:3]
    assert await store.owed(4, 2) == []
    assert await store.owed_count() == 4


async def test_one_step_may_owe_two_messages(store: Store) -> None:
    before = await activated(store)
    effects = Deliver(delivery(1)), Deliver(delivery(2))
    assert await store.advance(before, next_session(before), *effects) == 2
    assert [one.sequence for one in await store.owed(0, 10)] == [1, 2]


async def test_what_was_delivered_is_no_longer_owed(store: Store) -> None:
    before = await activated(store)
    effects = [Deliver(delivery(number)) for number in range(4)]
    await store.advance(before, next_session(before), *effects)
    await store.delivered([3, 1, 77])
    await store.delivered([])
    assert [one.sequence for one in await store.owed(0, 10)] == [2, 4]
    assert await store.owed_count() == 2


async def test_a_sequence_is_never_given_again(store: Store) -> None:
    before = await activated(store)
    after = next_session(before)
    assert await store.advance(before, after, Deliver(delivery())) == 1
    await store.delivered([1])
    assert await store.advance(after, next_session(after), Deliver(delivery())) == 2


async def test_what_a_removed_device_sent_is_still_owed(store: Store) -> None:
    before = await activated(store)
    await store.advance(before, next_session(before), Deliver(delivery()))
    await store.remove_device(DEV_EUI)
    await store.remove_destination(DESTINATION.account, DESTINATION.name)
    assert await store.owed(0, 10) == [delivery(sequence=1)]


# Downlink queue


async def test_downlinks_leave_in_the_order_they_came(store: Store) -> None:
    await register(store, devices=2)
    for number in (3, 1, 2):
        await store.enqueue(downlink(number))
    await store.enqueue(downlink(4, dev_eui=dev_eui(1), payload=b"", confirmed=True))
    assert await store.queued(DEV_EUI) == [downlink(3), downlink(1), downlink(2)]
    assert await store.queued(DEV_EUI, limit=1) == [downlink(3)]
    assert [one.confirmed for one in await store.queued(dev_eui(1))] == [True]


async def test_a_higher_priority_goes_first_and_equal_ones_in_order(store: Store) -> None:
    await register(store)
    for number, priority in enumerate((0, 7, -1, 7, 0)):
        await store.enqueue(downlink(number, priority=priority))
    queued = await store.queued(DEV_EUI)
    assert [one.message_id[:8] for one in queued] == [f"{n:08x}" for n in (1, 3, 0, 4, 2)]
    assert await store.queued(DEV_EUI, limit=1) == [downlink(1, priority=7)]


async def test_a_message_keeps_the_gateways_it_names(store: Store) -> None:
    await register(store)
    chosen = ParticipatingGateways(
        mode="SEQUENTIAL",
        gateways=(ParticipatingGateway(GATEWAY_EUI, 869_525_000),),
        interval_s=1200,
    )
    await store.enqueue(downlink(participating=chosen))
    assert await store.queued(DEV_EUI) == [downlink(participating=chosen)]


async def test_devices_with_something_in_their_queue_are_known(store: Store) -> None:
    await register(store, devices=3)
    assert await store.waiting() == []
    for number, device_number in enumerate((2, 0, 2)):
        await store.enqueue(downlink(number, dev_eui=dev_eui(device_number)))
    assert await store.waiting() == [dev_eui(0), dev_eui(2)]
    await store.unqueue(dev_eui(2))
    assert await store.waiting() == [dev_eui(0)]


async def test_a_message_is_queued_once(store: Store) -> None:
    await register(store)
    await store.enqueue(downlink())
    with pytest.raises(Conflict):
        await store.enqueue(downlink(payload=b"other"))
    assert await store.queued(DEV_EUI) == [downlink()]


async def test_nothing_is_queued_for_an_unknown_device(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.enqueue(downlink())


async def test_a_message_is_taken_from_the_queue_of_its_device_only(store: Store) -> None:
    await register(store, devices=2)
    for number in range(3):
        await store.enqueue(downlink(number))
    assert await store.unqueue(dev_eui(1), downlink(0).message_id) == 0
    assert await store.unqueue(DEV_EUI, downlink(1).message_id) == 1
    assert await store.queued(DEV_EUI) == [downlink(0), downlink(2)]
    assert await store.unqueue(DEV_EUI) == 2
    assert await store.unqueue(DEV_EUI) == 0


async def test_a_downlink_is_done_with_the_step_that_sent_it(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink(0))
    await store.enqueue(downlink(1))
    step = next_session(before, nfcnt_down=1)
    done = DownlinkDone(downlink(0).message_id)
    assert await store.advance(before, step, done, Deliver(delivery())) == 1
    assert await store.queued(DEV_EUI) == [downlink(1)]


async def test_a_confirmed_downlink_counts_its_attempts(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink(confirmed=True))
    effect = DownlinkAttempted(downlink().message_id)
    await store.advance(before, next_session(before), effect)
    assert await store.queued(DEV_EUI) == [downlink(confirmed=True, attempts=1)]


async def test_a_stale_step_leaves_the_queue_alone(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink())
    await store.advance(before, next_session(before))
    for effect in (DownlinkDone(downlink().message_id), DownlinkAttempted(downlink().message_id)):
        with pytest.raises(StaleSession):
            await store.advance(before, next_session(before), effect)
    assert await store.queued(DEV_EUI) == [downlink()]


async def test_a_step_does_not_touch_the_queue_of_another_device(store: Store) -> None:
    await register(store, devices=2)
    await store.activate(None, join_state(1), session(1))
    await store.enqueue(downlink())
    before = session(1)
    await store.advance(before, next_session(before), DownlinkDone(downlink().message_id))
    assert await store.queued(DEV_EUI) == [downlink()]


# Registry


OTAA = OtaaActivation(
    join_eui=examples.JOIN_EUI,
    app_key=AppKey(bytes(16)),
    gen_app_key=GenAppKey(b"generic app key."),
)
ABP = AbpActivation(dev_addr=DEV_ADDR, keys=session_keys(), fcnt_start=12)


@pytest.mark.parametrize("activation", [OTAA, ABP], ids=["otaa", "abp"])
async def test_a_device_comes_back_as_it_was_added(store: Store, activation: object) -> None:
    await register(store, devices=0)
    added = device(activation=activation, description="roof, Süd")
    await store.add_device(added)
    found = await store.device(DEV_EUI)
    assert found == added
    assert found is not None
    assert type(found.activation) is type(activation)
    assert await store.device(dev_eui(1)) is None


async def test_a_personalized_device_has_its_session_at_once(store: Store) -> None:
    await register(store, devices=0)
    await store.add_device(device(activation=ABP), session(generation=0))
    assert await store.sessions_at(DEV_ADDR) == [session(generation=0)]


async def test_a_device_is_added_once(store: Store) -> None:
    await register(store)
    with pytest.raises(Conflict, match=f"device {DEV_EUI} exists already"):
        await store.add_device(device(id="another"), session())
    with pytest.raises(Conflict, match=device().id):
        await store.add_device(device(1, id=device().id), session(1))
    assert await store.devices() == [device()]
    assert await store.sessions_at(DEV_ADDR) == []


@pytest.mark.parametrize("reference", ["destination", "device_profile_id", "service_profile_id"])
async def test_a_device_names_what_is_there(store: Store, reference: str) -> None:
    await register(store, devices=0)
    with pytest.raises(NotFound, match="nowhere"):
        await store.add_device(device(**{reference: "nowhere"}), session())
    assert await store.devices() == []
    assert await store.sessions_at(DEV_ADDR) == []


async def test_a_device_of_another_account_does_not_see_the_destination(store: Store) -> None:
    await register(store, devices=0)
    with pytest.raises(NotFound):
        await store.add_device(device(account="111122223333"))


async def test_devices_come_in_pages_by_dev_eui(store: Store) -> None:
    await register(store, devices=0)
    for number in (2, 0, 3, 1):
        await store.add_device(device(number))
    assert await store.devices(limit=2) == [device(0), device(1)]
    assert await store.devices(after=dev_eui(1), limit=2) == [device(2), device(3)]
    assert await store.devices(after=dev_eui(3)) == []


async def test_a_device_is_replaced_and_goes_on(store: Store) -> None:
    before = await activated(store)
    await store.enqueue(downlink())
    await store.add_device(device(1))
    since = await store.last_change()
    other = msgspec.structs.replace(DEVICE_PROFILE, id="other")
    await store.add_device_profile(other)
    changed = device(name="valve", description="in the cellar", device_profile_id="other", id="new")
    await store.replace_device(changed)
    assert await store.device(DEV_EUI) == changed
    assert await store.devices() == [changed, device(1)]
    assert await store.sessions_of(DEV_EUI) == [before]
    assert await store.join_state(DEV_EUI) == join_state()
    assert await store.queued(DEV_EUI) == [downlink()]
    assert await news(store, since) == [("profile", "other"), ("device", str(DEV_EUI))]


async def test_a_device_gets_other_keys(store: Store) -> None:
    await register(store)
    activation = AbpActivation(dev_addr=DEV_ADDR, keys=session_keys())
    await store.replace_device(device(activation=activation))
    assert await store.device(DEV_EUI) == device(activation=activation)
    assert await store.sessions_of(DEV_EUI) == []


@pytest.mark.parametrize(
    "different",
    [
        {"destination": "nowhere"},
        {"device_profile_id": "nowhere"},
        {"service_profile_id": "nowhere"},
        {"account": "111122223333"},
    ],
)
async def test_a_replaced_device_names_what_is_there(
    store: Store, different: dict[str, str]
) -> None:
    await register(store)
    since = await store.last_change()
    with pytest.raises(NotFound):
        await store.replace_device(device(**different))
    assert await store.device(DEV_EUI) == device()
    assert await store.changes(since) == []


async def test_a_replaced_device_has_an_id_of_its_own(store: Store) -> None:
    await register(store, devices=2)
    with pytest.raises(Conflict, match=device(1).id):
        await store.replace_device(device(id=device(1).id))
    assert await store.devices() == [device(0), device(1)]


async def test_a_device_goes_with_all_that_is_its_own(store: Store) -> None:
    await activated(store)
    await store.add_device(device(1))
    await store.enqueue(downlink(0))
    await store.enqueue(downlink(1, dev_eui=dev_eui(1)))
    await store.remove_device(DEV_EUI)
    assert await store.devices() == [device(1)]
    assert await store.sessions_at(DEV_ADDR) == []
    assert await store.join_state(DEV_EUI) is None
    assert await store.queued(DEV_EUI) == []
    assert len(await store.queued(dev_eui(1))) == 1


async def test_a_device_added_again_starts_anew(store: Store) -> None:
    await activated(store)
    await store.remove_device(DEV_EUI)
    await store.add_device(device())
    assert await store.join_state(DEV_EUI) is None
    await store.activate(None, join_state(), session())


async def test_the_session_of_a_device_added_again_is_another_one(store: Store) -> None:
    """Somebody may still hold the one that ended: of the same generation, and as far advanced."""
    await register(store, devices=0)
    held = session(generation=0, revision=1 << 60)
    await store.add_device(device(activation=ABP), held)
    await store.remove_device(DEV_EUI)
    again = session(generation=0, revision=(1 << 62) - 1)
    await store.add_device(device(activation=ABP), again)
    with pytest.raises(StaleSession):
        await store.advance(held, next_session(held), Deliver(delivery()))
    assert await store.sessions_of(DEV_EUI) == [again]
    await store.advance(again, next_session(again))
    assert [one.revision for one in await store.sessions_of(DEV_EUI)] == [1 << 62]


async def test_what_is_not_there_cannot_be_removed(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.remove_device(DEV_EUI)
    with pytest.raises(NotFound):
        await store.remove_gateway(GATEWAY_EUI)
    with pytest.raises(NotFound):
        await store.remove_destination("000000000000", "nowhere")
    with pytest.raises(NotFound):
        await store.set_certificate_active("00" * 32, False)
    assert await store.last_change() == 0


async def test_what_is_not_there_cannot_be_replaced(store: Store) -> None:
    with pytest.raises(NotFound, match=f"device {DEV_EUI}"):
        await store.replace_device(device())
    with pytest.raises(NotFound, match=f"gateway {GATEWAY_EUI}"):
        await store.replace_gateway(GATEWAY)
    with pytest.raises(NotFound, match=f"certificate {CERTIFICATE.fingerprint}"):
        await store.replace_certificate(CERTIFICATE)
    with pytest.raises(NotFound, match=f"destination {DESTINATION.name}"):
        await store.replace_destination(DESTINATION)
    assert await store.last_change() == 0


async def test_profiles_come_back_as_they_were_added(store: Store) -> None:
    other = msgspec.structs.replace(DEVICE_PROFILE, id="zz", rx2_frequency_hz=869_525_000)
    await store.add_device_profile(other)
    await store.add_device_profile(DEVICE_PROFILE)
    await store.add_service_profile(SERVICE_PROFILE)
    assert await store.device_profile("zz") == other
    assert await store.device_profiles() == [DEVICE_PROFILE, other]
    assert await store.service_profile(SERVICE_PROFILE.id) == SERVICE_PROFILE
    assert await store.service_profiles() == [SERVICE_PROFILE]
    assert await store.device_profile("nothing") is None
    assert await store.service_profile("nothing") is None


async def test_a_profile_is_added_once(store: Store) -> None:
    await store.add_device_profile(DEVICE_PROFILE)
    await store.add_service_profile(SERVICE_PROFILE)
    with pytest.raises(Conflict, match="device profile"):
        await store.add_device_profile(DEVICE_PROFILE)
    with pytest.raises(Conflict, match="service profile"):
        await store.add_service_profile(SERVICE_PROFILE)


async def test_a_gateway_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    found = await store.gateway(GATEWAY_EUI)
    assert found == GATEWAY
    assert found is not None
    assert type(found.join_eui_filters[0]) is tuple
    assert await store.gateway(GatewayEUI(EUI64(bytes(8)))) is None


async def test_a_gateway_is_added_once(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    with pytest.raises(Conflict):
        await store.add_gateway(msgspec.structs.replace(GATEWAY, id="another"))
    other = GatewayEUI(EUI64(bytes(8)))
    with pytest.raises(Conflict):
        await store.add_gateway(msgspec.structs.replace(GATEWAY, gateway_eui=other))


async def test_gateways_come_in_pages_by_eui(store: Store) -> None:
    gateways = [
        msgspec.structs.replace(GATEWAY, id=str(number), gateway_eui=dev_eui(number))
        for number in range(3)
    ]
    for gateway in reversed(gateways):
        await store.add_gateway(gateway)
    assert await store.gateways(limit=2) == gateways[:2]
    assert await store.gateways(after=GatewayEUI(dev_eui(1))) == gateways[2:]


async def test_a_gateway_is_replaced_and_keeps_its_certificates(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    since = await store.last_change()
    changed = msgspec.structs.replace(
        GATEWAY, id="new", beaconing=False, lns_uri="wss://lns.example:8887", remote_shell=True
    )
    await store.replace_gateway(changed)
    assert await store.gateway(GATEWAY_EUI) == changed
    assert await store.certificates_of(GATEWAY_EUI) == [CERTIFICATE]
    assert await news(store, since) == [("gateway", str(GATEWAY_EUI))]


async def test_a_replaced_gateway_has_an_id_of_its_own(store: Store) -> None:
    other = msgspec.structs.replace(GATEWAY, id="other", gateway_eui=GatewayEUI(dev_eui(0)))
    await store.add_gateway(GATEWAY)
    await store.add_gateway(other)
    with pytest.raises(Conflict, match="gateway other"):
        await store.replace_gateway(msgspec.structs.replace(GATEWAY, id="other"))
    assert await store.gateway(GATEWAY_EUI) == GATEWAY


async def test_a_gateway_goes_with_its_certificates(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    await store.remove_gateway(GATEWAY_EUI)
    assert await store.gateways() == []
    assert await store.certificate(CERTIFICATE.fingerprint) is None


async def test_a_certificate_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    newer = msgspec.structs.replace(CERTIFICATE, fingerprint="00" * 32)
    await store.add_certificate(CERTIFICATE)
    await store.add_certificate(newer)
    assert await store.certificate(CERTIFICATE.fingerprint) == CERTIFICATE
    assert await store.certificates_of(GATEWAY_EUI) == [CERTIFICATE, newer]
    with pytest.raises(Conflict):
        await store.add_certificate(CERTIFICATE)


async def test_a_certificate_belongs_to_a_gateway(store: Store) -> None:
    with pytest.raises(NotFound, match="gateway"):
        await store.add_certificate(CERTIFICATE)


async def test_a_certificate_is_deactivated_and_activated(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    for active in (False, True):
        await store.set_certificate_active(CERTIFICATE.fingerprint, active)
        found = await store.certificate(CERTIFICATE.fingerprint)
        assert found == msgspec.structs.replace(CERTIFICATE, active=active)


async def test_a_certificate_is_replaced(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    since = await store.last_change()
    revoked = msgspec.structs.replace(
        CERTIFICATE, active=False, revoked_at=NOW, revoked_because="it was stolen"
    )
    await store.replace_certificate(revoked)
    assert await store.certificate(CERTIFICATE.fingerprint) == revoked
    assert await store.certificates_of(GATEWAY_EUI) == [revoked]
    assert await news(store, since) == [("certificate", CERTIFICATE.fingerprint)]


async def test_a_replaced_certificate_belongs_to_a_gateway(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    nobody = GatewayEUI(dev_eui(0))
    with pytest.raises(NotFound, match=f"gateway {nobody}"):
        await store.replace_certificate(msgspec.structs.replace(CERTIFICATE, gateway_eui=nobody))
    assert await store.certificate(CERTIFICATE.fingerprint) == CERTIFICATE


async def test_foreign_certificates_are_found_without_the_others(store: Store) -> None:
    await store.add_gateway(GATEWAY)
    first = msgspec.structs.replace(FOREIGN_CERTIFICATE, fingerprint="00" * 32)
    for certificate in (FOREIGN_CERTIFICATE, CERTIFICATE, first):
        await store.add_certificate(certificate)
    assert await store.foreign_certificates() == [first, FOREIGN_CERTIFICATE]
    await store.replace_certificate(msgspec.structs.replace(first, pem=""))
    await store.set_certificate_active(FOREIGN_CERTIFICATE.fingerprint, False)
    inactive = msgspec.structs.replace(FOREIGN_CERTIFICATE, active=False)
    assert await store.foreign_certificates() == [inactive]


async def test_a_destination_comes_back_as_it_was_added(store: Store) -> None:
    other = msgspec.structs.replace(DESTINATION, account="111122223333", name="else")
    await store.add_destination(DESTINATION)
    await store.add_destination(other)
    assert await store.destination(DESTINATION.account, DESTINATION.name) == DESTINATION
    assert await store.destination(DESTINATION.account, "else") is None
    assert await store.destinations(DESTINATION.account) == [DESTINATION]
    with pytest.raises(Conflict):
        await store.add_destination(DESTINATION)


async def test_a_destination_is_replaced_while_a_device_names_it(store: Store) -> None:
    await register(store)
    since = await store.last_change()
    changed = msgspec.structs.replace(DESTINATION, expression="elsewhere", description="moved")
    await store.replace_destination(changed)
    assert await store.destinations(DESTINATION.account) == [changed]
    assert await news(store, since) == [("destination", "000000000000/plant")]


async def test_a_destination_stays_while_a_device_names_it(store: Store) -> None:
    await register(store)
    with pytest.raises(Conflict, match="is used by a device"):
        await store.remove_destination(DESTINATION.account, DESTINATION.name)
    await store.remove_device(DEV_EUI)
    await store.remove_destination(DESTINATION.account, DESTINATION.name)
    assert await store.destinations(DESTINATION.account) == []


# Change feed


async def news(store: Store, since: int) -> list[tuple[str, str]]:
    return [(change.kind, change.identity) for change in await store.changes(since)]


async def test_a_rule_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_rule(RULE)
    assert await store.rule(RULE.account, RULE.name) == RULE
    assert await store.rules(RULE.account) == [RULE]
    assert await store.rules("another") == []
    assert await store.rule(RULE.account, "another") is None


async def test_a_rule_is_added_once_replaced_and_removed(store: Store) -> None:
    await store.add_rule(RULE)
    with pytest.raises(Conflict):
        await store.add_rule(RULE)
    other = msgspec.structs.replace(RULE, enabled=False, error_action=None)
    await store.replace_rule(other)
    assert await store.rule(RULE.account, RULE.name) == other
    await store.remove_rule(RULE.account, RULE.name)
    with pytest.raises(NotFound):
        await store.remove_rule(RULE.account, RULE.name)
    with pytest.raises(NotFound):
        await store.replace_rule(other)
    told = [change for change in await store.changes(0) if change.kind == "rule"]
    assert [change.identity for change in told] == ["000000000000/meters"] * 3


async def test_a_codec_comes_back_as_it_was_added(store: Store) -> None:
    await store.add_codec(CODEC)
    assert await store.codec(CODEC.account, CODEC.name) == CODEC
    assert await store.codecs(CODEC.account) == [CODEC]
    assert await store.codecs("another") == []
    assert await store.codec(CODEC.account, "another") is None


async def test_a_codec_is_added_once_replaced_and_removed(store: Store) -> None:
    await store.add_codec(CODEC)
    with pytest.raises(Conflict):
        await store.add_codec(CODEC)
    other = msgspec.structs.replace(
        CODEC, script="function encodeDownlink(input) { return { bytes: [] }; }"
    )
    await store.replace_codec(other)
    assert await store.codec(CODEC.account, CODEC.name) == other
    await store.remove_codec(CODEC.account, CODEC.name)
    with pytest.raises(NotFound):
        await store.remove_codec(CODEC.account, CODEC.name)
    with pytest.raises(NotFound):
        await store.replace_codec(other)
    told = [change for change in await store.changes(0) if change.kind == "codec"]
    assert [change.identity for change in told] == ["000000000000/meter"] * 3


async def test_an_account_is_added_once(store: Store) -> None:
    await store.add_account(ACCOUNT)
    with pytest.raises(Conflict):
        await store.add_account(ACCOUNT)
    first = msgspec.structs.replace(ACCOUNT, id="000000000009", name="")
    await store.add_account(first)
    assert await store.account(ACCOUNT.id) == ACCOUNT
    assert await store.account("999999999999") is None
    assert await store.accounts() == [first, ACCOUNT]
    assert [one.identity for one in await store.changes(0)] == [ACCOUNT.id, first.id]


async def test_an_access_key_comes_back_with_its_secret(store: Store) -> None:
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    assert await store.access_key(ACCESS_KEY.id) == ACCESS_KEY
    assert await store.access_key("AKIAEXAMPLE000000009") is None
    with pytest.raises(Conflict):
        await store.add_access_key(ACCESS_KEY)


async def test_an_access_key_needs_its_account(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.add_access_key(ACCESS_KEY)
    assert await store.access_keys() == []


async def test_access_keys_are_listed_by_account(store: Store) -> None:
    other = msgspec.structs.replace(ACCOUNT, id="000000000009")
    keys = [
        msgspec.structs.replace(ACCESS_KEY, id=f"AKIAEXAMPLE00000000{n}", account=account.id)
        for n, account in ((2, ACCOUNT), (3, other), (1, ACCOUNT))
    ]
    for account in (ACCOUNT, other):
        await store.add_account(account)
    for key in keys:
        await store.add_access_key(key)
    assert await store.access_keys(ACCOUNT.id) == [keys[2], keys[0]]
    assert await store.access_keys() == [keys[1], keys[2], keys[0]]


async def test_an_access_key_is_deactivated_and_removed(store: Store) -> None:
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    await store.set_access_key_active(ACCESS_KEY.id, False)
    inactive = msgspec.structs.replace(ACCESS_KEY, active=False)
    assert await store.access_key(ACCESS_KEY.id) == inactive
    await store.remove_access_key(ACCESS_KEY.id)
    assert await store.access_key(ACCESS_KEY.id) is None
    with pytest.raises(NotFound):
        await store.remove_access_key(ACCESS_KEY.id)
    with pytest.raises(NotFound):
        await store.set_access_key_active(ACCESS_KEY.id, True)
    told = [change.identity for change in await store.changes(0) if change.kind == "access_key"]
    assert told == [ACCESS_KEY.id] * 3


async def test_the_latest_use_of_an_access_key_is_kept_and_is_no_change(store: Store) -> None:
    await store.add_account(ACCOUNT)
    await store.add_access_key(ACCESS_KEY)
    before = await store.last_change()
    await store.access_key_used(ACCESS_KEY.id, Instant(NOW + 10))
    await store.access_key_used(ACCESS_KEY.id, Instant(NOW + 5))
    await store.access_key_used("AKIAEXAMPLE000000009", Instant(NOW))
    found = await store.access_key(ACCESS_KEY.id)
    assert found == msgspec.structs.replace(ACCESS_KEY, last_used_at=NOW + 10)
    assert await store.last_change() == before


async def test_lanes_are_owed_apart_and_in_order(store: Store) -> None:
    owed = [delivery(n, sequence=n, lane=lane) for n in (3, 1, 2) for lane in ("a/1", "b/1")]
    await store.settle(owed=owed)
    assert [one.sequence for one in await store.owed(0, 10, "a/1")] == [1, 2, 3]
    assert await store.owed(1, 1, "b/1") == [delivery(2, sequence=2, lane="b/1")]
    assert await store.owed(0, 10) == []
    assert await store.lanes() == ["a/1", "b/1"]
    assert await store.owed_count() == 6
    await store.settle(delivered_in={"a/1": [1, 2, 3], "b/1": [2, 77]})
    assert await store.lanes() == ["b/1"]
    assert [one.sequence for one in await store.owed(0, 10, "b/1")] == [1, 3]


async def test_what_is_owed_in_a_lane_stays_as_it_is(store: Store) -> None:
    await store.settle(owed=[delivery(1, sequence=1, lane="a", document=b"first")])
    await store.settle(owed=[delivery(1, sequence=1, lane="a", document=b"second")])
    assert [one.document for one in await store.owed(0, 10, "a")] == [b"first"]


async def test_settling_moves_between_outbox_lanes_and_dead_letters(store: Store) -> None:
    first = await activated(store)
    await store.advance(first, next_session(first), Deliver(delivery(1)), Deliver(delivery(2)))
    await store.settle(
        delivered=[1, 2], owed=[delivery(1, sequence=1, lane="a")], letters=[dead_letter(2)]
    )
    assert await store.owed(0, 10) == []
    assert [one.sequence for one in await store.owed(0, 10, "a")] == [1]
    assert await store.dead_letters(DeadLetterFilter()) == [dead_letter(2, sequence=1)]
    assert await store.owed_count() == 1


async def test_a_dead_letter_of_a_lane_is_kept_once(store: Store) -> None:
    await store.settle(letters=[dead_letter(1), dead_letter(1)])
    await store.settle(letters=[dead_letter(1), dead_letter(1, lane="other")])
    assert len(await store.dead_letters(DeadLetterFilter())) == 2


async def test_dead_letters_are_found_by_what_they_are(store: Store) -> None:
    await store.settle(
        letters=[
            dead_letter(1),
            dead_letter(2, rule="doors"),
            dead_letter(3, dev_eui=dev_eui(5)),
            dead_letter(4, destination="yard"),
        ]
    )

    async def found(**wanted: Any) -> list[int]:
        return [one.owed_as for one in await store.dead_letters(DeadLetterFilter(**wanted))]

    assert await found() == [1, 2, 3, 4]
    assert await found(rule="doors") == [2]
    assert await found(dev_eui=dev_eui(5)) == [3]
    assert await found(destination="yard", rule="meters") == [4]
    assert await found(message_id=dead_letter(1).message_id) == [1]
    assert await found(account="111111111111") == []
    page = await store.dead_letters(DeadLetterFilter(), after_sequence=1, limit=2)
    assert [one.owed_as for one in page] == [2, 3]
    assert await store.dead_letter(2) == page[0]
    assert await store.dead_letter(9) is None


async def test_replayed_dead_letters_are_owed_again_behind_all_others(store: Store) -> None:
    first = await activated(store)
    await store.advance(first, next_session(first), Deliver(delivery(1)))
    await store.settle(letters=[dead_letter(7), dead_letter(8, lane="", document=b"raw")])
    assert await store.replay_dead_letters([2, 1, 1, 99]) == 2
    assert await store.dead_letters(DeadLetterFilter()) == []
    outbox = await store.owed(0, 10)
    assert [(one.sequence, one.document) for one in outbox[1:]] == [(3, b"raw")]
    [laned] = await store.owed(0, 10, dead_letter().lane)
    assert (laned.sequence, laned.message_id) == (2, dead_letter(7).message_id)
    assert await store.owed_count() == 3
    told = [change.identity for change in await store.changes(0) if change.kind == "replay"]
    assert told == ["", dead_letter().lane]


async def test_dropped_dead_letters_are_gone(store: Store) -> None:
    await store.settle(letters=[dead_letter(1), dead_letter(2)])
    assert await store.drop_dead_letters([1, 9]) == 1
    assert [one.owed_as for one in await store.dead_letters(DeadLetterFilter())] == [2]


async def test_dead_letters_are_trimmed_by_age_and_by_size(store: Store) -> None:
    await store.settle(
        letters=[
            dead_letter(n, failed_at=Instant(NOW + n), document=bytes(100)) for n in range(1, 7)
        ]
    )
    assert await store.trim_dead_letters(Instant(NOW + 3), 10_000) == 2
    assert await store.trim_dead_letters(Instant(0), 250) == 2
    left = await store.dead_letters(DeadLetterFilter())
    assert [one.owed_as for one in left] == [5, 6]
    usage = await store.delivery_usage()
    assert (usage.dead_letters, usage.dead_letter_bytes, usage.owed) == (2, 200, 0)


async def test_every_change_of_the_registry_is_told(store: Store) -> None:
    assert await store.last_change() == 0
    assert await store.changes(0) == []
    await register(store)
    await store.add_gateway(GATEWAY)
    await store.add_certificate(CERTIFICATE)
    await store.set_certificate_active(CERTIFICATE.fingerprint, False)
    assert await store.changes(0) == [
        Change(1, "destination", "000000000000/plant"),
        Change(2, "profile", DEVICE_PROFILE.id),
        Change(3, "profile", SERVICE_PROFILE.id),
        Change(4, "device", str(DEV_EUI)),
        Change(5, "gateway", str(GATEWAY_EUI)),
        Change(6, "certificate", CERTIFICATE.fingerprint),
        Change(7, "certificate", CERTIFICATE.fingerprint),
    ]
    assert await store.last_change() == 7
    await store.remove_gateway(GATEWAY_EUI)
    await store.remove_device(DEV_EUI)
    await store.remove_destination(DESTINATION.account, DESTINATION.name)
    assert await news(store, 7) == [
        ("gateway", str(GATEWAY_EUI)),
        ("device", str(DEV_EUI)),
        ("session", str(DEV_EUI)),
        ("destination", "000000000000/plant"),
    ]


async def test_every_change_of_a_queue_is_told(store: Store) -> None:
    before = await activated(store)
    since = await store.last_change()
    told = [("downlink", str(DEV_EUI))]
    await store.enqueue(downlink(0))
    await store.enqueue(downlink(1))
    assert await news(store, since) == 2 * told
    since += 2
    after = next_session(before)
    await store.advance(before, after, DownlinkAttempted(downlink(0).message_id))
    assert await news(store, since) == told
    await store.advance(after, next_session(after), DownlinkDone(downlink(0).message_id))
    await store.unqueue(DEV_EUI)
    await store.unqueue(DEV_EUI)
    assert await news(store, since) == 3 * told


async def test_activations_are_told_and_uplinks_are_not(store: Store) -> None:
    await register(store)
    since = await store.last_change()
    before = session(pending=True)
    await store.activate(None, join_state(), before)
    after = next_session(before, pending=False)
    await store.advance(before, after)
    assert await news(store, since) == 2 * [("session", str(DEV_EUI))]
    await store.advance(after, next_session(after), Deliver(delivery()))
    assert len(await news(store, since)) == 2


async def test_what_failed_is_not_told(store: Store) -> None:
    await register(store)
    since = await store.last_change()
    with pytest.raises(Conflict):
        await store.add_device(device())
    with pytest.raises(NotFound):
        await store.enqueue(downlink(dev_eui=dev_eui(1)))
    assert await store.changes(since) == []


async def test_old_changes_are_trimmed_and_their_loss_is_told(store: Store) -> None:
    await register(store, devices=60)
    newest = await store.last_change()
    assert newest == 63
    assert len(await store.changes(newest - 50)) == 50
    with pytest.raises(ChangesTrimmed):
        await store.changes(newest - 51)
    with pytest.raises(ChangesTrimmed):
        await store.changes(0)
    assert await store.changes(newest) == []
