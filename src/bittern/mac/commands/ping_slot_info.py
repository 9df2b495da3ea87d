"""PingSlotInfoReq, PingSlotInfoAns: how often the device opens a ping slot (TS001-1.0.4, 12.1).

Without the answer a device does not switch to class B, so one whose profile has no class B gets
none.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import PingSlotInfoAns, PingSlotInfoReq
from bittern.mac.commands.notices import CommandProblem
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import Session


def handle(command: PingSlotInfoReq, session: Session, surroundings: Surroundings) -> Handled:
    if not surroundings.wanted.supports_class_b:
        return Handled(session, problem=CommandProblem.CLASS_NOT_IN_PROFILE)
    if session.radio.ping_slot_periodicity != command.periodicity:
        radio = msgspec.structs.replace(session.radio, ping_slot_periodicity=command.periodicity)
        session = msgspec.structs.replace(session, radio=radio)
    return Handled(session, (PingSlotInfoAns(),))
