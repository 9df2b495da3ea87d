from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from bittern.lorawan.commands import DutyCycleReq, RXTimingSetupReq, pack_commands
from bittern.lorawan.crypto import (
    decrypt_join_accept,
    derive_js_enc_key,
    derive_js_int_key,
    derive_session_keys_1_1,
    join_accept_mic_1_1,
    rejoin_mic,
)
from bittern.lorawan.frame import EncryptedJoinAccept, JoinAccept, RejoinRequest, parse
from bittern.lorawan.regions import plan
from bittern.lorawan.versions import MacVersion
from bittern.mac.join_accept import Terms
from bittern.mac.refused import Refused
from bittern.mac.rejoin import RejoinGranted, answer
from bittern.mac.session import NO_FCNT, JoinState, Request, Session
from bittern.types import (
    EUI64,
    AppKey,
    DevAddr,
    DevEUI,
    Instant,
    JoinEUI,
    NetID,
    NwkKey,
    Refusal,
)

NOW = Instant(1_700_000_900.0)
NET_ID, OTHER_NET_ID = NetID.from_hex("000013"), NetID.from_hex("000014")
NEW_ADDR = DevAddr.from_hex("2601abcd")
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000001"))
OTHER_JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0000002"))
DEV_EUI = DevEUI(EUI64.from_int(1))
APP_KEY = AppKey.from_hex("000102030405060708090a0b0c0d0e0f")
NWK_KEY = NwkKey.from_hex("101112131415161718191a1b1c1d1e1f")
BY_SESSION = pytest.mark.parametrize("kind", [0, 2])
EVERY_TYPE = pytest.mark.parametrize("kind", [0, 1, 2])


@dataclass
class Credentials:
    join_eui: JoinEUI = JOIN_EUI
    app_key: AppKey = APP_KEY
    nwk_key: NwkKey | None = NWK_KEY


CREDENTIALS = Credentials()


@pytest.fixture
def session(device_1_1) -> Session:
    """Joined, and in use for a while."""
    return device_1_1.session(generation=1, revision=8, fcnt_up=100, nfcnt_down=20)


def state(**fields: object) -> JoinState:
    return JoinState(**({"dev_eui": DEV_EUI, "join_eui": JOIN_EUI, "next_join_nonce": 2} | fields))


def request(
    kind: int,
    count: int,
    by,
    *,
    net_id: NetID = NET_ID,
    join_eui: JoinEUI = JOIN_EUI,
) -> bytes:
    """`by`: the session, or the root key, that the MIC is made with."""
    home = {"join_eui": join_eui} if kind == 1 else {"net_id": net_id}
    msg = RejoinRequest(kind, DEV_EUI, count, **home).to_bytes()[:-4]
    if isinstance(by, Session):
        return msg + rejoin_mic(by.keys.s_nwk_s_int_key, msg)
    return msg + rejoin_mic(derive_js_int_key(by, DEV_EUI), msg)


@pytest.fixture
def rejoin(make_profile):
    def rejoin(
        phy_payload: bytes,
        *sessions: Session,
        state: JoinState | None = None,
        credentials: Credentials = CREDENTIALS,
        version: MacVersion = MacVersion.LORAWAN_1_1,
        **profile: object,
    ) -> RejoinGranted | Refused:
        frame = parse(phy_payload)
        assert isinstance(frame, RejoinRequest)
        return answer(
            frame,
            phy_payload,
            credentials=credentials,
            sessions=sessions,
            state=state,
            terms=Terms(
                profile=make_profile(mac_version=version, **profile),
                plan=plan("EU868"),
                net_id=NET_ID,
                dev_addr=NEW_ADDR,
                now=NOW,
            ),
        )

    return rejoin


@pytest.fixture
def ask(rejoin, session):
    """A device with that session asks in the proper way."""

    def ask(kind: int, count: int = 0, **given: object) -> RejoinGranted | Refused:
        by = NWK_KEY if kind == 1 else session
        return rejoin(request(kind, count, by), session, **({"state": state()} | given))

    return ask


