"""What becomes of sessions and joins when the server is restored from an older copy of its store.

The copy knows nothing of what came after it. Taken as it is, counters would go back: a downlink
would be encrypted under a counter that was used (its payload and the earlier one's then open by
their difference), and whoever recorded uplinks could have them accepted a second time. So

| what                          | becomes                           | enough while since the copy |
|-------------------------------|-----------------------------------|-----------------------------|
| NFCntDown, AFCntDown          | 8,192 more; 1.0.4 and 1.1: 32,768 | fewer downlinks were sent   |
| JoinNonce                     | 65,536 more: no key comes twice   | fewer joins were granted    |
| DevNonce of 1.0.4 and 1.1,    | 16 more                           | no more were sent           |
| RJcount0 and RJcount1         |                                   |                             |
| a session by join             | refused until the next join       | whatever happened           |
| a session by personalization  | heard, but not believed (`Hold`)  | the device sends meanwhile  |

A device of 1.0.3 and before takes a downlink at most 16,384 above the last that it heard
(MAX_FCNT_GAP: 1.0.3, 4.3.1.5): half of that is for the copy's age, half for downlinks that were
lost before. Later versions have no such limit, but 16 bits on air: half of 65,536.

A DevNonce of 1.0.3 and before is drawn at random: a join-request that was recorded after the copy
cannot be told from a new one, and is answered. It gains nothing: the JoinNonce is a new one, so
the session that is made has keys under which nothing was ever sent, and stays pending for ever.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.versions import MacVersion, has_max_fcnt_gap, increments_dev_nonce
from bittern.mac.join_accept import JOIN_NONCES
from bittern.mac.refused import Refused
from bittern.mac.session import Hold, JoinState, Session, SpentNonces
from bittern.types import DevEUI, Instant, JoinEUI, Refusal

JUMP_WITHIN_GAP = 8_192
JUMP = 32_768
JOIN_NONCE_JUMP = 65_536
REQUESTS_SKIPPED = 16
"""A device that finds them refused goes on: at SF12 sixteen join-requests take 24 s on air, of the
36 s that a device has in its first hour (TS001-1.0.4, 7)."""

FCNT_END = 1 << 32
_NONCE_END = 0xFFFF


class Noted(Refused, frozen=True, kw_only=True):
    """Refused, but its counter counts: `after` is to be stored in place of `before`."""

    before: Session
    after: Session


def downlink_jump(version: MacVersion) -> int:
    return JUMP_WITHIN_GAP if has_max_fcnt_gap(version) else JUMP


def restored_session(
    session: Session, *, quarantine_s: float, keep_joined: bool = False
) -> Session:
    """As it may be used after a restore.

    `quarantine_s`: how long a personalized device is heard before it is believed, 0 for not at
    all; with `keep_joined` the same holds for those that joined.
    """
    jump = downlink_jump(session.mac_version)
    hold: Hold | None = Hold(None)
    if keep_joined or not session.joined:
        hold = Hold(quarantine_s) if quarantine_s else None
    return msgspec.structs.replace(
        session,
        revision=session.revision + 1,
        nfcnt_down=min(session.nfcnt_down + jump, FCNT_END),
        afcnt_down=min(session.afcnt_down + jump, FCNT_END),
        rj_count0=min(session.rj_count0 + REQUESTS_SKIPPED, _NONCE_END),
        awaited_ack=None,
        radio=msgspec.structs.replace(session.radio, link_uncertain=True),
        hold=hold,
    )


def restored_joins(
    state: JoinState | None, *, dev_eui: DevEUI, join_eui: JoinEUI, version: MacVersion
) -> JoinState:
    """The same of a device's joins. One without any may have joined since the copy."""
    if state is None:
        counts = increments_dev_nonce(version)
        return JoinState(
            dev_eui=dev_eui,
            join_eui=join_eui,
            next_join_nonce=1 + JOIN_NONCE_JUMP,
            last_dev_nonce=REQUESTS_SKIPPED - 1 if counts else None,
            last_rj_count1=REQUESTS_SKIPPED - 1,
        )
    return msgspec.structs.replace(
        state,
        revision=state.revision + 1,
        next_join_nonce=min(state.next_join_nonce + JOIN_NONCE_JUMP, JOIN_NONCES),
        last_dev_nonce=_skipped(state.last_dev_nonce, version),
        last_rj_count1=min(state.last_rj_count1 + REQUESTS_SKIPPED, _NONCE_END),
        earlier=tuple(_skipped_earlier(one, version) for one in state.earlier),
    )


def _skipped(nonce: int | None, version: MacVersion) -> int | None:
    if not increments_dev_nonce(version):
        return nonce
    return min((-1 if nonce is None else nonce) + REQUESTS_SKIPPED, _NONCE_END)


def _skipped_earlier(one: SpentNonces, version: MacVersion) -> SpentNonces:
    return msgspec.structs.replace(
        one,
        last_dev_nonce=_skipped(one.last_dev_nonce, version),
        last_rj_count1=min(one.last_rj_count1 + REQUESTS_SKIPPED, _NONCE_END),
    )


def held(session: Session, fcnt: int, now: Instant) -> Refused | None:
    """What becomes of a verified new frame of a session that may be held; None: it is let in.

    The quarantine begins with the first frame. Whoever recorded frames may make it begin; but once
    the device itself was heard, the counter is above all that was recorded.
    """
    hold = session.hold
    if hold is None:
        return None
    if hold.quarantine_s is None:
        return _to_join(session)
    until = hold.until if hold.until is not None else Instant(now + hold.quarantine_s)
    if now >= until:
        return None
    return Noted(
        Refusal.SESSION_HELD,
        f"restored from an older copy: counter {fcnt} is noted, and the device believed in"
        f" {max(until - now, 0.0):.0f} s",
        session.dev_eui,
        before=session,
        after=msgspec.structs.replace(
            session,
            revision=session.revision + 1,
            fcnt_up=fcnt,
            repeats=0,
            last_uplink_at=now,
            hold=Hold(hold.quarantine_s, until),
        ),
    )


def held_back(session: Session) -> Refused | None:
    """Why nothing is sent to the device, and no frame of it repeated; None: nothing is held."""
    if session.hold is None:
        return None
    if session.hold.quarantine_s is None:
        return _to_join(session)
    reason = "restored from an older copy: the device is heard, but not answered yet"
    return Refused(Refusal.SESSION_HELD, reason, session.dev_eui)


def _to_join(session: Session) -> Refused:
    reason = "restored from an older copy: the device has to join again"
    return Refused(Refusal.SESSION_HELD, reason, session.dev_eui)
