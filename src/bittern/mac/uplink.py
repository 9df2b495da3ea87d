"""Whether a data frame is let in, by which session, and what it says (TS001-1.0.4, 4.3 and 4.4).

Devices may share a DevAddr, so every session at it is a candidate: the one whose key verifies the
MIC is the sender. A MIC is what costs, so candidates are tried in the order of their counters, with
the one counter that each could accept; lower counters are tried only to name a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from bittern.lorawan import regions
from bittern.lorawan.commands import (
    NewChannelReq,
    UplinkCommand,
    parse_downlink_commands,
    read_uplink_commands,
)
from bittern.lorawan.crypto import (
    crypt_fopts,
    crypt_frm_payload,
    data_up_mic_1_0,
    data_up_mic_1_1,
    mic_equal,
)
from bittern.lorawan.frame import MIC_SIZE, DataUp
from bittern.lorawan.regions.plan import Plan
from bittern.lorawan.versions import (
    encrypts_fopts,
    has_max_fcnt_gap,
    is_1_1,
    mic_covers_acknowledged_counter,
)
from bittern.mac.refused import Refused
from bittern.mac.restored import held, held_back
from bittern.mac.session import MAX_REPEATS, AwaitedAck, Session
from bittern.types import DevEUI, Instant, Refusal

FCNT_END = 1 << 32


class Opened(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A frame of a known session, verified and decrypted."""

    before: Session
    after: Session
    """What `before` becomes: `revision` one higher, whatever else changes."""
    fcnt: int
    """Full counter."""
    fport: int | None
    payload: bytes
    """FRMPayload in clear; on FPort 0 the bytes of `commands`."""
    commands: tuple[UplinkCommand, ...] = ()
    """Of FOpts or of FPort 0."""
    command_problem: str | None = None
    """Why what follows `commands` cannot be read: the frame is good nevertheless."""
    confirmed: bool = False
    """An acknowledgement is owed."""
    adr: bool = False
    adr_ack_req: bool = False
    class_b: bool = False


class Accepted(Opened, frozen=True, kw_only=True):
    """A new frame: to be stored and delivered."""

    acked_message_id: str | None = None
    """The confirmed downlink that it acknowledges."""
    missed_message_id: str | None = None
    """The confirmed downlink that it should have acknowledged, but did not: no longer awaited."""


class Retransmission(Opened, frozen=True, kw_only=True):
    """The last accepted frame once more: answered again, never delivered again.

    The device heard no answer (confirmed), or sends everything NbTrans times.
    """


class _Arrival(NamedTuple):
    frame: DataUp
    msg: bytes
    """PHYPayload without its MIC."""
    data_rate: int
    frequency_hz: int
    plan: Plan


def accept(
    frame: DataUp,
    phy_payload: bytes,
    sessions: Sequence[Session],
    *,
    data_rate: int,
    frequency_hz: int,
    plan: Plan,
    now: Instant,
) -> Accepted | Retransmission | Refused:
    """Find the session of `frame` among those at its DevAddr, and open it.

    `data_rate`, `frequency_hz` and `plan` are those of the reception: LoRaWAN 1.1 authenticates
    them.
    """
    if not sessions:
        return Refused(Refusal.UNKNOWN_DEV_ADDR, f"no session at {frame.dev_addr}")
    candidates = [session for session in sessions if in_region(session, plan)]
    if not candidates:
        return _wrong_region(sessions, plan)
    arrival = _Arrival(frame, phy_payload[:-MIC_SIZE], data_rate, frequency_hz, plan)
    fcnt16 = frame.fcnt16
    for session in _nearest_first(candidates, fcnt16):
        fcnt = next_fcnt(session.fcnt_up, fcnt16)
        if _may_follow(session, fcnt, plan):
            conf_fcnt = _verified(arrival, session, fcnt)
            if conf_fcnt is not None:
                if (refused := held(session, fcnt, now)) is not None:
                    return refused
                return _accepted(arrival, session, fcnt, conf_fcnt, now)
    for session in candidates:
        if _is_last(session, fcnt16) and _mic_fits(arrival, session, session.fcnt_up):
            return held_back(session) or _repeated(arrival, session)
    return _refused(arrival, candidates)


# Counters


def next_fcnt(last: int, fcnt16: int) -> int:
    """The lowest full counter above `last` whose low 16 bits are `fcnt16` (TS001-1.0.4, 4.3.1.5).

    `last` is -1 before the first frame.
    """
    return last + 1 + ((fcnt16 - last - 1) & 0xFFFF)


def _nearest_first(sessions: Sequence[Session], fcnt16: int) -> Sequence[Session]:
    """The session that lost the fewest frames is the likeliest sender."""
    if len(sessions) == 1:
        return sessions
    return sorted(sessions, key=lambda session: (fcnt16 - session.fcnt_up - 1) & 0xFFFF)


def _too_far(session: Session, fcnt: int, plan: Plan) -> bool:
    return fcnt - session.fcnt_up > plan.max_fcnt_gap and has_max_fcnt_gap(session.mac_version)


