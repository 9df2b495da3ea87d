"""RXParamSetupReq, RXParamSetupAns: RX2, and the offset of RX1's data rate (TS001-1.0.4, 5.4).

A join-accept tells all of it but the frequency of RX2.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import RXParamSetupAns, RXParamSetupReq
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = RXParamSetupReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    radio, wanted = session.radio, surroundings.wanted
    return (
        radio.rx1_dr_offset != wanted.rx1_dr_offset
        or radio.rx2_data_rate != wanted.rx2_data_rate
        or wanted.rx2_frequency_hz not in (None, radio.rx2_frequency_hz)
    )


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    wanted = surroundings.wanted
    frequency_hz = wanted.rx2_frequency_hz
    if frequency_hz is None:
        frequency_hz = session.radio.rx2_frequency_hz
    return [(RXParamSetupReq(wanted.rx1_dr_offset, wanted.rx2_data_rate, frequency_hz),)]


def handle(command: RXParamSetupAns, session: Session, surroundings: Surroundings) -> Handled:
    accepted = command.channel_ack and command.rx2_data_rate_ack and command.rx1_dr_offset_ack
    return handle_answer(
        command, session, RXParamSetupReq, _obeyed, accepted=accepted, repeats=True
    )


def _obeyed(radio: RadioState, asked: RXParamSetupReq) -> RadioState:
    return msgspec.structs.replace(
        radio,
        rx1_dr_offset=asked.rx1_dr_offset,
        rx2_data_rate=asked.rx2_data_rate,
        rx2_frequency_hz=asked.frequency_hz,
    )
