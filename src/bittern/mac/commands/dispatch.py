"""Which file a MAC command belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bittern.lorawan.commands import (
    DeviceTimeReq,
    DownlinkCommand,
    LinkCheckReq,
    RekeyInd,
    ResetInd,
    UplinkCommand,
)
from bittern.mac.commands import device_time, link_check, rekey, reset
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session
from bittern.mac.uplink import Opened

_HANDLERS: dict[type[UplinkCommand], Callable[[Any, Session, Surroundings], Handled]] = {
    ResetInd: reset.handle,
    LinkCheckReq: link_check.handle,
    RekeyInd: rekey.handle,
    DeviceTimeReq: device_time.handle,
}


class Answered(msgspec.Struct, frozen=True, gc=False):
    """What the commands of one uplink come to."""

    session: Session
    """To be stored in place of the uplink's `after`; of the same revision."""
    answers: tuple[DownlinkCommand, ...] = ()
    """In the order in which they were asked for (TS001-1.0.4, 5)."""
    unexpected: tuple[UplinkCommand, ...] = ()
    """Answers that nobody asked for, or commands that this session does not have: to be counted."""


def handle(opened: Opened, surroundings: Surroundings) -> Answered:
    """Obey and answer the MAC commands of an uplink, a retransmission's again."""
    session = opened.after
    answers: list[DownlinkCommand] = []
    unexpected: list[UplinkCommand] = []
    for command in opened.commands:
        handler = _HANDLERS.get(type(command))
        if handler is None:
            unexpected.append(command)
            continue
        handled = handler(command, session, surroundings)
        session = handled.session
        answers += handled.answers
        if not handled.expected:
            unexpected.append(command)
    return Answered(session, tuple(answers), tuple(unexpected))