def _may_follow(session: Session, fcnt: int, plan: Plan) -> bool:
    return fcnt < FCNT_END and not _too_far(session, fcnt, plan)


def _is_last(session: Session, fcnt16: int) -> bool:
    return session.fcnt_up >= 0 and session.fcnt_up & 0xFFFF == fcnt16


# MIC and region


def _verified(arrival: _Arrival, session: Session, fcnt: int) -> int | None:
    """None if the MIC is not the session's; else the ConfFCnt that it covers.

    That is 0 for a frame that acknowledges nothing, and for any of LoRaWAN 1.0.x.
    """
    frame, keys = arrival.frame, session.keys
    if not is_1_1(session.mac_version):
        expected = data_up_mic_1_0(keys.f_nwk_s_int_key, arrival.msg, frame.dev_addr, fcnt)
        return 0 if mic_equal(expected, frame.mic) else None
    tx_ch = _channel_index(arrival, session)
    if tx_ch is None:
        return None
    for conf_fcnt in _acknowledgeable(frame, session):
        expected = data_up_mic_1_1(
            keys.f_nwk_s_int_key,
            keys.s_nwk_s_int_key,
            arrival.msg,
            frame.dev_addr,
            fcnt,
            conf_fcnt=conf_fcnt,
            tx_dr=arrival.data_rate,
            tx_ch=tx_ch,
        )
        if mic_equal(expected, frame.mic):
            return conf_fcnt
    return None


def _acknowledgeable(frame: DataUp, session: Session) -> Sequence[int]:
    """What ConfFCnt may be (1.1, 4.4.2): the last confirmed downlink the device heard, or 0."""
    if frame.ack and session.confirmed_down:
        return [sent.fcnt_down for sent in session.confirmed_down]
    return (0,)


def _mic_fits(arrival: _Arrival, session: Session, fcnt: int) -> bool:
    return _verified(arrival, session, fcnt) is not None


def _channel_index(arrival: _Arrival, session: Session) -> int | None:
    """TxCh: what the device was given, or may just have taken, comes before what the plan knows."""
    frequency_hz, data_rate = arrival.frequency_hz, arrival.data_rate
    for channel in session.radio.extra_channels:
        if channel.frequency_hz == frequency_hz and (
            channel.min_data_rate <= data_rate <= channel.max_data_rate
        ):
            return channel.index
    for requested in _requested_channels(session):
        if requested.frequency_hz == frequency_hz and (
            requested.min_dr <= data_rate <= requested.max_dr
        ):
            return requested.ch_index
    return arrival.plan.channel_index(frequency_hz, data_rate)


def _requested_channels(session: Session) -> Iterator[NewChannelReq]:
    """Sent, but not answered before this very uplink."""
    for request in session.requests:
        if request.commands[0] == NewChannelReq.CID:
            for command in parse_downlink_commands(request.commands):
                if isinstance(command, NewChannelReq):
                    yield command


def in_region(session: Session, plan: Plan) -> bool:
    """Whether its device sends where gateways with that plan listen."""
    return session.region == plan.name or regions.plan(session.region) is plan


# What comes of it


def _accepted(
    arrival: _Arrival, session: Session, fcnt: int, conf_fcnt: int, now: Instant
) -> Accepted:
    frame = arrival.frame
    fport, payload = frame.fport, _payload(arrival, session, fcnt)
    commands, problem = _commands(arrival, session, fcnt, payload)
    acked, missed = _settled(session, frame, conf_fcnt)
    return Accepted(
        before=session,
        after=msgspec.structs.replace(
            session,
            revision=session.revision + 1,
            pending=False,
            fcnt_up=fcnt,
            repeats=0,
            awaited_ack=None,
            confirmed_down=_still_acknowledgeable(session, frame, conf_fcnt),
            last_uplink_at=now,
            hold=None,
        ),
        fcnt=fcnt,
        fport=fport,
        payload=payload,
        commands=commands,
        command_problem=problem,
        confirmed=frame.confirmed,
        adr=frame.adr,
        adr_ack_req=frame.adr_ack_req,
        class_b=frame.class_b,
        acked_message_id=acked,
        missed_message_id=missed,
    )


def _settled(session: Session, frame: DataUp, conf_fcnt: int) -> tuple[str | None, str | None]:
    """The messages that were acknowledged and missed.

    The acknowledgement is in the very next uplink (TS001-1.0.4, 4.3.1.2), or does not come.
    """
    awaited = session.awaited_ack
    if awaited is None:
        return None, None
    if not frame.ack:
        return None, awaited.message_id
    acked: str | None = awaited.message_id
    if mic_covers_acknowledged_counter(session.mac_version):
        sent = [sent.message_id for sent in session.confirmed_down if sent.fcnt_down == conf_fcnt]
        acked = sent[0] if sent else None
    return acked, None if acked == awaited.message_id else awaited.message_id


