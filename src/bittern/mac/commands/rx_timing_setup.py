"""RXTimingSetupReq, RXTimingSetupAns: from the end of an uplink to RX1 (TS001-1.0.4, 5.7)."""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import RXTimingSetupAns, RXTimingSetupReq
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = RXTimingSetupReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    return session.radio.rx1_delay_s != surroundings.wanted.rx1_delay_s


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [(RXTimingSetupReq(surroundings.wanted.rx1_delay_s),)]


def handle(command: RXTimingSetupAns, session: Session, surroundings: Surroundings) -> Handled:
    return handle_answer(command, session, RXTimingSetupReq, _obeyed, repeats=True)


def _obeyed(radio: RadioState, asked: RXTimingSetupReq) -> RadioState:
    return msgspec.structs.replace(radio, rx1_delay_s=max(1, asked.delay))
