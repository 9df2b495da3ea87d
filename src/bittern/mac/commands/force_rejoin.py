"""ForceRejoinReq: the device is to rejoin at once (1.1, 5.13).

It has no answer but the rejoin-request. As long as the device uses this session, the demand is
repeated as every unanswered request is, ever more seldom; the session that follows has none.
"""

from __future__ import annotations

import msgspec

from bittern.lorawan.commands import ForceRejoinReq, parse_downlink_commands
from bittern.lorawan.versions import has_rejoin
from bittern.mac.commands.requests import Block
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.session import Session

REQUEST = ForceRejoinReq

TYPES = (0, 2)


def demand(
    session: Session,
    rejoin_type: int,
    *,
    data_rate: int,
    period: int = 0,
    max_retries: int = 0,
) -> Session:
    """The next revision of `session`, which tells the device to rejoin when it is next heard.

    Type 0 starts the radio parameters anew as well, type 2 only keys, address and counters. The
    device sends 1 + `max_retries` requests, 32 s x 2^`period` apart. Raises ``ValueError``.
    """
    if not (has_rejoin(session.mac_version) and session.joined):
        raise ValueError("only devices of LoRaWAN 1.1 that joined over the air rejoin")
    if rejoin_type not in TYPES:
        raise ValueError(f"a rejoin of type {rejoin_type} cannot be demanded, only 0 and 2")
    request = ForceRejoinReq(period, max_retries, rejoin_type, data_rate)
    return msgspec.structs.replace(
        session, revision=session.revision + 1, demanded_rejoin=request.pack()
    )


def needs(session: Session, surroundings: Surroundings) -> bool:
    return bool(session.demanded_rejoin)


def enqueue(session: Session, surroundings: Surroundings) -> list[Block]:
    return [tuple(parse_downlink_commands(session.demanded_rejoin))]