def granted(outcome: object) -> RejoinGranted:
    assert isinstance(outcome, RejoinGranted), outcome
    return outcome


def opened(outcome: object) -> JoinAccept:
    """As the device reads it."""
    frame = parse(granted(outcome).phy_payload)
    assert isinstance(frame, EncryptedJoinAccept)
    return decrypt_join_accept(derive_js_enc_key(NWK_KEY, DEV_EUI), frame)


def refusal(outcome: object) -> Refusal:
    assert isinstance(outcome, Refused), outcome
    assert outcome.dev_eui == DEV_EUI
    return outcome.refusal


# The new session


@EVERY_TYPE
def test_the_device_can_read_and_verify_its_join_accept(ask, kind):
    outcome = ask(kind, 5)
    accept = opened(outcome)
    assert (accept.join_nonce, accept.home_net_id, accept.dev_addr) == (2, NET_ID, NEW_ADDR)
    assert accept.mic == join_accept_mic_1_1(
        derive_js_int_key(NWK_KEY, DEV_EUI),
        accept.to_bytes()[:-4],
        join_req_type=kind,
        join_eui=JOIN_EUI,
        dev_nonce=5,
    )


@EVERY_TYPE
def test_device_and_network_derive_the_same_keys(ask, kind):
    assert granted(ask(kind, 5)).session.keys == derive_session_keys_1_1(
        NWK_KEY, APP_KEY, join_nonce=2, join_eui=JOIN_EUI, dev_nonce=5
    )


@EVERY_TYPE
def test_the_new_session_is_pending_and_unused(ask, kind):
    made = granted(ask(kind, 5)).session
    assert (made.pending, made.generation, made.revision) == (True, 2, 0)
    assert (made.dev_addr, made.activated_at) == (NEW_ADDR, NOW)
    assert (made.fcnt_up, made.nfcnt_down, made.rj_count0) == (NO_FCNT, 0, -1)


@pytest.mark.parametrize(("kind", "delay_s"), [(0, 5), (1, 5), (2, 1)])
def test_only_type_2_keeps_the_radio_parameters(ask, session, kind, delay_s):
    assert session.radio.rx1_delay_s == 1
    outcome = ask(kind, rx1_delay_s=5)
    assert granted(outcome).session.radio.rx1_delay_s == delay_s
    assert opened(outcome).rx_delay == delay_s
    assert (opened(outcome).cf_list is None) == (kind == 2)


# What is stored


@BY_SESSION
def test_the_old_session_remembers_the_counter(ask, session, kind):
    step = granted(ask(kind, 5)).step
    assert step.before is session
    assert step.after == msgspec.structs.replace(session, revision=9, rj_count0=5)


def test_type_1_leaves_the_old_session_alone(ask):
    outcome = granted(ask(1, 5))
    assert outcome.step is None
    assert outcome.after == state(revision=1, next_join_nonce=3, last_rj_count1=5)


@BY_SESSION
def test_types_0_and_2_leave_rjcount1_alone(ask, kind):
    before = state(last_rj_count1=30, next_join_nonce=9)
    outcome = granted(ask(kind, 5, state=before))
    assert outcome.before is before
    assert outcome.after == state(revision=1, last_rj_count1=30, next_join_nonce=10)


@EVERY_TYPE
def test_a_join_nonce_is_never_used_twice(ask, session, rejoin, kind):
    first = granted(ask(kind, 5))
    by = NWK_KEY if kind == 1 else session
    current = session if first.step is None else first.step.after
    second = rejoin(request(kind, 6, by), current, state=first.after)
    assert (opened(first).join_nonce, opened(second).join_nonce) == (2, 3)


def test_the_first_type_1_request_makes_a_state(rejoin):
    outcome = granted(rejoin(request(1, 5, NWK_KEY)))
    assert outcome.before is None
    assert outcome.after == state(last_rj_count1=5)
    assert opened(outcome).join_nonce == 1


