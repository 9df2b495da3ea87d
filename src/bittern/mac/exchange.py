"""From an accepted uplink to what goes back: MAC commands in both directions, ADR, class.

the commands of the uplink, answered         commands/dispatch
-> what the uplink tells of the radio        adr
-> what the device should be told            commands/schedule
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import DownlinkCommand
from bittern.mac.adr import Heard, observe
from bittern.mac.commands.dispatch import Obeyed, obey
from bittern.mac.commands.notices import CommandProblem, Ignored, Notice
from bittern.mac.commands.schedule import schedule
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.session import Session
from bittern.mac.uplink import Accepted, Opened, Retransmission


class Answered(msgspec.Struct, frozen=True):
    """To be stored with the uplink, then sent."""

    session: Session
    """To be stored in place of the uplink's `after`; of the same revision."""
    answers: tuple[DownlinkCommand, ...] = ()
    """To what the device asked."""
    requests: tuple[DownlinkCommand, ...] = ()
    """Of the network's own; the session remembers them."""
    owed: bool = False
    """The device waits for a downlink, even an empty one."""
    adr: bool = False
    """FCtrl.ADR of downlinks: the network looks after the device's data rate."""
    notices: tuple[Notice, ...] = ()

    @property
    def commands(self) -> tuple[DownlinkCommand, ...]:
        """Answers first."""
        return self.answers + self.requests


def exchange(opened: Opened, surroundings: Surroundings) -> Answered:
    """What comes of an uplink, beside its delivery and its acknowledgement."""
    obeyed = Obeyed(opened.after)
    if opened.commands or opened.command_problem is not None or opened.after.requests:
        obeyed = obey(opened, surroundings)
    session, notices = obeyed.session, obeyed.notices
    if isinstance(opened, Accepted):
        session = _observed(opened, session, surroundings)
        session, problem = _in_class(opened, session, surroundings)
        if problem is not None:
            notices = (*notices, problem)
    scheduled = schedule(
        session, surroundings, obeyed.answers, repeated=isinstance(opened, Retransmission)
    )
    return Answered(
        session=scheduled.session,
        answers=obeyed.answers,
        requests=scheduled.requests,
        owed=opened.confirmed or opened.adr_ack_req or obeyed.must_confirm,
        adr=opened.adr and surroundings.wanted.adr is not None,
        notices=notices + scheduled.notices,
    )


def _observed(opened: Accepted, session: Session, surroundings: Surroundings) -> Session:
    last = opened.before.fcnt_up
    heard = Heard(
        data_rate=surroundings.data_rate,
        snr_db=surroundings.snr_db,
        lost=opened.fcnt - last - 1 if last >= 0 else 0,
        adr=opened.adr,
        adr_ack_req=opened.adr_ack_req,
    )
    return observe(session, heard, surroundings.wanted.plan)


def _in_class(
    opened: Accepted, session: Session, surroundings: Surroundings
) -> tuple[Session, Ignored | None]:
    """The class B bit of an uplink (TS001-1.0.4, 10): the device opens ping slots, or not any more.

    Class C is nobody's choice from frame to frame.
    """
    is_b = session.device_class == "B"
    if opened.class_b == is_b:
        return session, None
    if not opened.class_b:
        return msgspec.structs.replace(session, device_class="A"), None
    if not surroundings.wanted.supports_class_b:
        return session, Ignored("FCtrl.ClassB", CommandProblem.CLASS_NOT_IN_PROFILE)
    return msgspec.structs.replace(session, device_class="B"), None
