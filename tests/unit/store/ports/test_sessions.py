"""Sessions, joins and what they may become: every engine does the same."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bittern.errors import Conflict, NotFound, StaleSession
from bittern.mac.session import AwaitedAck, ChannelState, HeardBy
from bittern.store.ports.sessions import Deliver, is_successor
from bittern.store.protocol import Store
from bittern.testing import examples
from bittern.testing.examples import (
    DEV_ADDR,
    DEV_EUI,
    GATEWAY_EUI,
    activated,
    delivery,
    dev_eui,
    join_state,
    next_session,
    register,
    session,
    session_keys,
)
from bittern.types import EUI64, AppSKey, DevAddr, Instant, JoinEUI


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