@BY_SESSION
def test_a_pending_session_that_asks_is_in_use(rejoin, session, kind):
    pending = msgspec.structs.replace(session, generation=2, pending=True)
    step = granted(rejoin(request(kind, 0, pending), pending, state=state())).step
    assert step.before.pending
    assert not step.after.pending


@BY_SESSION
def test_the_session_whose_key_fits_is_the_sender(rejoin, make_device, session, kind):
    other = make_device(MacVersion.LORAWAN_1_1, seed=2).session(generation=3, dev_eui=DEV_EUI)
    outcome = rejoin(request(kind, 0, session), other, session, state=state())
    assert granted(outcome).step.before is session


def test_requests_under_way_outlive_a_type_2_rejoin(rejoin, session):
    asked = Request(pack_commands([DutyCycleReq(3)]), 99)
    waiting = msgspec.structs.replace(session, requests=(asked,))
    for kind, kept in [(0, ()), (2, (msgspec.structs.replace(asked, sent_after=-1),))]:
        outcome = rejoin(request(kind, 0, waiting), waiting, state=state())
        assert granted(outcome).session.requests == kept


# Refused


@EVERY_TYPE
@pytest.mark.parametrize("at", range(-4, 0))
def test_each_byte_of_the_mic_counts(rejoin, session, kind, at):
    broken = bytearray(request(kind, 0, NWK_KEY if kind == 1 else session))
    broken[at] ^= 1
    assert refusal(rejoin(bytes(broken), session, state=state())) is Refusal.MIC_MISMATCH


@BY_SESSION
def test_the_root_key_does_not_speak_for_the_session(rejoin, session, kind):
    outcome = rejoin(request(kind, 0, NWK_KEY), session, state=state())
    assert refusal(outcome) is Refusal.MIC_MISMATCH


def test_the_session_does_not_speak_for_the_root_key(rejoin, session):
    outcome = rejoin(request(1, 0, session), session, state=state())
    assert refusal(outcome) is Refusal.MIC_MISMATCH


@BY_SESSION
def test_a_device_without_a_session_can_only_use_its_root_key(rejoin, session, kind):
    outcome = rejoin(request(kind, 0, session), state=state())
    assert refusal(outcome) is Refusal.MIC_MISMATCH
    assert outcome.reason == "it has no session"


@BY_SESSION
def test_a_personalized_session_cannot_rejoin(rejoin, device_1_1, kind):
    personalized = device_1_1.session()
    outcome = rejoin(request(kind, 0, personalized), personalized, state=state())
    assert refusal(outcome) is Refusal.MIC_MISMATCH


@BY_SESSION
@pytest.mark.parametrize(("count", "good"), [(6, False), (7, False), (8, True)])
def test_rjcount0_has_to_rise_within_the_session(rejoin, session, kind, count, good):
    used = msgspec.structs.replace(session, rj_count0=7)
    outcome = rejoin(request(kind, count, used), used, state=state(last_rj_count1=900))
    if good:
        assert granted(outcome).step.after.rj_count0 == 8
    else:
        assert refusal(outcome) is Refusal.RJ_COUNT_REPLAYED
        assert outcome.reason == f"RJcount0 {count} is not above 7, the last one"


@pytest.mark.parametrize(("count", "good"), [(6, False), (7, False), (8, True)])
def test_rjcount1_has_to_rise_whatever_the_session(rejoin, session, count, good):
    outcome = rejoin(request(1, count, NWK_KEY), session, state=state(last_rj_count1=7))
    if good:
        assert granted(outcome).after.last_rj_count1 == 8
    else:
        assert refusal(outcome) is Refusal.RJ_COUNT_REPLAYED
        assert outcome.reason == f"RJcount1 {count} is not above 7, the last one"


@BY_SESSION
def test_the_same_request_is_answered_once(rejoin, session, kind):
    phy_payload = request(kind, 0, session)
    first = granted(rejoin(phy_payload, session, state=state()))
    again = rejoin(phy_payload, first.step.after, first.session, state=first.after)
    assert refusal(again) is Refusal.RJ_COUNT_REPLAYED


