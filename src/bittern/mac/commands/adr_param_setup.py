"""ADRParamSetupReq, ADRParamSetupAns: when a device without downlinks asks for one (1.1, 5.11)."""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import ADRParamSetupAns, ADRParamSetupReq
from bittern.lorawan.versions import has_adr_param_setup
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = ADRParamSetupReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    radio, wanted = session.radio, surroundings.wanted
    return (
        radio.adr_ack_limit_exp != wanted.adr_ack_limit_exp
        or radio.adr_ack_delay_exp != wanted.adr_ack_delay_exp
    ) and has_adr_param_setup(session.mac_version)


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    wanted = surroundings.wanted
    return [(ADRParamSetupReq(wanted.adr_ack_limit_exp, wanted.adr_ack_delay_exp),)]


def handle(command: ADRParamSetupAns, session: Session, surroundings: Surroundings) -> Handled:
    return handle_answer(command, session, ADRParamSetupReq, _obeyed)


def _obeyed(radio: RadioState, asked: ADRParamSetupReq) -> RadioState:
    return msgspec.structs.replace(
        radio, adr_ack_limit_exp=asked.limit_exp, adr_ack_delay_exp=asked.delay_exp
    )
