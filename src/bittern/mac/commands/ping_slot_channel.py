"""PingSlotChannelReq, PingSlotChannelAns: where a ping slot listens (TS001-1.0.4, 12.3).

Only where the profile wants it elsewhere than the region has it.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import PingSlotChannelAns, PingSlotChannelReq
from bittern.lorawan.versions import has_ping_slot_channel
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = PingSlotChannelReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    wanted = surroundings.wanted
    if not (wanted.supports_class_b and has_ping_slot_channel(session.mac_version)):
        return False
    radio = session.radio
    return radio.ping_slot_frequency_hz != wanted.ping_slot_frequency_hz or _data_rate(
        radio.ping_slot_data_rate, surroundings
    ) != _data_rate(wanted.ping_slot_data_rate, surroundings)


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    wanted = surroundings.wanted
    data_rate = _data_rate(wanted.ping_slot_data_rate, surroundings)
    return [(PingSlotChannelReq(wanted.ping_slot_frequency_hz, data_rate),)]


def handle(command: PingSlotChannelAns, session: Session, surroundings: Surroundings) -> Handled:
    accepted = command.channel_frequency_ok and command.data_rate_ok
    return handle_answer(
        command, session, PingSlotChannelReq, _obeyed, accepted=accepted, repeats=True
    )


def _data_rate(given: int | None, surroundings: Surroundings) -> int:
    return surroundings.wanted.plan.class_b.ping_slot_data_rate if given is None else given


def _obeyed(radio: RadioState, asked: PingSlotChannelReq) -> RadioState:
    return msgspec.structs.replace(
        radio, ping_slot_frequency_hz=asked.frequency_hz, ping_slot_data_rate=asked.data_rate
    )
