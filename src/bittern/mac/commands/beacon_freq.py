"""BeaconFreqReq, BeaconFreqAns: where the device looks for beacons (TS001-1.0.4, 12.2).

Only where the profile wants them elsewhere than the region has them.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import BeaconFreqAns, BeaconFreqReq
from bittern.mac.commands.requests import Block, handle_answer
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = BeaconFreqReq


def needs(session: Session, surroundings: Surroundings) -> bool:
    wanted = surroundings.wanted
    return (
        session.radio.beacon_frequency_hz != wanted.beacon_frequency_hz and wanted.supports_class_b
    )


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [(BeaconFreqReq(surroundings.wanted.beacon_frequency_hz),)]


def handle(command: BeaconFreqAns, session: Session, surroundings: Surroundings) -> Handled:
    accepted = command.beacon_frequency_ok
    return handle_answer(command, session, BeaconFreqReq, _obeyed, accepted=accepted)


def _obeyed(radio: RadioState, asked: BeaconFreqReq) -> RadioState:
    return msgspec.structs.replace(radio, beacon_frequency_hz=asked.frequency_hz)