@BY_SESSION
def test_a_request_to_another_network_is_refused(rejoin, session, kind):
    outcome = rejoin(request(kind, 0, session, net_id=OTHER_NET_ID), session, state=state())
    assert refusal(outcome) is Refusal.NET_ID_MISMATCH
    assert outcome.reason == "NetID 000014 is not 000013"


def test_a_join_eui_that_is_not_the_registered_one_is_refused(rejoin):
    outcome = rejoin(request(1, 0, NWK_KEY, join_eui=OTHER_JOIN_EUI), state=state())
    assert refusal(outcome) is Refusal.JOIN_EUI_MISMATCH


@EVERY_TYPE
def test_a_version_without_rejoins_is_refused(ask, kind):
    outcome = ask(kind, version=MacVersion.LORAWAN_1_0_4)
    assert refusal(outcome) is Refusal.REJOIN_NOT_SUPPORTED
    assert "1.0.4" in outcome.reason


@EVERY_TYPE
def test_a_device_without_a_nwk_key_is_refused(ask, kind):
    outcome = ask(kind, credentials=Credentials(nwk_key=None))
    assert refusal(outcome) is Refusal.REJOIN_NOT_SUPPORTED
    assert "NwkKey" in outcome.reason


@EVERY_TYPE
def test_used_up_join_nonces_are_refused(ask, kind):
    last = granted(ask(kind, 0, state=state(next_join_nonce=(1 << 24) - 1)))
    assert opened(last).join_nonce == (1 << 24) - 1
    assert refusal(ask(kind, 1, state=last.after)) is Refusal.JOIN_NONCE_EXHAUSTED


def test_type_2_waits_until_it_is_known_where_the_device_listens(rejoin, session):
    moving = msgspec.structs.replace(
        session, requests=(Request(pack_commands([RXTimingSetupReq(5)]), 99),)
    )
    outcome = rejoin(request(2, 0, moving), moving, state=state())
    assert refusal(outcome) is Refusal.RADIO_UNSETTLED
    assert granted(rejoin(request(0, 0, moving), moving, state=state()))


def test_no_reason_tells_a_key(rejoin, session):
    for kind, wrong in [(0, NWK_KEY), (1, session)]:
        text = repr(rejoin(request(kind, 0, wrong), session, state=state()))
        assert NWK_KEY.reveal().hex() not in text
        assert session.keys.s_nwk_s_int_key.reveal().hex() not in text


def test_a_type_1_request_is_not_taken_twice_after_its_join_eui_has_changed(rejoin):
    """The counters of the old JoinEUI do not stand for those of the new one."""
    earlier = state(join_eui=OTHER_JOIN_EUI, last_dev_nonce=40, last_rj_count1=60)
    first = granted(rejoin(request(1, 5, NWK_KEY), state=earlier))
    assert first.after.last_rj_count1 == 5
    assert first.after.last_dev_nonce is None
    replay = rejoin(request(1, 5, NWK_KEY), state=first.after)
    assert refusal(replay) is Refusal.RJ_COUNT_REPLAYED


def test_a_type_1_request_under_a_join_eui_of_before_is_not_taken_again(rejoin):
    first = granted(rejoin(request(1, 60, NWK_KEY), state=state()))
    other = rejoin(
        request(1, 5, NWK_KEY, join_eui=OTHER_JOIN_EUI),
        state=first.after,
        credentials=Credentials(OTHER_JOIN_EUI),
    )
    last = granted(other).after
    assert (last.last_rj_count1, last.next_join_nonce) == (5, 4)
    assert refusal(rejoin(request(1, 60, NWK_KEY), state=last)) is Refusal.RJ_COUNT_REPLAYED
    assert granted(rejoin(request(1, 61, NWK_KEY), state=last)).after.last_rj_count1 == 61
