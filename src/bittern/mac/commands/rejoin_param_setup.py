"""RejoinParamSetupReq, RejoinParamSetupAns: rejoin-requests of type 0 at regular intervals
(1.1, 5.14)."""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import RejoinParamSetupAns, RejoinParamSetupReq
from bittern.lorawan.versions import has_rejoin
from bittern.mac.commands.requests import Block, handle_answer, open_request, refused
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.session import RadioState, Session

REQUEST = RejoinParamSetupReq

NEVER = 15
"""As seldom as the field can say: 2^25 s are a year, 2^19 uplinks at least as much."""


def needs(session: Session, surroundings: Surroundings) -> bool:
    radio, wanted = session.radio, surroundings.wanted
    time_n, count_n = wanted.rejoin_max_time_n, wanted.rejoin_max_count_n
    if time_n is None and count_n is None:
        return False
    return has_rejoin(session.mac_version) and _filled(time_n, count_n) != (
        radio.rejoin_max_time_n,
        radio.rejoin_max_count_n,
    )


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    wanted = surroundings.wanted
    filled = _filled(wanted.rejoin_max_time_n, wanted.rejoin_max_count_n)
    return [(RejoinParamSetupReq(*filled),)]


def handle(command: RejoinParamSetupAns, session: Session, surroundings: Surroundings) -> Handled:
    """Without TimeOK the device counts its uplinks all the same, but keeps no time."""
    request = open_request(session, RejoinParamSetupReq)

    def obeyed(radio: RadioState, asked: RejoinParamSetupReq) -> RadioState:
        return msgspec.structs.replace(
            radio,
            rejoin_max_time_n=asked.max_time_n if command.time_ok else None,
            rejoin_max_count_n=asked.max_count_n,
        )

    handled = handle_answer(command, session, RejoinParamSetupReq, obeyed)
    if request is None or command.time_ok:
        return handled
    remembered = refused(handled.session, request, command.write()[0])
    return handled._replace(session=remembered, declined="MaxTimeN of RejoinParamSetupReq")


def _filled(time_n: int | None, count_n: int | None) -> tuple[int, int]:
    """Both are told at once."""
    return NEVER if time_n is None else time_n, NEVER if count_n is None else count_n
