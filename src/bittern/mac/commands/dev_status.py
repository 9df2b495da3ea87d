"""DevStatusReq, DevStatusAns: battery, and how well the device hears (TS001-1.0.4, 5.5).

Asked for as often as the service profile says, in answer to the first uplink after each interval.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import DevStatusAns, DevStatusReq
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import DeviceStatus, RadioState, Session

REQUEST = DevStatusReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    interval_s = surroundings.wanted.dev_status_interval_s
    if interval_s is None:
        return False
    last = session.activated_at if session.status is None else session.status.at
    return surroundings.received_at - last >= interval_s


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [(DevStatusReq(),)]


def handle(command: DevStatusAns, session: Session, surroundings: Surroundings) -> Handled:
    handled = handle_answer(command, session, DevStatusReq, _unchanged)
    if handled.problem is not None:
        return handled
    status = DeviceStatus(command.battery, command.margin, surroundings.received_at)
    return Handled(msgspec.structs.replace(handled.session, status=status))


def _unchanged(radio: RadioState, asked: DevStatusReq) -> RadioState:
    return radio