def _still_acknowledgeable(
    session: Session, frame: DataUp, conf_fcnt: int
) -> tuple[AwaitedAck, ...]:
    """What a copy of this frame acknowledges again; of the others the device heard none.

    A device that listens between its uplinks may have made the frame before it heard the rest: it
    is a repetition of one that was lost.
    """
    confirmed_down = session.confirmed_down
    if session.device_class != "A" and mic_covers_acknowledged_counter(session.mac_version):
        heard = conf_fcnt if frame.ack else 0
        return tuple(sent for sent in confirmed_down if sent.fcnt_down >= heard)
    if not frame.ack or len(confirmed_down) < 2:
        return confirmed_down[:1]
    return tuple(sent for sent in confirmed_down if sent.fcnt_down == conf_fcnt)


def _repeated(arrival: _Arrival, session: Session) -> Retransmission | Refused:
    if session.repeats >= MAX_REPEATS:
        return Refused(
            Refusal.FCNT_REPLAYED,
            f"counter {session.fcnt_up} came {MAX_REPEATS} times after it was accepted",
            session.dev_eui,
        )
    frame, fcnt = arrival.frame, session.fcnt_up
    payload = _payload(arrival, session, fcnt)
    commands, problem = _commands(arrival, session, fcnt, payload)
    return Retransmission(
        before=session,
        after=msgspec.structs.replace(
            session, revision=session.revision + 1, repeats=session.repeats + 1
        ),
        fcnt=fcnt,
        fport=frame.fport,
        payload=payload,
        commands=commands,
        command_problem=problem,
        confirmed=frame.confirmed,
        adr=frame.adr,
        adr_ack_req=frame.adr_ack_req,
        class_b=frame.class_b,
    )


def _payload(arrival: _Arrival, session: Session, fcnt: int) -> bytes:
    frame, keys = arrival.frame, session.keys
    if not frame.frm_payload:
        return b""
    key = keys.app_s_key if frame.fport else keys.nwk_s_enc_key
    return crypt_frm_payload(key, frame.frm_payload, frame.dev_addr, fcnt, uplink=True)


def _commands(
    arrival: _Arrival, session: Session, fcnt: int, payload: bytes
) -> tuple[tuple[UplinkCommand, ...], str | None]:
    frame = arrival.frame
    if frame.fport == 0:
        packed = payload
    elif not frame.fopts:
        return (), None
    elif encrypts_fopts(session.mac_version):
        key = session.keys.nwk_s_enc_key
        packed = crypt_fopts(key, frame.fopts, frame.dev_addr, fcnt, uplink=True)
    else:
        packed = frame.fopts
    commands, problem = read_uplink_commands(packed)
    return tuple(commands), None if problem is None else str(problem)


# Refusals: why not, in words. Nobody waits for these, so they may cost a few MICs more.


def _wrong_region(sessions: Sequence[Session], plan: Plan) -> Refused:
    theirs = ", ".join(sorted({session.region for session in sessions}))
    reason = f"heard in {plan.name}, but its device is of {theirs}"
    return Refused(Refusal.WRONG_REGION, reason, _only_dev_eui(sessions))


def _refused(arrival: _Arrival, candidates: Sequence[Session]) -> Refused:
    for session in candidates:
        refused = _counter_refused(arrival, session)
        if refused is not None:
            return refused
    if all(is_1_1(s.mac_version) and _channel_index(arrival, s) is None for s in candidates):
        what = f"{arrival.frequency_hz} Hz at DR{arrival.data_rate} is no channel of the device"
    elif len(candidates) == 1:
        what = "the keys of the session give another MIC"
    else:
        what = f"the keys of none of {len(candidates)} sessions give this MIC"
    return Refused(Refusal.MIC_MISMATCH, what, _only_dev_eui(candidates))


def _counter_refused(arrival: _Arrival, session: Session) -> Refused | None:
    """The frame is the session's, but its counter is not to be accepted."""
    last, fcnt16 = session.fcnt_up, arrival.frame.fcnt16
    above = next_fcnt(last, fcnt16)
    too_far = above < FCNT_END and _too_far(session, above, arrival.plan)
    if too_far and _mic_fits(arrival, session, above):
        reason = (
            f"counter {above} is {above - last} above the last one, "
            f"more than {arrival.plan.max_fcnt_gap}"
        )
        return Refused(Refusal.FCNT_TOO_FAR, reason, session.dev_eui)
    # The last frames before, and a device that began anew at 0.
    for lower in dict.fromkeys((above - (1 << 16), fcnt16)):
        if 0 <= lower <= last and _mic_fits(arrival, session, lower):
            return _too_low(session, lower)
    return None


def _too_low(session: Session, fcnt: int) -> Refused:
    last = session.fcnt_up
    if last + 1 >= session.fcnt_limit:
        reason = f"counter {last} was the last one of this session; the device has to join again"
        return Refused(Refusal.FCNT_EXHAUSTED, reason, session.dev_eui)
    reason = f"counter {fcnt} is not above {last}, the last one accepted"
    return Refused(Refusal.FCNT_REPLAYED, reason, session.dev_eui)


def _only_dev_eui(sessions: Sequence[Session]) -> DevEUI | None:
    return sessions[0].dev_eui if len(sessions) == 1 else None
