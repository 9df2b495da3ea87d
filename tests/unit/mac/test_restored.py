from __future__ import annotations

import msgspec
import pytest

from bittern.lorawan.versions import MacVersion
from bittern.mac.downlink import Composed, compose
from bittern.mac.join_accept import JOIN_NONCES
from bittern.mac.refused import Refused
from bittern.mac.restored import (
    JOIN_NONCE_JUMP,
    JUMP,
    JUMP_WITHIN_GAP,
    REQUESTS_SKIPPED,
    Noted,
    downlink_jump,
    held,
    restored_joins,
    restored_session,
)
from bittern.mac.session import Hold, JoinState, Session
from bittern.mac.uplink import Accepted
from bittern.mac.windows import windows
from bittern.types import EUI64, DevEUI, Instant, JoinEUI, Refusal

DAY_S = 86_400.0
MAX_FCNT_GAP = 16_384
DEV_EUI = DevEUI(EUI64.from_int(1))
JOIN_EUI = JoinEUI(EUI64.from_int(2))
RANDOM, COUNTED = MacVersion.LORAWAN_1_0_3, MacVersion.LORAWAN_1_0_4


def later(outcome: object, seconds: float) -> Session:
    """The session of a noted frame, as if its quarantine had begun so long ago."""
    assert isinstance(outcome, Noted), outcome
    hold = outcome.after.hold
    assert hold is not None
    assert hold.until is not None
    begun = Hold(hold.quarantine_s, Instant(hold.until - seconds))
    return msgspec.structs.replace(outcome.after, hold=begun)


# Downlinks


@pytest.mark.parametrize("version", list(MacVersion))
def test_downlink_counters_jump_beyond_what_was_used_and_not_too_far(make_device, version):
    before = make_device(version).session(nfcnt_down=100, afcnt_down=200)
    after = restored_session(before, quarantine_s=0)
    jump = downlink_jump(version)
    assert (after.nfcnt_down, after.afcnt_down) == (100 + jump, 200 + jump)
    assert after.revision == before.revision + 1
    assert jump * 2 <= (MAX_FCNT_GAP if jump == JUMP_WITHIN_GAP else 1 << 16)
    assert jump in (JUMP_WITHIN_GAP, JUMP)


def test_what_the_device_uses_is_told_again(device):
    after = restored_session(device.session(), quarantine_s=0)
    assert after.radio.link_uncertain
    assert after.awaited_ack is None


def test_nothing_is_sent_by_a_session_that_is_held(device):
    session = restored_session(device.session(), quarantine_s=DAY_S)
    offered = windows(session, device.plan, 5, 868_100_000)
    outcome = compose(session, windows=offered, ack=True)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.SESSION_HELD
    free = msgspec.structs.replace(session, hold=None)
    assert isinstance(compose(free, windows=offered, ack=True), Composed)


# Uplinks of a device that joined


def test_uplinks_of_a_device_that_joined_are_refused_until_it_joins_again(device, hear):
    session = restored_session(device.session(generation=3, fcnt_up=5), quarantine_s=DAY_S)
    outcome = hear(device.uplink(6, b"recorded", fport=1), session)
    assert isinstance(outcome, Refused)
    assert not isinstance(outcome, Noted)
    assert outcome.refusal is Refusal.SESSION_HELD
    assert outcome.dev_eui == session.dev_eui
    assert "join again" in outcome.reason


def test_a_frame_that_came_before_the_copy_is_not_answered_either(device, hear):
    session = restored_session(device.session(generation=3, fcnt_up=5), quarantine_s=DAY_S)
    assert hear(device.uplink(5, b"old", fport=1), session).refusal is Refusal.SESSION_HELD
    assert hear(device.uplink(4, b"older", fport=1), session).refusal is Refusal.FCNT_REPLAYED


def test_a_stranger_is_still_a_stranger(device, make_device, hear):
    session = restored_session(device.session(generation=3), quarantine_s=DAY_S)
    other = make_device(seed=2)
    assert hear(other.uplink(6, b"x", fport=1), session).refusal is Refusal.MIC_MISMATCH


def test_joined_sessions_are_kept_like_personalized_ones_where_that_is_asked(device):
    before = device.session(generation=3)
    kept = restored_session(before, quarantine_s=DAY_S, keep_joined=True)
    assert kept.hold == Hold(DAY_S)
    assert restored_session(before, quarantine_s=0, keep_joined=True).hold is None


# Uplinks of a personalized device


