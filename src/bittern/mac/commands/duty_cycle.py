"""DutyCycleReq, DutyCycleAns: how much of the time the device may send (TS001-1.0.4, 5.3)."""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import DutyCycleAns, DutyCycleReq
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = DutyCycleReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    return session.radio.max_duty_cycle != surroundings.wanted.max_duty_cycle


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [(DutyCycleReq(surroundings.wanted.max_duty_cycle),)]


def handle(command: DutyCycleAns, session: Session, surroundings: Surroundings) -> Handled:
    return handle_answer(command, session, DutyCycleReq, _obeyed)


def _obeyed(radio: RadioState, asked: DutyCycleReq) -> RadioState:
    return msgspec.structs.replace(radio, max_duty_cycle=asked.max_duty_cycle)
