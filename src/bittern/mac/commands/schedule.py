"""Which requests go out in answer to an uplink, in which order, and how often again.

At most what fits FOpts beside the answers, and in RX1 or RX2; only a block that FOpts could never
hold, the masks of a fixed plan, goes alone on FPort 0. The order is that of the versions that
introduced the commands: a device that does not know one reads no further (TS001-1.0.4, 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from bittern.lorawan.commands import (
    MAX_FOPTS_SIZE,
    DownlinkCommand,
    pack_commands,
    parse_downlink_commands,
)
from bittern.mac.commands import (
    adr_param_setup,
    beacon_freq,
    dev_status,
    dl_channel,
    duty_cycle,
    force_rejoin,
    link_adr,
    new_channel,
    ping_slot_channel,
    rejoin_param_setup,
    rx_param_setup,
    rx_timing_setup,
    tx_param_setup,
)
from bittern.mac.commands.notices import Notice, Unanswered
from bittern.mac.commands.requests import Block, sent, was_refused
from bittern.mac.commands.surroundings import Surroundings
from bittern.mac.session import Request, Session
from bittern.mac.windows import windows

PATIENCE = 3
"""So often a request goes out in answer to every uplink; then ever more seldom: after two uplinks
more, four, eight."""
LONGEST_WAIT = 256
"""Uplinks."""


class RequestModule(Protocol):
    """What every file of a request has."""

    @property
    def REQUEST(self) -> type[DownlinkCommand]: ...
    def needs(self, session: Session, surroundings: Surroundings) -> bool: ...
    def enqueue(self, session: Session, surroundings: Surroundings) -> Sequence[Block]: ...


REQUESTS: tuple[RequestModule, ...] = (
    rx_param_setup,
    rx_timing_setup,
    new_channel,
    link_adr,
    duty_cycle,
    dev_status,
    tx_param_setup,
    dl_channel,
    ping_slot_channel,
    beacon_freq,
    adr_param_setup,
    rejoin_param_setup,
    force_rejoin,
)


class Scheduled(NamedTuple):
    """What goes out, and the session that remembers it."""

    session: Session
    requests: tuple[DownlinkCommand, ...] = ()
    notices: tuple[Notice, ...] = ()


def schedule(
    session: Session,
    surroundings: Surroundings,
    answers: Sequence[DownlinkCommand],
    *,
    repeated: bool = False,
) -> Scheduled:
    """After the answers to an uplink; `repeated`: it was a retransmission."""
    session = link_adr.revise(session, surroundings)
    requests: list[DownlinkCommand] = []
    notices: list[Notice] = []
    room: _Room | None = None
    for module in REQUESTS:
        if not (session.requests or module.needs(session, surroundings)):
            continue  # as with nearly every uplink
        for block, earlier in _due(module, session, surroundings, repeated):
            room = room or _Room.after(answers, session, surroundings)
            commands = pack_commands(block)
            if not room.take(len(commands)):
                break  # those of one kind go in their order, or not at all
            session = sent(session, commands, earlier)
            requests += block
            if earlier is not None and earlier.attempts == PATIENCE and not repeated:
                notices.append(Unanswered(", ".join(map(str, block)), earlier.attempts))
    return Scheduled(session, tuple(requests), tuple(notices))


def _due(
    module: RequestModule, session: Session, surroundings: Surroundings, repeated: bool
) -> Iterator[tuple[Block, Request | None]]:
    """The module's blocks that are to go out now, with the request that they repeat."""
    if session.requests:
        mine = [one for one in session.requests if one.commands[0] == module.REQUEST.CID]
        if mine:
            if _is_due(mine[0], session, repeated):
                for one in mine:
                    yield tuple(parse_downlink_commands(one.commands)), one
            return
    if module.needs(session, surroundings):
        for block in module.enqueue(session, surroundings):
            if not was_refused(session, block):
                yield block, None


def _is_due(request: Request, session: Session, repeated: bool) -> bool:
    """The device that repeats its uplink has not heard the answer to it."""
    if request.answered:
        return False
    uplinks = session.fcnt_up - request.sent_after
    if repeated:
        return uplinks == 0
    return uplinks >= min(1 << max(request.attempts - PATIENCE + 1, 0), LONGEST_WAIT)


class _Room:
    """Bytes that are left for requests."""

    def __init__(self, used: int, in_fopts: int, alone: int) -> None:
        self._used = used
        self._in_fopts = in_fopts
        self._alone = alone

    @classmethod
    def after(
        cls, answers: Sequence[DownlinkCommand], session: Session, surroundings: Surroundings
    ) -> _Room:
        offered = windows(
            session, surroundings.wanted.plan, surroundings.data_rate, surroundings.frequency_hz
        )
        # N counts an FPort, which a frame with FOpts alone does not have.
        in_fopts = min(MAX_FOPTS_SIZE, offered.max_size + 1)
        return cls(len(pack_commands(answers)), in_fopts, offered.max_size)

    def take(self, size: int) -> bool:
        if self._used + size <= self._in_fopts:
            self._used += size
            return True
        if size > MAX_FOPTS_SIZE and self._used + size <= self._alone:
            self._used = self._in_fopts
            return True
        return False