def test_a_personalized_device_is_heard_but_not_believed_at_first(device, hear):
    session = restored_session(device.session(fcnt_up=5), quarantine_s=DAY_S)
    outcome = hear(device.uplink(9, b"maybe recorded", fport=1), session)
    assert isinstance(outcome, Noted)
    assert outcome.before is session
    assert outcome.refusal is Refusal.SESSION_HELD
    assert outcome.after.fcnt_up == 9
    assert outcome.after.revision == session.revision + 1


def test_a_recorded_frame_is_never_accepted_once_the_device_was_heard(device, hear):
    session = restored_session(device.session(fcnt_up=5), quarantine_s=DAY_S)
    recorded = [device.uplink(fcnt, b"recorded", fport=1) for fcnt in range(6, 40)]
    session = hear(recorded[0], session).after  # the replay begins the quarantine
    session = hear(device.uplink(40, b"fresh", fport=1), session).after
    session = later(Noted(Refusal.SESSION_HELD, "", before=session, after=session), 2 * DAY_S)
    for frame in recorded:
        outcome = hear(frame, session)
        assert isinstance(outcome, Refused)
        assert outcome.refusal is Refusal.FCNT_REPLAYED
    assert isinstance(hear(device.uplink(41, b"fresh", fport=1), session), Accepted)


def test_the_quarantine_ends_for_good(device, hear):
    session = restored_session(device.session(fcnt_up=5), quarantine_s=DAY_S)
    session = later(hear(device.uplink(9), session), DAY_S)
    outcome = hear(device.uplink(10, b"new", fport=1), session)
    assert isinstance(outcome, Accepted)
    assert outcome.after.hold is None


def test_the_quarantine_is_not_prolonged_by_more_frames(device):
    session = restored_session(device.session(), quarantine_s=10.0)
    first = held(session, 0, Instant(1000.0))
    assert isinstance(first, Noted)
    second = held(first.after, 1, Instant(1009.0))
    assert isinstance(second, Noted)
    assert second.after.hold == Hold(10.0, Instant(1010.0))
    assert held(second.after, 2, Instant(1010.0)) is None


# Joins


@pytest.mark.parametrize("version", [RANDOM, COUNTED, MacVersion.LORAWAN_1_1])
def test_no_join_nonce_comes_twice(version):
    before = JoinState(dev_eui=DEV_EUI, join_eui=JOIN_EUI, next_join_nonce=7, revision=4)
    after = restored_joins(before, dev_eui=DEV_EUI, join_eui=JOIN_EUI, version=version)
    assert after.next_join_nonce == 7 + JOIN_NONCE_JUMP
    assert after.revision == 5


def test_join_nonces_end_where_they_end():
    before = JoinState(dev_eui=DEV_EUI, join_eui=JOIN_EUI, next_join_nonce=JOIN_NONCES - 1)
    after = restored_joins(before, dev_eui=DEV_EUI, join_eui=JOIN_EUI, version=COUNTED)
    assert after.next_join_nonce == JOIN_NONCES


def test_a_device_that_had_not_joined_may_have_joined_since():
    after = restored_joins(None, dev_eui=DEV_EUI, join_eui=JOIN_EUI, version=COUNTED)
    assert after.next_join_nonce > JOIN_NONCE_JUMP
    assert after.last_dev_nonce == REQUESTS_SKIPPED - 1
    assert (
        restored_joins(None, dev_eui=DEV_EUI, join_eui=JOIN_EUI, version=RANDOM).last_dev_nonce
        is None
    )


def test_dev_nonces_that_count_are_skipped_under_every_join_eui():
    other = JoinEUI(EUI64.from_int(9))
    before = JoinState(dev_eui=DEV_EUI, join_eui=other, last_dev_nonce=30, last_rj_count1=3)
    before = msgspec.structs.replace(before.under(JOIN_EUI), last_dev_nonce=4)
    after = restored_joins(before, dev_eui=DEV_EUI, join_eui=JOIN_EUI, version=COUNTED)
    assert after.last_dev_nonce == 4 + REQUESTS_SKIPPED
    assert after.under(other).last_dev_nonce == 30 + REQUESTS_SKIPPED
    assert after.under(other).last_rj_count1 == 3 + REQUESTS_SKIPPED


def test_dev_nonces_that_were_drawn_stay_spent():
    before = JoinState(
        dev_eui=DEV_EUI, join_eui=JOIN_EUI, last_dev_nonce=9, used_dev_nonces=frozenset((9, 200))
    )
    after = restored_joins(before, dev_eui=DEV_EUI, join_eui=JOIN_EUI, version=RANDOM)
    assert (after.last_dev_nonce, after.used_dev_nonces) == (9, frozenset((9, 200)))
