"""Write one class A downlink (TS001-1.0.4, 4.3; LoRaWAN 1.1, 4.3).

What goes first: the acknowledgement, which is one bit; then MAC commands, in FOpts or, where they
are too many, on FPort 0 alone; then the application's payload, if there is still room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from bittern.lorawan.commands import MAX_FOPTS_SIZE, DownlinkCommand
from bittern.lorawan.crypto import crypt_fopts, crypt_frm_payload, data_down_mic
from bittern.lorawan.frame import MIC_SIZE, DataDown, MType
from bittern.lorawan.versions import (
    encrypts_fopts,
    has_two_downlink_counters,
    mic_covers_acknowledged_counter,
)
from bittern.mac.refused import Refused
from bittern.mac.restored import held_back
from bittern.mac.session import MAX_REPEATS, AwaitedAck, Session
from bittern.mac.windows import Windows
from bittern.types import Refusal

CONFIRMED_KEPT = MAX_REPEATS + 1
"""One downlink answers an uplink and one each copy of it; whichever the device heard, it will
acknowledge it under its counter."""


class Message(Protocol):
    """An application's payload for its device."""

    @property
    def message_id(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def fport(self) -> int:
        """1..255."""
        ...

    @property
    def confirmed(self) -> bool: ...


class PayloadTooLong(msgspec.Struct, frozen=True):
    """The message fits no window now; it may after another uplink. All sizes in bytes."""

    size: int
    fopts_size: int
    """What MAC commands take of the same room."""
    rx1_max_size: int
    rx2_max_size: int

    @property
    def reason(self) -> str:
        commands = f" and {self.fopts_size} bytes of MAC commands" if self.fopts_size else ""
        return (
            f"payload of {self.size} bytes{commands}: "
            f"RX1 takes {self.rx1_max_size}, RX2 {self.rx2_max_size}"
        )


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """To be stored, then transmitted: the counter is used up whether or not it arrives."""

    before: Session
    after: Session
    """`before`, `revision` one higher, with the counter moved on and the ACK awaited."""
    phy_payload: bytes
    windows: Windows
    """Those whose data rate carries the frame."""
    fcnt_down: int
    """Full counter."""
    fport: int | None
    ack: bool
    confirmed: bool
    message_id: str | None
    """The message that is in it."""
    deferred: PayloadTooLong | None = None
    """The message that was given is not in it, as the commands or the data rate left no room."""
    commands_left: tuple[DownlinkCommand, ...] = ()
    """Commands that found no room."""


class _Content(msgspec.Struct, frozen=True):
    """What one frame carries, in clear."""

    fopts: bytes = b""
    fport: int | None = None
    payload: bytes = b""
    message: Message | None = None
    deferred: PayloadTooLong | None = None
    commands_left: tuple[DownlinkCommand, ...] = ()

    @property
    def size(self) -> int:
        """What N has to be at least: N counts on an FPort, so without one there is a byte more."""
        return len(self.fopts) + len(self.payload) - (self.fport is None)

    @property
    def confirmed(self) -> bool:
        return self.message is not None and self.message.confirmed


def compose(
    session: Session,
    *,
    windows: Windows,
    ack: bool = False,
    commands: Sequence[DownlinkCommand] = (),
    message: Message | None = None,
    fpending: bool = False,
    adr: bool = False,
) -> Composed | PayloadTooLong | Refused:
    """The next downlink of `session`.

    `ack` acknowledges the last accepted uplink. `fpending` says that more waits; a message left out
    says so by itself. With nothing to carry the frame is empty, which answers ADRACKReq too.
    `PayloadTooLong` where there is nothing but a message, and no room for it. Refused with
    `FCNT_EXHAUSTED` when the counter has come to its end, with `SESSION_HELD` where the device is
    not to be answered.
    """
    if (refused := held_back(session)) is not None:
        return refused
    content = _content(windows, commands, message, must_send=ack)
    if isinstance(content, PayloadTooLong):
        return content
    by_application = _counts_by_application(session, content.fport)
    fcnt = session.afcnt_down if by_application else session.nfcnt_down
    if fcnt >= session.fcnt_limit:
        reason = f"downlink counter {fcnt} is beyond its last value; the device has to join again"
        return Refused(Refusal.FCNT_EXHAUSTED, reason, session.dev_eui)
    more = fpending or content.deferred is not None or bool(content.commands_left)
    return Composed(
        before=session,
        after=_advanced(session, content, fcnt, by_application),
        phy_payload=_phy_payload(session, content, fcnt, ack=ack, fpending=more, adr=adr),
        windows=windows.fitting(content.size),
        fcnt_down=fcnt,
        fport=content.fport,
        ack=ack,
        confirmed=content.confirmed,
        message_id=None if content.message is None else content.message.message_id,
        deferred=content.deferred,
        commands_left=content.commands_left,
    )


# What it carries


def _content(
    windows: Windows,
    commands: Sequence[DownlinkCommand],
    message: Message | None,
    *,
    must_send: bool,
) -> _Content | PayloadTooLong:
    room = windows.max_size
    packed = [command.pack() for command in commands]
    size = sum(map(len, packed))
    if size > MAX_FOPTS_SIZE or size > room + 1:
        return _commands_alone(room, commands, packed, _too_long(windows, size, message))
    fopts = b"".join(packed)
    if message is None:
        return _Content(fopts)
    if size + len(message.payload) <= room:
        return _Content(fopts, message.fport, message.payload, message)
    too_long = _too_long(windows, size, message)
    if commands or must_send:
        return _Content(fopts, deferred=too_long)
    assert too_long is not None, "there is a message"
    return too_long


def _commands_alone(
    room: int,
    commands: Sequence[DownlinkCommand],
    packed: Sequence[bytes],
    deferred: PayloadTooLong | None,
) -> _Content:
    """As many commands as fit, in their order: on FPort 0 if that holds more than FOpts does."""
    on_port_0 = room > MAX_FOPTS_SIZE
    limit = room if on_port_0 else min(MAX_FOPTS_SIZE, room + 1)
    taken, count = b"", 0
    for one in packed:
        if len(taken) + len(one) > limit:
            break
        taken, count = taken + one, count + 1
    left = tuple(commands[count:])
    if on_port_0:
        return _Content(b"", 0, taken, None, deferred, left)
    return _Content(taken, None, b"", None, deferred, left)


def _too_long(windows: Windows, fopts_size: int, message: Message | None) -> PayloadTooLong | None:
    if message is None:
        return None
    size = len(message.payload)
    return PayloadTooLong(size, fopts_size, windows.rx1_max_size, windows.rx2_max_size)


# How it is written


def _counts_by_application(session: Session, fport: int | None) -> bool:
    """AFCntDown counts what has an FPort other than 0 (1.1, 4.3.1.5)."""
    return has_two_downlink_counters(session.mac_version) and bool(fport)


def _advanced(session: Session, content: _Content, fcnt: int, by_application: bool) -> Session:
    awaited, confirmed_down = session.awaited_ack, session.confirmed_down
    if content.message is not None and content.message.confirmed:
        awaited = AwaitedAck(content.message.message_id, fcnt)
        confirmed_down = (awaited, *confirmed_down[: CONFIRMED_KEPT - 1])
    return msgspec.structs.replace(
        session,
        revision=session.revision + 1,
        nfcnt_down=session.nfcnt_down if by_application else fcnt + 1,
        afcnt_down=fcnt + 1 if by_application else session.afcnt_down,
        awaited_ack=awaited,
        confirmed_down=confirmed_down,
    )


def _phy_payload(
    session: Session, content: _Content, fcnt: int, *, ack: bool, fpending: bool, adr: bool
) -> bytes:
    confirmed = content.confirmed
    frame = DataDown(
        mtype=MType.CONFIRMED_DATA_DOWN if confirmed else MType.UNCONFIRMED_DATA_DOWN,
        dev_addr=session.dev_addr,
        adr=adr,
        ack=ack,
        fpending=fpending,
        fcnt16=fcnt & 0xFFFF,
        fopts=_fopts(session, content, fcnt),
        fport=content.fport,
        frm_payload=_frm_payload(session, content, fcnt),
    )
    msg = frame.to_bytes()[:-MIC_SIZE]
    acknowledges = ack and mic_covers_acknowledged_counter(session.mac_version)
    mic = data_down_mic(
        session.keys.s_nwk_s_int_key,
        msg,
        session.dev_addr,
        fcnt,
        # 1.1, 4.4.1: the counter of the uplink acknowledged, else 0.
        conf_fcnt=session.fcnt_up if acknowledges else 0,
    )
    return msg + mic


def _fopts(session: Session, content: _Content, fcnt: int) -> bytes:
    if not content.fopts or not encrypts_fopts(session.mac_version):
        return content.fopts
    return crypt_fopts(
        session.keys.nwk_s_enc_key,
        content.fopts,
        session.dev_addr,
        fcnt,
        uplink=False,
        a_fcnt_down=_counts_by_application(session, content.fport),
    )


def _frm_payload(session: Session, content: _Content, fcnt: int) -> bytes:
    key = session.keys.app_s_key if content.fport else session.keys.nwk_s_enc_key
    if not content.payload:
        return b""
    return crypt_frm_payload(key, content.payload, session.dev_addr, fcnt, uplink=False)
